"""The local door: for people on the host, as root or as the agent's own user."""

from __future__ import annotations

import argparse
import io
import json
import os
import pwd
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import agent
from agent.capabilities import Index
from agent.doors import admin, plain
from agent.doors.local import Local
from agent.doors.service import Service
from agent.host import ballast, log
from agent.host import settings as host_settings
from agent.host.keys import Grant
from agent.host.paths import Paths
from agent.model import messages
from agent.model.errors import Exit, IkomaError
from agent.model.names import PRODUCTION, Target, check_operation, new_operation
from agent.operations import incoming, recovery, tend
from agent.operations.journal import Journal
from agent.protocol import Body, Event, exit_code

USER: Final = "ikoma"
_LOCAL: Final = Grant("local", role="builder")
"""Who can run the program here is root, or could as well talk to the engine."""


def run(paths: Paths, words: Sequence[str], index: Index) -> int:
    """Run one command and return its exit code; faults are told on the error stream."""
    options = _parser().parse_args(words)
    try:
        if not options.as_root:
            become_agent(paths)
        code: int = options.run(Local(paths, options, index))
        return code
    except IkomaError as error:
        _tell(error)
        return error.exit_code
    except Exception as error:
        reference = log.record(paths, error)
        _tell(IkomaError("wire.internal", kind=type(error).__name__, reference=reference))
        return Exit.FAILED


def become_agent(paths: Paths) -> None:
    """Give root's rights up for those of the agent's user, so that no file of its state ends up root's."""
    if os.geteuid() != 0 or paths.root != Path("/"):
        return
    user = pwd.getpwnam(USER)
    os.initgroups(USER, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.environ["HOME"] = user.pw_dir


# --- commands


def _call(at: Local) -> int:
    service = Service(at.paths, at.index, _LOCAL, "cli")
    known = at.index.get(at.options.capability)
    operation = (at.options.operation or new_operation()) if known and known.changes else None
    capability = service.capability(at.options.capability, operation)
    body, bundle = _body(at.options)
    if operation is None:
        print(json.dumps(service.read(capability, body), indent=2, ensure_ascii=False))
        return Exit.DONE
    service.change(capability, operation, body, io.BytesIO(bundle))
    return _follow(lambda show: service.follow(operation, 0, show, 1), at.options)


def _attach(at: Local) -> int:
    service = Service(at.paths, at.index, _LOCAL, "cli")
    operation = check_operation(at.options.operation)
    return _follow(lambda show: service.attach(operation, at.options.after, show, 1), at.options)


def _status(at: Local) -> int:
    service = Service(at.paths, at.index, _LOCAL, "cli")
    capability = service.capability("status.get", None)
    targets = [Target(at.options.app, at.options.environment)] if at.options.app else _targets(at.paths)
    found = [service.read(capability, Body(app=one.app, environment=one.environment)) for one in targets]
    if at.options.json:
        print(json.dumps(found[0] if at.options.app else found, ensure_ascii=False))
    else:
        print("\n".join(plain.status(one) for one in found))
    return Exit.DONE


def _recover(at: Local) -> int:
    """The supervisor's round: what died is ended, what got lost is found again, space is kept back."""
    recovery.ensure_all(at.paths, at.index)
    if at.paths.journal.exists():
        with Journal(at.paths) as journal:
            incoming.sweep(at.paths, lambda operation: journal.find(operation) is not None)
    ballast.keep(at.paths, host_settings.load(at.paths).reserve_mb)
    for service in tend.tend(at.paths):
        print(service)
    return Exit.DONE


def _version(_: Local) -> int:
    print(agent.__version__)
    return Exit.DONE


def _selftest(at: Local) -> int:
    print(json.dumps(admin.selftest(at.index)))
    return Exit.DONE


# --- inside


def _follow(follow: Callable[[Callable[[Event], None]], str | None], options: argparse.Namespace) -> int:
    last: list[Event] = []

    def show(event: Event) -> None:
        last[:] = [event]
        if not options.json:
            print(plain.event(event), flush=True)

    status = follow(show)
    if options.json and last:
        print(json.dumps(last[0].data.get("result", {}), ensure_ascii=False))
    return Exit.DETACHED if status is None else exit_code(status)


def _body(options: argparse.Namespace) -> tuple[Body, bytes]:
    import hashlib

    args = dict(_argument(word) for word in options.arguments)
    app, environment = args.pop("app", None), args.pop("environment", PRODUCTION)
    bundle = Path(options.bundle).read_bytes() if options.bundle else b""
    body = Body(
        app=app,
        environment=environment,
        args=args,
        lang=messages.language(),
        on_busy="refuse" if options.refuse else "wait",
        client={"user": os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name},
        bundle_length=len(bundle),
        bundle_sha256=hashlib.sha256(bundle).hexdigest() if bundle else "",
    )
    return body, bundle


def _argument(word: str) -> tuple[str, Any]:
    """Return name and value of ``name=text``, ``name=@file`` or ``name:=json``."""
    name, _, value = word.partition("=")
    if name.endswith(":"):
        return name[:-1], json.loads(value)
    return name, Path(value[1:]).read_text() if value.startswith("@") else value


def _argument_word(word: str) -> str:
    if "=" not in word:
        raise argparse.ArgumentTypeError(f"“{word}” is not name=value")
    return word


def _targets(paths: Paths) -> list[Target]:
    return [Target.from_slug(folder.name) for folder in sorted(paths.apps.glob("*")) if folder.is_dir()]


def _tell(error: IkomaError) -> None:
    print(error.message(), file=sys.stderr)
    if remedy := error.remedy():
        print(remedy, file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ikoma-agent", description="The agent that owns deployments on this host.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, act: Callable[..., int], text: str, as_root: bool = False) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(run=act, as_root=as_root)
        return made

    call = command("call", _call, "Call a capability: ikoma-agent call status.get app=shop")
    call.add_argument("capability")
    call.add_argument("arguments", nargs="*", type=_argument_word, metavar="name=value")
    call.add_argument("--operation", help="the id of the operation, to repeat a call safely")
    call.add_argument("--bundle", help="the bundle that goes with it")
    call.add_argument("--refuse", action="store_true", help="do not wait for a target that is held")
    attach = command("attach", _attach, "Replay an operation and follow it to its end")
    attach.add_argument("operation")
    attach.add_argument("--after", type=int, default=0)
    status = command("status", _status, "What serves and what runs, for one app or for all")
    status.add_argument("app", nargs="?")
    status.add_argument("environment", nargs="?", default=PRODUCTION)
    for one in (call, attach, status):
        one.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    command("recover", _recover, "End what died; the supervisor calls this every 30 s")
    command("version", _version, "Print the version")
    command("selftest", _selftest, "Prove that this installation is whole")
    admin.add_commands(command)
    return parser
