"""The edge of every command: where faults become sentences, JSON and exit codes, and never a traceback."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import typer

from agent.model.errors import Exit, IkomaError, Misuse
from bridge.reports.console import Console

_HOUSE = Path(__file__).parents[2]
# Typer's own base of usage faults; it brings Click along under changing names.
_UsageFault: type[Exception] = next(
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ in ("TyperException", "ClickException")
)

_MACHINE = frozenset({"--json", "--events"})
_KEPT = frozenset({"sarif", "github"})
"""Forms that print for machines, though not our one object: in them a failure has no shape."""
_INTERRUPTED = 130
"""What Typer makes of an interruption before we see it."""

_console: Console | None = None


def console() -> Console:
    """Return where the running command speaks."""
    global _console
    if _console is None:
        _console = Console()
    return _console


def run(program: Callable[[], Any], arguments: Sequence[str]) -> int:
    """Run one command to its end and return the exit code: 0 done, 1 failed, 2 misuse, 3 detached."""
    global _console
    _console = speaker = _speaker(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    try:
        # What others print never mixes with the one object.
        with _terminated_is_interrupted(), contextlib.redirect_stdout(speaker.people):
            code = _settle(program, speaker)
            _tell_doubts(speaker)
            return code
    except BrokenPipeError:
        # The reader left. Nothing more can be said to it, not even when the interpreter flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FAILED


def _speaker(options: Sequence[str]) -> Console:
    """Return where a command with these options speaks: what prints for machines keeps stdout for that alone."""
    form = _form(options)
    speaker = Console(as_json=form == "json" or not _MACHINE.isdisjoint(options), kept=form in _KEPT)
    speaker.answered = "--events" in options  # its lines are the answer
    return speaker


def _form(options: Sequence[str]) -> str:
    """Return the value of the last ``--format``, in either spelling; empty where there is none."""
    form = ""
    for word, after in zip(options, [*options[1:], ""], strict=False):
        if word == "--format":
            form = after
        elif word.startswith("--format="):
            form = word.removeprefix("--format=")
    return form


@contextlib.contextmanager
def _terminated_is_interrupted() -> Iterator[None]:
    """Treat SIGTERM (a cancelled job) like Ctrl-C: what was begun here is tidied up, what goes on is named."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _tell_doubts(speaker: Console) -> None:
    """Say what was found wrong beside the command's own work; that module is there only if a host was asked."""
    heads: Any = sys.modules.get("bridge.remote.heads")
    for doubt in heads.doubts() if heads else ():
        speaker.fault(doubt)


def _settle(program: Callable[[], Any], speaker: Console) -> int:
    try:
        code = int(program() or 0)
        if code == _INTERRUPTED:
            raise KeyboardInterrupt
        return code
    except typer.Exit as leaving:
        return leaving.exit_code
    except BrokenPipeError:
        raise
    except BaseException as fault:
        if isinstance(fault, SystemExit):
            return fault.code if isinstance(fault.code, int) else Exit.MISUSE
        return _report(foreseen(fault), speaker, fault)


def _report(error: IkomaError, speaker: Console, fault: BaseException) -> int:
    speaker.fault(error)
    if error.id == "cli.unforeseen" and os.environ.get("IKOMA_DEBUG") == "1":
        for line in "".join(traceback.format_exception(fault)).splitlines():
            print(speaker.redactor(line), file=speaker.err)
    if speaker.as_json and not speaker.answered:
        from bridge.reports import model

        speaker.answer(model.failure(error, speaker.machine_lang), "")
    return int(error.exit_code)


def foreseen(fault: BaseException) -> IkomaError:
    """Return ``fault`` as one of ours: a usage fault is a misuse, the system's refusals say why."""
    if isinstance(fault, IkomaError):
        return fault
    if isinstance(fault, KeyboardInterrupt | typer.Abort):
        return IkomaError("cli.cancelled")
    if type(fault).__name__ == "NoArgsIsHelpError":  # its message is the help itself
        return Misuse("cli.help", help=str(fault))
    if isinstance(fault, _UsageFault):
        context = getattr(fault, "ctx", None)
        command = context.command_path if context else "python -m bridge"
        return Misuse("cli.usage", reason=fault.format_message(), command=command)  # type: ignore[attr-defined]
    if isinstance(fault, OSError):
        where = f": {fault.filename}" if fault.filename else ""
        return IkomaError("cli.system", reason=f"{fault.strerror or type(fault).__name__}{where}")
    return IkomaError("cli.unforeseen", kind=type(fault).__name__, reference=_reference(fault))


def _reference(fault: BaseException) -> str:
    """Return the last place in our own code that the fault passed through, such as ``bridge/images/tags.py:88``."""
    for frame in reversed(traceback.extract_tb(fault.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(_HOUSE) and path.relative_to(_HOUSE).parts[0] in ("bridge", "agent"):
            return f"{path.relative_to(_HOUSE)}:{frame.lineno}"
    return "?"
