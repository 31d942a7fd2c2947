"""The registry's box: Debian's docker-registry behind TLS and bearer tokens, as ghcr.io does it."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path

from tests.rig import box as boxes
from tests.rig import keys, rootfs
from tests.rig.commands import wait_until
from tests.rig.state import REGISTRY, Box, State

STORAGE = "var/lib/docker-registry"
PUSHER, READER = "rig-pusher", "rig-reader"
SERVICES: list[dict[str, object]] = [
    {"name": "registry", "argv": ["/usr/bin/docker-registry", "serve", "/etc/rig/registry.yml"]},
    {"name": "tokens", "argv": ["/usr/bin/python3", "-I", "/etc/rig/tokens.py"]},
]


def ensure(state: State) -> Box:
    """The running registry, started if need be."""
    box = state.boxes.setdefault("registry", Box("registry", "registry", REGISTRY))
    if not boxes.is_up(box):
        boxes.start(state, box, rootfs.ensure(rootfs.BOX), SERVICES, lambda: _furnish(state, box))
    wait_until("the registry to listen", lambda: all(_listens(state, port) for port in (5000, 5001)))
    return box


def trust(state: State, box: Box) -> None:
    """Make the engine and the programs of a box believe the rig's authority."""
    certificate = keys.authority().read_text()
    boxes.write(box, f"/etc/docker/certs.d/{state.registry}/ca.crt", certificate)
    bundle = boxes.root(box) / "etc/ssl/certs/ca-certificates.crt"
    if certificate not in bundle.read_text():
        with bundle.open("a") as known:
            known.write(certificate)


def storage(box: Box) -> Path:
    """The registry's storage as seen from outside; only while the box runs."""
    return boxes.root(box) / STORAGE


def _furnish(state: State, box: Box) -> None:
    users = {
        PUSHER: {"secret": state.registry_token, "actions": ["pull", "push", "delete"]},
        READER: {"secret": state.readonly_token, "actions": ["pull"]},
    }
    certificate, key = keys.server("registry", state.address(REGISTRY))
    boxes.write(box, "/etc/rig/registry.yml", json.dumps(_configuration(state), indent=1))
    boxes.write(box, "/etc/rig/users.json", json.dumps(users), mode=0o600)
    for name in ("server", "token"):
        boxes.write(box, f"/etc/rig/{name}.crt", certificate.read_text())
        boxes.write(box, f"/etc/rig/{name}.key", key.read_text(), mode=0o600)
    shutil.copy(Path(__file__).with_name("tokens.py"), boxes.root(box) / "etc/rig/tokens.py")


def _configuration(state: State) -> dict[str, object]:
    """The registry's configuration; it reads YAML, of which JSON is a part."""
    address = state.address(REGISTRY)
    token = {
        "realm": f"https://{address}:5001/token",
        "service": "rig-registry",
        "issuer": "rig",
        "rootcertbundle": "/etc/rig/token.crt",
    }
    tls = {"certificate": "/etc/rig/server.crt", "key": "/etc/rig/server.key"}
    return {
        "version": 0.1,
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": f"/{STORAGE}"}, "delete": {"enabled": True}},
        "http": {"addr": "0.0.0.0:5000", "tls": tls},
        "auth": {"token": token},
    }


def _listens(state: State, port: int) -> bool:
    try:
        socket.create_connection((state.address(REGISTRY), port), timeout=1).close()
    except OSError:
        return False
    return True
