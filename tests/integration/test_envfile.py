"""What we write into an environment file is what docker compose reads."""

from __future__ import annotations

import json
import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.host import envfile, process

ODD = [
    "", "plain", "two words", " leading and trailing ", "a#b", "a #b", "#", "'", '"', "\\", "\\\\", "a\\", "\\'",
    "\\\"",
    "it's", 'say "hi"', "both ' and \"", "$HOME", "${HOME}", "$$", "$", "a$b'c", "\\$x", "\\$'", "\\n", "line\nline",
    "\r\n", "tab\there", "p%40@:/?#[]!$&'()*+,;=", "é ü 漢", "= =", "export X=1", "`id`", "$(id)",
    "-----BEGIN\nabc==\n",
    "a\\'b\\", "\\' $x \"", "\n", "'\n'", "{\"json\": \"va'lue\\n\"}", "\\r", "\a\b\f\v",
]  # fmt: skip


def read_by_compose(folder: Path, values: dict[str, str]) -> dict[str, str]:
    """Return what a container would be given, by interpolation from the environment file."""
    (folder / "app.env").unlink(missing_ok=True)
    envfile.write(folder / "app.env", values)
    service = {"image": "x", "environment": {key: f"${{{key}}}" for key in values}}
    (folder / "compose.json").write_text(json.dumps({"services": {"one": service}}))
    command = ["docker", "compose", "--project-name=probe", "--file", str(folder / "compose.json")]
    done = process.run([*command, "--env-file", str(folder / "app.env"), "config", "--format", "json"])
    found: dict[str, str] = json.loads(done.stdout)["services"]["one"]["environment"]
    return {key: value.replace("$$", "$") for key, value in found.items()}


def test_every_odd_value_reaches_a_container_unchanged(tmp_path: Path) -> None:
    values = {f"KEY_{number}": value for number, value in enumerate(ODD)}
    assert read_by_compose(tmp_path, values) == values


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.text(st.sampled_from("\\'\"$#{}()` =\n\rab\té" + string.digits), max_size=12), min_size=20, max_size=40)
)
def test_any_mixture_of_awkward_characters_reaches_a_container_unchanged(tmp_path: Path, mixed: list[str]) -> None:
    values = {f"KEY_{number}": value for number, value in enumerate(mixed)}
    assert read_by_compose(tmp_path, values) == values


@pytest.mark.parametrize("value", ODD)
def test_we_read_back_what_we_wrote(tmp_path: Path, value: str) -> None:
    envfile.write(tmp_path / "app.env", {"BEFORE": "1", "KEY": value, "AFTER": "2"})
    assert envfile.read(tmp_path / "app.env") == {"BEFORE": "1", "KEY": value, "AFTER": "2"}
