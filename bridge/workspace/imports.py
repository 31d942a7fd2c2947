"""Every import of every source file, found by a superset scan over bytes: nothing is missed, a parser confirms later.

Three expressions that start with a literal word cost a hundredth of parsing. What they take too much (comments,
strings, templates) is thrown out by ``confirm`` where a finding would follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bridge.workspace import apart
from bridge.workspace.tree import MAX_TEXT, Skip, Tree

SCRIPTS: Final = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
COMPONENTS: Final = (".vue", ".svelte", ".astro", ".mdx")
STYLES: Final = (".css", ".scss", ".sass", ".less", ".pcss", ".postcss")
_ALL: Final = (*SCRIPTS, *COMPONENTS, *STYLES)

_GAP: Final = rb"(?:\s|/\*.{0,400}?\*/|//[^\n]{0,400}\n)*"
_QUOTED: Final = rb"""["']([^"'\n\\]{1,300})["']"""
_CALLED: Final = rb"""["'`]([^"'`\n\\$]{1,300})["'`]"""

_FROM: Final = re.compile(rb"from" + _GAP + _QUOTED, re.DOTALL)
_IMPORT: Final = re.compile(rb"import(?:" + _GAP + _QUOTED + rb"|" + _GAP + rb"\(" + _GAP + _CALLED + rb")", re.DOTALL)
_REQUIRE: Final = re.compile(rb"require(?:\.resolve|Resolve)?" + _GAP + rb"\(" + _GAP + _CALLED, re.DOTALL)
_REFERENCE: Final = re.compile(rb"""///\s*<reference\s+types\s*=\s*["']([^"'\n]{1,200})["']""")
_PRAGMA: Final = re.compile(rb"@jsxImportSource\s+([^\s*]{1,200})")
_STYLE: Final = re.compile(
    rb"""@(?:import|plugin|config|reference|use|forward)\s+(?:url\()?\s*["']([^"'\n]{1,300})["']"""
)
_SCRIPT_TAG: Final = re.compile(rb"<script\b[^>]*>(.*?)</script", re.DOTALL | re.IGNORECASE)
_STYLE_TAG: Final = re.compile(rb"<style\b[^>]*>(.*?)</style", re.DOTALL | re.IGNORECASE)
_FRONTMATTER: Final = re.compile(rb"\A\s*---\r?\n(.*?)\r?\n---", re.DOTALL)
_FENCE: Final = re.compile(rb"^(```+|~~~+).*?^\1", re.DOTALL | re.MULTILINE)
_ESM: Final = re.compile(rb"^(?:import|export)\b", re.MULTILINE)
_BLANK: Final = bytes(10 if code == 10 else 32 for code in range(256))
_ESM_LINE: Final = re.compile(rb"^(?:import|export)\b[^\n\"']*(?:\n[^\n\"']*){0,40}?[\"'][^\"'\n]+[\"']", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Site:
    """One place where a specifier stands: offsets of the text between the quotes."""

    specifier: str
    start: int
    end: int


class Imports:
    """The specifiers of each file, and the files in which a specifier stands."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.files: dict[str, tuple[str, ...]] = {}
        self.scanned = 0
        self.skipped: list[Skip] = []
        paths = [path for path in tree.files if path.endswith(_ALL)]
        for scanned in self._results(paths):
            self.skipped += [item for item in scanned if isinstance(item, Skip)]
            found = {path: names for item in scanned if not isinstance(item, Skip) for path, names in (item,)}
            self.files |= {path: names for path, names in found.items() if names}
            self.scanned += len(found)

    def _results(self, paths: list[str]) -> list[list[Skip | tuple[str, tuple[str, ...]]]]:
        """Scan all files, a half of them in a second process where there are many; in the order of ``paths``."""
        half = len(paths) // 2
        if not apart.is_worth_it(len(paths)):
            return [[self._scan(path) for path in paths]]
        rest = apart.start(lambda: [self._scan(path) for path in paths[half:]])
        return [[self._scan(path) for path in paths[:half]], rest()]

    def _scan(self, path: str) -> Skip | tuple[str, tuple[str, ...]]:
        data = self.tree.read(path)
        if len(data) > MAX_TEXT:
            return Skip(path, f"{len(data) / 1e6:.1f} MB: nobody wrote that by hand")
        if b"\0" in data[:4096]:
            return Skip(path, "it is binary")
        return path, tuple(specifiers(path, data))

    def sites(self, path: str) -> tuple[bytes, list[Site]]:
        """Return the content of ``path`` (parts that are no script blanked) and every place of an import in it."""
        data = self.tree.read(path)
        kind = path[path.rfind(".") :]
        if kind in STYLES:
            return data, list(_sites(data, (_STYLE,)))
        code = script_of(path, data)
        found = list(_sites(code, (_FROM, _IMPORT, _REQUIRE, _REFERENCE, _PRAGMA)))
        return code, sorted(found, key=lambda site: site.start)


def specifiers(path: str, data: bytes) -> set[str]:
    """Return what ``path`` with this content may import: a superset."""
    kind = path[path.rfind(".") :]
    if kind in STYLES:
        return {raw.decode("utf-8", "replace") for raw in _STYLE.findall(data)} if b"@" in data else set()
    if kind == ".mdx":
        data = b"\n".join(data[start:end] for start, end in _statements(data))
    elif kind in COMPONENTS:
        data = script_of(path, data)
    found = set(_FROM.findall(data))
    for quoted, called in _IMPORT.findall(data):
        found.add(quoted or called)
    if b"require" in data:
        found.update(_REQUIRE.findall(data))
    if b"@jsx" in data or b"<reference" in data:
        found.update(_REFERENCE.findall(data), _PRAGMA.findall(data))
    return {raw.decode("utf-8", "replace") for raw in found}


def _sites(data: bytes, patterns: tuple[re.Pattern[bytes], ...]) -> Iterator[Site]:
    for pattern in patterns:
        for match in pattern.finditer(data):
            group = match.lastindex or 1
            yield Site(match[group].decode("utf-8", "replace"), match.start(group), match.end(group))


def script_of(path: str, data: bytes) -> bytes:
    """Return the script parts of a component or document; all else is blanked, so that offsets stay."""
    kind = path[path.rfind(".") :]
    if kind not in COMPONENTS:
        return data
    if kind == ".mdx":
        return _keep(data, _statements(data))
    spans = [match.span(1) for match in _SCRIPT_TAG.finditer(data)]
    if kind == ".astro" and (front := _FRONTMATTER.search(data)):
        spans.append(front.span(1))
    return _keep(data, spans)


def _statements(data: bytes) -> list[tuple[int, int]]:
    """Return where the imports and exports of a document stand: at the start of a line, outside of code blocks."""
    if _ESM.search(data) is None:
        return []
    plain = _FENCE.sub(lambda match: match[0].translate(_BLANK), data)
    return [match.span() for match in _ESM_LINE.finditer(plain)]


def _keep(data: bytes, spans: list[tuple[int, int]]) -> bytes:
    kept = bytearray(data.translate(_BLANK))
    for start, end in spans:
        kept[start:end] = data[start:end]
    return bytes(kept)
