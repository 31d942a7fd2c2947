"""Runs on the host as root: carries out a list of actions, one line of JSON about each.

Sent to the host's own Python (3.11 or newer, standard library only). The request on standard input holds the
actions; the bytes of a package follow it. Each action may be repeated; the first failure ends the list.
"""

from __future__ import annotations

import compileall
import contextlib
import fcntl
import grp
import hashlib
import io
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

HELD: list[Any] = []  # open locks: freed when this process ends
ROUND_SECONDS = 60.0


class Failed(Exception):
    """An action could not be done; the text says why."""


def main() -> None:
    """Carry out the actions on standard input; exit 1 at the first failure."""
    stream = sys.stdin.buffer
    actions = json.loads(stream.read(int(stream.readline())))["actions"]
    say({"t": "hello"})
    os.chdir("/")
    for index, action in enumerate(actions):
        try:
            said = DO[action["kind"]](action) or {}
        except (Failed, OSError, KeyError, ValueError, tarfile.TarError) as error:
            say({"t": "failed", "index": index, "reason": f"{type(error).__name__}: {error}".removeprefix("Failed: ")})
            sys.exit(1)
        say({"t": "done", "index": index, **said})


def say(line: dict[str, Any]) -> None:
    """Print one line at once."""
    print(json.dumps(line), flush=True)


def run(*argv: str) -> str:
    """Return what a program prints. Raises ``Failed`` with its last lines."""
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=120
        )
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{argv[0]} did not end within 120 s") from error
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-6:]
        raise Failed(f"{' '.join(argv[:3])}: code {done.returncode}: " + "\n".join(last))
    return done.stdout


def make_user(action: dict[str, Any]) -> None:
    """Create or correct a system user without a password."""
    name, groups = action["name"], ",".join(action["groups"])
    options = ["--shell", action["shell"], "--groups", groups]
    if known(name):
        run("usermod", *options, "--home", action["home"], "--append", name)
    else:
        # "*" matches no password, and unlike "!" does not count as locked where PAM is off.
        options += ["--user-group", "--home-dir", action["home"], "--no-create-home", "--password", "*"]
        run("useradd", "--system", *options, name)


def known(name: str) -> bool:
    """Say whether the host has this user."""
    with contextlib.suppress(KeyError):
        pwd.getpwnam(name)
        return True
    return False


def drop_user(action: dict[str, Any]) -> None:
    """Remove a user; what it owned below ``folders`` goes to root."""
    if not known(action["name"]):
        return
    number = pwd.getpwnam(action["name"]).pw_uid
    for folder in action["folders"]:
        for path in [Path(folder), *Path(folder).rglob("*")]:
            with contextlib.suppress(FileNotFoundError):
                if path.lstat().st_uid == number:
                    os.lchown(path, 0, 0)
    for left in range(20, -1, -1):  # a recovery that the timer began may still end
        try:
            run("userdel", action["name"])
            return
        except Failed:
            if not left:
                raise
            time.sleep(0.5)


def make_folder(action: dict[str, Any]) -> None:
    """Create a folder or correct its owner and mode; a folder that changes hands takes its content along."""
    path = Path(action["path"])
    owner, group = numbers(action)
    fresh = not path.exists()
    path.mkdir(parents=True, exist_ok=True)
    if not fresh and action["adopt"] and path.stat().st_uid != owner:
        for found in path.glob(action["adopt"]):
            adopt(found if found.parent == path else found.parent, owner, group)
    os.chown(path, owner, group)
    path.chmod(action["mode"])


def adopt(root: Path, owner: int, group: int) -> None:
    """Give a tree that an earlier installation left to ``owner``."""
    for path in [root, *(root.rglob("*") if root.is_dir() and not root.is_symlink() else ())]:
        os.lchown(path, owner, group)


def numbers(action: dict[str, Any]) -> tuple[int, int]:
    """Return the numbers of an action's owner and group."""
    return pwd.getpwnam(action["owner"]).pw_uid, grp.getgrnam(action["group"]).gr_gid


def write_file(action: dict[str, Any]) -> None:
    """Write a file whole or not at all; without content only its owner and mode are corrected."""
    path = Path(action["path"])
    owner, group = numbers(action)
    if action["content"] is None:
        os.chown(path, owner, group)
        path.chmod(action["mode"])
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as target:
            os.fchown(target.fileno(), owner, group)
            os.fchmod(target.fileno(), action["mode"])
            target.write(action["content"])
            target.flush()
            os.fsync(target.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def make_link(action: dict[str, Any]) -> None:
    """Point a symbolic link elsewhere by a rename: nobody finds it missing."""
    path = Path(action["path"])
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(action["target"])
    fresh.replace(path)


def remove(action: dict[str, Any]) -> None:
    """Remove a file, a link or a folder with all it holds."""
    path = Path(action["path"])
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def install(action: dict[str, Any]) -> None:
    """Unpack an agent beside the others; it gets its name only when it is whole and has passed its own test."""
    raw = sys.stdin.buffer.read(action["length"])
    if hashlib.sha256(raw).hexdigest() != action["sha256"]:
        raise Failed("the package arrived damaged; nothing was installed")
    final = Path(action["folder"], action["version"])
    partial = final.with_name(f".{final.name}.partial")
    for leftover in (partial, final):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        unpack(raw, partial)
        compileall.compile_dir(partial / "lib", quiet=2, ddir=str(final / "lib"))
        os.sync()  # a crash after the switch must not find empty files
        test(partial / "bin/ikoma-agent", action["user"])
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    partial.rename(final)


def unpack(raw: bytes, folder: Path) -> None:
    """Unpack a package whose checksum was right; files belong to root."""
    folder.mkdir(mode=0o755)
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extraction_filter = tarfile.data_filter
        tar.extractall(folder)  # noqa: S202 (built by the bridge, checksum verified)
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, 0, 0)
        path.chmod(0o755 if path.is_dir() or path.parent == folder / "bin" else 0o644)


def test(program: Path, user: str) -> None:
    """Let the new agent test itself as the user it will run as."""
    run("runuser", "-u", user, "--", str(program), "selftest")


def prune(action: dict[str, Any]) -> None:
    """Remove the oldest agents, never one that a link names."""
    folder = Path(action["folder"])
    linked = {Path(os.path.realpath(link)).name for link in action["links"]}
    versions = sorted((path.parent for path in folder.glob("*/VERSION")), key=lambda path: path.stat().st_mtime)
    spare = [path for path in versions if path.name not in linked]
    for path in spare[: max(0, len(versions) - action["keep"])]:
        shutil.rmtree(path)


def idle(action: dict[str, Any]) -> None:
    """Refuse while an operation holds its target; from here on no new one can start until we are done."""
    for path in sorted(Path(action["locks"]).glob("*.lock")):
        lock = path.open("r")
        HELD.append(lock)
        # Locks of the journal and the history are held for moments and name no operation.
        if "operation" in (holder := held_by(lock)):
            raise Failed(f"busy {path.stem} {holder}")


def held_by(lock: Any) -> str:
    """Take a lock, or return what its holder wrote. The agent's own round holds it for moments: that is waited for."""
    deadline = time.monotonic() + ROUND_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return ""
        except BlockingIOError:
            lock.seek(0)
            holder = str(lock.read(2000))
        if '"operation": "-"' not in holder or time.monotonic() > deadline:
            return holder
        time.sleep(0.1)


def command(action: dict[str, Any]) -> None:
    """Run a program."""
    run(*action["argv"])


def sshd(action: dict[str, Any]) -> dict[str, Any]:
    """Put a drop-in for sshd in place (or remove it), reload only what ``sshd -t`` accepts; else take it back."""
    path = Path(action["path"])
    previous = path.read_text() if path.exists() else None
    place(path, action["content"])
    try:
        check_sshd(action)
    except Failed:
        place(path, previous)
        raise
    reload_sshd()
    return {"previous": previous}


def place(path: Path, content: str | None) -> None:
    """Write the drop-in, or remove it."""
    if content is None:
        path.unlink(missing_ok=True)
        return
    action = {"path": str(path), "content": content, "owner": "root", "group": "root", "mode": 0o644}
    write_file(action)


def check_sshd(action: dict[str, Any]) -> None:
    """Ask sshd itself: is the configuration valid, and does the drop-in count for the user?"""
    run("/usr/sbin/sshd", "-t")
    effective = run("/usr/sbin/sshd", "-T", "-C", f"user={action['user']},host=localhost,addr=127.0.0.1").lower()
    for line in action["expect"]:
        if line.lower() not in effective.splitlines():
            raise Failed(f"“{line}” has no effect: does /etc/ssh/sshd_config include {action['path']}?")


def reload_sshd() -> None:
    """Let sshd read its configuration again; open sessions stay."""
    if Path("/run/systemd/system").is_dir():
        for unit in ("ssh.service", "sshd.service"):
            with contextlib.suppress(Failed):
                run("systemctl", "reload", unit)
                return
    for pid in listening_sshd():
        os.kill(pid, signal.SIGHUP)


def listening_sshd() -> list[int]:
    """Return sshd's main process: the one its pid file names."""
    settings = dict(line.partition(" ")[::2] for line in run("/usr/sbin/sshd", "-T").splitlines())
    try:
        pid = int(Path(settings.get("pidfile", "/run/sshd.pid")).read_text())
        if Path(f"/proc/{pid}/comm").read_text().startswith("sshd"):
            return [pid]
    except (OSError, ValueError):
        pass
    raise Failed("sshd was not told of its new configuration: neither systemd nor its pid file names the process")


DO = {
    "user": make_user,
    "drop_user": drop_user,
    "folder": make_folder,
    "file": write_file,
    "link": make_link,
    "remove": remove,
    "install": install,
    "prune": prune,
    "idle": idle,
    "command": command,
    "sshd": sshd,
}

main()
