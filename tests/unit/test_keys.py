"""Keys: what is stored, what sshd is told, who is kept out."""

import json
from pathlib import Path

import pytest

from agent.host import keys
from agent.host.keys import Grant
from agent.host.paths import Paths
from agent.model.errors import Misuse
from agent.model.names import Target

PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAII5zeQzL+GKr2nZsZ5IZtMJZqgAey7bY5XnUxlGVncot somebody@somewhere"
PRINT = "SHA256:wbokID+bDY7/eYQGySd6erMRAbJB2g3DHA7TEGaFA1Y"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    found = Paths(tmp_path)
    found.etc.mkdir(parents=True)
    return found


def test_a_key_is_stored_with_its_fingerprint_and_read_back(paths: Paths) -> None:
    stored = keys.put(paths, Grant("ci", "builder", ("shop",), ("production", "staging"), public_key=PUBLIC))
    assert stored.fingerprint == PRINT
    assert keys.load(paths) == {"ci": stored}
    data = json.loads(paths.keys.read_text())["ci"]
    assert {"role": "builder", "apps": ["shop"], "environments": ["production", "staging"]}.items() <= data.items()
    assert "somewhere" not in paths.keys.read_text()


def test_sshd_is_told_that_the_key_can_do_nothing_but_call_the_agent(paths: Paths) -> None:
    stored = keys.put(paths, Grant("ci", "builder", public_key=PUBLIC))
    program = paths.opt / "current/bin/ikoma-agent"
    assert keys.authorized_keys(paths) == (
        f'restrict,command="{program} serve --key ci" {" ".join(PUBLIC.split()[:2])} ci\n'
    )
    assert keys.authorized_line(paths, stored) in keys.authorized_keys(paths)


def test_a_key_keeps_the_day_it_was_added(paths: Paths) -> None:
    first = keys.put(paths, Grant("ci", "builder", public_key=PUBLIC))
    again = keys.put(paths, Grant("ci", "observer", public_key=PUBLIC))
    assert (again.added, again.role) == (first.added, "observer")


def test_a_removed_key_is_gone(paths: Paths) -> None:
    keys.put(paths, Grant("ci", "builder", public_key=PUBLIC))
    assert keys.remove(paths, "ci")
    assert not keys.remove(paths, "ci")
    assert keys.authorized_keys(paths) == ""


@pytest.mark.parametrize(
    "grant",
    [
        Grant('a" ,command="sh', "builder", public_key=PUBLIC),
        Grant("a b", "builder"),
        Grant("-rf", "builder"),
        Grant("ci", "root"),
        Grant("ci", "builder", apps=("../etc",)),
        Grant("ci", "builder", environments=("prod uction",)),
        Grant("ci", "builder", public_key="ssh-ed25519 AAAA"),
        Grant("ci", "builder", public_key='command="sh" ' + PUBLIC),
        Grant("ci", "builder", public_key=PUBLIC.replace("ssh-ed25519", "ssh-rsa", 1)),
    ],
)
def test_what_could_say_something_else_to_sshd_is_refused(paths: Paths, grant: Grant) -> None:
    with pytest.raises(Misuse) as caught:
        keys.put(paths, grant)
    assert caught.value.id == "keys.invalid"
    assert not paths.keys.exists()


def test_a_second_line_behind_a_public_key_is_dropped(paths: Paths) -> None:
    stored = keys.put(paths, Grant("ci", "builder", public_key=PUBLIC + "\nssh-ed25519 AAAA intruder"))
    assert keys.authorized_line(paths, stored).count("\n") == 0
    assert "intruder" not in keys.authorized_keys(paths)


@pytest.mark.parametrize("text", ["{", "[]", '{"ci": 1}', '{"ci": {}}', '{"ci": {"role": 3}}'])
def test_a_damaged_file_is_an_error_not_an_empty_list(paths: Paths, text: str) -> None:
    paths.keys.write_text(text)
    with pytest.raises(Misuse):
        keys.load(paths)


def test_roles_are_ordered() -> None:
    assert Grant("k", "builder").has_role("observer")
    assert not Grant("k", "observer").has_role("operator")
    assert not Grant("k", "").has_role("observer")
    assert not Grant("k", "builder", apps=()).may_act_on(Target("shop"))
