"""When a release may be deployed, and who must agree: windows by the clock on the wall, freezes, a second key."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.capabilities import deploy_apply
from agent.capabilities.call import Call
from agent.host import policies
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model import windows
from agent.model.errors import Misuse
from agent.model.names import Target

SHOP, STAGING = Target("shop"), Target("shop", "staging")
RELEASE = "r-0123456789ab"
OFFICE = "mon-fri 09:00-17:00"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    found = Paths(tmp_path)
    for folder in (found.etc, found.locks):
        folder.mkdir(parents=True)
    return found


def decide(paths: Paths, **rules: object) -> None:
    paths.policies.write_text(json.dumps({slug.replace("ALL", "*"): value for slug, value in rules.items()}))


def refused(paths: Paths, at: str, target: Target = SHOP, key: str = "ci", override: str = "") -> list[str]:
    moment = datetime.fromisoformat(at)
    return [one.id for one in policies.problems(paths, target, RELEASE, key, override, moment)]


@pytest.mark.parametrize(
    ("window", "at", "is_open"),
    [
        (OFFICE, "2026-11-20 09:00", True),
        (OFFICE, "2026-11-20 17:00", False),
        (OFFICE, "2026-11-21 12:00", False),
        ("sat 22:00-02:00", "2026-11-21 23:59", True),
        ("sat 22:00-02:00", "2026-11-22 01:59", True),
        ("sat 22:00-02:00", "2026-11-22 02:00", False),
        ("fri-mon 00:00-24:00", "2026-11-22 12:00", True),
        ("fri-mon 00:00-24:00", "2026-11-24 12:00", False),
    ],
)
def test_a_window_is_open_on_its_days_and_hours(window: str, at: str, is_open: bool) -> None:
    assert windows.parse(window).holds(datetime.fromisoformat(at)) is is_open


@pytest.mark.parametrize("text", ["", "always", "mon-fri", "mon-fry 09:00-17:00", "mon 09:00-25:00", "mon 9-17"])
def test_what_is_no_window_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="“"):
        windows.parse(text)


def test_the_next_window_is_found_within_a_week() -> None:
    office = [windows.parse(OFFICE)]
    assert windows.next_open(office, datetime(2026, 11, 20, 18, 0)) == datetime(2026, 11, 23, 9, 0)


def test_without_rules_one_may_always_deploy(paths: Paths) -> None:
    assert refused(paths, "2026-11-21T03:00+00:00") == []


def test_the_wall_is_that_of_the_zone_in_summer_and_in_winter(paths: Paths) -> None:
    decide(paths, ALL={"zone": "Europe/Paris", "windows": [OFFICE]})
    assert refused(paths, "2026-07-01T07:30+00:00") == []
    assert refused(paths, "2026-12-01T07:30+00:00") == ["policy.closed"]
    assert refused(paths, "2026-12-01T08:30+00:00") == []


def test_the_example_in_the_docs_says_what_is_written_beside_it(paths: Paths) -> None:
    page = (Path(__file__).parents[2] / "docs/policies.md").read_text()
    paths.policies.write_text(page.partition("```json\n")[2].partition("```")[0])
    assert refused(paths, "2026-11-20T11:30+00:00", Target("blog")) == ["policy.closed"], "Friday, 12:30 in Paris"
    assert refused(paths, "2026-11-20T10:30+00:00", Target("blog")) == []
    assert refused(paths, "2026-11-20T00:30+00:00") == ["policy.approval"], "the night after Thursday, in Paris"
    assert refused(paths, "2026-11-20T10:30+00:00") == ["policy.closed", "policy.approval"]
    assert refused(paths, "2026-11-22T10:30+00:00", STAGING) == []


def test_an_environment_has_its_own_rules(paths: Paths) -> None:
    decide(paths, ALL={"windows": [OFFICE]}, shop_staging={"windows": []})
    assert refused(paths, "2026-11-21T12:00+00:00") == ["policy.closed"]
    assert refused(paths, "2026-11-21T12:00+00:00", STAGING) == []


def test_a_reason_opens_a_window_and_a_freeze_but_replaces_no_second_key(paths: Paths) -> None:
    decide(paths, ALL={"windows": [OFFICE], "approval": True})
    policies.freeze(paths, SHOP, "boss", "the sale is on", "")
    night = "2026-11-21T03:00+00:00"
    assert refused(paths, night) == ["policy.closed", "policy.frozen", "policy.approval"]
    assert refused(paths, night, override="payments are down") == ["policy.approval"]


def test_a_freeze_ends_by_itself_or_when_it_is_lifted(paths: Paths) -> None:
    policies.freeze(paths, SHOP, "boss", "the sale is on", "2026-12-01T08:00+01:00")
    assert refused(paths, "2026-12-01T06:59+00:00") == ["policy.frozen"]
    assert refused(paths, "2026-12-01T07:00+00:00") == []
    policies.thaw(paths, SHOP)
    assert refused(paths, "2026-12-01T06:59+00:00") == []


def test_a_second_key_must_agree_and_its_word_is_good_for_a_day(paths: Paths) -> None:
    decide(paths, shop={"approval": True})
    now = datetime.now(UTC)
    policies.approve(paths, SHOP, RELEASE, "ci")
    assert refused(paths, now.isoformat(), key="ci") == ["policy.approval"]
    policies.approve(paths, SHOP, RELEASE, "boss")
    assert refused(paths, now.isoformat(), key="ci") == []
    assert refused(paths, (now + timedelta(hours=25)).isoformat(), key="ci") == ["policy.approval"]
    assert policies.problems(paths, SHOP, "r-ffffffffffff", "ci", "")[0].id == "policy.approval"


@pytest.mark.parametrize(
    "text",
    ["{", '{"*": {"zone": "Mars/Base"}}', '{"*": {"windows": ["always"]}}', '{"*": {"window": []}}', '{"*": 3}', "[]"],
)
def test_damaged_rules_forbid_everything(paths: Paths, text: str) -> None:
    paths.policies.write_text(text)
    with pytest.raises(Misuse) as caught:
        refused(paths, "2026-11-20T12:00+00:00")
    assert caught.value.id == "policy.invalid"


def test_a_reason_of_one_letter_tells_nobody_anything(paths: Paths) -> None:
    for override, refuses in (("x", True), ("payments are down", False)):
        call = Call(SHOP, {"release": RELEASE, "override": override}, paths, Settings())
        if refuses:
            with pytest.raises(Misuse) as caught:
                deploy_apply.check(call)
            assert caught.value.id == "policy.reason"
        else:
            deploy_apply.check(call)
