"""``ikoma-agent mcp``: the MCP door over standard input and output, for an assistant in the role of a key.

On the host it is started as such; from elsewhere ``ssh ikoma@host mcp`` reaches it with the key that SSH knows.
"""

from __future__ import annotations

import argparse
import dataclasses
from typing import Final

from agent.capabilities import Index
from agent.doors.local import Local
from agent.doors.starter import RemoteService, Starter
from agent.host import keys
from agent.host.keys import LOCAL, Grant
from agent.host.paths import Paths
from agent.model.errors import Exit, Misuse
from agent.protocol import ROLES

DOOR: Final = "mcp"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Who the assistant is."""
    parser.add_argument("--key", help="act as this key of the host; its role, apps and environments hold")
    parser.add_argument("--role", choices=ROLES, help="act in this role, no higher than the key's (observer)")


def run(at: Local) -> int:
    """Serve until the input ends."""
    return serve(at.paths, _grant(at.paths, at.options.key, at.options.role), at.index)


def _grant(paths: Paths, key: str | None, role: str | None) -> Grant:
    """Return what the assistant may do. Without a key it reads, unless whoever started it says more."""
    if key is None:
        return dataclasses.replace(LOCAL, role=role or "observer")
    grant = keys.load(paths).get(key)
    if grant is None:
        raise Misuse("wire.unknown_key", key=key[:64])
    if role is None:
        return grant
    if not grant.has_role(role):
        raise Misuse("http.role", key=grant.name, role=grant.role, asked=role)
    return dataclasses.replace(grant, role=role)


def serve(paths: Paths, grant: Grant, index: Index) -> int:
    """Serve one assistant with what ``grant`` allows, until its end of the stream is closed."""
    starter = Starter(paths, index)  # while there is one thread
    try:
        import anyio

        from agent.doors.mcp_server import Assistant

        anyio.run(Assistant(RemoteService(paths, index, grant, DOOR, starter)).serve)
    finally:
        starter.close()
    return Exit.DONE
