"""Variables are replaced as BuildKit and Compose do; what cannot be known is said, never guessed."""

from __future__ import annotations

import pytest

from agent.model.errors import Misuse
from bridge.workspace.words import Unknown, expand, interpolate, required_names

VALUES = {"A": "one", "EMPTY": "", "B": "two"}

EXPANDED = [
    ("plain", "plain"),
    ("$A/${B}", "one/two"),
    ("'$A'", "$A"),
    ('"$A b"', "one b"),
    (r"\$A", "$A"),
    ("${EMPTY:-x}", "x"),
    ("${EMPTY-x}", ""),
    ("${A:+yes}", "yes"),
    ("${EMPTY:+yes}", ""),
    ("${EMPTY:-${B}}", "two"),
    ("$", "$"),
    ("$1", "$1"),
    ("a$A-b", "aone-b"),
]


@pytest.mark.parametrize(("text", "expected"), EXPANDED)
def test_a_dockerfile_text_has_its_variables_replaced(text: str, expected: str) -> None:
    assert expand(text, VALUES) == expected


@pytest.mark.parametrize("text", ["$NOBODY", "${NOBODY}", "${NOBODY:-x}", "${A#o}", "${A%e}", "${A/o/x}", "${A"])
def test_a_value_that_a_base_image_may_set_is_unknown(text: str) -> None:
    with pytest.raises(Unknown):
        expand(text, VALUES)


INTERPOLATED = [
    ("${A}", "one"),
    ("$A", "one"),
    ("$$A", "$A"),
    ("${NOBODY:-d}", "d"),
    ("${NOBODY:-${B:-x}}", "two"),
    ("${EMPTY-d}", ""),
    ("${EMPTY:-d}", "d"),
    ("${NOBODY-d}", "d"),
    ("${A:+y}", "y"),
    ("${NOBODY+y}", ""),
    ("${A:?must be set}", "one"),
    ("100%$", "100%$"),
]


@pytest.mark.parametrize(("text", "expected"), INTERPOLATED)
def test_a_compose_text_is_interpolated(text: str, expected: str) -> None:
    assert interpolate(text, VALUES, "here") == expected


@pytest.mark.parametrize("text", ["$NOBODY", "${NOBODY}", "${NOBODY?why}", "${EMPTY:?why}", "${NOBODY:-${NOBODY}}"])
def test_a_missing_value_is_named_with_the_place_that_needs_it(text: str) -> None:
    with pytest.raises(Misuse) as caught:
        interpolate(text, VALUES, "services.web.build.args.X")
    assert caught.value.id == "build.variable"
    assert "services.web.build.args.X" in caught.value.message("en")


REQUIRED = [
    ("$A and ${B}", {"A", "B"}),
    ("${A:?x}${B?y}", {"A", "B"}),
    ("${A:-x}${B-y}${C:+z}", set()),
    ("$$A $${B}", set()),
    ("${A:-${B}}", set()),
    ("postgres://${USER:?}:${PASSWORD:?}@db/${NAME:-x}", {"USER", "PASSWORD"}),
]


@pytest.mark.parametrize(("text", "names"), REQUIRED)
def test_required_are_the_variables_without_a_default(text: str, names: set[str]) -> None:
    assert required_names(text) == names
