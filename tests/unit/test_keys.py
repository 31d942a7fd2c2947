"""Keys: what is stored, what sshd is told, who is kept out."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.capabilities import keys_list, keys_revoke, keys_rotate
from agent.capabilities.call import Call
from agent.host import apikeys, keys
from agent.host.keys import Grant
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model.errors import Misuse
from agent.model.names import Target

PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAII5zeQzL+GKr2nZsZ5IZtMJZqgAey7bY5XnUxlGVncot somebody@somewhere"
PRINT = "SHA256:wbokID+bDY7/eYQGySd6erMRAbJB2g3DHA7TEGaFA1Y"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    found = Paths(tmp_path)
    found.etc.mkdir(parents=True)
    found.locks.mkdir(parents=True)
    return found


def said(paths: Paths, module: Any, caller: Grant, **args: Any) -> dict[str, Any]:
    """Call one of the capabilities about keys."""
    answer: dict[str, Any] = module.run(
        Call(None, args, paths, Settings(), key=caller.name, role=caller.role, grant=caller)
    )
    return answer


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


def test_a_rotation_keeps_the_secret_before_it_valid_until_the_next(paths: Paths) -> None:
    ci = keys.put(paths, Grant("ci", "operator"))
    first, second, third = (said(paths, keys_rotate, ci)["apiKey"] for _ in range(3))
    assert keys.authenticate(paths, first) is None
    for valid in (second, third):
        found = keys.authenticate(paths, valid)
        assert found is not None
        assert (found.name, found.role) == ("ci", "operator")
    assert said(paths, keys_revoke, ci, previous=True)["revoked"] == "previous"
    assert keys.authenticate(paths, second) is None
    assert keys.authenticate(paths, third) is not None


def test_a_rotation_keeps_the_secret_that_the_administrator_wrote_down(paths: Paths) -> None:
    stored = {"role": "builder", "apps": ["*"], "environments": ["*"], "api_keys": [apikeys.digest("first")]}
    paths.keys.write_text(json.dumps({"ci": stored}))
    made = said(paths, keys_rotate, keys.load(paths)["ci"])
    assert made["valid"] == 2
    assert keys.authenticate(paths, "first") is not None
    assert keys.authenticate(paths, made["apiKey"]) is not None


def test_of_a_secret_only_its_sum_is_stored(paths: Paths) -> None:
    ci = keys.put(paths, Grant("ci", "operator"))
    secret = said(paths, keys_rotate, ci)["apiKey"]
    assert secret not in paths.api_keys.read_text() + paths.keys.read_text()
    assert paths.api_keys.stat().st_mode & 0o777 == 0o600
    assert secret not in json.dumps(said(paths, keys_list, ci))


@pytest.mark.parametrize("wrong", ["", "x", "ikoma_", "é" * 50, "\udcff"])
def test_a_wrong_secret_is_nobody(paths: Paths, wrong: str) -> None:
    ci = keys.put(paths, Grant("ci", "operator"))
    said(paths, keys_rotate, ci)
    assert keys.authenticate(paths, wrong) is None


def test_a_revoked_key_is_unknown_everywhere_until_root_grants_it_again(paths: Paths) -> None:
    keys.put(paths, Grant("ci", "operator", public_key=PUBLIC))
    root = keys.put(paths, Grant("root", "builder"))
    secret = said(paths, keys_rotate, root, key="ci")["apiKey"]
    said(paths, keys_revoke, root, key="ci")
    assert "ci" not in keys.load(paths)
    assert keys.authorized_keys(paths) == ""
    assert keys.authenticate(paths, secret) is None
    keys.put(paths, Grant("ci", "operator", public_key=PUBLIC))
    assert "ci" in keys.load(paths)
    assert keys.authenticate(paths, secret) is None


@pytest.mark.parametrize(
    "caller",
    [Grant("eye", "observer"), Grant("hand", "operator"), Grant("shopper", "builder", apps=("shop",)),
     Grant("stager", "builder", environments=("staging",))],
    ids=lambda one: one.name,
)  # fmt: skip
def test_a_key_touches_itself_alone_unless_it_builds_everything(paths: Paths, caller: Grant) -> None:
    keys.put(paths, Grant("ci", "operator"))
    mine = keys.put(paths, caller)
    for module in (keys_rotate, keys_revoke):
        with pytest.raises(Misuse) as caught:
            said(paths, module, mine, key="ci")
        assert caught.value.id == "keys.foreign"
    assert said(paths, keys_rotate, mine)["key"] == caller.name
    if not caller.everything:
        assert [one["name"] for one in said(paths, keys_list, mine)["keys"]] == [caller.name]


def test_no_key_takes_the_name_of_whoever_sits_at_the_host(paths: Paths) -> None:
    with pytest.raises(Misuse):
        keys.put(paths, Grant(keys.LOCAL.name, "observer"))


def test_damaged_secrets_let_nobody_in(paths: Paths) -> None:
    keys.put(paths, Grant("ci", "operator"))
    paths.api_keys.write_text('{"secrets": []}')
    with pytest.raises(Misuse) as caught:
        keys.load(paths)
    assert caught.value.id == "keys.invalid"
