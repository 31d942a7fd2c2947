"""What an administrator does on the host itself: keys, the history, the self-test."""

from __future__ import annotations

import argparse
import importlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import agent
from agent.capabilities import Index
from agent.doors.local import Local
from agent.host import history, keys
from agent.host.keys import Grant
from agent.host.paths import Paths
from agent.model.errors import Exit, IkomaError, Misuse
from agent.model.names import Target
from agent.operations.journal import Journal, Operation

_HEAVY = (
    "pydantic", "psycopg", "invoke", "tenacity", "ruamel.yaml", "agent.doors.http", "agent.doors.http_app",
    "agent.doors.mcp", "agent.doors.mcp_server", "agent.host.notify",
)  # fmt: skip


def add_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add ``keys`` and ``audit``."""
    group = command("keys", _list, "Who may call the agent over SSH or HTTP", as_root=True)
    verbs = group.add_subparsers(metavar="list|put|remove|authorized")
    put = verbs.add_parser("put", help="add or replace a key; prints its line of authorized_keys")
    put.add_argument("--name", required=True)
    put.add_argument("--role", required=True, help="observer, operator or builder")
    put.add_argument("--apps", default=keys.ALL, help="names separated by commas, or *")
    put.add_argument("--environments", default=keys.ALL, help="names separated by commas, or *")
    put.add_argument("--fingerprint", default="", help="SHA256:…, when there is no public key")
    put.add_argument("--public-key", default="", help="the line of the .pub file; gives the fingerprint")
    put.set_defaults(run=_put)
    remove = verbs.add_parser("remove", help="take a key away")
    remove.add_argument("--name", required=True)
    remove.set_defaults(run=_remove)
    verbs.add_parser("list", help="all keys as JSON").set_defaults(run=_list)
    verbs.add_parser("authorized", help="the authorized_keys file").set_defaults(run=_authorized)
    chain = command("audit", _verify, "Verify the history of calls (ikoma audit query finds in it)")
    chain.add_argument("--anchor", default="", help="<seq>:<hash> that an earlier run printed")


def selftest(index: Index) -> dict[str, Any]:
    """Import all that a deployment needs and write a journal; raises what fails."""
    for name in _HEAVY:
        importlib.import_module(name)
    for capability in index.values():
        importlib.import_module(capability.module)
    with tempfile.TemporaryDirectory() as folder:
        paths = Paths(Path(folder))
        paths.locks.mkdir(parents=True)
        operation = Operation("selftest", "selftest", Target("selftest"), "local", "builder")
        with Journal(paths) as journal:
            journal.create(operation, {})
            journal.finish(operation.id, "DONE", {"status": "DONE"})
            events = [event.kind for event in journal.events(operation.id)]
    return {"ok": events == ["accepted", "end"], "version": agent.__version__, "capabilities": sorted(index)}


def _put(at: Local) -> int:
    draft = Grant(
        at.options.name,
        at.options.role,
        tuple(at.options.apps.split(",")),
        tuple(at.options.environments.split(",")),
        at.options.fingerprint,
        at.options.public_key,
    )
    stored = keys.put(at.paths, draft)
    if stored.public_key:
        print(keys.authorized_line(at.paths, stored))
    return Exit.DONE


def _remove(at: Local) -> int:
    if not keys.remove(at.paths, at.options.name):
        raise Misuse("keys.unknown", key=at.options.name)
    return Exit.DONE


def _list(at: Local) -> int:
    print(json.dumps({name: grant.to_json() for name, grant in keys.load(at.paths).items()}, indent=2))
    return Exit.DONE


def _authorized(at: Local) -> int:
    print(keys.authorized_keys(at.paths), end="")
    return Exit.DONE


def _verify(at: Local) -> int:
    verdict = history.verify(at.paths, at.options.anchor)
    print(json.dumps(verdict.to_json()))
    if not verdict.ok:
        raise IkomaError(f"audit.{verdict.kind}", **verdict.to_json())
    return Exit.DONE
