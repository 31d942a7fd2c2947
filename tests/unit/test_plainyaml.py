"""The fast reader gives what the whole parser gives, numbers aside, or leaves the text to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bridge.workspace import plainyaml

ROOT = Path(__file__).parents[2]
TEXTS = [
    "a: 1\nb: two\n",
    "a:\n  b:\n    c: x # why\n  d: 'it''s'\n",
    'a:\n  - x\n  - "y z"\n  - k: v\n    l: w\n  - k: u\n',
    "a:\n- x\n- y\nb: ~\n",
    "x: &one\n  a: b\n  c: d\ny:\n  <<: *one\n  c: e\nz: *one\n",
    "x: &a\n  k: 1\ny: &b\n  k: 2\n  l: 3\nz:\n  <<: [*a, *b]\n",
    'cmd: ["CMD", "node", "-e", "a, b"]\nports: [80, 443]\n',
    "url: http://example.com:80/x\nimage: node:22\n",
    "a: {}\nb: []\nc:\n",
    "a: >-\n  folded\n  text\nb: c\n",
    'a:\n  [\n    "b",\n    "c",\n  ]\nd: ["e",\n  "f"]\n',
    "a: {b: c, d: [e]}\n",
    "- a\n- b: c\n  d: e\n",
    "'quoted key': x\n\"other\": y\n",
    "a: 'x: y'\nb: \"x # y\"\n",
    "a:\n  # comment\n\n  b: c\n",
    "volumes:\n  - type: bind\n    source: ./a\n    target: /b\n  - data:/data:ro\n",
    "a: true\nb: False\nc: no\n",
]


def plain(value: Any) -> Any:
    """Scalars as text: the fast reader does not turn numbers and words of YAML 1.1 into values."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value if value is None else str(value).lower()


@pytest.mark.parametrize("text", TEXTS)
def test_both_readers_agree(text: str) -> None:
    assert plain(plainyaml.load(text)) == plain(YAML(typ="safe", pure=True).load(text))


@pytest.mark.parametrize("name", ["docker-compose.yml", "pnpm-workspace.yaml", "pnpm-lock.yaml"])
def test_both_readers_agree_on_the_example_suite(name: str) -> None:
    text = (ROOT / "docs" / "examples" / "suite" / name).read_text(encoding="utf-8")
    text = text.split("\npackages:\n\n")[0]
    assert plain(plainyaml.load(text)) == plain(YAML(typ="safe", pure=True).load(text))


@pytest.mark.parametrize("text", ["a: [", "a: b: c\n", "a:\n\t- b\n", "x: *nobody\n", "{", "a: 1\na: 2\n"])
def test_what_is_no_yaml_is_broken_with_a_place(text: str) -> None:
    with pytest.raises(plainyaml.Broken) as caught:
        plainyaml.load(text)
    assert caught.value.line >= 1
