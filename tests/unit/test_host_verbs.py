"""What is typed on the host: every capability by its words, root's variables, and what reaches the agent."""

import argparse
import os
import threading
from pathlib import Path

import pytest

from agent.capabilities import CAPABILITIES
from agent.capabilities.index import Capability
from agent.doors import cli, local, verbs
from agent.doors.verbs import compose
from agent.host.paths import Paths
from agent.model.errors import Misuse
from agent.model.names import Target
from agent.operations.lock import HOUSEKEEPING, Holder, TargetLock

ALL = sorted(CAPABILITIES.values(), key=lambda one: one.name)


@pytest.mark.parametrize("capability", ALL, ids=lambda one: one.name)
@pytest.mark.parametrize("spaced", [True, False])
def test_every_capability_can_be_typed_with_its_own_options(capability: Capability, spaced: bool) -> None:
    words = capability.name.split(".") if spaced else [capability.name]
    given = [f"--{name.replace('_', '-')}=x" for name in capability.takes or () if name not in capability.secret_args]
    options = cli._options([*words, "--app", "shop", "--env", "staging", *given], CAPABILITIES)
    if verbs.find(words) is None:
        assert (options.capability, options.app, options.environment) == (capability.name, "shop", "staging")


def test_a_name_of_three_words_is_typed_as_three_words_and_the_longest_name_wins() -> None:
    typed = ["apps", "env", "example", "--app", "shop"]
    assert cli._options(typed, CAPABILITIES).capability == "apps.env.example"
    both = {"apps.env": CAPABILITIES["apps.list"], "apps.env.example": CAPABILITIES["apps.env.example"]}
    found = cli._capability(typed, both)
    assert found == (CAPABILITIES["apps.env.example"], ["--app", "shop"])


@pytest.mark.parametrize("verb", verbs.TABLE, ids=lambda one: " ".join(one.words))
def test_every_verb_of_the_table_is_there_and_explains_itself(
    verb: verbs.Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        cli._options([*verb.words, "--help"], CAPABILITIES)
    assert left.value.code == 0
    assert verb.summary.split()[0] in capsys.readouterr().out


def test_the_help_of_the_program_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli._options(["--help"], CAPABILITIES)
    shown = capsys.readouterr().out
    assert all(" ".join(verb.words) in shown for verb in verbs.TABLE)


def test_root_keeps_only_what_is_meant_for_the_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {"SUPABASE_DB_DSN": "x", "SUPABASE_DB_SCHEMA": "y", "IKOMA_LANG": "fr", "PATH": "/bin", "LANG": "C"}
    dropped = {"LD_PRELOAD": "x", "PGPASSWORD": "y", "DOCKER_HOST": "z", "PYTHONPATH": "p", "HOME": "/root"}
    monkeypatch.setattr(os, "environ", kept | dropped)
    local.keep_environment()
    assert dict(os.environ) == kept


@pytest.mark.parametrize("words", [["down"], ["stop", "web"], ["--", "rm", "-f"], ["kill"]])
def test_what_the_agent_would_undo_is_refused_with_what_says_it(words: list[str], tmp_path: Path) -> None:
    typed = argparse.Namespace(app="shop", environment="staging", words=words)
    with pytest.raises(Misuse) as caught:
        compose.run(local.Local(Paths(tmp_path), typed, CAPABILITIES))
    assert "ikoma deploy down --app shop --env staging" in caught.value.remedy("en")


def test_compose_by_hand_waits_for_the_agents_round_and_not_for_an_operation(tmp_path: Path) -> None:
    theirs, mine = TargetLock(Paths(tmp_path), Target("shop")), TargetLock(Paths(tmp_path), Target("shop"))
    theirs.path.parent.mkdir(parents=True)
    assert theirs.take(Holder("op-1"))
    assert not compose._taken(mine, Holder("op-2"))
    theirs.release()
    assert theirs.take(Holder(HOUSEKEEPING))
    over = threading.Timer(0.3, theirs.release)
    over.start()
    assert compose._taken(mine, Holder("op-2"))
    over.join()
    mine.release()
