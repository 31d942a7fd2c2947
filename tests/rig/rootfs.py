"""Debian file systems made by mmdebstrap from the machine's own mirror, cached by the hash of their recipe."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.rig import state as states
from tests.rig.commands import RigError, run, say

RELEASE = "trixie"
APT_FOLDER = Path("/etc/apt")
UNREAD = ("/usr/share/man/*", "/usr/share/locale/*", "/usr/share/doc/*", "/usr/share/info/*")


@dataclass(frozen=True)
class Recipe:
    """What a file system is made of; any change gives it another place in the cache."""

    name: str
    packages: tuple[str, ...]
    variant: str = "essential"
    finish: str = ""  # shell script run inside at the end
    extra: str = ""  # anything else that the result depends on

    def digest(self) -> str:
        """Twelve hex digits over everything that decides the result."""
        text = json.dumps(asdict(self), sort_keys=True) + RELEASE
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def path(self) -> Path:
        """Where the finished file system lies in the cache."""
        return states.cache() / f"{self.name}-{self.digest()}"


BOX = Recipe(
    name="box",
    variant="apt",
    packages=(
        *("docker.io", "docker-cli", "docker-compose", "docker-buildx", "docker-registry"),
        *("openssh-server", "postgresql", "python3", "python3-cryptography", "ca-certificates"),
        *("iproute2", "iptables", "procps", "git", "curl", "busybox-static", "sudo", "jq", "restic"),
    ),
    # Each box makes its own host keys: a key shared by two hosts would prove nothing.
    finish="rm -f /etc/ssh/ssh_host_*; mkdir -p /var/lib/docker /var/lib/containerd",
)


def ensure(recipe: Recipe, furnish: Callable[[Path], None] | None = None) -> Path:
    """The folder of a recipe's file system, made now if the cache has none.

    ``furnish`` may add files to it before it enters the cache.
    """

    def make(root: Path) -> None:
        _debootstrap(recipe, root)
        if furnish:
            furnish(root)

    return cached(recipe.path(), make)


def cached(path: Path, make: Callable[[Path], None]) -> Path:
    """The folder ``path`` of the cache; when it is missing, ``make`` fills it, and only a whole one gets the name.

    Whoever else wants the same folder at the same time waits for it.
    """
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            began = time.monotonic()
            say(f"making {path.name} (once; cached)")
            _make(path, make)
            say(f"made {path.name} in {time.monotonic() - began:.0f} s")
    return path


def _make(path: Path, make: Callable[[Path], None]) -> None:
    for leftover in path.parent.glob(f".{path.name}.work-*"):  # of a run that was killed; we hold the lock
        shutil.rmtree(leftover, ignore_errors=True)
    # A name of its own each time: what a killed run started may write for a moment longer.
    work = Path(tempfile.mkdtemp(prefix=f".{path.name}.work-", dir=path.parent))
    (work / "root").mkdir()
    try:
        make(work / "root")
        (work / "root").rename(path)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _debootstrap(recipe: Recipe, root: Path) -> None:
    sources = root.with_name("mirror.sources")
    sources.write_text(_sources())
    # A file system that is made anew after a crash needs no fsync for each of its files.
    options = ["--dpkgopt=force-unsafe-io", *(f"--dpkgopt=path-exclude={pattern}" for pattern in UNREAD)]
    if recipe.finish:
        script = root.with_name("finish.sh")
        script.write_text(f"set -eu\n{recipe.finish}\n")
        options.append(f'--customize-hook=chroot "$1" sh <{script}')
    options += ["--mode=root", "--format=directory", f"--variant={recipe.variant}"]
    options += [f"--include={','.join(recipe.packages)}"]
    environment = {**os.environ, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    run(["mmdebstrap", *options, RELEASE, root, sources], env=environment)


def _sources() -> str:
    """The machine's own Debian sources with the suite's name changed: same mirror, same keys."""
    codename = _codename()
    paths = [*(APT_FOLDER / "sources.list.d").glob("*.sources"), *APT_FOLDER.rglob("*.list")]
    for path in sorted(paths):
        text = path.read_text()
        if f"{codename}-updates" in text or f"{codename}-security" in text:  # others name the release too
            return text.replace(codename, RELEASE)
    raise RigError(f"no Debian mirror found: none of the files in {APT_FOLDER} names the release {codename}")


def _codename() -> str:
    for line in Path("/etc/os-release").read_text().splitlines():
        key, _, value = line.partition("=")
        if key == "VERSION_CODENAME":
            return value.strip('"')
    raise RigError("/etc/os-release names no release; the rig needs Debian")
