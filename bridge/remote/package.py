"""What is shipped to a host: the agent's source and its wheels in one archive, for that host's Python."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import agent
from agent.host.files import write_atomic
from agent.host.process import run
from agent.model.errors import IkomaError, Misuse

SUPPORTED: Final = ((3, 11), (3, 12), (3, 13))
"""Python versions of a host that the agent runs on."""

_PLATFORMS: Final = {"x86_64": "x86_64-manylinux_2_28", "aarch64": "aarch64-manylinux_2_28"}
_KEPT: Final = 6  # archives in the cache
# Isolated and without site: neither the host's packages nor a user's can get between the agent and its own.
_SCRIPT: Final = """#!{python} -IS
import os
import sys

os.environ.pop("IKOMA_ROOT", None)  # an installed agent has one host; nobody's environment gives it another
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "lib"))
from agent.__main__ import main

sys.exit(main())
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The Python of a host: its absolute path, its version, and the machine's architecture (``uname -m``)."""

    path: str
    version: tuple[int, int]
    machine: str

    @property
    def dotted(self) -> str:
        return f"{self.version[0]}.{self.version[1]}"


@dataclass(frozen=True, slots=True)
class Package:
    """An agent ready to be unpacked into ``versions/<version>``: a tar.gz and its SHA-256."""

    version: str
    archive: Path
    sha256: str


def choose(pythons: dict[str, tuple[int, int]], machine: str) -> Interpreter:
    """Return the newest supported interpreter of a host (absolute path → version).

    Raises:
        Misuse: ``remote.python_unsupported`` or ``remote.machine_unsupported``, naming what there is.
    """
    if machine not in _PLATFORMS:
        raise Misuse("remote.machine_unsupported", machine=machine, supported=", ".join(_PLATFORMS))
    usable = [(version, path) for path, version in pythons.items() if version in SUPPORTED]
    if not usable:
        found = ", ".join(f"{major}.{minor}" for major, minor in sorted(set(pythons.values()))) or "–"
        raise Misuse("remote.python_unsupported", found=found)
    # /usr/bin/python3.13 rather than /usr/bin/python3: the name must go on meaning the same version.
    version, path = max(usable, key=lambda item: (item[0], len(item[1])))
    return Interpreter(path, version, machine)


def version_id(interpreter: Interpreter) -> str:
    """Return the agent's version and ten hex digits over all that goes into the package. Builds nothing."""
    digest = hashlib.sha256(_script(interpreter).encode())
    digest.update(f"{interpreter.dotted} {interpreter.machine}".encode())
    for name, content in _sources():
        digest.update(f"{name} {len(content)}\0".encode() + content)
    return f"{agent.__version__}-{digest.hexdigest()[:10]}"


def build(interpreter: Interpreter) -> Package:
    """Return the package for a host, from the cache when it was built before.

    Raises:
        IkomaError: ``process.failed`` when the wheels cannot be had.
    """
    version = version_id(interpreter)
    archive = cache() / f"{version}.tar.gz"
    if not archive.exists():
        archive.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(archive, _archive(interpreter, version))
        _tidy(archive.parent)
    return Package(version, archive, hashlib.sha256(archive.read_bytes()).hexdigest())


def cache() -> Path:
    """Return the folder in which packages and wheels are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ikoma-bridge" / "agent"


def _archive(interpreter: Interpreter, version: str) -> bytes:
    """The same input gives the same bytes: sorted names, no times, no owners."""
    raw = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=4, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        _add(tar, "VERSION", f"{version}\n".encode())
        _add(tar, "bin/ikoma-agent", _script(interpreter).encode(), mode=0o755)
        for name, content in (*_sources(), *_wheels(interpreter)):
            _add(tar, f"lib/{name}", content)
    return raw.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), mode
    tar.addfile(info, io.BytesIO(content))


def _script(interpreter: Interpreter) -> str:
    return _SCRIPT.format(python=interpreter.path)


def _sources() -> Iterator[tuple[str, bytes]]:
    """The agent's own files, as importable here: from a checkout or from an installed wheel."""
    home = Path(agent.__file__).parent
    for path in sorted(home.rglob("*")):
        if path.suffix in {".py", ".txt", ".json"} and "__pycache__" not in path.parts:
            yield f"agent/{path.relative_to(home)}", path.read_bytes()


def _wheels(interpreter: Interpreter) -> Iterator[tuple[str, bytes]]:
    folder = _installed(interpreter)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.relative_to(folder).parts[0] != "bin" and path.suffix not in {".pyc", ".pyi"}:
            yield str(path.relative_to(folder)), path.read_bytes()


def _installed(interpreter: Interpreter) -> Path:
    """Return a folder with the unpacked wheels that agent/requirements.txt pins, made now if the cache has none."""
    requirements = Path(agent.__file__).parent / "requirements.txt"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    folder = cache() / f"wheels-{digest}-{interpreter.dotted}-{interpreter.machine}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".wheels-") as work:
            # The installer's own settings (index, proxy, certificates) come from this machine's environment.
            run(install_command(requirements, Path(work) / "lib", interpreter), env=dict(os.environ), timeout=600)
            _move(Path(work) / "lib", folder)
    return folder


def _move(made: Path, folder: Path) -> None:
    try:
        made.rename(folder)
    except OSError as error:
        if not folder.is_dir():  # another process may have been faster: its folder is as good
            raise IkomaError("remote.package", reason=error.strerror or error) from None


def install_command(requirements: Path, folder: Path, interpreter: Interpreter) -> list[str]:
    """Return the command that unpacks the pinned wheels for ``interpreter`` into ``folder``: uv, or else pip."""
    common = ["--target", str(folder), "--python-version", interpreter.dotted]
    common += ["--only-binary", ":all:", "--require-hashes", "--no-deps", "-r", str(requirements)]
    beside = str(Path(sys.executable).parent)
    if uv := shutil.which("uv", path=beside) or shutil.which("uv"):
        return [uv, "pip", "install", "--quiet", "--python-platform", _PLATFORMS[interpreter.machine], *common]
    tags = [f"{kind}_{interpreter.machine}" for kind in ("manylinux_2_28", "manylinux_2_17", "manylinux2014")]
    platforms = [word for tag in tags for word in ("--platform", tag)]
    return [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", *platforms, *common]


def _tidy(folder: Path) -> None:
    """Keep the newest archives only."""
    archives = sorted(folder.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
    for path in archives[:-_KEPT]:
        path.unlink(missing_ok=True)
