"""The rig's pure parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rig import cgroups, init, state, tokens


def test_every_version_1_hierarchy_is_found_with_the_options_that_mount_it_again() -> None:
    mounts = (
        "tmpfs /sys/fs/cgroup tmpfs rw,mode=755 0 0\n"
        "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,nodev,noexec,relatime,cpu,cpuacct 0 0\n"
        "cgroup /sys/fs/cgroup/systemd cgroup rw,relatime,xattr,name=systemd 0 0\n"
        "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0\n"
    )
    found = [(each.folder.name, each.options) for each in cgroups.parse_hierarchies(mounts)]
    assert found == [("cpu,cpuacct", "cpu,cpuacct"), ("systemd", "none,xattr,name=systemd")]


def test_a_reader_gets_no_token_for_a_push() -> None:
    access = tokens.asked(["repository:suite/web:pull,push", "repository:base/node:pull"])
    assert [(each["name"], each["actions"]) for each in access] == [
        ("suite/web", ["pull", "push"]),
        ("base/node", ["pull"]),
    ]
    assert not tokens.is_allowed(access, ["pull"])
    assert tokens.is_allowed(access, ["pull", "push"])


def test_a_scope_with_a_colon_in_its_name_is_split_at_the_last() -> None:
    assert tokens.asked(["repository:10.0.0.1:5000/a:pull"])[0]["name"] == "10.0.0.1:5000/a"


def test_a_unit_file_says_what_to_run_and_as_whom(tmp_path: Path) -> None:
    unit = tmp_path / "x.service"
    unit.write_text("[Unit]\nDescription=x\n\n[Service]\nType=oneshot\nUser=ikoma\nExecStart=/bin/x recover\n")
    service = init.read_unit(unit)
    assert (service["User"], service["ExecStart"]) == ("ikoma", "/bin/x recover")


def test_a_damaged_unit_file_starts_nothing(tmp_path: Path) -> None:
    unit = tmp_path / "x.service"
    unit.write_text("no section\n")
    assert init.read_unit(unit) == {}


def test_a_second_rig_of_the_same_checkout_has_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IKOMA_RIG", raising=False)
    first = state.rig_id()
    monkeypatch.setenv("IKOMA_RIG", "second")
    assert state.rig_id() != first


def test_a_new_host_gets_the_lowest_free_address() -> None:
    known = state.State(rig="x", subnet="10.231.9")
    known.boxes = {name: state.Box(name, "host", octet) for name, octet in (("a", 11), ("b", 13))}
    assert known.address(known.free_octet()) == "10.231.9.12"
