"""Space kept back for bad times: a file that is given up so that a full disk still takes the journal's last words."""

from __future__ import annotations

import os
from pathlib import Path

from agent.host.paths import Paths

_MB = 1024 * 1024


def path(paths: Paths) -> Path:
    """Return where the ballast lies."""
    return paths.state / "ballast"


def keep(paths: Paths, megabytes: int) -> bool:
    """Lay the ballast down again if at least twice its size is free; say whether it is there."""
    file, size = path(paths), megabytes * _MB
    try:
        if file.exists() and file.stat().st_size >= size:
            return True
        stat = os.statvfs(paths.state)
        if stat.f_bavail * stat.f_frsize < 2 * size:
            return False
        _allocate(file, size)
    except OSError:
        return False
    return True


def free(paths: Paths) -> bool:
    """Give the ballast up; say whether there was one."""
    try:
        path(paths).unlink()
    except OSError:
        return False
    return True


def _allocate(file: Path, size: int) -> None:
    fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(fd, 0, size)
    except OSError:
        file.unlink()
        raise
    finally:
        os.close(fd)
