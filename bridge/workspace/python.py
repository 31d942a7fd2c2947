"""Python projects of the repository: what they import and do not declare, by deptry. Nothing is executed."""

from __future__ import annotations

import ast
import json
import re
import sys
import tempfile
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
    "faiss-cpu": "faiss", "gitpython": "git", "grpcio": "grpc", "msgpack-python": "msgpack", "mysqlclient": "MySQLdb",
    "opencv-python": "cv2", "opencv-python-headless": "cv2", "pillow": "PIL", "protobuf": "google",
    "psycopg2-binary": "psycopg2", "pycryptodome": "Crypto", "pygithub": "github", "pyjwt": "jwt", "pymupdf": "fitz",
    "pyserial": "serial", "python-dateutil": "dateutil", "python-dotenv": "dotenv", "python-jose": "jose",
    "python-magic": "magic", "python-multipart": "multipart", "python-slugify": "slugify", "pyyaml": "yaml",
    "pyzmq": "zmq", "scikit-learn": "sklearn", "setuptools": "setuptools|pkg_resources",
}  # fmt: skip
"""Packages whose modules have another name than they; deptry knows only those that are installed."""


@dataclass(frozen=True, slots=True)
class MissingModule:
    """A module that a file imports and no declared dependency brings; ``near`` when one of a like name is declared."""

    project: str
    path: str
    line: int
    column: int
    module: str
    near: bool


def projects(tree: Tree) -> list[str]:
    """Return the folders with a ``pyproject.toml`` that declares dependencies, or a ``requirements.txt``."""
    found = {path.rpartition("/")[0] or "." for path in tree.files if path.rpartition("/")[2] == "requirements.txt"}
    for path in tree.files:
        if path.rpartition("/")[2] == "pyproject.toml" and re.search(
            r"^\[(?:project|tool\.poetry)\]", tree.text(path), re.M
        ):
            found.add(path.rpartition("/")[0] or ".")
    return sorted(folder for folder in found if any(path.endswith(".py") for path in tree.below(folder)))


def missing(tree: Tree, folder: str) -> Iterator[MissingModule]:
    """Yield what deptry finds in one project, without imports that the code copes without. Raises ``IkomaError``."""
    declared = _declared(tree, folder)
    for entry in _deptry(tree.root / folder, declared):
        place = entry["location"]
        path = (f"{folder}/" if folder != "." else "") + str(place["file"]).removeprefix("./")
        module = str(entry["module"]).split(".")[0]
        if path in tree and not _is_optional(tree.text(path), int(place["line"])):
            near = any(_like(module, name) for name in declared)
            yield MissingModule(folder, path, int(place["line"]), int(place["column"] or 1), module, near)


def _deptry(folder: Path, declared: set[str]) -> list[dict[str, Any]]:
    names = ",".join(f"{raw}={_MODULES[_plain(raw)]}" for raw in sorted(declared) if _plain(raw) in _MODULES)
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        words = [sys.executable, "-m", "deptry", ".", "--json-output", str(report), "--no-ansi", "--ignore-notebooks"]
        words += ["--ignore", "DEP002,DEP003,DEP004,DEP005"]
        words += ["--package-module-name-map", names] if names else []
        done = process.run(words, cwd=folder, check=False, timeout=_SECONDS)
        if not report.exists():
            raise IkomaError("process.failed", program="deptry", code=done.code, said=done.last_lines())
        found = json.loads(report.read_text(encoding="utf-8"))
    return [entry for entry in found if entry["error"]["code"] == "DEP001"]


def _declared(tree: Tree, folder: str) -> set[str]:
    prefix = "" if folder == "." else folder + "/"
    names = ("pyproject.toml", "requirements.txt")
    text = "\n".join(tree.text(prefix + name) for name in names if prefix + name in tree)
    return set(re.findall(r"[A-Za-z][\w.-]*\w", text))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _like(module: str, name: str) -> bool:
    bare, name = module.lower().replace("_", "-"), _plain(name)
    return bare in name or (len(name) > 3 and name in bare)


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
