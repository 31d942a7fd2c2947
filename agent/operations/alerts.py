"""Alerts between deployments: the supervised unit has a process of its own look and send. It never fails anything."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from agent.database.backup import age, store
from agent.host import alerting, clock, envfile, log, platform
from agent.host import settings as host_settings
from agent.host.alerting import Receiver
from agent.host.flock import Flock, is_held
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model import alerts
from agent.model.alerts import Notice, Sighting
from agent.model.errors import IkomaError
from agent.model.names import Target
from agent.model.secret import Secret
from agent.operations.detach import detach
from agent.operations.journal import Journal
from agent.releases import records, status
from agent.releases.site import Site

Send = Callable[[Secret, str, str], bool]

_WELL_AGAIN: Final = 1.25
"""An alert about a disk is over when this many times the limit is free."""

_RETRY: Final = 60.0
_MOST_TRIES: Final = 12
"""Each pause is twice the one before: after about a day and a half a message is given up."""

_DEPLOYMENTS: Final = frozenset({"deploy.apply", "deploy.rollback", "deploy.up"})
_DSN: Final = "SUPABASE_DB_DSN"
_LOOKING: Final = "alerts-looking.lock"
_SENDING: Final = "alerts-sending.lock"


def tick(paths: Paths) -> None:
    """Have somebody look, and send what is due. Returns at once; costs nothing where nobody is to be told."""
    try:
        if paths.alerts.exists() and not is_held(paths.locks / _LOOKING):
            detach(lambda: _round(paths))
    except Exception as error:  # whatever it is, the host goes on
        log.record(paths, error)


def look(paths: Paths, now: float) -> list[Notice]:
    """Judge everything that is watched; put in line, and return, what is to be said."""
    settings, marks = host_settings.load(paths), [one.mark for one in alerting.receivers(paths)]
    sites = [
        Site(Target.from_slug(folder.parent.name), paths, settings)
        for folder in sorted(paths.apps.glob("*/current.json"))
    ]
    known = alerting.state(paths).watches
    seen = list(sightings(paths, settings, sites, {subject for subject, one in known.items() if one.raised}))
    slugs = {site.slug for site in sites}
    with alerting.changing(paths) as found:
        ended = _ended(paths, found.seen, now)
        gone = [subject for subject, one in found.watches.items() if one.slug and one.slug not in slugs]
        after, notices = alerts.advance(found.watches, seen, now, gone)
        found.watches.clear()
        found.watches.update(after)
        alerting.wait(found, [*ended, *notices], marks)
    return [*ended, *notices]


def _ended(paths: Paths, seen: dict[str, str], now: float) -> list[Notice]:
    """Return what is to be said of deployments that ended since the last look; the first look begins here."""
    if not paths.journal.exists() or not alerting.tells_deployments(paths):
        seen.pop("ended", None)
        return []
    with Journal(paths) as journal:
        done = journal.ended_after(seen.setdefault("ended", clock.now()))
    if done:
        seen["ended"] = str(done[-1].ended)
    told = [one for one in done if one.capability in _DEPLOYMENTS]
    found = [alerts.deployed(one.target.slug, one.capability, one.key, one.result or {}, now) for one in told]
    return [one for one in found if one is not None]


def sightings(paths: Paths, settings: Settings, sites: list[Site], raised: set[str]) -> Iterator[Sighting]:
    """Yield what can be judged now: the engine, disks, and each target's health and backups."""
    try:
        root = Path(str(Site(Target("ikoma"), paths, settings).engine.info().get("DockerRootDir", "/")))
    except IkomaError as error:
        yield Sighting("engine:docker", fault=error)
        root = None
    else:
        yield Sighting("engine:docker")
    yield from _disks([paths.apps, paths.state, paths.backups, *([root] if root else [])], settings, raised)
    for site in sites:
        try:
            found = [*(_health(site) if root else ()), _backup(site)]
        except Exception as error:  # a record that somebody damaged silences no other app
            log.write(paths, f"alerts: {site.slug}: {type(error).__name__}")
            continue
        yield from found


def _disks(folders: list[Path], settings: Settings, raised: set[str]) -> Iterator[Sighting]:
    """Yield each file system once, under the first of the folders on it."""
    known = set()
    for folder in folders:
        if not folder.exists() or (device := folder.stat().st_dev) in known:
            continue
        known.add(device)
        subject = f"disk:{folder}"
        yield Sighting(subject, fault=_disk(platform.free_mb(folder), folder, settings, subject in raised))


def _disk(free: int, folder: Path, settings: Settings, raised: bool) -> IkomaError | None:
    limit = settings.alert_free_mb or 2 * settings.min_free_mb
    if free >= limit * (_WELL_AGAIN if raised else 1):
        return None
    return IkomaError("alert.disk", free=free, folder=folder, limit=limit, needed=settings.min_free_mb)


def _health(site: Site) -> Iterator[Sighting]:
    """Yield the health of a target, unless it is worked on or still starting: then nobody can say."""
    with Journal(site.paths) as journal:
        if journal.unfinished(site.slug):
            return
    if records.down(site) is not None:
        yield Sighting(f"health:{site.slug}", site.slug)
        return
    states = status.services(site)
    found = status.healthy(states)
    if found == "starting":
        return
    bad = [f"{name}: {one['state']}" for name, one in states.items() if status.healthy({name: one}) != "healthy"]
    fault = IkomaError("alert.health", services=", ".join(bad), **_named(site)) if found != "healthy" else None
    yield Sighting(f"health:{site.slug}", site.slug, fault)


def _backup(site: Site) -> Sighting:
    fault = age.overdue(site.paths, site.settings, site.slug)
    if fault is None and not age.leaves_host(site.settings):
        fault = _kept_here(site)
    return Sighting(f"backup:{site.slug}", site.slug, fault)


def _kept_here(site: Site) -> IkomaError | None:
    """Judge the newest whole backup on this host, where sets do not leave it."""
    limit = site.settings.alert_backup_hours
    if not limit or _DSN not in envfile.read(site.home.agent_env):
        return None
    whole = [one for one in store.all_of(site.paths.backups / site.slug) if not one.tables]
    if not whole:
        return IkomaError("alert.no_backup", **_named(site))
    hours = age.hours(whole[0].created)
    return IkomaError("alert.backup", age=int(hours), limit=limit, **_named(site)) if hours > limit else None


def _named(site: Site) -> dict[str, Any]:
    return {"slug": site.slug, "app": site.target.app, "environment": site.target.environment}


# --- sending


def test(paths: Paths, now: float, send: Send) -> list[tuple[Receiver, bool]]:
    """Send a message that says nothing is wrong to every receiver, at once; return who took it."""
    title, text = alerts.said(Notice("test", "", "", now, now), _host(), alerting.language(paths))
    return [(one, send(one.url, title, text)) for one in alerting.receivers(paths)]


def deliver(paths: Paths, now: float, send: Send) -> int:
    """Send what is due, each message to each receiver that has not taken it yet; return how many were taken."""
    lock, taken = Flock(paths.locks / _SENDING), 0
    if not lock.acquire():
        return 0
    try:
        for waiting in _due(paths, now):
            taken += _one(paths, waiting, now, send)
    finally:
        lock.release()
    return taken


def _one(paths: Paths, waiting: dict[str, Any], now: float, send: Send) -> int:
    receivers, lang = {one.mark: one for one in alerting.receivers(paths)}, alerting.language(paths)
    shown = {name: waiting[name] for name in asdict(Notice("test", "", "", 0, 0))}
    title, text = alerts.said(Notice(**shown), _host(), lang)
    told = {mark: mark not in receivers or send(receivers[mark].url, title, text) for mark in waiting["left"]}
    with alerting.changing(paths) as found:
        _note(found, waiting, told, now)
    return sum(told.values())


def _note(found: alerting.State, waiting: dict[str, Any], told: dict[str, bool], now: float) -> None:
    """Remember who has been told; what was not taken is tried again, less and less often."""
    for mark, took in told.items():
        if took:
            found.failures.pop(mark, None)
        else:
            before = found.failures.get(mark, {"count": 0, "since": now})
            found.failures[mark] = {**before, "count": before["count"] + 1, "at": now}
    left = [mark for mark, took in told.items() if not took]
    tries = waiting["tries"] + 1
    rest = [one for one in found.waiting if _key(one) != _key(waiting)]
    again = {**waiting, "left": left, "tries": tries, "next": now + _RETRY * 2 ** min(tries - 1, 10)}
    found.waiting[:] = rest + ([again] if left and tries < _MOST_TRIES else [])


def _key(one: dict[str, Any]) -> tuple[Any, ...]:
    return one["kind"], one["subject"], one["at"]


def _due(paths: Paths, now: float) -> list[dict[str, Any]]:
    return [one for one in alerting.state(paths).waiting if one["next"] <= now]


def _round(paths: Paths) -> None:
    """The whole life of the process that looks and sends; an engine or a receiver that hangs holds up nobody else."""
    os.nice(10)
    try:
        _look_alone(paths)
        if _due(paths, time.time()):
            from agent.host import notify

            deliver(paths, time.time(), notify.send)
    except Exception as error:  # it has no streams; the log gets the kind of the fault, never its words
        log.write(paths, f"alerts: {type(error).__name__}")


def _look_alone(paths: Paths) -> None:
    """Look, unless somebody does; what keeps us from looking keeps nobody from being told what waits."""
    lock = Flock(paths.locks / _LOOKING)
    if not lock.acquire():
        return
    try:
        look(paths, time.time())
    except Exception as error:
        log.write(paths, f"alerts: {type(error).__name__}")
    finally:
        lock.release()


def _host() -> str:
    return socket.gethostname()
