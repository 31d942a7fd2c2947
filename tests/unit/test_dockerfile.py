"""Our Dockerfile parser reads what BuildKit's own parser reads, and says where a broken file is broken."""

from __future__ import annotations

from pathlib import Path

import dockerfile as buildkit
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model.errors import Misuse
from bridge.workspace.dockerfile import Instruction, parse

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "tests/fixtures/dockerfiles").iterdir()) + sorted(ROOT.glob("docs/examples/*/apps/*/Dockerfile"))

INSTRUCTIONS = {"FROM", "RUN", "COPY", "ADD", "ARG", "ENV", "LABEL", "CMD", "WORKDIR"}
LINES = st.lists(
    st.sampled_from(
        [
            "FROM a AS b", "from  c", "RUN one", "RUN one \\", "  && two \\", "  three", "", "# comment",
            "   # indented", "COPY --from=b --chown=1:1 x y", 'COPY ["p q", "r"]', "COPY a b \\", "ADD --chmod=600 a b",
            "ARG X=1 Y", "ENV A=1",
            "RUN <<EOF", "EOF", "RUN <<-'E' cat", "\tE", "E", "RUN --mount=type=bind,source=a \\", "  --network=none x",
            'LABEL a="b c"', "CMD [\"a\", 'b']", "WORKDIR /a b", "RUN echo \\\\", "\tRUN tab", "COPY <<f /d/", "f",
        ]
    ),
    max_size=12,
)  # fmt: skip


def as_buildkit_sees_it(text: str) -> list[tuple[object, ...]]:
    return [
        (item.cmd.upper(), item.flags, item.json, item.start_line, item.end_line, documents(item.heredocs))
        for item in buildkit.parse_string(text)
    ]


def documents(heredocs: tuple[object, ...]) -> list[tuple[str, str]]:
    """Name and content; BuildKit takes the tabs of ``<<-`` off when it runs the instruction, we when we read it."""
    return [(item.name, untabbed(item.content)) for item in heredocs]  # type: ignore[attr-defined]


def untabbed(content: str) -> str:
    return "".join(line.lstrip("\t") for line in content.splitlines(keepends=True))


def as_we_see_it(text: str) -> list[tuple[object, ...]]:
    return [
        (item.keyword, item.flags, item.json, item.line, item.end, documents(item.heredocs))
        for item in parse(text).instructions
    ]


def values(instruction: Instruction) -> tuple[str, ...]:
    whole = instruction.keyword in ("RUN", "CMD", "ENTRYPOINT") and not instruction.json
    return (instruction.value,) if whole else instruction.words


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_dockerfile_has_the_instructions_that_buildkit_finds(file: Path) -> None:
    text = file.read_bytes().decode()
    assert as_we_see_it(text) == as_buildkit_sees_it(text)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_copies_commands_and_bases_have_the_words_that_buildkit_finds(file: Path) -> None:
    text = file.read_bytes().decode()
    compared = {"FROM", "COPY", "ADD", "RUN", "CMD", "ENTRYPOINT", "EXPOSE"}
    ours = [values(item) for item in parse(text).instructions if item.keyword in compared]
    assert ours == [item.value for item in buildkit.parse_string(text) if item.cmd.upper() in compared]


@given(LINES)
def test_whatever_buildkit_reads_is_read_the_same(lines: list[str]) -> None:
    text = "FROM start\n" + "\n".join(lines)
    try:
        expected = as_buildkit_sees_it(text)
    except buildkit.GoParseError:
        return  # what BuildKit refuses never becomes an image; how we read it does not matter
    if all(str(item[0]) in INSTRUCTIONS for item in expected):  # refused too, a moment later
        assert as_we_see_it(text) == expected


BROKEN = [
    ("", 1, "no FROM"),
    ("# only a comment\n", 1, "no FROM"),
    ("FROM a\nRUN <<EOF\nnever ends\n", 2, "does not end"),
    ("FROM a\n\n<html>\n", 3, "no instruction"),
    ("# escape=x\nFROM a\n", 1, "escape"),
]


@pytest.mark.parametrize(("text", "line", "reason"), BROKEN)
def test_a_broken_file_is_refused_with_its_line_and_the_reason(text: str, line: int, reason: str) -> None:
    with pytest.raises(Misuse) as caught:
        parse(text, "apps/web/Dockerfile")
    assert caught.value.id == "dockerfile.broken"
    assert f"apps/web/Dockerfile:{line}:" in caught.value.message("en")
    assert reason in caught.value.message("en")


def test_flags_are_found_by_name_with_their_values() -> None:
    [copy] = [item for item in parse("FROM a\nCOPY --from=b --link x y\n").instructions if item.keyword == "COPY"]
    assert copy.flag("from") == "b"
    assert copy.flag("chown") == ""
    run = parse("FROM a\nRUN --mount=type=cache --mount=type=bind,source=x y").instructions[-1]
    assert run.flag_values("mount") == ["type=cache", "type=bind,source=x"]


def test_the_syntax_line_names_the_frontend() -> None:
    assert parse("# syntax=docker/dockerfile:1\nFROM a").syntax == "docker/dockerfile:1"
    assert parse("# a comment\n# syntax=x\nFROM a").syntax == ""
