"""The local door: for people on the host, as root or as the agent's own user."""

from __future__ import annotations

import argparse
import ctypes
import importlib
import json
import os
import pwd
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import agent
from agent.capabilities import Index
from agent.capabilities.index import Capability
from agent.doors import admin, plain, verbs
from agent.doors.local import Local, keep_environment
from agent.host import ballast, log
from agent.host import settings as host_settings
from agent.host.paths import Paths
from agent.model import messages
from agent.model.errors import Exit, IkomaError, Misuse
from agent.model.names import PRODUCTION, Target, check_operation
from agent.operations import alerts, incoming, recovery, retention, tend
from agent.operations.journal import Journal
from agent.protocol import Body, answer_code

USER: Final = "ikoma"
_PR_SET_DUMPABLE: Final = 4


def run(paths: Paths, words: Sequence[str], index: Index) -> int:
    """Run one command and return its exit code; faults are told on the error stream."""
    options = _options(words, index)
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
    keep_environment()
    os.environ.setdefault("SUDO_USER", "root")  # whoever is at the keyboard, for the history
    user = pwd.getpwnam(USER)
    os.initgroups(USER, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.environ["HOME"] = user.pw_dir
    # The kernel hides /proc/self of a process that has changed its user; a worker that starts here needs it.
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)


# --- commands


def _call(at: Local) -> int:
    args = dict(_argument(word) for word in at.options.arguments)
    app, environment = args.pop("app", None), args.pop("environment", PRODUCTION)
    bundle = Path(at.options.bundle).read_bytes() if at.options.bundle else b""
    return _called(at, at.body(app, environment, args, bundle), bundle)


def _capability_call(at: Local) -> int:
    given = {name.removeprefix("arg:"): value for name, value in vars(at.options).items() if name.startswith("arg:")}
    args = {name: _value(value) for name, value in given.items() if value is not None}
    return _called(at, at.body(at.options.app, at.options.environment, args), b"")


def _called(at: Local, body: Body, bundle: bytes) -> int:
    name, known = at.options.capability, at.index.get(at.options.capability)
    body.on_busy = "refuse" if at.options.refuse else "wait"
    if known and known.changes:
        return at.change(name, body, bundle, at.options.operation)
    answer = at.read(name, body)
    print(json.dumps(answer, indent=2, ensure_ascii=False))
    return answer_code(answer)


def _attach(at: Local) -> int:
    service, operation = at.service, check_operation(at.options.operation)
    with at.telling("attach", None, operation):
        return at.follow(lambda show: service.attach(operation, at.options.after, show, 1))


def _status(at: Local) -> int:
    targets = [Target(at.options.app, at.options.environment)] if at.options.app else at.targets()
    found = [at.read("status.get", Body(app=one.app, environment=one.environment)) for one in targets]
    if at.options.json:
        print(json.dumps(found[0] if at.options.app else found, ensure_ascii=False))
    else:
        print("\n".join(plain.status(one) for one in found))
    return Exit.DONE


def _recover(at: Local) -> int:
    """The supervisor's round: what died is ended, what got lost is found again, space is kept back."""
    alerts.tick(at.paths)
    recovery.ensure_all(at.paths, at.index)
    if at.paths.journal.exists():
        with Journal(at.paths) as journal:
            incoming.sweep(at.paths, lambda operation: journal.find(operation) is not None)
    settings = host_settings.load(at.paths)
    ballast.keep(at.paths, settings.reserve_mb)
    retention.tidy(at.paths, settings)
    from agent.doors import rounds

    for service in [*tend.tend(at.paths), *rounds.begin(at)]:
        print(service)
    return Exit.DONE


def _version(_: Local) -> int:
    print(agent.__version__)
    return Exit.DONE


def _selftest(at: Local) -> int:
    print(json.dumps(admin.selftest(at.index)))
    return Exit.DONE


# --- inside


def _argument(word: str) -> tuple[str, Any]:
    """Return name and value of ``name=text``, ``name=@file`` or ``name:=json``."""
    name, _, value = word.partition("=")
    return (name[:-1], _value(f"json:{value}")) if name.endswith(":") else (name, _value(value))


def _value(text: str) -> Any:
    """Return what ``text``, ``@file`` or ``json:…`` stands for. Raises ``Misuse("wire.argument_value")``."""
    try:
        if text.startswith("json:"):
            return json.loads(text.removeprefix("json:"))
        return Path(text[1:]).read_text() if text.startswith("@") else text
    except (OSError, ValueError) as error:
        raise Misuse("wire.argument_value", value=text[:80], reason=str(error)) from None


def _argument_word(word: str) -> str:
    if "=" not in word:
        raise argparse.ArgumentTypeError(f"“{word}” is not name=value")
    return word


def _tell(error: IkomaError) -> None:
    print(error.message(), file=sys.stderr)
    if remedy := error.remedy():
        print(remedy, file=sys.stderr)


def _options(words: Sequence[str], index: Index) -> argparse.Namespace:
    """Parse what was typed: a verb of the table, a capability by its words, or one of the commands below."""
    if (verb := verbs.find(words)) is not None:
        return _verb_options(verb, words[len(verb.words) :])
    if (found := _capability(words, index)) is not None:
        return _capability_options(*found)
    return _parser().parse_args(words)


def _capability(words: Sequence[str], index: Index) -> tuple[Capability, Sequence[str]] | None:
    """Return the capability that ``words`` begin with, as ``db.status`` or ``db status``, and what follows it.

    The longest name wins.
    """
    for count in (3, 2, 1):
        name = ".".join(words[:count])
        if len(words) >= count and "." in name and name in index:
            return index[name], words[count:]
    return None


def _capability_options(capability: Capability, rest: Sequence[str]) -> argparse.Namespace:
    summary = capability.summary_fr if messages.language() == "fr" else capability.summary_en
    parser = argparse.ArgumentParser(prog=f"ikoma {capability.name.replace('.', ' ')}", description=summary)
    parser.add_argument("--app", required=capability.needs_target)
    parser.add_argument("--env", "--environment", default=PRODUCTION, dest="environment")
    for name in capability.takes or ():
        shown = "value, @file or json:VALUE" if name not in capability.secret_args else "@file"
        parser.add_argument(f"--{name.replace('_', '-')}", dest=f"arg:{name}", metavar="VALUE", help=shown)
    _add_call_options(parser, capability.changes)
    parser.set_defaults(run=_capability_call, as_root=False, capability=capability.name, bundle=None)
    return parser.parse_args(rest)


def _add_call_options(parser: argparse.ArgumentParser, changes: bool = True) -> None:
    if changes:  # a read may have an argument of that name
        parser.add_argument("--operation", help="the id of the operation, to repeat a call safely")
    parser.add_argument("--refuse", action="store_true", help="do not wait for a target that is held")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")


def _verb_options(verb: verbs.Verb, rest: Sequence[str]) -> argparse.Namespace:
    module = importlib.import_module(verb.module)
    parser = argparse.ArgumentParser(prog=f"ikoma {' '.join(verb.words)}", description=verb.summary)
    module.add_arguments(parser)
    parser.set_defaults(run=module.run, as_root=verb.as_root)
    return parser.parse_args(rest)


def _epilog() -> str:
    """Return what the parser does not know by itself: the verbs of the table, and that each capability is a command."""
    lines = [f"    {' '.join(verb.words):<18}{verb.summary}" for verb in verbs.TABLE]
    told = [
        "Each capability is a command too: ikoma db status --app shop; ikoma call platform.capabilities lists them."
    ]
    return "\n".join(["also:", *lines, "", *told])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ikoma",
        description="The agent that owns deployments on this host.",
        epilog=_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, act: Callable[..., int], text: str, as_root: bool = False) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(run=act, as_root=as_root)
        return made

    call = command("call", _call, "Call a capability: ikoma-agent call status.get app=shop")
    call.add_argument("capability")
    call.add_argument("arguments", nargs="*", type=_argument_word, metavar="name=value")
    call.add_argument("--bundle", help="the bundle that goes with it")
    _add_call_options(call)
    attach = command("attach", _attach, "Replay an operation and follow it to its end")
    attach.add_argument("operation")
    attach.add_argument("--after", type=int, default=0)
    status = command("status", _status, "What serves and what runs, for one app or for all")
    status.add_argument("app", nargs="?")
    status.add_argument("environment", nargs="?", default=PRODUCTION)
    for one in (attach, status):
        one.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    command("recover", _recover, "End what died; the supervisor calls this every 10 s")
    command("version", _version, "Print the version")
    command("selftest", _selftest, "Prove that this installation is whole")
    admin.add_commands(command)
    return parser
