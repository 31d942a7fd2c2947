"""Names, secrets, errors, the catalogue."""

import string
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model import messages
from agent.model.errors import Exit, IkomaError, Misuse
from agent.model.names import (
    Target,
    canonical,
    check_operation,
    derived_operation,
    new_operation,
    release_id,
)
from agent.model.secret import MASK, Redactor, Secret


def test_production_is_not_in_the_slug_and_other_environments_are() -> None:
    assert Target("suite").slug == "suite"
    assert Target("suite", "staging").slug == "suite_staging"


@pytest.mark.parametrize("target", [Target("a"), Target("a-b", "c-d"), Target("suite", "staging")])
def test_a_slug_names_its_target(target: Target) -> None:
    assert Target.from_slug(target.slug) == target


@pytest.mark.parametrize("name", ["", "A", "1a", "a_b", "../x", "a" * 32, "a\n", "-a", "é", "a b", "a/b"])
def test_a_name_is_never_a_path_nor_a_flag(name: str) -> None:
    with pytest.raises(Misuse):
        Target(name)
    with pytest.raises(Misuse):
        Target("ok", name)


def test_operation_ids_are_version_7_and_sorted_by_time() -> None:
    ids = [new_operation() for _ in range(50)]
    assert all(uuid.UUID(i).version == 7 and uuid.UUID(i).variant == uuid.RFC_4122 for i in ids)
    assert [i[:13] for i in ids] == sorted(i[:13] for i in ids)


def test_the_same_run_derives_the_same_operation() -> None:
    assert derived_operation("1", "2") == derived_operation("1", "2")
    assert derived_operation("1", "2") != derived_operation("12", "")
    assert check_operation(derived_operation("x")) == derived_operation("x")


def test_the_release_id_ignores_provenance_and_key_order() -> None:
    one = {"app": "a", "services": {"x": 1, "y": 2}, "provenance": {"commit": "1"}}
    two = {"provenance": {"commit": "2"}, "services": {"y": 2, "x": 1}, "app": "a"}
    assert release_id(one) == release_id(two)
    assert release_id(one) != release_id(one | {"app": "b"})
    assert len(release_id(one)) == 14


def test_canonical_json_is_utf_8_without_spaces() -> None:
    assert canonical({"b": "é", "a": [1, 2]}) == '{"a":[1,2],"b":"é"}'.encode()


def test_a_secret_masks_itself_in_every_rendering() -> None:
    secret = Secret("hunter2-hunter2")
    for shown in (str(secret), repr(secret), f"{secret}", f"{[secret]}", "%s" % secret):  # noqa: UP031
        assert "hunter2" not in shown
    assert MASK in str(secret)
    assert secret.reveal() == "hunter2-hunter2"
    assert "hunter2" not in str(IkomaError("x.y", password=secret).to_json())


@given(st.text(alphabet=string.printable, min_size=6, max_size=40).filter(lambda v: len(v.strip()) >= 6))
def test_the_redactor_hides_a_secret_wherever_it_stands(value: str) -> None:
    shown = Redactor([Secret(value)])(f"before {value} after")
    for line in value.splitlines():
        if len(line.strip()) >= 6:
            assert line.strip() not in shown


@pytest.mark.parametrize(
    ("value", "spelled"),
    [
        ("p@ss%word", "p%40ss%25word"),
        ("p@ss word", "p%40ss+word"),
        ('qu"ote"d', 'qu\\"ote\\"d'),
        ("abcdef", "YWJjZGVm"),
        ("it's me", "it''s me"),
        ("do$llar", "do$$llar"),
    ],
)
def test_the_redactor_knows_the_usual_encodings(value: str, spelled: str) -> None:
    assert Redactor([value])(f"x{spelled}y") == f"x{MASK}y"


def test_every_message_has_both_languages_the_same_placeholders_and_a_remedy_in_both_or_none() -> None:
    def fields(template: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(template) if name}

    for message_id, message in messages.catalogue().items():
        assert message.en, message_id
        assert message.fr, message_id
        assert fields(message.en) == fields(message.fr), message_id
        assert bool(message.remedy_en) == bool(message.remedy_fr), message_id
        assert fields(message.remedy_en) == fields(message.remedy_fr), message_id
        assert "{" not in messages.text(message_id, dict.fromkeys(fields(message.en), "x"), "fr"), message_id


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"IKOMA_LANG": "en", "LANG": "fr_FR.UTF-8"}, "en"),
        ({"LC_ALL": "C.UTF-8"}, "en"),
        ({"IKOMA_LANG": "fr"}, "fr"),
    ],
)
def test_the_language_is_chosen_by_ikoma_lang_then_the_locale(environ: dict[str, str], expected: str) -> None:
    assert messages.language(environ) == expected


def test_an_error_crosses_the_wire_with_its_words() -> None:
    error = IkomaError("wire.unknown_key", step="preflight", key="ci")
    again = IkomaError.from_json(error.to_json("en"))
    assert (again.id, again.step, again.message("fr")) == (error.id, "preflight", error.message("fr"))


def test_an_error_of_a_newer_agent_keeps_its_own_text() -> None:
    error = IkomaError.from_json({"id": "future.fault", "message": "new words", "remedy": "update"}, Exit.FAILED)
    assert (error.message(), error.remedy()) == ("new words", "update")
