"""The steps that take an app off its host: containers, routes and networks; volumes and database only when told."""

from __future__ import annotations

import shutil
from collections.abc import Iterable

from agent.docker.engine import PROJECT
from agent.model import messages
from agent.model.errors import IkomaError
from agent.operations.step import Context, Outcome, Step
from agent.releases import drain, observe, proxy, records, retention
from agent.releases.rollout import DEFAULT_DRAIN
from agent.releases.site import Site

VALUES = ("app.env", "agent.env")


class Remove(Step):
    """Removes what is the target's own. Nothing of it can be undone; what was begun is finished by asking again."""

    name = "remove"

    def apply(self, ctx: Context) -> Outcome:
        site = Site.of(ctx, ctx.target)
        site.home.base.mkdir(parents=True, exist_ok=True)
        records.set_down(site, {"operation": ctx.operation, "since": records.now()})
        proxy.apply(site, "")
        containers = _containers(site)
        networks = _networks(site)
        volumes = _volumes(site) if ctx.args.get("volumes") else []
        images = retention.release_all(site)
        kept = _keep_values(ctx, site)
        counts = {"containers": containers, "networks": networks, "volumes": len(volumes), "images": len(images)}
        said = messages.text("remove.done", counts, ctx.lang)
        return Outcome(detail=said, result={"removed": counts | {"volumes": volumes}, "values": kept})


class DropDatabase(Step):
    """Removes the target's database and its roles, by the administrator's connection. The backup was made before."""

    name = "drop-database"

    def apply(self, ctx: Context) -> Outcome:
        from agent.database import removal

        removal.drop(ctx.settings.admin_dsn, ctx.target.slug, ctx.operation)
        return Outcome(detail=ctx.target.slug)


class Forget(Step):
    """Removes the target's folder, last: until then everything else can be asked for again."""

    name = "forget"

    def apply(self, ctx: Context) -> Outcome:
        folder = Site.of(ctx, ctx.target).home.base
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():  # somebody else, such as root, made folders in it
            raise IkomaError("remove.left", folder=folder)
        return Outcome()


def _containers(site: Site) -> int:
    found = observe.containers(site.engine, site.slug)
    drain.stop_all(site.engine, [(item.id, DEFAULT_DRAIN) for item in found if item.state == "running"])
    everything = site.engine.containers(site.slug, one_off=True)
    for item in everything:
        site.engine.remove(item["Id"])
    return len(everything)


def _networks(site: Site) -> int:
    proxy.leave(site)
    found = [network["Name"] for network in site.engine.networks() if _mine(site, network.get("Labels") or {})]
    for name in found:
        site.engine.remove_network(name)
    return len(found)


def _mine(site: Site, labels: dict[str, str]) -> bool:
    return site.slug in (labels.get(PROJECT), labels.get("ikoma.target"))


def _volumes(site: Site) -> list[str]:
    found = [
        volume["Name"] for volume in site.engine.volumes() if (volume.get("Labels") or {}).get(PROJECT) == site.slug
    ]
    for name in found:
        site.engine.remove_volume(name)
    return sorted(found)


def _keep_values(ctx: Context, site: Site) -> str:
    """Copy the environment files beside the backups, for whoever wants the app back; return the folder."""
    there = [site.home.base / name for name in VALUES if (site.home.base / name).exists()]
    folder = ctx.paths.backups / site.slug / f"values-{ctx.operation}"
    if there:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return str(_copied(there, folder)) if there else ""


def _copied(files: Iterable[object], folder: object) -> object:
    for file in files:
        shutil.copy2(str(file), str(folder))
    return folder
