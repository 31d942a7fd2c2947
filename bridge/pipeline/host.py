"""The agent of a target, connected to in the background while other work goes on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.model.errors import Exit, IkomaError
from agent.model.names import Target
from agent.protocol import Body, Credentials, Event
from bridge.pipeline.ahead import Ahead
from bridge.pipeline.settings import Address, RegistryAccess, Where

if TYPE_CHECKING:
    from bridge.remote.client import Agent


class Host:
    """Opens the connection at once, in the background; whoever needs it first waits for it.

    The SSH library takes longer to import than anything else here, and its handshake waits for the network.
    """

    def __init__(self, address: Address, give_up: float | None = None) -> None:
        self.address, self._give_up = address, give_up
        self._connecting = Ahead(self._open, "connect")

    def _open(self) -> Agent:
        from bridge.remote.client import Agent

        options = {} if self._give_up is None else {"give_up": self._give_up}
        agent = Agent(self.address.destination(), **options)
        agent.open()
        return agent

    @property
    def agent(self) -> Agent:
        """The agent's client. Raises what connecting raised."""
        return self._connecting.result()

    def wait(self) -> None:
        """Wait until somebody answers. Raises what connecting raised."""
        self._connecting.result()

    def fail_early(self) -> None:
        """Raise what connecting has raised so far; do not wait for it."""
        if self._connecting.done:
            self._connecting.result()

    def close(self) -> None:
        """Hang up, if anybody answered."""
        if self._connecting.done:
            with contextlib.suppress(Exception):  # a fault of connecting was told where the answer was needed
                self._connecting.result().close()


@contextmanager
def reach(where: Where, target: Target | None) -> Iterator[Host]:
    """Open the way to the target's host and close it again. Raises what ``Where.address`` raises."""
    host = Host(where.address(target), where.give_up)
    try:
        yield host
    finally:
        host.close()


def body(where: Where, target: Target | None, lang: str, args: dict[str, Any], **more: Any) -> Body:
    """Return the JSON part of a request."""
    app, environment = (target.app, target.environment) if target else (None, where.environment)
    return Body(app=app, environment=environment, args=args, lang=lang, client=where.client(), **more)


def credentials(registry: RegistryAccess) -> Credentials | None:
    """Return what the host pulls with; it is handed over in the request and kept nowhere."""
    if not registry.token:
        return None
    return Credentials(registry.address.partition("/")[0], registry.username, registry.token.reveal())


def attach_command(target: Target, operation: str) -> str:
    """Return what to type to follow an operation."""
    return f"python -m bridge attach {operation} {target.options}"


def perform(
    host: Host,
    capability: str,
    request: Body,
    operation: str,
    on_event: Callable[[Event], None],
    bundle: bytes | Path | None = None,
) -> dict[str, Any]:
    """Run a changing capability to its end and return its result, whatever its status.

    Raises:
        IkomaError: ``remote.*`` when the host cannot be reached or this side was stopped, and what the agent
            refused at its door.
    """
    try:
        return host.agent.perform(capability, request, bundle, operation, on_event)
    except IkomaError as error:
        if error.exit_code == Exit.DETACHED and request.app and request.environment:
            error.params["command"] = attach_command(Target(request.app, request.environment), operation)
        raise
