"""Runs on the host: reads, changes nothing, prints one JSON object.

Sent to the host's own Python (3.8 or newer, standard library only). The request on standard input names the files
whose state is wanted. Without root some facts (who holds a port, another user's files) are missing.
"""

from __future__ import annotations

# Plain os.path and glob: processes vanish while we look, and that must not be an error.
# ruff: noqa: PTH110, PTH112, PTH114, PTH115, PTH116, PTH118, PTH119, PTH120, PTH207
import glob
import grp
import hashlib
import http.client
import json
import os
import platform
import pwd
import re
import shutil
import socket
import subprocess
import sys
import time
from typing import Any

LONGEST_TEXT = 256 * 1024


def main() -> None:
    """Answer the request on standard input."""
    stream = sys.stdin.buffer
    request = json.loads(stream.read(int(stream.readline())))
    print(json.dumps({"t": "hello"}))
    facts = collect(request)
    print(json.dumps({"t": "facts", "facts": facts}))


def collect(request: dict[str, Any]) -> dict[str, Any]:
    """Return all facts; ``request`` has ``user``, ``paths``, ``texts``, ``versions`` and ``survey``."""
    facts = {
        "time": time.time(),
        "uid": os.geteuid(),
        "machine": platform.machine(),
        "libc": list(platform.libc_ver()),
        "system": system(),
        "pythons": pythons(),
        "systemd": os.path.isdir("/run/systemd/system"),
        "user": user(request["user"]),
        "docker_group": docker_group(),
        "paths": {path: state(path) for path in request["paths"]},
        "texts": {path: text(path) for path in request["texts"]},
        "versions": versions(request["versions"]),
        "timer": run(["systemctl", "is-enabled", request["timer"]]) if os.path.isdir("/run/systemd/system") else "",
    }
    if request["survey"]:
        facts.update(survey())
        facts["platform"] = agents_own(request["program"], request["lang"])
    return facts


def system() -> str:
    """Return the distribution's name and version."""
    found = re.search(r'^PRETTY_NAME="?([^"\n]+)', text("/etc/os-release") or "", re.MULTILINE)
    return found.group(1) if found else platform.platform()


def pythons() -> dict[str, list[int]]:
    """Return the interpreters of the distribution and their versions."""
    found = {}
    for path in sorted({*glob.glob("/usr/bin/python3*"), *glob.glob("/usr/local/bin/python3*")}):
        if re.fullmatch(r".*/python3(\.\d+)?", path):
            version = run([path, "-IS", "-c", "import sys; print(*sys.version_info[:2])"]).split()
            if len(version) == 2:
                found[path] = [int(part) for part in version]
    return found


def user(name: str) -> dict[str, Any] | None:
    """Return what is known of a user, or None."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    groups = [grp.getgrgid(number).gr_name for number in os.getgrouplist(name, entry.pw_gid)]
    return {"home": entry.pw_dir, "shell": entry.pw_shell, "groups": sorted(groups)}


def docker_group() -> str:
    """Return the group that may speak with the Engine; empty when there is none."""
    try:
        return grp.getgrgid(os.stat("/var/run/docker.sock").st_gid).gr_name
    except (OSError, KeyError):
        return "docker" if any(entry.gr_name == "docker" for entry in grp.getgrall()) else ""


def state(path: str) -> dict[str, Any]:
    """Return kind, mode, owner, group and content (link target or SHA-256) of a path."""
    try:
        entry = os.lstat(path)
    except OSError:
        return {"kind": "absent"}
    facts = {"mode": entry.st_mode & 0o7777, "owner": owner(entry.st_uid), "group": group(entry.st_gid)}
    if os.path.islink(path):
        return dict(facts, kind="link", target=os.readlink(path))
    if os.path.isdir(path):
        return dict(facts, kind="folder")
    return dict(facts, kind="file", sha256=digest(path))


def owner(number: int) -> str:
    """Return a user's name, or its number."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def group(number: int) -> str:
    """Return a group's name, or its number."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def digest(path: str) -> str:
    """Return the SHA-256 of a file; empty when it cannot be read."""
    try:
        with open(path, "rb") as stream:
            return hashlib.sha256(stream.read()).hexdigest()
    except OSError:
        return ""


def text(path: str) -> str | None:
    """Return the text of a small file, or None."""
    try:
        with open(path, errors="replace") as stream:
            return stream.read(LONGEST_TEXT)
    except OSError:
        return None


def versions(folder: str) -> list[str]:
    """Return the complete agents in a folder, oldest first."""
    found = [os.path.dirname(path) for path in glob.glob(os.path.join(folder, "*", "VERSION"))]
    return [os.path.basename(path) for path in sorted(found, key=os.path.getmtime)]


def run(argv: list[str]) -> str:
    """Return what a program prints; empty when it fails or is missing."""
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""


def survey() -> dict[str, Any]:
    """Return what only ``host check`` shows."""
    containers = engine("/containers/json") or []
    holders = listeners()
    return {
        "engine": (engine("/version") or {}).get("Version", ""),
        "compose": run(["docker", "compose", "version", "--short"]),
        "disk": {path: free(path) for path in ("/var/lib/docker", "/srv", "/var/lib")},
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "ports": {str(port): held_by(port, holders, containers) for port in (80, 443)},
        "databases": database_processes(holders) + database_containers(containers),
        "container_count": len(containers),
    }


def agents_own(program: str, lang: str) -> dict[str, Any]:
    """Return what the agent itself finds, as ``platform.check`` answers; nothing where there is none."""
    if not os.path.exists(program):
        return {}
    said = run(["env", "IKOMA_LANG=" + lang, program, "call", "platform.check"])
    try:
        found = json.loads(said)
    except ValueError:
        return {}
    return {name: found.get(name) or [] for name in ("problems", "warnings")} if isinstance(found, dict) else {}


class EngineConnection(http.client.HTTPConnection):
    """HTTP over the Engine's socket."""

    def connect(self) -> None:
        """Connect to the socket instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(10)
        self.sock.connect("/var/run/docker.sock")


def engine(path: str) -> Any:
    """Return what the Engine answers, or None."""
    connection = EngineConnection("localhost", timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return json.loads(answer.read()) if answer.status == 200 else None
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def free(path: str) -> dict[str, int] | None:
    """Return free and total bytes of the disk below a path, or None."""
    try:
        usage = shutil.disk_usage(path)
    except OSError:
        return None
    return {"free": usage.free, "total": usage.total}


def listeners() -> list[dict[str, Any]]:
    """Return the listening TCP sockets: address, port, inode, and the program that holds each (root only)."""
    found: list[dict[str, Any]] = []
    for name in ("tcp", "tcp6"):
        for line in (text("/proc/net/" + name) or "").splitlines()[1:]:
            words = line.split()
            if len(words) > 9 and words[3] == "0A":
                found.append(
                    {"address": words[1].split(":")[0], "port": int(words[1].split(":")[1], 16), "inode": words[9]}
                )
    programs = socket_holders({entry["inode"] for entry in found})
    return [dict(entry, program=programs.get(entry["inode"], "")) for entry in found]


def socket_holders(inodes: Any) -> dict[str, str]:
    """Return the program's name for each socket inode that can be seen."""
    found = {}
    for path in glob.glob("/proc/[0-9]*/fd/*"):
        try:
            target = os.readlink(path)
        except OSError:
            continue
        inode = target[8:-1] if target.startswith("socket:[") else ""
        if inode in inodes:
            found[inode] = (text("/proc/" + path.split("/")[2] + "/comm") or "").strip()
    return found


def held_by(port: int, holders: list[dict[str, Any]], containers: list[dict[str, Any]]) -> str:
    """Return who listens on a port: ``container NAME``, a program, ``?`` when hidden, empty when free."""
    for container in containers:
        if any(published.get("PublicPort") == port for published in container.get("Ports") or []):
            return "container " + name_of(container)
    for entry in holders:
        if entry["port"] == port:
            return entry["program"] or "?"
    return ""


def name_of(container: dict[str, Any]) -> str:
    """Return a container's name."""
    return str((container.get("Names") or ["/?"])[0]).lstrip("/")


def database_processes(holders: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return PostgreSQL servers of the host itself and the addresses they listen on."""
    found = []
    for port in sorted({entry["port"] for entry in holders if entry["program"].startswith("postgres")}):
        addresses = {address(entry["address"]) for entry in holders if entry["port"] == port}
        reach = ", ".join(sorted(f"{each}:{port}" for each in addresses))
        found.append({"kind": "postgresql", "name": "postgres", "reached": reach})
    return found


def address(raw: str) -> str:
    """Return an address of /proc/net/tcp in the usual notation."""
    packed = b"".join(bytes.fromhex(raw[start : start + 8])[::-1] for start in range(0, len(raw), 8))
    shown = socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)
    return "[" + shown + "]" if ":" in shown else shown


def database_containers(containers: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return containers that run PostgreSQL or Supabase's, and how each is reached."""
    found = []
    for container in containers:
        image = container.get("Image", "")
        if not re.search(r"(^|/)(postgres|postgis|pgvector|timescaledb)(-ha)?(:|@|$)|supabase/postgres", image):
            continue
        ports = [
            "{}:{}".format(port.get("IP", ""), port["PublicPort"])
            for port in container["Ports"]
            if "PublicPort" in port
        ]
        networks = sorted((container.get("NetworkSettings") or {}).get("Networks") or {})
        reach = ", ".join(sorted(set(ports))) or "container name, network " + ", ".join(networks)
        found.append(
            {"kind": "supabase" if "supabase" in image else "postgresql", "name": name_of(container), "reached": reach}
        )
    return found


main()
