"""The scan takes everything that may be an import; the parser says what each one is."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.workspace import confirm, imports
from bridge.workspace.confirm import Kind
from bridge.workspace.imports import Imports
from bridge.workspace.tree import Tree

FORMS = [
    ('import a from "x";', Kind.VALUE),
    ("import a from 'x'", Kind.VALUE),
    ('import{a}from"x"', Kind.VALUE),
    ('import "x";', Kind.VALUE),
    ('import * as a from "x"; a.b();', Kind.VALUE),
    ('import a, { type B } from "x";', Kind.VALUE),
    ('import {\n  a,\n  b,\n} from "x";', Kind.VALUE),
    ('import a from /* why */ "x";', Kind.VALUE),
    ('import a = require("x");', Kind.VALUE),
    ('export * from "x";', Kind.VALUE),
    ('export { a } from "x";', Kind.VALUE),
    ('export * as a from "x";', Kind.VALUE),
    ('const a = require("x");', Kind.REQUIRE),
    ("const { a } = require ( 'x' );", Kind.REQUIRE),
    ('const a = await import("x");', Kind.DYNAMIC),
    ('const a = lazy(() => import(/* webpackChunkName: "a" */ "x"));', Kind.DYNAMIC),
    ("const a = import(`x`);", Kind.DYNAMIC),
    ('import type { A } from "x";', Kind.TYPE),
    ('import type A from "x";', Kind.TYPE),
    ('import { type A, type B } from "x";', Kind.TYPE),
    ('export type { A } from "x";', Kind.TYPE),
    ('type A = import("x").B;', Kind.TYPE),
    ('type A = typeof import("x");', Kind.TYPE),
    ('let a: import("x").B;', Kind.TYPE),
    ('/** @type {import("x").A} */', Kind.TYPE),
    ('/** @import { A } from "x" */', Kind.TYPE),
    ('/// <reference types="x" />', Kind.TYPE),
    ("/** @jsxImportSource x */", Kind.VALUE),
    ('import { A } from "x"; let a: A;', Kind.ELIDED),
    ('try { require("x"); } catch {}', Kind.OPTIONAL),
    ('import("x").catch(() => undefined);', Kind.OPTIONAL),
    ('const a = require.resolve("x");', Kind.OPTIONAL),
    ('function f() { return require("x"); }', Kind.OPTIONAL),
]

TRAPS = [
    '// import a from "x"',
    '/* import a from "x" */',
    '/** an example: require("x") */',
    "const a = 'import a from \"x\"';",
    'const a = `import a from "x"`;',
    'const a = `${b} require("x")`;',
    'const a = <p>import a from "x"</p>;',
    'const a = /from "x"/;',
    'a.require("x");',
    'this.import("x");',
    'Array.from("x");',
    'const a = { from: "x" };',
    'from("x");',
    'myrequire("x");',
    'log("import", "x");',
    'import(b, "x");',
    'reimport("x");',
]


def kinds_of(tmp_path: Path, name: str, code: str) -> list[Kind]:
    (tmp_path / name).write_text(code, encoding="utf-8")
    found = Imports(Tree(tmp_path))
    content, sites = found.sites(name)
    sites = [site for site in sites if site.specifier == "x"]
    return confirm.kinds(name, content, sites)


@pytest.mark.parametrize(("code", "kind"), FORMS)
def test_a_form_of_import_is_found_and_understood(code: str, kind: Kind, tmp_path: Path) -> None:
    assert "x" in imports.specifiers("a.tsx", code.encode())
    assert kinds_of(tmp_path, "a.tsx", code) == [kind]


@pytest.mark.parametrize("code", TRAPS)
def test_what_only_looks_like_an_import_is_none(code: str, tmp_path: Path) -> None:
    assert set(kinds_of(tmp_path, "a.tsx", code)) <= {Kind.NONE}


@pytest.mark.parametrize("name", ["a.ts", "a.mts", "a.cts", "a.js", "a.jsx", "a.mjs", "a.cjs"])
def test_every_extension_of_a_script_is_read(name: str, tmp_path: Path) -> None:
    assert kinds_of(tmp_path, name, 'import a from "x"; a();') == [Kind.VALUE]


def test_angle_brackets_are_casts_in_ts_and_markup_in_tsx(tmp_path: Path) -> None:
    assert kinds_of(tmp_path, "a.ts", 'const b = <Foo>c; import a from "x"; a();') == [Kind.VALUE]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "a.vue",
            '<template>import b from "y"</template>\n<script setup lang="ts">\nimport a from "x";\na();\n</script>',
        ),
        ("a.svelte", '<script>\nimport a from "x"; a();\n</script>\n<p>import b from "y"</p>'),
        ("a.astro", '---\nimport a from "x";\na();\n---\n<p>import b from "y"</p>'),
        ("a.mdx", 'import a from "x"\n\nText import b from "y".\n\n```js\nimport c from "y"\n```\n'),
    ],
)
def test_only_the_scripts_of_components_and_documents_are_read(name: str, text: str, tmp_path: Path) -> None:
    assert imports.specifiers(name, text.encode()) == {"x"}
    assert kinds_of(tmp_path, name, text)[0] in (Kind.VALUE, Kind.ELIDED)


def test_stylesheets_name_packages_too(tmp_path: Path) -> None:
    text = '@import "x";\n@plugin "y";\n/* @import "z"; */\n@import url("w.css");\n'
    assert imports.specifiers("a.css", text.encode()) == {"x", "y", "z", "w.css"}
    assert kinds_of(tmp_path, "a.css", text) == [Kind.STYLE]
    assert kinds_of(tmp_path, "b.css", '/* @import "x"; */') == [Kind.NONE]


def test_the_scan_needs_time_in_step_with_the_text() -> None:
    import time

    def seconds(count: int) -> float:
        text = b'import a from "x"; // import import from require( from\n' * count
        began = time.process_time()
        imports.specifiers("a.ts", text)
        return time.process_time() - began

    seconds(1000)
    small, large = min(seconds(4000) for _ in range(3)), min(seconds(16000) for _ in range(3))
    assert large < small * 10 + 0.05
