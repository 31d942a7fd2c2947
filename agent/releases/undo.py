"""Back to what ran before a roll-out, from what was noted then and what is there now.

Runs after a failure or in another process after a kill -9, any number of times: it asks the Engine what is true.
"""

from __future__ import annotations

import time
from typing import Any, Final

from agent.docker import compose
from agent.docker.engine import Engine
from agent.host.flock import Flock
from agent.model.contract import Health
from agent.model.errors import IkomaError
from agent.model.secret import Redactor
from agent.releases import drain, health, observe, proxy, records, switch
from agent.releases.site import COMPOSE_SECONDS, Site

SETTLE: Final = 1.5
GRACE: Final = 10.0
PATIENCE: Final = Health(timeout=60, window=0)

Before = dict[str, Any]


def snapshot(site: Site) -> list[Before]:
    """Return what a roll-out must be able to bring back: each container, its state and its names."""
    found = []
    for item in observe.containers(site.engine, site.slug):
        inspected = site.engine.container(item.id)
        if inspected is not None and not observe.leftover(item):
            found.append(_before(item, inspected))
    return found


def _before(item: observe.Observed, inspected: dict[str, Any]) -> Before:
    endpoints = inspected["NetworkSettings"]["Networks"]
    names = {network: switch.own_names(endpoint, item.id) for network, endpoint in endpoints.items()}
    addresses = {network: endpoint.get("IPAddress") or "" for network, endpoint in endpoints.items()}
    state = inspected["State"]
    return {"id": item.id, "service": item.service, "running": state["Running"], "started": state["StartedAt"],
            "names": names, "addresses": addresses}  # fmt: skip


def back(site: Site, notes: dict[str, Any], redact: Redactor, *, settle: bool) -> int:
    """Bring back what ``notes`` say ran before; return how many containers were removed or revived.

    Args:
        settle: the worker died: give the Engine a moment to finish what compose had asked of it.
    """
    before: list[Before] = notes["before"]
    _rejoin(site.engine, before)
    if settle:
        _let_settle(site)
    beside, known = set(notes.get("beside", [])), {item["id"] for item in before}
    removed = _remove(site, [item for item in _new(site, known) if item.service not in beside])
    revived = _revive(site, before, beside, set(notes.get("stopping", [])), redact)
    proxy_changed = _routes(site, notes)
    switch.hide_running(site.engine, [item.id for item in _new(site, known)], site.edge)
    removed += _remove(site, _new(site, known))
    missing = _recreate(site, before, notes.get("previous"))
    _rest(site.engine, before, set(notes.get("waking", [])))
    if not before:
        _remove_networks(site, notes.get("networks", []))
    return revived + removed + missing + int(proxy_changed)


def _rejoin(engine: Engine, before: list[Before]) -> None:
    """Put running containers that were left between two names back on their networks, before their callers give up."""
    for item in before:
        inspected = engine.container(item["id"])
        if inspected is not None and inspected["State"]["Running"]:
            missing = {net: names for net, names in item["names"].items() if not _joined(inspected, net)}
            switch.rename(engine, item["id"], missing, item["addresses"])


def _joined(inspected: dict[str, Any], network: str) -> bool:
    return network in inspected["NetworkSettings"]["Networks"]


def _let_settle(site: Site) -> None:
    """Wait until a compose that outlived the worker is done, and the Engine with what it was asked."""
    lock = Flock(site.compose_lock)
    if lock.acquire(COMPOSE_SECONDS):
        lock.release()
    time.sleep(SETTLE)


def _revive(site: Site, before: list[Before], beside: set[str], stopping: set[str], redact: Redactor) -> int:
    """Start the old containers that stopped, or were told to, and wait until they answer; give all their names back.

    One that has a successor beside it gets its names only when it is ready: until then the successor has them.
    """
    engine, started = site.engine, []
    for item in before:
        inspected = engine.container(item["id"])
        if inspected is None or not item["running"]:
            continue
        if inspected["State"]["Running"] and not (item["id"] in stopping and _same_life(item, inspected)):
            switch.rename(engine, item["id"], item["names"])
        else:
            _start_again(engine, item, inspected, unseen=item["service"] in beside)
            started.append(item)
    if started:
        _wait(engine, [health.Check(item["id"], item["service"], fresh=False) for item in started], redact)
    for item in started:
        switch.rename(engine, item["id"], item["names"])
    return len(started)


def _rest(engine: Engine, before: list[Before], woken: set[str]) -> None:
    """Stop what stood still before and was started for the release that failed; its users are gone by now."""
    for item in before:
        inspected = engine.container(item["id"]) if item["id"] in woken and not item["running"] else None
        if inspected is not None and inspected["State"]["Running"]:
            engine.stop(item["id"], GRACE)


def _same_life(item: Before, inspected: dict[str, Any]) -> bool:
    """Say whether it still runs as it ran before; else an earlier attempt of ours has started it again."""
    return bool(item["started"] == inspected["State"]["StartedAt"])


def _start_again(engine: Engine, item: Before, inspected: dict[str, Any], unseen: bool) -> None:
    """Start a container that has stopped or is about to. Another may have its address by now: it gets a new one."""
    engine.stop(item["id"], GRACE)
    for network, names in item["names"].items():
        if _joined(inspected, network):
            engine.disconnect(network, item["id"])
        engine.connect(network, item["id"], aliases=[] if unseen else names)
    if unseen:
        switch.hide_new(engine, item["id"])
    engine.start(item["id"])


def _wait(engine: Engine, checks: list[health.Check], redact: Redactor) -> None:
    try:
        health.gate(engine, checks, PATIENCE, redact)
    except IkomaError as error:
        if not error.id.startswith("health."):
            raise  # the previous release is what there is, healthy or not; anything else is a real fault


def _routes(site: Site, notes: dict[str, Any]) -> bool:
    if "routes" not in notes or notes["routes"] == proxy.current(site):
        return False
    return proxy.apply(site, str(notes["routes"]))


def _new(site: Site, known: set[str]) -> list[observe.Observed]:
    return [item for item in observe.containers(site.engine, site.slug) if item.id not in known]


def _remove(site: Site, containers: list[observe.Observed]) -> int:
    drain.stop_all(site.engine, [(item.id, GRACE) for item in containers if item.state == "running"])
    for item in containers:
        site.engine.remove(item.id)
    return len(containers)


def _recreate(site: Site, before: list[Before], previous: str | None) -> int:
    """Make containers that are gone altogether again, from the record of the release they belonged to."""
    gone = sorted({item["service"] for item in before if item["running"] and site.engine.container(item["id"]) is None})
    folder = site.home.release(previous) if previous else None
    if not gone or folder is None or not (folder / records.COMPOSE).exists():
        return 0
    site.compose(compose.up(site.project(folder / records.COMPOSE, folder / records.VALUES), gone))
    return len(gone)


def _remove_networks(site: Site, known: list[str]) -> None:
    """After a first deployment that failed nothing of it stays but its volumes."""
    for network in site.engine.networks():
        labels = network.get("Labels") or {}
        mine = site.slug in (labels.get("com.docker.compose.project"), labels.get("ikoma.target"))
        if mine and network["Name"] not in known:
            if network["Name"] == site.edge:
                proxy.leave(site)
            site.engine.remove_network(network["Name"])
