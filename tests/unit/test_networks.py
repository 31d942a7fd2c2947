"""Choosing subnets and addresses."""

from __future__ import annotations

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


def test_routes_of_the_host_are_read_from_the_kernel() -> None:
    table = (
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    )
    assert networks.main_table(table) == [("192.168.1.0/24", "eth0")]


def test_every_routing_table_counts_and_a_default_route_in_two_halves_does_not() -> None:
    listed = [
        {"dst": "default", "dev": "eth0"},
        {"dst": "0.0.0.0/1", "dev": "tun0"},
        {"dst": "128.0.0.0/1", "dev": "tun0"},
        {"dst": "10.0.0.0/8", "dev": "wg0", "table": "51820"},
        {"type": "local", "dst": "192.168.1.7", "dev": "eth0", "table": "local"},
        {"type": "local", "dst": "127.0.0.0/8", "dev": "lo", "table": "local"},
        {"type": "broadcast", "dst": "192.168.1.255", "dev": "eth0", "table": "local"},
        {"type": "unreachable", "dst": "172.30.0.0/16"},
    ]
    assert networks.ways(listed) == [("10.0.0.0/8", "wg0"), ("192.168.1.7/32", "eth0"), ("172.30.0.0/16", "")]


def test_this_machine_has_routes() -> None:
    assert isinstance(networks.routes(), list)


@pytest.mark.parametrize(
    ("subnet", "hit"), [("10.8.0.0/24", "10.0.0.0/8"), ("192.168.1.0/24", "192.168.1.7/32"), ("172.20.0.0/24", "")]
)
def test_a_subnet_to_which_the_host_has_another_way_is_found(subnet: str, hit: str) -> None:
    assert networks.overlapping(subnet, ["10.0.0.0/8", "192.168.1.7/32"]) == hit


class Networks:
    """An Engine that has one network."""

    def network(self, name: str) -> dict[str, Any] | None:
        return {"Name": name, "Id": "a" * 64} if name == "shop_old" else None


def test_a_stated_subnet_that_is_the_hosts_own_network_is_refused_and_one_that_runs_already_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(networks, "routes", lambda: [("192.168.1.0/24", "eth0"), ("10.9.0.0/24", "br-" + "a" * 12)])
    document = {
        "networks": {
            "lan": {"name": "shop_lan", "ipam": {"config": [{"subnet": "192.168.1.0/24"}]}},
            "old": {"name": "shop_old", "ipam": {"config": [{"subnet": "10.9.0.0/24"}]}},
            "free": {"name": "shop_free", "ipam": {}},
        }
    }
    engine: Any = Networks()
    (found,) = networks.clashes(document, engine)
    assert (found.id, found.params["network"], found.params["route"]) == ("network.overlap", "lan", "192.168.1.0/24")
