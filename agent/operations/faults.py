"""Faults on purpose: tests arm them in ``/etc/ikoma/faults.json``, which only root can write.

``{"die_at": "migrate:after", "once": true}`` kills the worker with -9 at that boundary;
``{"sleep_at": {"migrate:before": 5}}`` makes it wait there. ``<step>:before`` is when the intent is journalled and
the effect not begun; ``<step>:after`` when the effect is done and not yet journalled; ``<step>:undo`` before the undo.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from agent.host.files import read_json, write_atomic
from agent.host.paths import Paths

Point = Callable[[str], None]


def points(paths: Paths) -> Point:
    """Return the function that is called at every boundary; it does nothing unless a fault is armed."""
    return lambda boundary: _point(paths, boundary)


def _point(paths: Paths, boundary: str) -> None:
    armed = _armed(paths)
    if seconds := armed.get("sleep_at", {}).get(boundary):
        time.sleep(float(seconds))
    if armed.get("die_at") == boundary and not (armed.get("once") and _fired(paths)):
        os.kill(os.getpid(), signal.SIGKILL)


def _armed(paths: Paths) -> dict[str, Any]:
    """Return the armed faults if the owner of the host's root wrote them."""
    try:
        trusted = paths.faults.stat().st_uid == paths.root.stat().st_uid
    except FileNotFoundError:
        return {}
    armed: dict[str, Any] = read_json(paths.faults, default={}) if trusted else {}
    return armed


def _fired(paths: Paths) -> bool:
    """Say whether this very arming has fired before; remember that it has now."""
    marker, arming = paths.state / "faults.fired", str(paths.faults.stat().st_mtime_ns)
    if read_json(marker, default="") == arming:
        return True
    write_atomic(marker, f'"{arming}"')
    return False
