"""The one way programs are run: Invoke, with an argument list, a minimal environment and no shell surprises."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agent.model.errors import IkomaError

if TYPE_CHECKING:
    import subprocess

MINIMAL: Final = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}

_ASKED: Final = 5
_PATIENCE: Final = 3.0
"""Seconds between two requests to end."""


@dataclass(frozen=True, slots=True)
class Completed:
    """What a program left: its exit code and its output."""

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        return self.code == 0

    def last_lines(self, count: int = 5) -> str:
        """Return the end of what it said, for an error message."""
        return "\n".join((self.stderr.strip() or self.stdout.strip()).splitlines()[-count:])


def with_parent(argv: Sequence[str]) -> list[str]:
    """Return ``argv`` so that the program dies with the process that started it, even by kill -9."""
    return ["setpriv", "--pdeathsig", "KILL", *argv]


def under_lock(lock: Path, argv: Sequence[str]) -> list[str]:
    """Return ``argv`` so that the program itself holds ``lock`` for as long as it lives."""
    return ["flock", "--no-fork", str(lock), *argv]


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float | None = None,
    check: bool = True,
    on_line: Callable[[str], None] | None = None,
) -> Completed:
    """Run ``argv`` and return what it left.

    Args:
        env: the whole environment of the program (``MINIMAL`` when not given); nothing is inherited.
        timeout: seconds until it is killed; raises ``IkomaError("process.timeout")``.
        check: raise ``IkomaError("process.failed")`` on a non-zero exit code.
        on_line: called with each line of output (stdout and stderr) as it comes.

    Raises:
        IkomaError: ``process.missing`` when the program does not exist, and the two above.
        KeyboardInterrupt: once the program has ended, which is interrupted as well.
    """
    from invoke import CommandTimedOut

    options: dict[str, Any] = {"in_stream": False, "warn": True, "env": dict(MINIMAL if env is None else env)}
    options |= {"replace_env": True, "timeout": timeout, "hide": True, "shell": "/bin/sh", "encoding": "utf-8"}
    if on_line is not None:
        sink = _Lines(on_line)
        options |= {"hide": False, "out_stream": sink, "err_stream": sink}
    command = "exec " + shlex.join(argv)
    runner = _interruptible()(_context())
    try:
        result: Any = runner.run(command if cwd is None else f"cd {shlex.quote(str(cwd))} && {command}", **options)
    except CommandTimedOut as error:
        raise IkomaError("process.timeout", program=argv[0], seconds=int(timeout or 0)) from error
    if runner.interrupted:
        raise KeyboardInterrupt
    done = Completed(tuple(argv), int(result.exited), str(result.stdout), str(result.stderr))
    if done.code == 127 and not Path(argv[0]).is_absolute():
        raise IkomaError("process.missing", program=argv[0])
    if check and not done.ok:
        raise IkomaError("process.failed", program=" ".join(argv[:3]), code=done.code, said=done.last_lines())
    return done


def _context() -> Any:
    """Return Invoke's context without the configuration files that it would look for in the system and at home."""
    from invoke import Config, Context

    return Context(Config(lazy=True))


@cache
def _interruptible() -> Any:
    """Return Invoke's runner, but that an interruption ends the program: Invoke would type it, and then go on."""
    from invoke import Local

    class Interruptible(Local):
        interrupted = False

        def send_interrupt(self, interrupt: KeyboardInterrupt) -> None:
            import threading

            self.interrupted = True
            threading.Thread(target=_end, args=(self.process,), daemon=True).start()

    return Interruptible


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask a program to end until it does: Docker's client loses what comes while it starts a plug-in.

    Not by SIGINT: a program started in the background of a shell that is no terminal inherits it as ignored.
    """
    import subprocess

    for _ in range(_ASKED):
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
            return
    process.kill()


def attached(argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path) -> int:
    """Run ``argv`` with our own terminal and streams, for a person at it; return its exit code (128 + signal).

    Raises:
        IkomaError: ``process.missing``.
    """
    words = ["env", f"--chdir={cwd}", *argv]
    terminal = {name: os.environ[name] for name in ("TERM", "COLUMNS") if name in os.environ}
    try:
        pid = os.posix_spawnp(words[0], words, {**(MINIMAL if env is None else env), **terminal})
    except FileNotFoundError:
        raise IkomaError("process.missing", program=argv[0]) from None
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the program's, which shares our terminal
    try:
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    finally:
        signal.signal(signal.SIGINT, before)
    return code if code >= 0 else 128 - code


@dataclass(frozen=True, slots=True)
class Started:
    """A program that runs beside us; it dies with us."""

    pid: int
    _promise: Any

    def wait(self) -> int:
        """Wait until it has ended; return its exit code."""
        return int(self._promise.join().exited)

    def end_input(self) -> None:
        """Close its standard input. The kernel does the same when we are killed."""
        self._promise.runner.close_proc_stdin()

    @property
    def alive(self) -> bool:
        return self._promise.runner.process.poll() is None


def start(argv: Sequence[str], log: Path, *, cwd: Path) -> Started:
    """Start ``argv`` beside us with its output in ``log``. ``argv`` says by itself how it ends with its parent."""
    command = f"cd {shlex.quote(str(cwd))} && exec {shlex.join(argv)} >{shlex.quote(str(log))} 2>&1"
    options: dict[str, Any] = {"in_stream": False, "warn": True, "env": dict(MINIMAL), "replace_env": True}
    options |= {"asynchronous": True, "hide": True, "shell": "/bin/sh"}
    promise: Any = _context().run(command, **options)
    return Started(promise.runner.process.pid, promise)


class _Lines:
    """A file-like object that hands on whole lines."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line, self._rest = on_line, ""

    def write(self, text: str) -> None:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._on_line(line.rstrip("\r"))

    def flush(self) -> None:
        """Nothing is kept back but an unfinished line."""
