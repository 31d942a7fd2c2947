"""A host in a box: engine, sshd and PostgreSQL, made ready by the very bootstrap that a user runs."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from tests.rig import box as boxes
from tests.rig import database, engine, images, keys, registry, rootfs
from tests.rig import state as states
from tests.rig.commands import RigError, say, wait_until
from tests.rig.state import CHECKOUT, Box, State

SERVICES: list[dict[str, object]] = [
    *engine.SERVICES,
    {"name": "sshd", "argv": ["/usr/sbin/sshd", "-D", "-e"]},
    database.SERVICE,
]


def ensure(state: State, name: str, disk: str | None) -> Box:
    """The running, bootstrapped host ``name``; a new one gets a disk of the size ``disk``, if given."""
    box = state.boxes.get(name) or Box(name, "host", state.free_octet(), disk)
    if disk and disk != box.disk:
        raise RigError(f"{name} exists with another disk; remove it with `scripts/rig down --name {name}` first")
    state.boxes[name] = box
    if not boxes.is_up(box):
        boxes.start(state, box, rootfs.ensure(rootfs.BOX), SERVICES, lambda: _furnish(state, box))
    wait_until("sshd to answer", lambda: _ssh_answers(state.address(box.octet)))
    database.wait(box)
    engine.wait(box)
    database.make_administrator(state, box)
    if not boxes.succeeds(box, "docker", "image", "inspect", images.reference(state, "caddy", pinned=True)):
        _pull_proxy(state, box)
    return box


def bootstrap(state: State, box: Box) -> None:
    """Run `python -m bridge host bootstrap` unless this agent with these settings is there already."""
    command = bootstrap_command(state, box)
    digest = _installed(state, box, command)
    mark = states.box_home(box.name) / "disk" / "bootstrapped"  # on the disk that it speaks of
    if mark.exists() and mark.read_text() == digest:
        return
    say(f"bootstrapping {box.name}")
    line = ["setpriv", "--pdeathsig", "KILL", *command]  # nothing goes on when `up` is killed
    done = subprocess.run(line, cwd=CHECKOUT, env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        report = (done.stdout + done.stderr).strip()
        raise RigError(f"host bootstrap of {box.name} failed ({done.returncode}):\n{report}")
    mark.write_text(digest)
    _make_api_key(box)


def api_key(box: Box) -> str:
    """The API secret of the host's key ``rig``; empty before its bootstrap."""
    file = _api_key_file(box)
    return file.read_text() if file.exists() else ""


def _api_key_file(box: Box) -> Path:
    return states.box_home(box.name) / "api-key"


def _make_api_key(box: Box) -> None:
    """Have the host make an API secret; one that was made before stays valid."""
    if not _api_key_file(box).exists():
        made = boxes.execute(box, "/usr/local/bin/ikoma", "call", "keys.rotate", "key=rig")
        states.write_private(_api_key_file(box), str(json.loads(made)["apiKey"]))


def bootstrap_command(state: State, box: Box) -> list[str]:
    """The command line a user would type."""
    key = keys.ssh(f"{box.name}-builder")
    return [
        *(sys.executable, "-m", "bridge", "host", "bootstrap"),
        *("--host", state.address(box.octet), "--port", "22"),
        *("--admin-user", "root", "--admin-key", str(keys.ssh("admin"))),
        *("--known-hosts", str(known_hosts(box))),
        *("--settings", str(states.box_home(box.name) / "settings.json")),
        *("--key-name", "rig", "--public-key", f"{key}.pub", "--role", "builder", "--yes"),
    ]


def known_hosts(box: Box) -> Path:
    """The file that pins the host's key."""
    return states.box_home(box.name) / "known_hosts"


def _furnish(state: State, box: Box) -> None:
    engine.configure(box)
    registry.trust(state, box)
    database.configure(box)
    _open_ssh(state, box)
    # No name server: a host in a box reaches the rig and nothing else, and an unknown name fails at once.
    boxes.write(box, "/etc/resolv.conf", "")
    boxes.write(box, "/etc/hosts", f"127.0.0.1 localhost\n{state.address(box.octet)} {box.name}\n")
    _write_settings(state, box)


def _open_ssh(state: State, box: Box) -> None:
    (boxes.root(box) / "run/sshd").mkdir(exist_ok=True)
    boxes.write(box, "/root/.ssh/authorized_keys", keys.ssh("admin").with_suffix(".pub").read_text(), mode=0o600)
    if not (boxes.root(box) / "etc/ssh/ssh_host_ed25519_key").exists():
        boxes.execute(box, "ssh-keygen", "-A")
    kind, public = (boxes.root(box) / "etc/ssh/ssh_host_ed25519_key.pub").read_text().split()[:2]
    states.write_private(known_hosts(box), f"{state.address(box.octet)} {kind} {public}\n")


def _write_settings(state: State, box: Box) -> None:
    settings: dict[str, object] = {
        "provision": True,
        "admin_dsn": database.dsn(state, "127.0.0.1", "postgres"),
        "database_address": f"{state.address(box.octet)}:5432",
        "caddy_image": images.reference(state, "caddy", pinned=True),
        "public_tls": False,
        "http_door": True,
        "door_name": state.address(box.octet),
        "door_burst": 2000,
    }
    if box.disk:
        settings["min_free_mb"] = 64  # else a deployment to a small disk would be refused before it begins
    states.write_private(states.box_home(box.name) / "settings.json", json.dumps(settings, indent=1))


def _pull_proxy(state: State, box: Box) -> None:
    """Load the proxy's image now; the credentials live in memory-backed /run and only for the pull."""
    say(f"pulling the proxy's image into {box.name}")
    config = "/run/rig-login"
    login = ["docker", "--config", config, "login", "--username", registry.READER, "--password-stdin", state.registry]
    try:
        boxes.execute(box, *login, stdin=state.readonly_token)
        image = images.reference(state, "caddy", pinned=True)
        boxes.execute(box, "docker", "--config", config, "pull", "--quiet", image)
    finally:
        boxes.execute(box, "rm", "-rf", config)


def _ssh_answers(address: str) -> bool:
    try:
        with socket.create_connection((address, 22), timeout=2) as connection:
            return connection.recv(8).startswith(b"SSH-")
    except OSError:
        return False


def _installed(state: State, box: Box, command: list[str]) -> str:
    """Digest of all a bootstrap would bring to the host: the agent, its requirements, settings and keys."""
    digest = hashlib.sha256("\0".join(command).encode())
    sources = sorted(path for path in (CHECKOUT / "agent").rglob("*") if path.suffix in (".py", ".txt"))
    settings = states.box_home(box.name) / "settings.json"
    for path in [*sources, *sorted((CHECKOUT / "bridge/remote").rglob("*.py")), settings]:
        digest.update(str(path).encode() + path.read_bytes())
    return digest.hexdigest()


def _environment() -> dict[str, str]:
    return {**os.environ, "SSL_CERT_FILE": str(keys.bundle())}
