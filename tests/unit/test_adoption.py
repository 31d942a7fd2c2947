"""What a compose project keeps when it is taken over, and which data would be left behind."""

from __future__ import annotations

from typing import Any

import pytest

from agent.capabilities.apps_logs import advanced, parse, render
from agent.docker.engine import PROJECT, SERVICE
from agent.model.errors import Misuse
from agent.releases.adoption import VOLUME, elsewhere, survey


def volume(name: str, project: str = "", key: str = "") -> dict[str, Any]:
    return {"Name": name, "Labels": {PROJECT: project, VOLUME: key} if project else None}


CONTAINER = {
    "Id": "c1",
    "Labels": {PROJECT: "shop", SERVICE: "db"},
    "Mounts": [
        {"Type": "volume", "Name": "pg", "Source": "/var/lib/docker/volumes/pg/_data"},
        {"Type": "bind", "Source": "/home/ada/shop/conf"},
    ],
    "NetworkSettings": {"Networks": {"shop_default": {}, "lan": {}}},
}


def test_every_volume_network_and_folder_of_a_project_is_listed() -> None:
    kept = survey("shop", [CONTAINER], [volume("shop_uploads", "shop", "uploads"), volume("bank_data", "bank", "data")])
    assert (kept.services, kept.containers) == (["db"], ["c1"])
    assert kept.volumes == ["pg", "shop_uploads"]
    assert kept.networks == ["lan", "shop_default"]
    assert kept.folders == ["/home/ada/shop/conf"]


@pytest.mark.parametrize(
    ("there", "found"),
    [
        ([], []),
        ([volume("shop_data", "shop", "data"), volume("old_data", "old", "data")], []),
        ([volume("old_data", "old", "data")], ["old_data"]),
        ([volume("data")], ["data"]),
        ([volume("bank_data", "bank", "data")], []),
        ([volume("old_other", "old", "other")], []),
    ],
    ids=[
        "nothing there",
        "its own is there",
        "a hand-run project has one",
        "one made by hand",
        "another app's",
        "other",
    ],
)
def test_a_volume_that_would_start_empty_beside_one_of_its_name_is_found(
    there: list[dict[str, Any]], found: list[str]
) -> None:
    assert [other for _, _, other in elsewhere({"shop_data": "data"}, there, ["shop", "bank"])] == found


def test_a_cursor_is_what_was_seen_last_of_each_container() -> None:
    early, late = "2026-01-01T00:00:00.000000001Z", "2026-01-01T00:00:00.000000002Z"
    cursor = advanced({}, [("a" * 64, late), ("a" * 64, early), ("b" * 64, early)])
    assert cursor == {"a" * 12: late, "b" * 12: early}
    assert parse(render(cursor)) == cursor
    assert parse("") == parse(None) == {}


@pytest.mark.parametrize("bad", ["x", "aaaaaaaaaaaa@now'; drop", 7, "aaaaaaaaaaaa@2026-01-01T00:00:00Z,oops"])
def test_a_cursor_that_we_did_not_give_is_refused(bad: object) -> None:
    with pytest.raises(Misuse):
        parse(bad)
