"""The runbooks say the same in both languages: the same files, the same commands, links that lead somewhere."""

import re
from pathlib import Path

import pytest

BOOKS = Path(__file__).parents[2] / "docs/runbooks"
NAMES = sorted(path.name for path in (BOOKS / "en").glob("*.md"))


def test_every_runbook_is_there_in_both_languages() -> None:
    assert NAMES
    assert sorted(path.name for path in (BOOKS / "fr").glob("*.md")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_commands_are_the_same(name: str) -> None:
    english, french = ((BOOKS / lang / name).read_text() for lang in ("en", "fr"))
    fences = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
    assert fences.findall(english) == fences.findall(french)
    assert english != french


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(lang: str, name: str) -> None:
    page = BOOKS / lang / name
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_first_page_names_every_runbook() -> None:
    for lang in ("en", "fr"):
        page = (BOOKS / lang / "README.md").read_text()
        assert all(name in page for name in NAMES if name != "README.md")
