"""Names that resolve without a package: tsconfig paths, bundler aliases, import maps. Read-only.

An alias excuses an import only if its target exists. No configuration of the repository is executed: those written
as programs are read for string literals.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from bridge.workspace import jsontext
from bridge.workspace.monorepo import Owners
from bridge.workspace.tree import Tree

EXTENSIONS: Final = (".ts", ".tsx", ".d.ts", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json", ".vue", ".svelte",
                     ".astro", ".css", ".scss", ".mdx")  # fmt: skip
_CONFIG: Final = re.compile(
    r"(?:^|/)(?:(?:electron\.)?vite|vitest|webpack|next|astro|nuxt|svelte|rollup|babel|metro|jest|rspack|rsbuild|craco|"
    r"esbuild|tsup|histoire|gatsby-node|vue|snowpack|farm)[\w.-]*\.(?:[cm]?[jt]s|json)$|(?:^|/)\.storybook/main\.\w+$"
    r"|(?:^|/)\.babelrc$"
)
_PROGRAMS: Final = (
    "config.ts", "config.js", "config.mts", "config.mjs", "config.cts", "config.cjs", "config.json", "main.ts",
    "main.js", "main.mjs", "main.cjs", "babelrc", ".babel.js", ".common.js", ".prod.js", ".dev.js", "-node.js",
)  # fmt: skip
_ENTRY: Final = re.compile(
    r"""(?:["']?([@\w~$^][\w@/.~$^*()-]*)["']?\s*:|find:\s*["'/]\^?([@\w~][\w@/.~-]*)\$?/?["']?\s*,\s*replacement:)"""
    r"""(?=([^\n]*(?:\n\s+[^\n:]*){0,3}))"""
)
_LITERAL: Final = re.compile(r"""["'`]([^"'`\n]{1,200})["'`]""")


@dataclass(frozen=True, slots=True)
class Alias:
    """One alias: ``prefix`` with ``wild`` covers what follows; ``targets`` are paths of the repository."""

    prefix: str
    wild: bool
    suffix: str
    targets: tuple[str, ...]


_Layer = tuple[list[Alias], tuple[str, ...], list[str]]


class Aliases:
    """Answers where a specifier leads by an alias of the package that imports it."""

    def __init__(self, tree: Tree, owners: Owners) -> None:
        self.tree, self.owners = tree, owners
        self._by_folder: dict[str, list[Alias]] = {}
        self._bases: dict[str, list[str]] = {}
        self._layers: dict[str, list[_Layer]] = {}
        self._configs = _group(path for path in tree.files if path.endswith(_PROGRAMS) and _CONFIG.search(path))
        names = re.compile(r"(?:^|/)(?:tsconfig[\w.-]*|jsconfig[\w.-]*|deno)\.jsonc?$")
        self._tsconfigs = _group(
            path for path in tree.files if path.endswith((".json", ".jsonc")) and names.search(path)
        )
        self._read: dict[str, dict[str, Any]] = {}
        self._broken: set[str] = set()
        self._blind: set[str] = set()

    def target(self, specifier: str, path: str) -> str | None:
        """Return the path of the repository to which an alias in force at ``path`` leads; None when there is none."""
        for aliases, heads, bases in self._in_force(path.rpartition("/")[0]):
            if specifier.startswith(heads):
                for alias in aliases:
                    if (found := self._follow(alias, specifier)) is not None:
                        return found
            for base in bases:
                if (found := self.file(posixpath.normpath(f"{base}/{specifier}"))) is not None:
                    return found
        return None

    def _in_force(self, folder: str) -> list[_Layer]:
        """Return what is in force in a folder, the nearest first: aliases, what they begin with, base folders."""
        pending = []
        while folder not in self._layers:  # no recursion: folders may be nested deeper than calls
            pending.append(folder)
            if not folder:
                break
            folder = folder.rpartition("/")[0]
        found = self._layers.get(folder, [])
        for place in reversed(pending):
            aliases = self._at(place)
            heads = tuple({alias.prefix for alias in aliases})
            own = [(aliases, heads, self._bases[place])] if aliases or self._bases[place] else []
            found = self._layers[place] = own + found if own else found
        return found

    def claims(self, specifier: str, path: str) -> bool:
        """Return whether some alias of the repository, or a base folder, is about ``specifier``, its target made later.

        Only asked for names that no lock file and no workspace knows: they can be nothing else than aliases.
        """
        self.target(specifier, path)  # reads what is in force there
        if any(not folder or path.startswith(folder + "/") for folder in self._blind):
            return True  # what cannot be read may say so
        head = specifier.split("/")[0]
        if any(f"{base}/{head}".removeprefix("./") in self.tree.folders for base in self._bases_above(path)):
            return True
        return any(
            specifier.startswith(alias.prefix) if alias.wild else specifier == alias.prefix
            for alias in self._all
            if alias.prefix not in ("", "/")
        )

    def _bases_above(self, path: str) -> list[str]:
        folder, found = path.rpartition("/")[0], list[str]()
        while True:
            found += self._bases.get(folder, [])
            if not folder:
                return found
            folder = folder.rpartition("/")[0]

    @cached_property
    def _all(self) -> list[Alias]:
        return [alias for folder in {*self._tsconfigs, *self._configs} for alias in self._at(folder)]

    def mapped(self, specifier: str, path: str, home: str) -> bool:
        """Return whether an import map (``deno.json``) in force at ``path`` names ``specifier``.

        Args:
            home: the folder of the manifest that owns ``path``. Node.js reads that and no map beside it; a map in a
                folder below makes that folder one for Deno.
        """
        folder = path.rpartition("/")[0]
        while folder != home:
            for file in self._tsconfigs.get(folder, []):
                if "deno" in file and _names(self._json(file).get("imports"), specifier):
                    return True
            if not folder:
                return False
            folder = folder.rpartition("/")[0]
        return False

    def file(self, path: str) -> str | None:
        """Return the file or folder that ``path`` names, trying the extensions that resolvers try."""
        path = path.removeprefix("./")
        if path in self.tree:
            return path
        stem, dot, extension = path.rpartition(".")
        candidates = [path + item for item in EXTENSIONS]
        if dot and extension in (
            "js",
            "jsx",
            "mjs",
            "cjs",
        ):  # TypeScript sources are imported by the name of their output
            candidates += [f"{stem}{item}" for item in (".ts", ".tsx", ".mts", ".cts", ".d.ts", ".vue")]
        found = next((item for item in candidates if item in self.tree), None)
        if found is None and path in self.tree.folders:  # a file x.d.ts comes before a folder x
            return self._index(path) or path
        return found

    def _index(self, folder: str) -> str | None:
        return next((item for ext in EXTENSIONS if (item := f"{folder}/index{ext}") in self.tree), None)

    def _follow(self, alias: Alias, specifier: str) -> str | None:
        if not alias.wild:
            if specifier != alias.prefix:
                return None
            rest = ""
        elif specifier.startswith(alias.prefix) and specifier.endswith(alias.suffix):
            rest = specifier[len(alias.prefix) : len(specifier) - len(alias.suffix) or None]
        else:
            return None
        found = (self.file(posixpath.normpath(target.replace("*", rest, 1))) for target in alias.targets)
        return next((item for item in found if item), None)

    def _at(self, folder: str) -> list[Alias]:
        if folder not in self._by_folder:
            self._bases[folder] = []
            found = []
            for path in self._tsconfigs.get(folder, []):
                found += self._tsconfig(path, folder)
            for path in self._configs.get(folder, []):
                found += self._bundler(path, folder)
            self._by_folder[folder] = found
        return self._by_folder[folder]

    def _tsconfig(self, path: str, folder: str) -> list[Alias]:
        found = []
        seen = set[str]()
        chain = self._chain(path, seen)
        if seen & self._broken:
            self._blind.add(folder)
        for base, options in chain:
            root = posixpath.normpath(posixpath.join(base, str(options["baseUrl"]))) if "baseUrl" in options else None
            if root is not None and root not in self._bases[folder]:
                self._bases[folder].append(root)
            paths = options.get("paths") or options.get("imports")
            for pattern, targets in paths.items() if isinstance(paths, dict) else ():
                listed = targets if isinstance(targets, list) else [targets]
                places = tuple(posixpath.normpath(posixpath.join(root or base, str(item))) for item in listed)
                found.append(_alias(str(pattern), places))
        return found

    def _chain(self, path: str, seen: set[str]) -> list[tuple[str, dict[str, Any]]]:
        """Return (folder, compiler options) of a tsconfig and of what it extends."""
        if path in seen or len(seen) > 20:
            return []
        seen.add(path)
        value = self._json(path)
        folder = path.rpartition("/")[0] or "."
        options = value.get("compilerOptions")
        found = [(folder, options)] if isinstance(options, dict) else []
        if path.endswith(("deno.json", "deno.jsonc")):
            found.append((folder, {"paths": _deno(value.get("imports"))}))
        extends = value.get("extends")
        for item in extends if isinstance(extends, list) else [extends]:
            if isinstance(item, str) and (other := self._extended(item, folder)):
                found += self._chain(other, seen)
        return found

    def _extended(self, name: str, folder: str) -> str | None:
        if name.startswith("."):
            path = posixpath.normpath(f"{folder}/{name}")
            return next((item for item in (path, f"{path}.json", f"{path}/tsconfig.json") if item in self.tree), None)
        package, rest = "/".join(name.split("/")[: 2 if name[0] == "@" else 1]), ""
        rest = name[len(package) + 1 :] or "tsconfig.json"
        home = self.owners.by_name(package)
        path = posixpath.normpath(f"{home}/{rest}") if home else ""
        return next((item for item in (path, f"{path}.json") if item in self.tree), None)

    def _json(self, path: str) -> dict[str, Any]:
        if path not in self._read:
            text = self.tree.text(path)
            try:
                value = jsontext.parse(text, lenient=True).value
            except jsontext.Broken:
                value = {}
                self._broken |= {path} if jsontext.without_comments(text).strip() else set()
            self._read[path] = value if isinstance(value, dict) else {}
        return self._read[path]

    def _bundler(self, path: str, folder: str) -> list[Alias]:
        text = self.tree.text(path)
        if "lias" not in text and "moduleNameMapper" not in text and "rootDir" not in text:
            return []
        found = []
        for key, finder, value in _ENTRY.findall(text[:100_000]):
            name = (key or finder).lstrip("^").rstrip("$").replace("/(.*)", "/*")
            places = [place for item in _LITERAL.findall(value) if (place := self._place(item, folder))]
            if places:
                found.append(_alias(name, tuple(places)))
                if "*" not in name:
                    found.append(_alias(f"{name.rstrip('/')}/*", tuple(f"{place}/*" for place in places)))
        return found

    def _place(self, literal: str, folder: str) -> str | None:
        clean = literal.replace("<rootDir>", ".").replace("/$1", "").lstrip("/")
        path = posixpath.normpath(f"{folder or '.'}/{clean}")
        return path if clean not in ("", ".") and not path.startswith("..") and self.file(path) else None


def _names(imports: Any, specifier: str) -> bool:
    return isinstance(imports, dict) and any(
        specifier == name or specifier.startswith(f"{name.rstrip('/')}/") for name in imports if isinstance(name, str)
    )


def _deno(imports: Any) -> dict[str, Any]:
    """An import map leads to addresses and schemes; what it names needs no package."""
    return {str(name): str(target) for name, target in imports.items()} if isinstance(imports, dict) else {}


def _alias(pattern: str, targets: tuple[str, ...]) -> Alias:
    prefix, star, suffix = pattern.partition("*")
    return Alias(prefix, bool(star), suffix, targets)


def _group(paths: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(path.rpartition("/")[0], []).append(path)
    return found
