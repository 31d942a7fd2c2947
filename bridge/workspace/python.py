"""Python projects of the repository: what they import and do not declare, by deptry. Nothing is executed."""

from __future__ import annotations

import ast
import json
import posixpath
import re
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.host import process
from agent.model.errors import IkomaError
from bridge.workspace.tree import Tree

_SECONDS: Final = 60.0
_MODULES: Final = {
    "attrs": "attr|attrs", "beautifulsoup4": "bs4", "discord-py": "discord", "django-cors-headers": "corsheaders",
    "django-filter": "django_filters", "djangorestframework": "rest_framework", "factory-boy": "factory",
    "faiss-cpu": "faiss", "gitpython": "git", "grpcio": "grpc", "grpcio-status": "grpc_status",
    "grpcio-health-checking": "grpc_health", "grpcio-reflection": "grpc_reflection", "grpcio-tools": "grpc_tools",
    "msgpack-python": "msgpack", "mysqlclient": "MySQLdb",
    "opencv-python": "cv2", "opencv-python-headless": "cv2", "pillow": "PIL", "protobuf": "google",
    "psycopg2-binary": "psycopg2", "pycryptodome": "Crypto", "pygithub": "github", "pyjwt": "jwt", "pymupdf": "fitz",
    "pyserial": "serial", "python-dateutil": "dateutil", "python-dotenv": "dotenv", "python-jose": "jose",
    "python-magic": "magic", "python-multipart": "multipart", "python-slugify": "slugify", "pyyaml": "yaml",
    "pyzmq": "zmq", "scikit-learn": "sklearn", "setuptools": "setuptools|pkg_resources",
}  # fmt: skip
"""Packages whose modules have another name than they; deptry knows only those that are installed."""


@dataclass(frozen=True, slots=True)
class MissingModule:
    """A module that a file imports and no declared dependency brings; ``near`` when one of a like name may be."""

    project: str
    path: str
    line: int
    column: int
    module: str
    near: bool


def projects(tree: Tree) -> list[str]:
    """Return the folders of projects that declare dependencies: in ``pyproject.toml``, or in ``requirements.txt``."""
    found = set()
    for path in tree.files:
        folder, _, name = path.rpartition("/")
        if name == "requirements.txt" or (name == "pyproject.toml" and _declares(tree.text(path))):
            found.add(folder or ".")
    return sorted(folder for folder in found if any(path.endswith(".py") for path in tree.below(folder)))


def _declares(text: str) -> bool:
    """Whether a ``pyproject.toml`` lists dependencies itself."""
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    project, poetry = value.get("project"), value.get("tool", {}).get("poetry")
    return (isinstance(project, dict) and "dependencies" in project) or (
        isinstance(poetry, dict) and "dependencies" in poetry
    )


def _requirements(tree: Tree, folder: str) -> list[str]:
    """The requirement files of a project, with those that they include, relative to its folder."""
    prefix = "" if folder == "." else folder + "/"
    pending, found = ["requirements.txt"], list[str]()
    while pending:
        name = posixpath.normpath(pending.pop())
        if name not in found and prefix + name in tree:
            found.append(name)
            includes = re.findall(r"^\s*(?:-r|--requirement)[ =]+(\S+)", tree.text(prefix + name), re.MULTILINE)
            pending += [posixpath.join(posixpath.dirname(name), item) for item in includes]
    return found


def missing(tree: Tree, folder: str) -> Iterator[MissingModule]:
    """Yield what deptry finds in one project, without imports that the code copes without. Raises ``IkomaError``."""
    prefix = "" if folder == "." else folder + "/"
    own = f"{prefix}pyproject.toml"
    listed = [] if own in tree and _declares(tree.text(own)) else _requirements(tree, folder)
    declared = _names([tree.text(prefix + name) for name in listed or ["pyproject.toml"]])
    for entry in _deptry(tree.root / folder, declared, listed):
        place = entry["location"]
        path = prefix + str(place["file"]).removeprefix("./")
        module = str(entry["module"]).split(".")[0]
        near = any(_like(module, name) for name in declared)
        if path in tree and not (listed and near) and not _is_optional(tree.text(path), int(place["line"])):
            yield MissingModule(
                folder, path, int(place["line"]), int(place["column"] or 1), module, near or bool(listed)
            )


def _deptry(folder: Path, declared: set[str], listed: list[str]) -> list[dict[str, Any]]:
    names = ",".join(f"{raw}={_MODULES[_plain(raw)]}" for raw in sorted(declared) if _plain(raw) in _MODULES)
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        words = [sys.executable, "-m", "deptry", ".", "--json-output", str(report), "--no-ansi", "--ignore-notebooks"]
        words += ["--ignore", "DEP002,DEP003,DEP004,DEP005"]
        words += ["--package-module-name-map", names] if names else []
        if listed:
            (Path(scratch) / "pyproject.toml").touch()
            words += ["--config", f"{scratch}/pyproject.toml", "--requirements-files", ",".join(listed)]
        done = process.run(words, cwd=folder, check=False, timeout=_SECONDS)
        if not report.exists():
            raise IkomaError("process.failed", program="deptry", code=done.code, said=done.last_lines())
        found = json.loads(report.read_text(encoding="utf-8"))
    return [entry for entry in found if entry["error"]["code"] == "DEP001"]


def _names(texts: list[str]) -> set[str]:
    return {name for text in texts for name in re.findall(r"[A-Za-z][\w.-]*\w", text)}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _like(module: str, name: str) -> bool:
    """Whether a package of that name may bring the module: one holds the other, or their words begin alike."""
    bare, name = module.lower().replace("_", "-"), _plain(name)
    words, others = bare.split("-"), name.split("-")
    alike = len(words) == len(others) > 1 and all(
        one.startswith(other) or other.startswith(one) for one, other in zip(words, others, strict=True)
    )
    return alike or bare in name or (len(name) > 3 and name in bare)


def _is_optional(text: str, line: int) -> bool:
    """Whether the import stands under ``try`` or ``if TYPE_CHECKING``."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return True
    for node in ast.walk(tree):
        if not isinstance(node, ast.Try | ast.If):
            continue
        guarded = isinstance(node, ast.Try) or "TYPE_CHECKING" in ast.dump(node.test)
        if guarded and node.lineno <= line <= (node.end_lineno or line):
            return True
    return False
