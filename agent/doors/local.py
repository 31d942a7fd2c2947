"""One invocation of the program by a person on the host, and how a verb of theirs calls a capability."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import os
import pwd
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from agent.capabilities import Index
from agent.doors import plain
from agent.doors.service import Service
from agent.host.keys import LOCAL
from agent.host.paths import Paths
from agent.model import messages
from agent.model.errors import Exit, IkomaError, Misuse
from agent.model.names import PRODUCTION, Target, new_operation
from agent.protocol import Body, Event, exit_code

_KEPT: Final = ("SUPABASE_DB_", "IKOMA_")
_ORDINARY: Final = frozenset({"PATH", "LANG", "LC_ALL", "LC_MESSAGES", "TERM", "TZ", "SUDO_USER", "COLUMNS"})


@dataclass(frozen=True, slots=True)
class Local:
    """Where the host's files are, what was typed, and what the agent can do."""

    paths: Paths
    options: argparse.Namespace
    index: Index

    @property
    def service(self) -> Service:
        """The agent, as this door offers it."""
        return Service(self.paths, self.index, LOCAL, "cli")

    def body(
        self, app: str | None, environment: str = PRODUCTION, args: dict[str, Any] | None = None, bundle: bytes = b""
    ) -> Body:
        """Return a request of the person who typed this."""
        return Body(
            app=app,
            environment=environment,
            args=args or {},
            lang=messages.language(),
            client={"user": person()},
            bundle_length=len(bundle),
            bundle_sha256=hashlib.sha256(bundle).hexdigest() if bundle else "",
        )

    def targets(self) -> list[Target]:
        """Return the targets that this host has folders of."""
        found = []
        for folder in sorted(self.paths.apps.glob("*")):
            with contextlib.suppress(Misuse):  # a folder of somebody else
                found += [Target.from_slug(folder.name)] if folder.is_dir() else []
        return found

    def read(self, capability: str, body: Body) -> Any:
        """Answer a read. Raises what the capability raises."""
        service = self.service
        with self.telling(capability, body):
            return service.read(service.capability(capability, None), body)

    def change(
        self,
        capability: str,
        body: Body,
        bundle: bytes = b"",
        operation: str | None = None,
        show: Callable[[Event], None] | None = None,
    ) -> int:
        """Start an operation and follow it to its end; return the exit code.

        Args:
            bundle: what goes with the request; ``body`` must have been made with it.
            show: takes each event; by default they are printed as plain lines, or with ``--json`` the result alone.
        """
        service, operation = self.service, operation or new_operation()
        with self.telling(capability, body, operation):
            service.change(service.capability(capability, operation), operation, body, io.BytesIO(bundle))
        return self.follow(lambda tell: service.follow(operation, 0, tell, 1), show)

    @contextlib.contextmanager
    def telling(self, capability: str, body: Body | None, operation: str | None = None) -> Iterator[None]:
        """Write the line of a call that fails; one that succeeds has its line from the service."""
        try:
            yield
        except IkomaError as error:
            self.service.audit(capability[:80], "error", body, operation, error)
            raise

    def follow(
        self, follow: Callable[[Callable[[Event], None]], str | None], show: Callable[[Event], None] | None = None
    ) -> int:
        """Show an operation's events as they come; return the exit code that its status means."""
        as_json, last = getattr(self.options, "json", False), list[Event]()
        tell = show or (_nothing if as_json else _line)

        def each(event: Event) -> None:
            last[:] = [event]
            tell(event)

        status = follow(each)
        if as_json and last:
            print(json.dumps(last[0].data.get("result", {}), ensure_ascii=False))
        return Exit.DETACHED if status is None else exit_code(status)


def person() -> str:
    """Return who is at the keyboard, as far as sudo says."""
    return os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name


def keep_environment() -> None:
    """Forget root's variables but for those that are meant for us: none of them may reach what the agent runs."""
    for name in list(os.environ):
        if name not in _ORDINARY and not name.startswith(_KEPT):
            del os.environ[name]


def _line(event: Event) -> None:
    print(plain.event(event), flush=True)


def _nothing(_event: Event) -> None:
    """With ``--json`` only the end is told."""
