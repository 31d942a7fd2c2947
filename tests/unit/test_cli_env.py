"""``env init``, ``env diff``, ``env push``: never overwriting, never showing a value."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from agent.model.errors import Misuse
from bridge.cli import main
from bridge.pipeline import appenv
from bridge.pipeline.appenv import Wanted

ASKED = [Wanted("SESSION_SECRET"), Wanted("DATABASE_URL"), Wanted("SITE_TITLE", "Suite")]


def fill(existing: str = "", asked: list[Wanted] = ASKED) -> appenv.Template:
    return appenv.template(existing, asked, generate=lambda: "f" * 64)


def test_a_new_file_has_its_secrets_and_room_for_the_rest() -> None:
    made = fill()
    assert appenv.parse(made.text, "f") == {"SESSION_SECRET": "f" * 64, "DATABASE_URL": None}
    assert "#SITE_TITLE=Suite" in made.text
    assert (made.generated, made.to_fill, made.kept) == (("SESSION_SECRET",), ("DATABASE_URL",), ())


@pytest.mark.parametrize(
    "line",
    ["SESSION_SECRET=mine", 'SESSION_SECRET="mine and #more"', "export SESSION_SECRET='mi\nne'", 'SESSION_SECRET=""'],
)
def test_a_value_that_is_there_is_never_touched(line: str) -> None:
    made = fill(f"# my own file\n{line}\nOTHER=1\n")
    assert made.text.startswith(f"# my own file\n{line}\nOTHER=1\n")
    assert made.generated == ()
    assert "SESSION_SECRET" in made.kept


def test_a_second_run_changes_nothing() -> None:
    once = fill().text
    assert fill(once).text == once


def test_an_empty_line_for_a_secret_is_filled_in_where_it_stands() -> None:
    assert fill("SESSION_SECRET=\nZ=1\n").text.startswith(f"SESSION_SECRET={'f' * 64}\nZ=1\n")


def test_a_default_that_is_commented_out_is_not_written_twice() -> None:
    assert fill("# SITE_TITLE=Mine\n").text.count("SITE_TITLE") == 1


def test_two_secrets_are_never_alike() -> None:
    made = appenv.parse(appenv.template("", [Wanted("A_SECRET"), Wanted("B_SECRET")]).text, "f")
    assert made["A_SECRET"] != made["B_SECRET"]
    assert all(value is not None and len(value) == 64 for value in made.values())


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("SESSION_SECRET", True), ("JWT_KEY", True), ("AUTH_TOKEN", True), ("ADMIN_PASSWORD", True), ("SECRET", True),
        ("SECRET_KEY_BASE", True), ("COOKIE_SALT", True), ("APP_SECRET_KEY", True), ("SESSION_KEY", True),
        ("API_KEY", False), ("INTERNAL_API_KEY", False), ("MAPS_KEY", False), ("JWT_PRIVATE_KEY", False),
        ("JWT_ISSUER", False), ("SESSION_TTL", False),
        ("DATABASE_URL", False), ("KEYCLOAK_URL", False), ("TOKEN_TTL", False), ("PORT", False),
        ("STRIPE_SECRET_KEY", False), ("AWS_SECRET_ACCESS_KEY", False), ("NEXT_PUBLIC_KEY", False),
        ("SMTP_PASSWORD", False), ("GITHUB_TOKEN", False),
    ],
)  # fmt: skip
def test_only_the_apps_own_secrets_are_made_up(name: str, secret: bool) -> None:
    assert appenv.looks_secret(name) is secret


@pytest.mark.parametrize("name", ["API_KEY", "PARTNER_SECRET"])
def test_what_an_author_says_of_a_value_stands_above_its_empty_line(name: str) -> None:
    asked = appenv.wanted([name], [f"x-${{{name}:?ask the partner\n  desk for one}}"])
    made = fill("", asked)
    assert f"# ask the partner desk for one\n{name}=\n" in made.text
    assert (made.generated, made.to_fill) == ((), (name,))
    assert fill(made.text, asked).text == made.text


@pytest.mark.parametrize(
    "why",
    [
        "",
        "must be set",
        "must be set in app.env!",
        "required",
        "NAME is required.",
        "missing",
        "Must be set…",
        "set NAME in .env",
    ],
)
def test_words_that_say_nothing_about_a_value_do_not_keep_a_secret_from_being_made(why: str) -> None:
    assert fill("", appenv.wanted(["SESSION_SECRET"], [f"${{SESSION_SECRET:?{why}}}"])).generated == ("SESSION_SECRET",)


OPTIONAL = {
    "generated": ["ACCESS_TOKEN_SECRET", "API_PASSWORD", "AUTH_SECRET", "JWT_SECRET", "SESSION_SECRET",
                  "SHOP_SESSION_SECRET"],
    "to_fill": ["API_TOKEN", "DB_PASSWORD", "DISCORD_TOKEN", "GITHUB_TOKEN", "MAPS_API_KEY", "OAUTH_CLIENT_SECRET",
                "STRIPE_SECRET_KEY", "WEBHOOK_SECRET"],
    "noted": ["MAIL_FROM", "NEXT_PUBLIC_TOKEN", "SENTRY_DSN", "TOKEN_TTL"],
}  # fmt: skip


@pytest.mark.parametrize("source", ["code", "compose"])
def test_secrets_that_only_code_reads_or_that_are_empty_by_default_are_made_up_or_asked_for(source: str) -> None:
    """One that somebody else hands out, or may hand out, is asked for: a random value would only look right."""
    names = sorted(name for group in OPTIONAL.values() for name in group)
    asked = appenv.wanted([], [f"${{{name}:-}}" for name in names] if source == "compose" else [], names)
    made = fill("", asked)
    assert (list(made.generated), list(made.to_fill)) == (OPTIONAL["generated"], OPTIONAL["to_fill"])
    assert all(f"#{name}=\n" in made.text for name in OPTIONAL["noted"])
    assert fill(made.text, asked).text == made.text


def test_a_secret_with_a_default_keeps_it() -> None:
    assert fill("", [Wanted("SESSION_SECRET", "for-tests")]).generated == ()


@pytest.mark.parametrize(
    ("line", "generated"),
    [("#JWT_SECRET=", ()), ("# JWT_SECRET=x", ()), ("JWT_SECRET=mine", ()), ("JWT_SECRET=", ("JWT_SECRET",))],
)
def test_a_secret_that_nothing_insists_on_is_made_up_once_and_not_against_a_comment(
    line: str, generated: tuple[str, ...]
) -> None:
    made = fill(f"{line}\nA=1\n", [Wanted("JWT_SECRET", "")])
    assert made.generated == generated
    assert generated or made.text == f"{line}\nA=1\n"


def test_a_line_that_is_none_is_named_by_its_number_and_not_shown() -> None:
    with pytest.raises(Misuse) as refused:
        appenv.parse("A=1\nmy hidden password\n", "app.env")
    assert "Line 2 of app.env" in refused.value.message("en")
    assert "hidden" not in refused.value.message("en") + str(refused.value.params)


def test_compose_and_code_are_asked_for_names() -> None:
    texts = ["${A:?required}", "${B:-two}", "${C-}", "$$NOT", "$${NOR:-x}"]
    wanted = appenv.wanted(["A"], texts, {"D", "A", "B"})
    assert wanted == [Wanted("A"), Wanted("B", "two"), Wanted("D", ""), Wanted("C", "")]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("const a = process.env.STRIPE_KEY!", {"STRIPE_KEY"}),
        ("process.env['MAIL_FROM'] ?? x", {"MAIL_FROM"}),
        ("import.meta.env.VITE_TITLE", {"VITE_TITLE"}),
        ('os.environ["REDIS_URL"] + os.getenv("DSN") + os.environ.get(\'X_Y\')', {"REDIS_URL", "DSN", "X_Y"}),
        ("process.env.NODE_ENV + process.env.PORT", set()),
        ("myprocess_env.A; environment.B", set()),
    ],
)
def test_names_are_found_in_code(source: str, names: set[str]) -> None:
    assert appenv.names_in_code(source) == names


def test_comparing_names_only() -> None:
    assert appenv.compare(["A", "B"], ["B", "C"], ["A", "D"]) == [
        ("A", "only_here"), ("B", "both"), ("C", "only_host"), ("D", "missing"),
    ]  # fmt: skip


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    if shutil.which("docker") is None:
        pytest.fail("docker with Compose is needed to read a compose file: run scripts/setup")
    example = Path(__file__).parents[2] / "docs/examples/suite"
    shutil.copytree(example, tmp_path / "suite", ignore=shutil.ignore_patterns("node_modules"))
    return tmp_path / "suite"


def test_the_example_gets_a_private_file_that_asks_for_what_compose_asks(
    suite: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(["env", "init", "--repo", str(suite), "--json"])
    assert leaving.value.code == 0
    report = json.loads(capsys.readouterr().out)
    assert report["generated"] == ["SESSION_SECRET"]
    assert report["to_fill"] == ["DATABASE_URL"]
    file = suite / "app.env"
    assert file.stat().st_mode & 0o777 == 0o600
    values = appenv.parse(file.read_text(), "f")
    assert values["DATABASE_URL"] is None
    secret = values["SESSION_SECRET"]
    with pytest.raises(SystemExit):
        main(["env", "init", "--repo", str(suite)])
    said = capsys.readouterr()
    assert appenv.parse(file.read_text(), "f")["SESSION_SECRET"] == secret
    assert str(secret) not in said.out + said.err
