"""Images: pulled by digest, a few at a time on the whole host, with a deadline for a registry that does not answer."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_exponential

from agent.docker.engine import Auth, EngineError
from agent.host.slots import Slots
from agent.model import messages
from agent.model.errors import IkomaError
from agent.protocol import Credentials
from agent.releases.site import Site

SILENCE: Final = 25.0
TRIES: Final = 3
OUTAGE: Final = 90.0
"""Seconds for which a network that is away is waited for: a cut link comes back, and the release need not fail."""

_AWAY: Final = ("no route to host", "network is unreachable", "i/o timeout", "name resolution", "silent for")

_REASONS: Final = (
    ("image.denied", ("unauthorized", "authentication required", "denied", "no basic auth", "403 forbidden")),
    ("image.missing", ("manifest unknown", "not found", "name unknown", "404 not found")),
    ("image.disk_full", ("no space left",)),
    ("image.platform", ("no match for platform", "no matching manifest", "does not match the specified platform")),
    ("image.untrusted", ("x509:", "certificate", "server gave http response to https")),
)
_FINAL: Final = frozenset({"image.denied", "image.missing", "image.disk_full", "image.platform", "image.untrusted"})

Say = Callable[[str], None]


def registry_of(reference: str) -> str:
    """Return the registry in an image reference."""
    first = reference.partition("/")[0]
    return first if "/" in reference and ("." in first or ":" in first or first == "localhost") else "docker.io"


def auth_for(reference: str, credentials: Credentials | None) -> Auth | None:
    """Return the credentials if they belong to this image's registry: they are shown to no other."""
    if credentials is None or credentials.registry.partition("/")[0] != registry_of(reference):
        return None
    return Auth(registry_of(reference), credentials.username, credentials.password)


def explain(reference: str, reason: str) -> IkomaError:
    """Return the error for what the Engine said about a failed pull. Pure."""
    said = reason.lower()
    chosen = next((name for name, words in _REASONS if any(word in said for word in words)), "image.unreachable")
    return IkomaError(chosen, image=reference, registry=registry_of(reference), reason=reason[:400])


@dataclass(frozen=True, slots=True)
class _Turns:
    """The host's slots as one deployment waits for them: it says so once, and gives all of it up at once."""

    slots: Slots
    say: Say
    waiting: str
    given_up: threading.Event = field(default_factory=threading.Event)
    told: threading.Lock = field(default_factory=threading.Lock)

    def one(self) -> contextlib.AbstractContextManager[bool]:
        return self.slots.one(self._waits, self.given_up.is_set)

    def _waits(self) -> None:
        if self.told.acquire(blocking=False):
            self.say(self.waiting)


def slots(site: Site) -> Slots:
    """Return what limits the pulls of all deployments of this host together."""
    return Slots(site.paths.locks, "pulls", max(1, site.settings.parallel_pulls))


def pull(
    site: Site,
    references: Sequence[str],
    platform: str,
    credentials: Credentials | None,
    say: Say,
    lang: str | None = None,
) -> None:
    """Pull images side by side. All deployments of the host together pull as many at a time as its settings say.

    Raises:
        IkomaError: ``image.…`` for the first one that cannot be had; the others are given up.
    """
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    turns = _Turns(slots(site), lines.put, messages.text("pull.waiting", {"count": slots(site).count}, lang))
    with ThreadPoolExecutor(turns.slots.count) as pool:
        running = [pool.submit(_in_turn, turns, site, item, platform, credentials) for item in references]
        try:
            _follow(running, lines, say)
        except BaseException:
            turns.given_up.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _in_turn(turns: _Turns, site: Site, reference: str, platform: str, credentials: Credentials | None) -> None:
    with turns.one() as held:
        if held:
            _one(site, reference, platform, credentials, turns.say)


def _follow(running: list[Future[None]], lines: queue.SimpleQueue[str], say: Say) -> None:
    """Hand progress on from the thread that owns the journal; raise the first failure."""
    waiting = set(running)
    while waiting:
        with contextlib.suppress(queue.Empty):
            say(lines.get(timeout=0.2))
        for future in [item for item in waiting if item.done()]:
            waiting.remove(future)
            future.result()
    while not lines.empty():
        say(lines.get())


def _one(site: Site, reference: str, platform: str, credentials: Credentials | None, say: Say) -> None:
    name = reference.partition("@")[0]
    say(f"{name}: …")
    for attempt in Retrying(
        stop=_enough,
        wait=wait_exponential(0.5, max=4),
        retry=retry_if_exception(_passing),
        reraise=True,
    ):
        with attempt:
            _try(site, reference, platform, auth_for(reference, credentials))
    say(f"{name}: ok")


def _try(site: Site, reference: str, platform: str, auth: Auth | None) -> None:
    try:
        site.engine.pull(reference, platform, auth, SILENCE, _ignore)
    except EngineError as error:
        raise explain(reference, error.reason) from None
    except IkomaError as error:
        if error.id != "engine.silent":
            raise
        raise explain(reference, f"silent for {SILENCE:.0f} s") from None


def _passing(error: BaseException) -> bool:
    """Say whether trying again may help."""
    return isinstance(error, IkomaError) and error.id not in _FINAL


def _enough(state: RetryCallState) -> bool:
    """Say whether to give up: after a few tries, but while the network itself is away only after ``OUTAGE``."""
    error = state.outcome.exception() if state.outcome else None
    said = str(error.params.get("reason", "")).lower() if isinstance(error, IkomaError) else ""
    if any(word in said for word in _AWAY):
        return (state.seconds_since_start or 0.0) >= OUTAGE
    return state.attempt_number >= TRIES


def _ignore(_line: dict[str, Any]) -> None:
    """Layers are too fine-grained for a journal."""
