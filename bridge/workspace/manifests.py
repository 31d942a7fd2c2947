"""Every ``package.json`` of a repository, read leniently: a broken one is a fact, not a crash."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from bridge.workspace import jsontext
from bridge.workspace.tree import Tree

SECTIONS: Final = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
INSTALLED: Final = ("dependencies", "devDependencies", "optionalDependencies")
FILE: Final = "package.json"

_STATED = re.compile(r'"name"\s*:\s*"([^"\\]+)"')
_NAME = re.compile(r"(?:@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~-][a-z0-9._~-]*", re.IGNORECASE)


@dataclass(frozen=True)
class Manifest:
    """One ``package.json``. ``data`` is empty when it is broken; ``problem`` then says why."""

    path: str
    text: str
    data: dict[str, Any]
    problem: jsontext.Broken | None = None
    _cache: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def folder(self) -> str:
        """Its folder relative to the repository; ``.`` for the top."""
        return self.path.rpartition("/")[0] or "."

    @cached_property
    def name(self) -> str:
        """Its name; where the rest cannot be read, the one that its text states all the same."""
        if self.problem is not None:
            return next((item for item in _STATED.findall(self.text) if is_package_name(item)), "")
        value = self.data.get("name")
        return value if isinstance(value, str) else ""

    @property
    def label(self) -> str:
        """How people call it: its name, else its folder."""
        return self.name or self.folder

    @cached_property
    def sections(self) -> dict[str, dict[str, str]]:
        """Section → name → specifier; what is not of that shape is left out."""
        return {section: _strings(self.data.get(section)) for section in SECTIONS}

    @cached_property
    def declared(self) -> dict[str, str]:
        """Name → the section it is declared in, the strongest first."""
        order = ("peerDependencies", "optionalDependencies", "devDependencies", "dependencies")
        return {name: section for section in order for name in self.sections[section]}

    def specifier(self, name: str) -> str:
        """Return the specifier under which ``name`` is declared; empty when it is not."""
        section = self.declared.get(name)
        return self.sections[section][name] if section else ""

    @cached_property
    def scripts(self) -> dict[str, str]:
        return _strings(self.data.get("scripts"))

    @cached_property
    def document(self) -> jsontext.Document:
        """Where its entries stand."""
        return jsontext.Document(self.text, self.data)

    def position(self, *path: str | int) -> tuple[int, int]:
        """Return line and column of an entry, or of the nearest one around it."""
        return self.document.position(*path)


def _strings(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {key: item for key, item in value.items() if isinstance(item, str)}


def read(tree: Tree) -> dict[str, Manifest]:
    """Return all manifests by folder."""
    found = [_one(tree, path) for path in tree.files if path.rpartition("/")[2] == FILE]
    return {manifest.folder: manifest for manifest in found}


def _one(tree: Tree, path: str) -> Manifest:
    text = tree.text(path)
    try:
        value = jsontext.parse(text).value
    except jsontext.Broken as problem:
        return Manifest(path, text, {}, problem)
    if not isinstance(value, dict):
        return Manifest(path, text, {}, jsontext.Broken("it holds no object", 1, 1))
    return Manifest(path, text, value)


def is_package_name(name: str) -> bool:
    """Return whether ``name`` can be the name of a package in a registry."""
    return len(name) <= 214 and _NAME.fullmatch(name) is not None


def package_of(specifier: str) -> str:
    """Return the package that an import specifier names; empty for paths, aliases, addresses and schemes."""
    if not specifier or specifier[0] in "./#~$!?" or ":" in specifier:
        return ""
    parts = specifier.split("?", 1)[0].split("/", 2)
    name = "/".join(parts[:2]) if specifier[0] == "@" else parts[0]
    return name if is_package_name(name) and (specifier[0] != "@" or "/" in name) else ""
