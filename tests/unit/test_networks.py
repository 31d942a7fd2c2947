"""Choosing subnets and addresses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.model.errors import IkomaError
from agent.releases import networks


def test_a_subnet_overlaps_nothing_that_is_taken() -> None:
    assert networks.choose("10.213.0.0/16", []) == "10.213.0.0/24"
    assert networks.choose("10.213.0.0/16", ["10.213.0.0/24", "10.213.1.64/26"]) == "10.213.2.0/24"
    assert networks.choose("10.213.0.0/16", ["10.213.0.0/17", "fd00::/64"]) == "10.213.128.0/24"


def test_an_exhausted_pool_is_said() -> None:
    with pytest.raises(IkomaError) as caught:
        networks.choose("10.213.0.0/24", ["10.0.0.0/8"])
    assert caught.value.id == "network.exhausted"


def network(members: list[str], ip_range: str | None = "10.213.0.128/25", gateway: str = "") -> dict[str, Any]:
    config = {"Subnet": "10.213.0.0/24", "Gateway": gateway} | ({"IPRange": ip_range} if ip_range else {})
    containers = {name: {"IPv4Address": f"{name}/24"} for name in members}
    return {"IPAM": {"Config": [config]}, "Containers": containers}


def test_a_fixed_address_comes_from_the_half_that_the_engine_does_not_use() -> None:
    assert networks.free_address(network(["10.213.0.129"]), []) == "10.213.0.2"


def test_an_address_that_somebody_has_or_holds_is_not_given_again() -> None:
    assert networks.free_address(network(["10.213.0.2"]), ["10.213.0.3"]) == "10.213.0.4"


def test_where_the_engine_uses_the_whole_subnet_addresses_come_from_its_end() -> None:
    assert networks.free_address(network([], None, "10.213.0.1"), ["10.213.0.254"]) == "10.213.0.253"


def test_a_network_without_addresses_has_none_to_give() -> None:
    assert networks.free_address({"IPAM": {"Config": None}}, []) is None
    assert networks.free_address({"IPAM": {"Config": [{"Subnet": "fd00::/64"}]}}, []) is None


def test_routes_of_the_host_are_read_from_the_kernel(tmp_path: Path) -> None:
    table = tmp_path / "route"
    table.write_text(
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    )
    assert networks.routes(table) == ["192.168.1.0/24"]
