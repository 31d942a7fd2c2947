"""What a draft may be called and change, and where it goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.model.errors import Misuse
from bridge.authoring import changes, place
from bridge.authoring.branch import Git
from bridge.authoring.changes import Draft
from bridge.authoring.tools import TOOLS

HERE = Git(Path("/nowhere"), "origin")


def error(draft: Draft) -> str:
    with pytest.raises(Misuse) as refused:
        changes.judged(draft)
    return refused.value.id


@pytest.mark.parametrize(
    "path",
    ["", ".", "/etc/passwd", "../up", "a/../../b", "a//b", "./a", "a/", "a\\b", "a\nb", "a\0b", ":(top)a", "a" * 500],
)
def test_a_path_that_is_none_is_refused(path: str) -> None:
    assert error(Draft("x", "X", "", {path: "text"})) == "draft.path"


@pytest.mark.parametrize(
    "path",
    [".github/workflows/ci.yml", ".GitHub/workflows/ci.yml", "app/.github/x", ".git/config", ".GIT/hooks/pre-push",
     ".git./config", "git~1/config", ".gitmodules", "sub/.gitattributes", ".env", "app/app.env", ".env.production",
     "keys/server.pem", "id_ed25519", ".npmrc"],
)  # fmt: skip
def test_what_has_the_rights_of_the_repository_and_secrets_are_closed(path: str) -> None:
    assert error(Draft("x", "X", "", {path: "text"})) == "draft.closed"
    assert error(Draft("x", "X", "", {path: None})) == "draft.closed"


@pytest.mark.parametrize(
    "path", ["README.md", "app.env.example", ".env.sample", "docs/é à.md", "src/[id]/page.tsx", "-rf", ".gitignore",
             "github/workflows/x", "environment.ts", "a,b.txt"],
)  # fmt: skip
def test_ordinary_files_are_allowed(path: str) -> None:
    assert changes.judged(Draft("a-draft-2", "A title", "", {path: "text"})).branch == "draft/a-draft-2"


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a/b", "a..b", "a.lock", "é", "a" * 49, "main\n"])
def test_a_name_becomes_a_branch_or_is_refused(name: str) -> None:
    assert error(Draft(name, "X", "", {})) == "draft.name"


@pytest.mark.parametrize("title", ["", "  ", "two\nlines", "\x1b[31mred", "t" * 201])
def test_a_title_is_one_line(title: str) -> None:
    assert error(Draft("x", title, "", {})) == "draft.title"


@pytest.mark.parametrize(
    "draft",
    [
        Draft("x", "X", "", {f"{number}.txt": "" for number in range(changes.MOST_FILES + 1)}),
        Draft("x", "X", "", {"big.txt": "é" * (changes.MOST_BYTES // 2 + 1)}),
        Draft("x", "X", "t" * 70_000, {}),
    ],
)
def test_a_draft_has_bounds(draft: Draft) -> None:
    assert error(draft) == "draft.size"


def test_paths_that_no_command_line_takes_are_refused_and_ordinary_ones_fit() -> None:
    deep = {f"{number}/" + "a/" * 150 + "b": "text" for number in range(20)}
    assert error(Draft("x", "X", "", deep)) == "draft.names"
    many = {f"packages/some-name/src/components/forms/fields/file-{number}.tsx": "text" for number in range(200)}
    assert changes.judged(Draft("x", "X", "", many)).files == many


@pytest.mark.parametrize(
    ("address", "host", "repository"),
    [
        ("git@github.com:acme/shop.git", "github.com", "acme/shop"),
        ("https://github.com/acme/shop", "github.com", "acme/shop"),
        ("https://github.com/acme/shop.git/", "github.com", "acme/shop"),
        ("https://x-access-token:s3cret@github.com/acme/my.shop.git", "github.com", "acme/my.shop"),
        ("ssh://git@GHE.example.com:2222/acme/shop.git", "ghe.example.com", "acme/shop"),
    ],
)
def test_an_address_tells_host_and_repository(address: str, host: str, repository: str) -> None:
    assert place.located(address, HERE) == (host, repository)


@pytest.mark.parametrize("address", ["", "/srv/git/shop.git", "../shop", "https://github.com/acme", "file:///srv/a/b"])
def test_an_address_that_is_not_on_a_server_is_named(address: str) -> None:
    with pytest.raises(Misuse) as refused:
        place.located(address, HERE)
    assert refused.value.id == "draft.no_repository"


@pytest.mark.parametrize(
    ("address", "environ", "api"),
    [
        ("git@github.com:acme/shop.git", {}, "https://api.github.com"),
        ("git@ghe.example.com:acme/shop.git", {}, "https://ghe.example.com/api/v3"),
        ("git@ghe.example.com:acme/shop.git", {"GITHUB_API_URL": "https://api.example.com"}, "https://api.example.com"),
    ],
)
def test_the_api_is_that_of_the_server(
    address: str, environ: dict[str, str], api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Git, "address", lambda self: address)
    found = place.api(HERE, {"GH_TOKEN": "t0ken", **environ})
    assert (found.context.api, found.context.run.repository) == (api, "acme/shop")
    with pytest.raises(Misuse) as refused:
        place.api(HERE, environ)
    assert refused.value.id == "draft.no_token"


def test_every_tool_says_what_it_is_for_and_what_it_takes() -> None:
    from bridge.authoring.server import shown  # the protocol's library takes a second

    for tool in TOOLS.values():
        told = shown(tool)
        assert told.description
        assert told.input_schema["additionalProperties"] is False
        for name, field in told.input_schema["properties"].items():
            assert field["description"], (tool, name)
