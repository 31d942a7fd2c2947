"""One private network per rig: a bridge, a cable to each box, and a way out for the builder alone."""

from __future__ import annotations

import json
from pathlib import Path

from tests.rig.commands import RigError, attempt, run
from tests.rig.state import BUILDER, Box, State

FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
FORWARD_BEFORE = Path("/run/ikoma-rig.ip_forward")  # of the whole machine, and gone after a reboot, as it must
CHAIN = "IKOMA-RIG-"
PARENTS = (("nat", "POSTROUTING"), ("filter", "FORWARD"))


def bridge(state: State) -> str:
    """The name of the rig's bridge device."""
    return f"ik{state.rig}"


def outer_link(state: State, box: Box) -> str:
    """The machine's end of a box's cable. Taking it down cuts the box off."""
    return f"ik{state.rig}-{box.octet}"


def mend(state: State, box: Box) -> None:
    """Put a cable back that a test pulled and did not live to put back."""
    run(["ip", "link", "set", outer_link(state, box), "up"])


def up(state: State) -> None:
    """Bring the bridge and the builder's way out into being; a second call changes nothing."""
    name = bridge(state)
    if state.subnet is None:
        attempt(["ip", "link", "del", name])  # of an `up` that was killed before it could write down its subnet
        state.subnet = _free_subnet(state.rig)
    if attempt(["ip", "link", "show", name]).returncode != 0:
        run(["ip", "link", "add", name, "mtu", str(mtu()), "type", "bridge"])
    run(["ip", "addr", "replace", f"{state.address(1)}/24", "dev", name])
    run(["ip", "link", "set", name, "up"])
    _open_way_out(state)


def down(state: State) -> None:
    """Remove every device and rule of the rig, those of boxes that nobody remembers too."""
    _close_way_out(state)
    for link in json.loads(run(["ip", "-json", "link"])):
        if link["ifname"].startswith(bridge(state)):
            attempt(["ip", "link", "del", link["ifname"]])


def plug(state: State, box: Box) -> None:
    """Lay the cable between the bridge and the namespace of the box's first process."""
    outer, inner = outer_link(state, box), f"ik{state.rig}+{box.octet}"
    unplug(state, box)
    run(["ip", "link", "add", outer, "mtu", str(mtu()), "type", "veth", "peer", "name", inner, "mtu", str(mtu())])
    run(["ip", "link", "set", outer, "master", bridge(state), "up"])
    run(["ip", "link", "set", inner, "netns", str(box.pid)])
    inside = ["nsenter", "--net", "--target", str(box.pid), "ip"]
    run([*inside, "link", "set", "lo", "up"])
    run([*inside, "link", "set", inner, "name", "eth0"])
    run([*inside, "addr", "add", f"{state.address(box.octet)}/24", "dev", "eth0"])
    run([*inside, "link", "set", "eth0", "up"])
    if box.octet == BUILDER:
        run([*inside, "route", "add", "default", "via", state.address(1)])


def unplug(state: State, box: Box) -> None:
    """Remove a box's cable, if it is there."""
    attempt(["ip", "link", "del", outer_link(state, box)])


def mtu() -> int:
    """The packet size of this machine's own way out, which the boxes must not exceed."""
    routes = json.loads(run(["ip", "-json", "route", "show", "default"]) or "[]")
    if not routes:
        return 1500
    links = json.loads(run(["ip", "-json", "link", "show", "dev", routes[0]["dev"]]))
    return int(links[0]["mtu"])


def _free_subnet(rig: str) -> str:
    taken = run(["ip", "-brief", "addr"]) + run(["ip", "route"])
    first = int(rig[:2], 16)
    for step in range(250):
        candidate = f"10.231.{(first + step) % 250 + 2}"
        if f"{candidate}." not in taken:
            return candidate
    raise RigError("every subnet of 10.231.0.0/16 is in use; `scripts/rig down` in the checkouts you no longer need")


def _rules(state: State) -> list[tuple[str, list[str]]]:
    """The rules of the rig's own chains as (table, rule): the builder may go out, hosts may not."""
    link, builder = bridge(state), f"{state.address(BUILDER)}/32"
    answers = ["-m", "conntrack", "--ctstate", "ESTABLISHED,RELATED"]
    return [
        ("nat", ["-s", builder, "!", "-o", link, "-j", "MASQUERADE"]),
        ("filter", ["-i", link, "-o", link, "-j", "ACCEPT"]),
        ("filter", ["-i", link, "-s", builder, "-j", "ACCEPT"]),
        ("filter", ["-o", link, "-d", builder, *answers, "-j", "ACCEPT"]),
        ("filter", ["-i", link, "-j", "DROP"]),
    ]


def _way_out_is_open(state: State) -> bool:
    jump = ["-C", "FORWARD", "-j", CHAIN + state.rig]
    return FORWARD.read_text().strip() == "1" and attempt([*_iptables("filter"), *jump]).returncode == 0


def _open_way_out(state: State) -> None:
    if _way_out_is_open(state):
        return
    _close_chains(state)
    chain = CHAIN + state.rig
    for table, _ in PARENTS:
        run([*_iptables(table), "-N", chain])
    for table, rule in _rules(state):
        run([*_iptables(table), "-A", chain, *rule])
    for table, parent in PARENTS:  # the jump comes last: where it stands, the chain is whole
        run([*_iptables(table), "-I", parent, "1", "-j", chain])
    if not FORWARD_BEFORE.exists():
        FORWARD_BEFORE.write_text(FORWARD.read_text())
    FORWARD.write_text("1\n")


def _close_way_out(state: State) -> None:
    _close_chains(state)
    others = CHAIN in attempt([*_iptables("nat"), "-S"]).stdout
    if FORWARD_BEFORE.exists() and not others:  # the last rig to go puts the machine's setting back
        FORWARD.write_text(FORWARD_BEFORE.read_text())
        FORWARD_BEFORE.unlink()


def _close_chains(state: State) -> None:
    chain = CHAIN + state.rig
    for table, parent in PARENTS:
        for order in (["-D", parent, "-j", chain], ["-F", chain], ["-X", chain]):
            attempt([*_iptables(table), *order])


def _iptables(table: str) -> list[str]:
    return ["iptables", "--wait", "--table", table]
