"""Carrying a plan out: who starts, who must pass the gate, when names move, who stops.

Nothing is removed here. Containers of the previous release are stopped at most, so that going back is a start and a
change of names (``undo.py``); ``retire`` removes them once the new release is recorded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agent.docker import compose
from agent.model import messages
from agent.model.errors import IkomaError
from agent.model.secret import Redactor
from agent.releases import drain, health, networks, observe, proxy, switch
from agent.releases.health import Check
from agent.releases.plan import Move, Plan
from agent.releases.prepare import Prepared
from agent.releases.site import Site

DEFAULT_DRAIN: Final = 10.0


@dataclass(slots=True)
class RollOut:
    """One roll-out of a prepared release.

    Attributes:
        file: the staged compose file that compose is called with.
        note: makes facts durable before the effect they describe.
        say: progress, for people.
        proven: the release was healthy here before.
    """

    site: Site
    prepared: Prepared
    plan: Plan
    file: Path
    note: Callable[..., None]
    say: Callable[[str], None]
    redact: Redactor
    lang: str = "en"
    proven: bool = False
    fresh: dict[str, list[str]] = field(default_factory=dict)
    stopping: list[str] = field(default_factory=list)
    cut: dict[str, int] = field(default_factory=dict)
    gaps: dict[str, float] = field(default_factory=dict)
    """Seconds for which services that stop first were not there."""

    def run(self) -> None:
        """Do everything the plan says, in its order. Raises ``IkomaError`` at the first thing that fails."""
        self._stateful()
        self._one_shots()
        self._create(self.plan.of("routed", "worker"))
        self._start_unseen()
        self.note(phase="switching")
        with ThreadPoolExecutor(1) as behind:
            draining = self._switch(behind)
            self._stop_first()
            self.cut |= draining.result()
        gone = (move for move in self.plan.moves if move.action == "removed" and move.how != "moved")
        self._stop(self._old(gone))
        self._routes()

    # -- what stands before anything users see ---------------------------------------------------------------------

    def _stateful(self) -> None:
        self._stop(self._old(move for move in self.plan.moves if move.how == "moved"))
        self._wake([move for move in self.plan.moves if move.wake])
        for move in self.plan.of("stateful"):
            self._create([move])
            self._replace([move])

    def _wake(self, moves: list[Move]) -> None:
        """Start containers that hold data, that stay, and that stand still."""
        if not moves:
            return
        self._say("rollout.wake", ", ".join(move.service for move in moves))
        woken = {move.service: list(move.wake) for move in moves}
        self.note(waking=[container for containers in woken.values() for container in containers])
        self._start(woken)
        self._gate({name: items for name, items in woken.items() if name in self.prepared.release.services})

    def _one_shots(self) -> None:
        for move in self.plan.of("one-shot"):
            self._say("rollout.one_shot", move.service)
            (container,) = self._create([move])[move.service]
            self.site.engine.start(container)
            self._await_end(move.service, container)

    def _await_end(self, service: str, container: str) -> None:
        engine, seconds = self.site.engine, self.prepared.release.health.timeout
        check = Check(container, service)
        try:
            code = engine.wait(container, seconds)
        except IkomaError as error:
            if error.id != "engine.silent":
                raise
            verdict = health.Verdict("failed", "health.one_shot_timeout", {"seconds": int(seconds)})
            raise health.failure(engine, check, verdict, self.redact) from None
        if code != 0:
            raise health.failure(
                engine, check, health.Verdict("failed", "health.one_shot", {"code": code}), self.redact
            )

    # -- routed services: new beside old, unseen until all have passed ---------------------------------------------

    def _start_unseen(self) -> None:
        moves = self.plan.of("routed", how="start-first")
        if not moves:
            return
        self._say("rollout.beside", ", ".join(move.service for move in moves))
        created = self._created(moves)
        for containers in created.values():
            for container in containers:
                switch.hide_new(self.site.engine, container)
        self._start(created)
        self._gate(created)

    def _switch(self, behind: Executor) -> Future[dict[str, int]]:
        """Move the names; the old containers drain while what comes next goes on."""
        moves = self.plan.of("routed", how="start-first")
        if not moves:
            return behind.submit(dict)
        self._say("rollout.switch", ", ".join(move.service for move in moves))
        for move in moves:
            for container in self.fresh[move.service]:
                self._show(move.service, container)
        switch.hide_running(self.site.engine, [item for move in moves for item in move.old], self.site.edge)
        old = self._old(moves)
        self._note_stop(old)
        return behind.submit(drain.stop_all, self.site.engine, old)

    def _show(self, service: str, container: str) -> None:
        switch.rename(self.site.engine, container, switch.names_on(self.prepared.normalised, service))
        if self._routed(service):
            switch.attach_live(self.site, container, service)

    # -- services that cannot stand beside their successor ---------------------------------------------------------

    def _stop_first(self) -> None:
        for kind in ("routed", "worker"):
            moves = self.plan.of(kind, how="stop-first")
            if moves:
                self._replace(moves)

    def _replace(self, moves: list[Move]) -> None:
        self._say("rollout.replace", ", ".join(move.service for move in moves))
        created = self._created(moves)
        self.note(phase="switching")
        began = time.monotonic()
        self._stop(self._old(moves))
        self._start(created)
        self._gate(created)
        self.gaps |= {move.service: round(time.monotonic() - began, 1) for move in moves if move.old}
        for service, containers in created.items():
            for container in containers:
                if self._routed(service):
                    switch.attach_live(self.site, container, service)

    @property
    def serving(self) -> dict[str, list[str]]:
        """The containers that serve once the plan is carried out: service → ids."""
        kept = {move.service: list(move.keep) for move in self.plan.moves if move.keep}
        return kept | self.fresh

    # -- effects ---------------------------------------------------------------------------------------------------

    def _create(self, moves: list[Move]) -> dict[str, list[str]]:
        """Create the containers of these moves, by one call of compose; return service → ids."""
        if not moves:
            return {}
        before = observe.containers(self.site.engine, self.site.slug)
        known = {item.id for item in before}
        numbers = {move.service: sum(item.service == move.service for item in before) + move.count for move in moves}
        try:
            self.site.compose(compose.create(self.site.project(self.file, self.file.parent / "app.env"), numbers))
        except IkomaError as error:
            raise IkomaError("rollout.create", reason=self.redact(str(error.params.get("said", error)))) from None
        created: dict[str, list[str]] = {move.service: [] for move in moves}
        for item in observe.containers(self.site.engine, self.site.slug):
            if item.id not in known and item.service in created:
                created[item.service].append(item.id)
        self.fresh |= created
        return created

    def _created(self, moves: list[Move]) -> dict[str, list[str]]:
        return {move.service: self.fresh[move.service] for move in moves}

    def _start(self, created: dict[str, list[str]]) -> None:
        for service, containers in created.items():
            for container in containers:
                try:
                    self.site.engine.start(container)
                except IkomaError as error:
                    reason = self.redact(str(error.params.get("reason", error)))
                    raise IkomaError("rollout.start", service=service, reason=reason) from None

    def _gate(self, created: dict[str, list[str]]) -> None:
        facts = self.prepared.release.services
        checks = [Check(item, name, facts[name].probe) for name, items in created.items() for item in items]
        health.gate(self.site.engine, checks, self.prepared.release.health, self.redact, proven=self.proven)

    def _old(self, moves: Iterable[Move]) -> list[tuple[str, float]]:
        services = self.prepared.release.services
        return [
            (container, services[move.service].drain if move.service in services else DEFAULT_DRAIN)
            for move in moves
            for container in move.old
        ]

    def _stop(self, containers: list[tuple[str, float]]) -> None:
        """Stop containers at the same time: each gets its stop signal, then its time to drain."""
        self._note_stop(containers)
        self.cut |= drain.stop_all(self.site.engine, containers)

    def _note_stop(self, containers: list[tuple[str, float]]) -> None:
        """The Engine goes on stopping containers when we die: who is asked to stop is noted before."""
        self.stopping += [container for container, _ in containers]
        self.note(stopping=self.stopping)

    def _routed(self, service: str) -> bool:
        return any(upstream.rpartition(":")[0] == service for upstream in self.prepared.release.routes.values())

    def _routes(self) -> None:
        release = self.prepared.release
        for move in self.plan.moves:
            if move.action == "unchanged" and self._routed(move.service):
                for container in move.keep:
                    switch.attach_live(self.site, container, move.service)
        if proxy.apply(self.site, proxy.route_file(self.site, release.routes)):
            self._say("rollout.routes", ", ".join(sorted(release.routes)) or "–")

    def _say(self, message: str, what: str) -> None:
        self.say(messages.text(message, {"what": what}, self.lang))


def stand_ready(site: Site, prepared: Prepared) -> None:
    """Make what routes need before the first container starts: the proxy and the edge network."""
    if prepared.release.routes:
        networks.ensure_edge(site)
        proxy.ensure(site)
        proxy.join(site)


def recorded(
    plan: Plan, prepared: Prepared, running: list[observe.Observed], gaps: Mapping[str, float]
) -> dict[str, dict[str, Any]]:
    """Return what the record keeps of each service. Pure: the hash its containers carry, how many there are, its gap.

    Args:
        gaps: seconds for which a service was not there when it was last replaced, where that is known.
    """
    held = {item.id: item.hash for item in running}
    wanted = {item.name: item for item in prepared.desired}
    found = {}
    for move in plan.moves:
        if move.service in wanted:
            kept = next((held[item] for item in move.keep if item in held), "")
            own = kept if move.how == "held" else wanted[move.service].hash
            count = len(move.keep) if move.how in ("held", "again") else wanted[move.service].replicas
            gap = {"gap": gaps[move.service]} if move.service in gaps else {}
            found[move.service] = {"hash": own, "replicas": count, **gap}
        elif move.how == "left":
            found[move.service] = _left(move, [item for item in running if item.id in move.keep])
    return found


def _left(move: Move, containers: list[observe.Observed]) -> dict[str, Any]:
    """Return the whole record of a service that stays though the release has it no more: it goes on being watched."""
    last = containers[-1] if containers else None
    return {"image": last.image if last else "", "tag": "", "kind": move.kind, "hash": last.hash if last else "",
            "replicas": len(containers)}  # fmt: skip


def services(
    site: Site, plan: Plan, serving: dict[str, list[str]], cut: Mapping[str, int]
) -> dict[str, dict[str, Any]]:
    """Return the ``services`` part of a deployment's result; each container is asked itself.

    Args:
        cut: container → how many connections its stop cut; where there were any, the service says so.
    """
    result: dict[str, dict[str, Any]] = {}
    for move in plan.moves:
        found = [site.engine.container(item) for item in serving.get(move.service, [])]
        states = [_state(item) for item in found if item is not None] or ["stopped"]
        state = "completed" if move.kind == "one-shot" else states[0]
        result[move.service] = {"action": move.action, "state": state, "kind": move.kind}
        if count := sum(cut.get(container, 0) for container in move.old):
            result[move.service]["cut"] = count
    return result


def _state(inspected: dict[str, Any]) -> str:
    health = (inspected["State"].get("Health") or {}).get("Status", "none")
    return str(inspected["State"]["Status"] if health == "none" else health)
