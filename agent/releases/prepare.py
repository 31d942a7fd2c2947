"""A release as it would run on this host: rendered, interpolated, judged, hashed and compared with what runs.

Nothing here touches a container: preflight, the plan on a pull request and the roll-out all start with it.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.docker import compose
from agent.docker.engine import PROJECT, Engine
from agent.host import hashkey
from agent.host.files import write_atomic
from agent.model import messages, policy
from agent.model.errors import IkomaError
from agent.model.release import Release
from agent.releases import networks, observe, plan, records, render
from agent.releases.hashing import keyed
from agent.releases.plan import Desired, Plan
from agent.releases.site import Site

STAGED: Final = ".staged"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A release made ready for this host."""

    release: Release
    normalised: dict[str, Any]
    hashes: dict[str, str]
    findings: tuple[policy.Finding, ...]
    subnets: dict[str, str]

    @property
    def desired(self) -> list[Desired]:
        return plan.desired(self.release, self.normalised, self.hashes)

    def notes(self, lang: str | None = None) -> list[str]:
        """Return what people should know of a roll-out beside its moves."""
        found = plan.own_proxies(self.release, self.normalised)
        return [messages.text("plan.own_proxy", {"services": ", ".join(found)}, lang)] if found else []

    def text(self, slug: str) -> str:
        """Return the compose file that runs, as it is written to disk."""
        document = render.compose_file(self.release, slug, self.subnets, self.hashes)
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def prepare(site: Site, release: Release, env_file: Path | None = None, keep: bool = True) -> Prepared:
    """Render, interpolate, judge and hash ``release``.

    Args:
        keep: the networks' addresses are the target's from now on; not for who only looks.

    Raises:
        IkomaError: ``policy.…`` for what compose must not even read, ``compose.invalid`` when compose does not accept
            it with the target's values.
    """
    document = render.compose_file(release, site.slug)
    for finding in policy.unread(document, site.settings.allow, os.path.realpath):
        raise finding.error()
    normalised = interpolate(site, document, env_file)
    subnets = networks.subnets(site, render.networks_of(document), keep)
    folders = [str(site.home.files), str(site.home.base / "data")]
    written = observe.written(site.engine, site.slug)
    allow, others = site.settings.allow, neighbours(site)
    findings = policy.judge(normalised, site.slug, folders, allow, os.path.realpath, written, others)
    findings += policy.held(normalised, site.slug, allow, owners(site.engine, normalised))
    key = hashkey.load(site.paths)
    hashes = {name: keyed(key, definition(normalised, name)) for name in normalised["services"]}
    return Prepared(release, normalised, hashes, tuple(findings), subnets)


def neighbours(site: Site) -> list[str]:
    """Return the slugs of the other targets of this host."""
    return sorted(folder.name for folder in site.paths.apps.glob("*") if folder.is_dir() and folder.name != site.slug)


def owners(engine: Engine, normalised: dict[str, Any]) -> dict[str, str]:
    """Return to which compose project the volumes and networks of a release belong, of those that exist already."""
    found = {}
    for kind, _, name in policy.named(normalised):
        existing = engine.volume(name) if kind == "volume" else engine.network(name)
        if existing is not None and existing["Name"] == name:
            found[f"{kind}:{name}"] = str((existing.get("Labels") or {}).get(PROJECT, ""))
    return found


def interpolate(site: Site, document: dict[str, Any], env_file: Path | None = None) -> dict[str, Any]:
    """Return the normalised document with the target's values. It holds secrets: keep it in memory."""
    with tempfile.TemporaryDirectory(dir=site.workplace, prefix=".render-") as folder:
        file, values = Path(folder) / "docker-compose.json", env_file or site.home.app_env
        file.write_text(json.dumps(document))
        if not values.exists():
            values = Path(folder) / "empty.env"
            values.touch()
        try:
            done = site.compose(compose.config(site.project(file, values)))
        except IkomaError as error:
            reason = str(error.params.get("said", error.message("en"))).replace(str(file), "compose")
            raise IkomaError("compose.invalid", reason=reason) from None
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


def definition(normalised: dict[str, Any], name: str) -> dict[str, Any]:
    """Return everything that makes a container of a service what it is (files are named by their content)."""
    service = normalised["services"][name]
    used = {
        "networks": service.get("networks") or {},
        "volumes": {mount["source"]: 0 for mount in service.get("volumes") or [] if mount.get("type") == "volume"},
        "configs": {item["source"]: 0 for item in service.get("configs") or []},
        "secrets": {item["source"]: 0 for item in service.get("secrets") or []},
    }
    shared = {kind: {key: (normalised.get(kind) or {}).get(key) for key in keys} for kind, keys in used.items()}
    own = {key: value for key, value in service.items() if key not in ("depends_on", "scale", "profiles")}
    return {"service": own, **shared}


def compare(site: Site, prepared: Prepared, accept: Iterable[str] = (), fresh: Collection[str] = ()) -> Plan:
    """Return what a roll-out would do now."""
    wanted = plan.desired(prepared.release, prepared.normalised, prepared.hashes, gaps(site))
    there = observe.containers(site.engine, site.slug)
    return plan.make(wanted, there, replaceable(accept), fresh, holding_data(_recorded(site)))


def replaceable(accept: Iterable[str]) -> set[str]:
    """Return the names of the services that a caller allows to be replaced or removed though they hold data."""
    return {item.removeprefix("replace:") for item in accept if item.startswith("replace:")}


def holding_data(recorded: dict[str, Any]) -> dict[str, int]:
    """Return which services of a record hold data, and how many containers they have. Pure."""
    return {name: int(item.get("replicas", 1)) for name, item in recorded.items() if item.get("kind") == "stateful"}


def gaps(site: Site) -> dict[str, float]:
    """Return for how many seconds each service was not there when it was last replaced, where that was measured."""
    return {name: float(service["gap"]) for name, service in _recorded(site).items() if "gap" in service}


def _recorded(site: Site) -> dict[str, Any]:
    """Return the services of the release that serves, as its record has them."""
    current = records.current(site)
    found: dict[str, Any] = (records.record(site, current.release) or {}).get("services", {}) if current else {}
    return found


def refuse(prepared: Prepared) -> None:
    """Raise the first finding of the policy, if there is one."""
    for finding in prepared.findings:
        raise finding.error()


def staged(site: Site, operation: str) -> Path:
    """Return the folder of what an operation runs with until it is recorded."""
    return site.home.base / STAGED / operation


def stage(site: Site, prepared: Prepared, operation: str) -> Path:
    """Write the compose file and a copy of the values for this operation; return the compose file."""
    folder = staged(site, operation)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    values = site.home.app_env.read_bytes() if site.home.app_env.exists() else b""
    write_atomic(folder / "app.env", values, 0o600)
    write_atomic(folder / "docker-compose.yml", prepared.text(site.slug), 0o600)
    return folder / "docker-compose.yml"
