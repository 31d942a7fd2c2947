"""Going back: to the release before the last one with the registry gone, and over a migration with the database."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

from tests.bench.rollout import seen
from tests.bench.rollout.host import Host, Wanted, users

SETTLE: Final = 2.0
LESS: Final = {"0014_members_without_role.sql": "ALTER TABLE app.members DROP COLUMN role;\n"}
"""A migration that the release before it could not live with, for all that anybody can know."""


def rollbacks(host: Host, rate: float, folder: Path) -> dict[str, Any]:
    """Measure all three."""
    for version in ("back-a", "back-b", "back-c"):
        host.must(host.deploy(Wanted().having("website", version)))
    loaded = _under_load(host, rate, folder / "back.json")
    return {"under_load": loaded, "quiet": _quiet(host), "with_database": _database(host, rate, folder / "data.json")}


def _release_before_last(host: Host) -> str:
    return str(host.read("apps.releases")["releases"][2]["release"])


def _under_load(host: Host, rate: float, file: Path) -> dict[str, Any]:
    wanted = _release_before_last(host)
    with host.registry_down(), users(host, 80, rate, file):
        began = time.monotonic()
        time.sleep(SETTLE)
        start = time.monotonic() - began
        result = host.must(host.perform("deploy.rollback", to=wanted))
        end = time.monotonic() - began
        time.sleep(SETTLE)
    samples, asking = seen.read(file)
    times = {
        "first_answer_after": round(seen.first_by(samples, "website=back-a") - start, 2),
        "last_asked_of_the_other_after": round(seen.last_asked(samples, "website=back-c") - start, 2),
        "ended_after": round(end - start, 2),
    }
    print(f"\nback under load, the registry gone: {times}", flush=True)
    return times | {"steps": _steps(result), "asking": asking} | seen.summary(samples)


def _quiet(host: Host) -> dict[str, Any]:
    wanted = _release_before_last(host)
    with host.registry_down():
        began = time.monotonic()
        result = host.must(host.perform("deploy.rollback", to=wanted))
        took = round(time.monotonic() - began, 2)
    print(f"back, nobody asking, the registry gone: {took} s", flush=True)
    return {"ended_after": took, "steps": _steps(result)}


def _database(host: Host, rate: float, file: Path) -> dict[str, Any]:
    """Drop a column, then go back: the services stop, the restore point is put back, the release before serves."""
    host.must(host.deploy(Wanted().having("website", "full")))
    host.must(host.deploy(Wanted().having("website", "less"), more=LESS, accept=["0014_members_without_role"]))
    with host.registry_down(), users(host, 80, rate, file):
        began = time.monotonic()
        time.sleep(SETTLE)
        start = time.monotonic() - began
        result = host.must(host.perform("deploy.rollback", restore_database=True, discard="all"))
        end = time.monotonic() - began
        time.sleep(SETTLE)
    samples, _ = seen.read(file)
    times = {
        "first_answer_after": round(seen.first_by(samples, "website=full") - start, 2),
        "ended_after": round(end - start, 2),
        "nobody_answered_for": round(seen.longest_silence(samples), 2),
    }
    print(f"back with the database: {times}", flush=True)
    return times | {"steps": _steps(result)} | seen.summary(samples)


def _steps(result: dict[str, Any]) -> dict[str, float]:
    return {step["name"]: step["seconds"] for step in result["steps"]}
