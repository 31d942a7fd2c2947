"""kill -9 of the Engine: what serves comes back by itself, what was stopped stays so, and a status tells the truth."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable

import pytest

from tests.integration.rollout_fixtures import Shop, busybox, shop

__all__ = ["busybox", "shop"]

LIMIT_S = 180.0  # a bound for slow machines; a quiet one needs about ten seconds


def kill_engine(shop: Shop) -> None:
    """kill -9; the box starts it again a second later. It finds its containers and ends what is left of them."""
    shop.inside("sh", "-c", "kill -9 $(cat /var/run/docker.pid)")


def seconds_until(reached: Callable[[], bool], limit: float) -> float:
    """Return how long it took until ``reached()`` was true."""
    began = time.monotonic()
    while not reached():
        assert time.monotonic() - began < limit, f"not within {limit} s"
        time.sleep(0.1)
    return time.monotonic() - began


def answers(shop: Shop) -> bool:
    """Ask the route, as somebody who does not wait for the proxy's patience."""
    connection = http.client.HTTPConnection(shop.env["BRIDGE_HOST"], 80, timeout=5)
    try:
        connection.request("GET", "/", headers={"Host": shop.host})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def told(shop: Shop) -> str:
    return str(shop.read("status.get")["status"])


@pytest.fixture
def stopped(shop: Shop) -> Shop:
    """A second target, deployed and then stopped on purpose."""
    other = Shop(shop.env, f"{shop.name}-still", shop.image)
    other.remove()
    assert other.deploy(other.version("one"))["status"] == "HEALTHY"
    assert other.perform("deploy.down")["status"] == "DONE"
    return other


def test_after_a_crash_of_the_engine_a_release_serves_again_and_a_stopped_one_does_not(
    shop: Shop, stopped: Shop
) -> None:
    assert shop.deploy(shop.version("one"))["status"] == "HEALTHY"
    assert told(stopped) == "STOPPED"
    before, seen = shop.containers(), set()
    kill_engine(shop)
    began = time.monotonic()
    seconds_until(lambda: not answers(shop), LIMIT_S)
    while not answers(shop):
        assert time.monotonic() - began < LIMIT_S, f"does not serve after {LIMIT_S} s"
        status = told(shop)
        seen |= {status} if not answers(shop) else set()
    took = time.monotonic() - began
    print(f"served again after {took:.1f} s, told meanwhile: {sorted(seen)}")
    assert "HEALTHY" not in seen
    seconds_until(lambda: told(shop) == "HEALTHY", LIMIT_S)
    assert shop.containers() == before
    stopped.inside("/opt/ikoma/current/bin/ikoma-agent", "recover")  # a round of the supervised unit
    assert stopped.containers() == {}
    assert told(stopped) == "STOPPED"
    assert stopped.perform("deploy.up")["status"] == "HEALTHY"
    assert answers(stopped)
    stopped.remove()
