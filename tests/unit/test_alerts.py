"""What is said of what is seen: one alert for a change of state, one message when it is over, a reminder a day."""

from __future__ import annotations

import pytest

from agent.host import alerting
from agent.host.paths import Paths
from agent.model import alerts, messages
from agent.model.alerts import CLEAR, RAISE, REMIND, Notice, Sighting, Watch
from agent.model.errors import IkomaError, Misuse

SHOP = "health:shop"
BAD = IkomaError("alert.health", slug="shop", app="shop", environment="production", services="web: unhealthy")


class Story:
    """One subject over time: ``see`` is a round at that second."""

    def __init__(self) -> None:
        self.known: dict[str, Watch] = {}

    def see(self, second: float, fault: IkomaError | None = None, subject: str = SHOP) -> list[str]:
        self.known, said = alerts.advance(self.known, [Sighting(subject, "shop", fault)], 1e9 + second)
        return [one.kind for one in said]


def test_a_fault_that_lasts_is_told_once_and_so_is_its_end() -> None:
    story = Story()
    rounds = [(second, BAD if second < 300 else None) for second in range(0, 600, 10)]
    said = {second: kinds for second, fault in rounds if (kinds := story.see(second, fault))}
    assert said == {RAISE["health"]: ["raised"], 300 + CLEAR: ["recovered"]}
    assert story.known == {}


def test_what_comes_and_goes_within_moments_is_not_told() -> None:
    story = Story()
    assert [
        kinds for second in range(0, 600, 10) if (kinds := story.see(second, BAD if second % 40 < 20 else None))
    ] == []


def test_an_app_that_flaps_is_one_alert_until_it_has_been_well_for_a_while() -> None:
    story = Story()
    for second in range(0, 40, 10):
        story.see(second, BAD)
    assert [
        kinds for second in range(40, 900, 10) if (kinds := story.see(second, None if second % 50 < 30 else BAD))
    ] == []
    assert [kinds for second in range(900, 1100, 10) if (kinds := story.see(second))] == [["recovered"]]


def test_what_stays_wrong_is_said_again_once_a_day() -> None:
    story = Story()
    said = [kind for second in range(0, int(2.5 * REMIND), 600) for kind in story.see(second, BAD)]
    assert said == ["raised", "reminder", "reminder"]


def test_a_round_in_which_nobody_can_say_changes_nothing() -> None:
    story = Story()
    story.see(0, BAD)
    story.known, said = alerts.advance(story.known, [], 1e9 + 20)
    assert said == []
    assert story.see(RAISE["health"], BAD) == ["raised"]


def test_an_app_that_was_removed_is_forgotten_without_a_word() -> None:
    story = Story()
    story.see(0, BAD)
    story.see(40, BAD)
    assert alerts.advance(story.known, [], 1e9 + 500, gone=[SHOP]) == ({}, [])


def test_a_first_backup_may_take_its_time() -> None:
    story, none = Story(), IkomaError("backup.never", slug="shop")
    assert [story.see(second, none, "backup:shop") for second in (0, 60, 3600)] == [[], [], ["raised"]]


def test_a_clock_that_is_set_back_silences_nothing() -> None:
    story = Story()
    story.see(0, BAD)
    story.see(-86_400, BAD)
    assert story.see(-86_400 + RAISE["health"], BAD) == ["raised"]


@pytest.mark.parametrize(
    ("lang", "title", "words"),
    [
        (
            "en",
            "[vps] Alert: health of shop",
            ("shop is not well: web: unhealthy.", "ikoma deploy rollback --app shop"),
        ),
        ("fr", "[vps] Alerte : santé de shop", ("shop ne va pas bien : web: unhealthy.", "Revenez en arrière")),
    ],
)
def test_an_alert_says_what_is_wrong_and_what_to_do_in_the_hosts_language(
    lang: str, title: str, words: tuple[str, str]
) -> None:
    told = alerts.said(Notice("raised", SHOP, "shop", 1e9, 1e9, BAD.id, BAD.params), "vps", lang)
    assert told[0] == title
    assert all(word in told[1] for word in words)


def test_every_kind_and_every_subject_has_its_words_in_both_languages() -> None:
    keys = [f"alert.title.{kind}" for kind in ("raised", "reminder", "recovered", "ended", "test")]
    keys += [f"alert.subject.{sort}" for sort in (*RAISE, "deploy")]
    assert [key for key in keys if key not in messages.catalogue()] == []


@pytest.fixture
def paths(tmp_path: pytest.TempPathFactory) -> Paths:
    paths = Paths(tmp_path)  # type: ignore[arg-type]
    paths.locks.mkdir(parents=True)
    return paths


def test_addresses_are_kept_where_only_the_agent_reads_them(paths: Paths) -> None:
    found = alerting.store(paths, "# the team\nslack://T1/B2/secret3\n\njsons://hook.example.com/x\n", "fr")
    assert [one.sort for one in found] == ["slack", "jsons"]
    assert paths.alerts.stat().st_mode & 0o777 == 0o600
    assert alerting.language(paths) == "fr"
    assert "secret3" not in repr(alerting.receivers(paths))
    assert [one.mark for one in alerting.receivers(paths)] == [one.mark for one in found]


def test_with_no_address_left_nobody_looks_and_nothing_is_remembered(paths: Paths) -> None:
    alerting.store(paths, "slack://T1/B2/C3", "fr")
    paths.alert_state.write_text("{}")
    assert alerting.store(paths, "# nobody\n", "fr") == []
    assert not paths.alerts.exists()
    assert not paths.alert_state.exists()


@pytest.mark.parametrize(
    "line",
    ["file:///etc/passwd", "syslog://", "dbus://", "exec://x", "slack", "json://a\x1b[2J", "json://" + "a" * 3000],
)
def test_an_address_that_is_none_is_refused_without_being_repeated(paths: Paths, line: str) -> None:
    with pytest.raises(Misuse) as caught:
        alerting.store(paths, f"slack://T1/B2/C3\n{line}", "en")
    assert (caught.value.id, caught.value.params["number"]) == ("alert.address", 2)
    assert line[8:] not in caught.value.message() or not line[8:]
    assert not paths.alerts.exists()


def test_a_damaged_state_stops_nobody(paths: Paths) -> None:
    paths.alert_state.write_text('{"watches": {"health:shop": {"nonsense": 1}}}')
    assert alerting.state(paths).watches == {}
    paths.alert_state.write_text("{")
    assert alerting.state(paths).waiting == []
