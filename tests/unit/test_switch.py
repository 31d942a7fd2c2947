"""In which order a container that still answers is taken off its networks and put back without its names."""

from __future__ import annotations

from typing import Any

import pytest

from agent.releases import switch

ID = "0123456789ab" * 5
EDGE = "shop-edge"


class Recorded:
    """An engine with one running container, which writes down what is asked of it."""

    def __init__(self, networks: dict[str, list[str]]) -> None:
        self.endpoints = {name: {"Aliases": names, "IPAddress": f"10.0.{at}.2"}
                          for at, (name, names) in enumerate(networks.items())}  # fmt: skip
        self.asked: list[tuple[str, str]] = []

    def container(self, _container: str) -> dict[str, Any]:
        return {"State": {"Running": True}, "NetworkSettings": {"Networks": self.endpoints}}

    def disconnect(self, network: str, _container: str) -> None:
        self.asked.append(("off", network))

    def connect(self, network: str, _container: str, *, aliases: list[str], address: str | None) -> None:
        assert (aliases, address) == ([], self.endpoints[network]["IPAddress"])
        self.asked.append(("on", network))


def hidden(monkeypatch: pytest.MonkeyPatch, networks: dict[str, list[str]]) -> list[tuple[str, str]]:
    engine = Recorded(networks)
    monkeypatch.setattr(switch, "LAST_CALLERS", 0)
    switch.hide_running(engine, [ID], EDGE)  # type: ignore[arg-type]
    return engine.asked


@pytest.mark.parametrize("names", [["shop_default", EDGE], [EDGE, "shop_default"]])
def test_whoever_can_be_asked_can_ask_others(monkeypatch: pytest.MonkeyPatch, names: list[str]) -> None:
    asked = hidden(monkeypatch, {name: ["web"] for name in names})
    assert asked == [("off", EDGE), ("off", "shop_default"), ("on", "shop_default"), ("on", EDGE)]


def test_a_network_on_which_a_container_has_no_name_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hidden(monkeypatch, {"shop_default": [], EDGE: ["web"]}) == [("off", EDGE), ("on", EDGE)]
    assert hidden(monkeypatch, {"shop_default": [ID[:12]]}) == []
