"""Modules that need no package: what Node.js brings, what runtimes bring, what frameworks make up. Pure."""

from __future__ import annotations

import re
from typing import Final

NODE: Final = frozenset({
    "assert", "async_hooks", "buffer", "child_process", "cluster", "console", "constants", "crypto", "dgram",
    "diagnostics_channel", "dns", "domain", "events", "fs", "http", "http2", "https", "inspector", "module", "net",
    "os", "path", "perf_hooks", "process", "punycode", "querystring", "readline", "repl", "stream", "string_decoder",
    "sys", "timers", "tls", "trace_events", "tty", "url", "util", "v8", "vm", "wasi", "worker_threads", "zlib",
})  # fmt: skip
"""``punycode/`` with a slash is the package; package names with a subpath that Node lacks are not told apart."""

HOSTED: Final = frozenset({"bun", "vscode", "k6", "electron-builtin", "wasmtime", "figma", "obsidian-api"})
"""Modules that the program running the code provides."""

_VIRTUAL: Final = re.compile(
    r"@theme(-original|-init)?/|@site/|@generated/|unfonts\.css$|uno\.css$|windi\.css$|vue-router/auto|"
    r"@astrojs/internal|next-contentlayer/generated|contentlayer/generated|react-server-dom|@remix-run/dev/server-build|"
    r"__(STATIC|NEXT|VITE)|~react-pages|generated-|@vite/client|@react-refresh|wrangler:|sst:|k6/|~icons"
)

DOCUSAURUS: Final = ("@docusaurus/", "@theme/")
"""Specifiers that ``@docusaurus/core`` resolves by itself."""

_PROVIDED: Final = {
    "@docusaurus/core": re.compile(r"@docusaurus/(?!core|preset|plugin|theme-(?!common))"),
    "next": re.compile(r"(styled-jsx|server-only|client-only)(/|$)"),
    "nuxt": re.compile(r"(h3|ofetch|nitropack|ufo|defu|@unhead/vue|vue-router|vue)(/|$)"),
    "@sveltejs/kit": re.compile(r"\$"),
    "expo": re.compile(r"(expo-modules-core|@expo/vector-icons)(/|$)"),
}
"""Framework → what it resolves for the packages that declare it, by its own bundler."""


def is_builtin(specifier: str) -> bool:
    """Return whether Node.js or a runtime provides ``specifier`` itself."""
    head, slash, rest = specifier.partition("/")
    return head in HOSTED or (head in NODE and not (slash and not rest))


def is_virtual(specifier: str) -> bool:
    """Return whether ``specifier`` is one that build tools make up."""
    return _VIRTUAL.match(specifier) is not None


def is_provided(specifier: str, declared: object) -> bool:
    """Return whether a framework among the ``declared`` names (a container) resolves ``specifier`` itself."""
    return any(name in declared and regex.match(specifier) for name, regex in _PROVIDED.items())  # type: ignore[operator]
