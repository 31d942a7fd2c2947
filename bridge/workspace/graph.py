"""Which file an import leads to: by relative paths, by aliases, by entries of workspace packages. Read-only."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from typing import Any, Final

from bridge.workspace.aliases import Aliases
from bridge.workspace.imports import Imports
from bridge.workspace.manifests import Manifest, package_of
from bridge.workspace.monorepo import Owners
from bridge.workspace.tree import Tree

_OUTPUT: Final = re.compile(
    r"^(?:dist|build|lib|out|esm|cjs|es)/(?:(?:esm|cjs|types|src|main|module|commonjs|es|lib)/)?"
)
_EXTENSION: Final = re.compile(r"(?:\.d)?\.[cm]?[jt]sx?$")


class Graph:
    """Answers where specifiers lead; each answer is remembered."""

    def __init__(self, tree: Tree, owners: Owners, aliases: Aliases, imports: Imports) -> None:
        self.tree, self.owners, self.aliases, self.imports = tree, owners, aliases, imports
        self._cache: dict[tuple[str, str], str | None] = {}
        self._entries: dict[tuple[str, str], tuple[str, ...]] = {}

    def local(self, specifier: str, path: str) -> str | None:
        """Return the file that a relative or aliased import leads to; None for packages and what does not exist."""
        folder = path.rpartition("/")[0]
        key = (folder, specifier)
        if key not in self._cache:
            self._cache[key] = self._local(specifier, path, folder)
        return self._cache[key]

    def _local(self, specifier: str, path: str, folder: str) -> str | None:
        if specifier.startswith("."):
            place = posixpath.normpath(
                f"{folder}/{specifier.partition('?')[0]}" if folder else specifier.partition("?")[0]
            )
            return None if place.startswith("..") else self.aliases.file(place)
        if specifier.startswith("#") and (owner := self.owners.of(path)) is not None:
            found = self._mapped(owner, specifier, owner.data.get("imports"))
            return found[0] if found else None
        return self.aliases.target(specifier, path)

    def entries(self, manifest: Manifest, specifier: str) -> tuple[str, ...]:
        """Return the files that ``specifier`` of a workspace package leads to; empty when nobody can say."""
        key = (manifest.folder, specifier)
        if key not in self._entries:
            self._entries[key] = self._entry(manifest, specifier)
        return self._entries[key]

    def _entry(self, manifest: Manifest, specifier: str) -> tuple[str, ...]:
        rest = specifier[len(package_of(specifier)) :].strip("/")
        exports = manifest.data.get("exports")
        if exports is not None:
            table = (
                exports if isinstance(exports, dict) and any(key.startswith(".") for key in exports) else {".": exports}
            )
            return self._mapped(manifest, f"./{rest}" if rest else ".", table)
        if rest:
            return self._files(manifest, [rest, f"src/{rest}"])
        fields = [manifest.data.get(name) for name in ("source", "module", "main", "types", "typings")]
        names = [item for item in fields if isinstance(item, str)] or ["index", "src/index"]
        return self._files(manifest, names)

    def _mapped(self, manifest: Manifest, name: str, table: Any) -> tuple[str, ...]:
        if not isinstance(table, dict):
            return ()
        if name in table:
            return self._files(manifest, _strings(table[name]))
        for pattern, value in sorted(table.items(), key=lambda item: -len(str(item[0]))):
            prefix, star, suffix = str(pattern).partition("*")
            if star and name.startswith(prefix) and name.endswith(suffix):
                rest = name[len(prefix) : len(name) - len(suffix) or None]
                return self._files(manifest, [item.replace("*", rest) for item in _strings(value)])
        return ()

    def _files(self, manifest: Manifest, names: Iterable[str]) -> tuple[str, ...]:
        found = []
        prefix = "" if manifest.folder == "." else manifest.folder + "/"
        for name in names:
            clean = name.removeprefix("./").rstrip("/")
            for candidate in _sources(clean):
                if (path := self.aliases.file(f"{prefix}{candidate}")) is not None and path in self.tree:
                    found.append(path)
                    break
        return tuple(dict.fromkeys(found))


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [item for entry in value.values() for item in _strings(entry)]
    return [item for entry in value for item in _strings(entry)] if isinstance(value, list) else []


def _sources(name: str) -> list[str]:
    """Where the source of a built file may be: ``dist/x.js`` comes from ``src/x.ts``."""
    stem = _EXTENSION.sub("", name)
    found = [name, stem]
    if _OUTPUT.match(name):
        bare = _OUTPUT.sub("", stem)
        found += [f"src/{bare}", bare, f"src/{bare}/index"]
    return found
