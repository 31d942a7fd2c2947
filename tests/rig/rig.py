"""The rig as a whole: what ``up`` brings into being and ``down`` takes away."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.rig import box as boxes
from tests.rig import builder, database, engine, host, images, keys, network, registry
from tests.rig import state as states
from tests.rig.commands import RigError, run
from tests.rig.state import Box, State

DEFAULT_HOST = "host"


def up(state: State, name: str, disk: str | None) -> Box:
    """Bring the shared parts and the host ``name`` up; what runs already is left alone."""
    _refuse_overlay()
    try:
        images.prepare()
        network.up(state)
        keys.authority()
        keys.bundle()
        storehouse = registry.ensure(state)
        smithy = builder.ensure(state)
        login = {"user": registry.PUSHER, "token": state.registry_token}
        images.ensure(state, smithy, registry.storage(storehouse), login)
        box = host.ensure(state, name, disk)
        network.mend(state, box)
        host.bootstrap(state, box)
    finally:
        states.save(state)  # whatever was reached, `down` must know of it
    return box


def down(state: State, name: str | None) -> None:
    """Remove the host ``name``, or everything; a second call finds nothing to do."""
    everything = [*state.boxes.values(), *boxes.forgotten(state)]
    for box in [each for each in everything if name in (None, each.name)]:
        boxes.remove(state, box)
        for key in keys.folder().glob(f"{box.name}-builder*"):
            key.unlink()
    if name is None:
        network.down(state)
        shutil.rmtree(states.home(), ignore_errors=True)
        _tidy()
    else:
        states.save(state)


def environment(state: State, name: str, app: str) -> dict[str, str]:
    """What `python -m bridge`, Docker's client and the tests need to use the rig."""
    box = find(state, name)
    address = state.address(box.octet)
    bundle = str(states.home() / "ca-bundle.crt")
    return {
        "BRIDGE_HOST": address,
        "BRIDGE_PORT": "22",
        "BRIDGE_USER": "ikoma",
        "BRIDGE_SSH_KEY": str(keys.ssh(f"{box.name}-builder")),
        "BRIDGE_KNOWN_HOSTS": str(host.known_hosts(box)),
        "BRIDGE_ADMIN_KEY": str(keys.ssh("admin")),
        "BRIDGE_ADMIN_USER": "root",
        "BRIDGE_REGISTRY": state.registry,
        "BRIDGE_REGISTRY_USER": registry.PUSHER,
        "BRIDGE_REGISTRY_TOKEN": state.registry_token,
        "DOCKER_HOST": engine.url(find(state, "builder")),
        "SSL_CERT_FILE": bundle,
        "REQUESTS_CA_BUNDLE": bundle,
        "CURL_CA_BUNDLE": bundle,
        "BASE_IMAGE": images.reference(state, "node"),
        "RIG_ADDRESS": address,
        "RIG_HTTP": f"http://{address}",
        "RIG_API_KEY": host.api_key(box),
        "RIG_DOCKER_HOST": engine.url(box),
        "RIG_DSN": database.dsn(state, address, app),
        "RIG_CA": str(keys.authority()),
        "RIG_STATE": str(states.home()),
        "RIG_OUTER_LINK": network.outer_link(state, box),
        "RIG_READONLY_USER": registry.READER,
        "RIG_READONLY_TOKEN": state.readonly_token,
        "RIG_BUSYBOX_IMAGE": images.reference(state, "busybox"),
        "RIG_CADDY_IMAGE": images.reference(state, "caddy", pinned=True),
    }


def find(state: State, name: str) -> Box:
    """A box that runs, by name."""
    box = state.boxes.get(name)
    if box is None or not boxes.is_running(box):
        known = ", ".join(sorted(state.boxes)) or "none"
        raise RigError(f"no box {name!r} is up (known: {known}); start it with `scripts/rig up`")
    return box


def _refuse_overlay() -> None:
    states.home().mkdir(parents=True, exist_ok=True, mode=0o700)
    kind = run(["stat", "--file-system", "--format=%T", states.home()]).strip()
    if kind == "overlayfs":
        raise RigError(f"{states.home()} lies on an overlay: set XDG_STATE_HOME to a folder on a plain disk")


def _tidy() -> None:
    """Remove the folder above ours when no other rig is left."""
    folder: Path = states.all_rigs()
    if folder.exists() and not any(folder.iterdir()):
        folder.rmdir()
