"""What a host lacks, decided from facts alone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from agent.model.errors import Misuse
from bridge.remote import check, layout, upkeep
from bridge.remote.facts import Facts, parse
from bridge.remote.grants import Grant, authorized_text, granted, keys_text, probe_line
from bridge.remote.keys import PublicKey
from bridge.remote.plan import Plan, digest, missing
from bridge.remote.wanted import Wanted, actions

BLOB = "AAAAC3NzaC1lZDI1NTE5AAAAIBdoAQ1mN0O2lV4MJv8zE7hLQ2h9v5m6bKkH3pJ0yYQx"
GRANT = Grant("ci", PublicKey("ssh-ed25519", BLOB), "builder")
WANTED = Wanted("0.1.0-abc", '{"provision": true}\n', GRANT, "2026-01-02T03:04:05Z")

EMPTY = parse(
    {
        "machine": "x86_64",
        "system": "Debian GNU/Linux 13 (trixie)",
        "systemd": True,
        "pythons": {"/usr/bin/python3.13": [3, 13]},
        "user": None,
        "docker_group": "docker",
        "paths": {},
        "texts": {},
        "versions": [],
        "timer": "",
    }
)


def plan(wanted: Wanted, facts: Facts) -> Plan:
    return missing(actions(wanted, facts), facts)


def after(wanted: Wanted, facts: Facts) -> Facts:
    """The facts of a host on which the plan was carried out."""
    paths, texts, versions = dict(facts.paths), dict(facts.texts), list(facts.versions)
    user, timer = facts.user, facts.timer
    for action in plan(wanted, facts).actions:
        args = action.args
        if action.kind == "user":
            user = {name: args[name] for name in ("home", "shell", "groups")}
        elif action.kind == "link":
            paths[args["path"]] = {"kind": "link", "target": args["target"]}
        elif action.kind == "install":
            versions.append(args["version"])
        elif action.kind == "command":
            timer = "enabled"
        elif action.kind in ("file", "folder", "sshd"):
            paths[args["path"]] = _state(action.kind, args)
            texts[args["path"]] = args.get("content")
    return replace(facts, user=user, paths=paths, texts=texts, versions=tuple(versions), timer=timer)


def _state(kind: str, args: dict[str, Any]) -> dict[str, Any]:
    owned = {"owner": args.get("owner", "root"), "group": args.get("group", "root"), "mode": args.get("mode", 0o644)}
    if kind == "folder":
        return {"kind": "folder", **owned}
    return {"kind": "file", "sha256": digest(args["content"]), **owned}


DONE = after(WANTED, EMPTY)


def kinds(found: Plan) -> list[str]:
    return [action.kind for action in found.actions]


def paths(found: Plan) -> list[str]:
    return [action.args["path"] for action in found.actions if "path" in action.args]


def test_an_empty_host_gets_everything_in_an_order_that_works() -> None:
    order = kinds(plan(WANTED, EMPTY))
    assert order[0] == "user"
    assert order.index("folder") < order.index("install") < order.index("sshd")
    assert "idle" not in order
    links = [path for path in paths(plan(WANTED, EMPTY)) if path in (layout.CURRENT, layout.PREVIOUS)]
    assert links == [layout.CURRENT]
    assert paths(plan(WANTED, EMPTY))[-1] == layout.AUTHORIZED


def test_a_second_run_changes_nothing() -> None:
    assert not plan(WANTED, DONE)
    assert not plan(replace(WANTED, today="2027-12-31T00:00:00Z"), DONE)


def test_a_run_without_settings_and_key_keeps_what_the_host_has() -> None:
    assert not plan(replace(WANTED, settings=None, grant=None), DONE)


@pytest.mark.parametrize("path", [layout.SETTINGS, layout.KEYS, layout.AUTHORIZED, layout.DROP_IN, layout.ETC])
def test_what_somebody_changed_is_put_right_and_nothing_else(path: str) -> None:
    state = {**DONE.paths[path], "mode": 0o777, "sha256": "other"}
    spoiled = replace(DONE, paths={**DONE.paths, path: state})
    found = plan(WANTED, spoiled)
    assert paths(found) == [path]
    assert [action.change for action in found.actions] == ["change"]


def test_a_user_that_lost_its_group_is_corrected() -> None:
    assert DONE.user is not None
    assert kinds(plan(WANTED, replace(DONE, user={**DONE.user, "groups": []}))) == ["user"]


def test_a_new_version_replaces_the_old_one_only_while_nobody_works() -> None:
    found = plan(replace(WANTED, version="0.2.0-def"), DONE)
    assert kinds(found) == ["idle", "install", "link", "link", "prune"]
    assert found.actions[2].args == {"path": layout.PREVIOUS, "target": layout.version_folder("0.1.0-abc")}
    assert found.actions[3].args == {"path": layout.CURRENT, "target": layout.version_folder("0.2.0-def")}


def test_a_version_that_is_on_the_host_is_not_shipped_again() -> None:
    facts = replace(DONE, versions=("0.1.0-abc", "0.2.0-def"))
    assert kinds(plan(replace(WANTED, version="0.2.0-def"), facts)) == ["idle", "link", "link", "prune"]


def test_without_systemd_units_are_written_and_nothing_is_enabled() -> None:
    found = plan(WANTED, replace(EMPTY, systemd=False))
    assert "command" not in kinds(found)
    assert f"{layout.UNIT_FOLDER}/{layout.TIMER}" in paths(found)


def test_units_that_changed_are_read_again_and_the_timer_is_left_on() -> None:
    unit = f"{layout.UNIT_FOLDER}/{layout.DOOR}"
    found = plan(WANTED, replace(DONE, paths={**DONE.paths, unit: {"kind": "absent"}}))
    assert paths(found) == [unit]
    ran = [action.args["argv"] for action in found.actions if action.kind == "command"]
    assert ran == [["systemctl", "daemon-reload"]]


def test_a_host_without_an_engine_is_refused() -> None:
    with pytest.raises(Misuse) as raised:
        plan(WANTED, replace(EMPTY, docker_group=""))
    assert raised.value.id == "remote.no_docker"


@pytest.mark.parametrize("text", ["", "[]", '{"unknown": 1}', '{"http_port": "80"}'])
def test_settings_that_the_agent_would_not_accept_are_refused_before_anything(text: str) -> None:
    with pytest.raises(Misuse) as raised:
        plan(replace(WANTED, settings=text), EMPTY)
    assert raised.value.id == "settings.invalid"


def test_a_plan_shows_no_content_of_any_file() -> None:
    secret = '{"admin_dsn": "postgresql://u:Hunter2Hunter2@h/d"}'
    found = plan(replace(WANTED, settings=secret), EMPTY)
    shown = found.render("en") + found.render("fr") + json.dumps(found.to_json()) + repr(found)
    assert "Hunter2" not in shown
    assert layout.SETTINGS in shown


def test_a_key_is_registered_beside_the_others_and_keeps_its_date() -> None:
    first = keys_text(granted("", GRANT, "2026-01-01"))
    other = replace(GRANT, name="laptop", role="operator", apps=("suite",))
    second = granted(first, other, "2026-02-02")
    assert sorted(second) == ["ci", "laptop"]
    assert second["laptop"]["apps"] == ["suite"]
    third = granted(keys_text(second), replace(GRANT, role="observer"), "2026-03-03")
    assert (third["ci"]["role"], third["ci"]["added"]) == ("observer", "2026-01-01")


def test_authorized_keys_lets_each_key_call_the_agent_and_nothing_else() -> None:
    text = authorized_text(granted("", GRANT, "today"), probe_line("ci", PublicKey("ssh-rsa", "BBBB")))
    for line in text.splitlines():
        assert line.startswith(f'restrict,command="{layout.PROGRAM} serve --key ci" ssh-')
    assert len(text.splitlines()) == 2


@pytest.mark.parametrize(
    "grant",
    [
        replace(GRANT, name='x" ssh-rsa'),
        replace(GRANT, name="a b"),
        replace(GRANT, name=""),
        replace(GRANT, role="root"),
        replace(GRANT, apps=("../x",)),
        replace(GRANT, environments=("Prod",)),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused(grant: Grant) -> None:
    with pytest.raises(Misuse):
        grant.check()


@pytest.mark.parametrize("text", ["{", "[]", '{"ci": 1}'])
def test_a_damaged_table_of_keys_is_not_overwritten(text: str) -> None:
    with pytest.raises(Misuse) as raised:
        granted(text, GRANT, "today")
    assert raised.value.id == "remote.keys_damaged"


def test_the_former_version_is_named_for_going_back() -> None:
    with pytest.raises(Misuse) as raised:
        upkeep.former_version(EMPTY)
    assert raised.value.id == "remote.not_installed"
    with pytest.raises(Misuse) as raised:
        upkeep.former_version(DONE)
    assert raised.value.id == "remote.no_previous"
    upgraded = after(replace(WANTED, version="0.2.0-def"), DONE)
    assert upkeep.former_version(upgraded) == "0.1.0-abc"
    assert upkeep.installed(upgraded) == "0.2.0-def"


def test_a_removal_takes_what_is_ours_and_leaves_apps_and_data() -> None:
    found = upkeep.removal(DONE)
    removed = {action.args["path"] for action in found.actions if action.kind == "remove"}
    assert {layout.OPT, layout.ETC, layout.COMMAND} <= removed
    assert not removed & {layout.APPS, layout.STATE, layout.BACKUPS, layout.LOG}
    assert kinds(found)[0] == "idle"
    assert kinds(found)[-1] == "drop_user"
    assert not upkeep.removal(EMPTY)


SURVEY = {
    "engine": "26.1.5+dfsg1",
    "compose": "2.26.1-4",
    "disk": {"/srv": {"free": 50 * 1024**3, "total": 100 * 1024**3}, "/nowhere": None},
    "memory": 4 * 1024**3,
    "ports": {"80": "", "443": "container ikoma-proxy"},
    "databases": [{"kind": "supabase", "name": "db", "reached": "container name, network x"}],
    "container_count": 1,
}
GOOD = replace(EMPTY, survey=SURVEY)
SAID = {"id": "backup.never", "message": "Of shop there is no backup set.", "remedy": "Make one now."}


def verdicts(facts: Facts) -> dict[str, str]:
    return {row.name.removeprefix("remote.row."): row.verdict for row in check.rows(facts) if row.verdict != "ok"}


def test_a_good_host_has_nothing_to_complain_about() -> None:
    assert verdicts(GOOD) == {}
    assert check.to_json(GOOD, check.rows(GOOD))["problems"] == []


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        (replace(GOOD, pythons={"/usr/bin/python3": (3, 10)}), {"python": "bad"}),
        (replace(GOOD, survey={**SURVEY, "engine": ""}), {"engine": "bad"}),
        (replace(GOOD, survey={**SURVEY, "compose": "v2.17.3"}), {"compose": "bad"}),
        (replace(GOOD, survey={**SURVEY, "ports": {"80": "nginx", "443": ""}}), {"port_80": "warning"}),
        (replace(GOOD, survey={**SURVEY, "disk": {"/": {"free": 1, "total": 9}}}), {"disk": "warning"}),
        (replace(GOOD, survey={**SURVEY, "databases": []}), {"database": "warning"}),
        (replace(GOOD, survey={**SURVEY, "platform": {"warnings": [SAID]}}), {"agent": "warning"}),
        (replace(GOOD, survey={**SURVEY, "platform": {"problems": [SAID]}}), {"agent": "bad"}),
        (replace(GOOD, skew=-120.0), {"clock": "warning"}),
    ],
)
def test_each_fault_of_a_host_is_found_and_has_a_remedy(facts: Facts, found: dict[str, str]) -> None:
    assert verdicts(facts) == found
    assert all(problem["remedy"] for problem in check.to_json(facts, check.rows(facts))["problems"])
