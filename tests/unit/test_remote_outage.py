"""When a lost host is asked again."""

import pytest

from bridge.remote.channel import Lost
from bridge.remote.outage import Outage


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_pauses_double_up_to_fifteen_seconds_with_jitter() -> None:
    outage = Outage(clock=Clock())
    for expected in (0.5, 1, 2, 4, 8, 15, 15, 15):
        outage.failed()
        assert 0.8 * expected <= outage.pause() <= 1.2 * expected


def test_a_host_is_given_up_only_after_the_time_allowed() -> None:
    clock = Clock()
    outage = Outage(give_up=60, clock=clock)
    outage.failed()
    clock.now += 59
    outage.failed()
    assert not outage.over()
    clock.now += 1
    assert outage.over()


def test_progress_ends_an_outage() -> None:
    clock = Clock()
    outage = Outage(give_up=60, clock=clock)
    outage.failed()
    clock.now += 59
    outage.progress()
    clock.now += 59
    outage.failed()
    assert not outage.over()
    assert outage.failures == 1


def test_a_long_silent_connection_that_breaks_begins_a_new_outage() -> None:
    clock = Clock()
    outage = Outage(give_up=60, clock=clock)
    outage.failed()
    outage.attempt()
    outage.contact()
    clock.now += 3600
    outage.failed()
    assert not outage.over()


def test_an_attempt_that_waits_long_for_an_answer_is_part_of_the_outage() -> None:
    clock = Clock()
    outage = Outage(give_up=60, clock=clock)
    outage.failed()
    outage.attempt()
    clock.now += 60
    outage.failed()
    assert outage.over()


def test_a_host_that_answers_and_hangs_up_at_once_is_given_up_too() -> None:
    clock = Clock()
    outage = Outage(give_up=60, clock=clock)
    rounds = 0
    while not outage.over():
        outage.attempt()
        outage.contact()
        clock.now += 1
        outage.failed()
        rounds += 1
        assert rounds < 100
    assert rounds == 61


def test_only_a_loss_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    outage, calls = Outage(), 0

    def fails() -> None:
        nonlocal calls
        calls += 1
        raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        outage.retrying()(fails)
    assert calls == 1


def test_the_last_loss_is_what_is_raised() -> None:
    clock = Clock()
    outage = Outage(give_up=0, clock=clock)

    def lost() -> None:
        outage.failed()
        raise Lost("cut")

    with pytest.raises(Lost, match="cut"):
        outage.retrying()(lost)
