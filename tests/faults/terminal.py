"""A terminal on which a command runs as for somebody who types it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_CI = ("CI", "GITHUB_ACTIONS", "NO_COLOR", "COLUMNS", "LINES")
_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """Runs ``argv`` as the leader of a session of its own, whose terminal has 100 columns and 30 lines."""

    def __init__(self, argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
        self.raw = ""
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            clean = {name: value for name, value in env.items() if name not in _CI}
            os.chdir(cwd)
            os.execvpe(argv[0], list(argv), clean | {"TERM": "xterm-256color"})
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))

    @property
    def text(self) -> str:
        """What was written, without the sequences that move and colour."""
        return _SEQUENCE.sub("", self.raw)

    def until(self, text: str, seconds: float = 120) -> None:
        """Read until ``text`` was written. Raises ``AssertionError`` when it never is."""
        deadline = time.monotonic() + seconds
        while text not in self.text:
            assert time.monotonic() < deadline, f"no {text!r} in {self.text[-2000:]}"
            assert self._read(), f"no {text!r} in {self.text[-2000:]}"

    def type(self, keys: str) -> None:
        """Type, ``\\x03`` for Ctrl-C."""
        os.write(self._fd, keys.encode())

    def end(self, seconds: float = 180) -> int:
        """Read to the end and return the exit code."""
        deadline = time.monotonic() + seconds
        while self._read():
            assert time.monotonic() < deadline, self.text[-2000:]
        os.close(self._fd)
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def _read(self) -> bool:
        """Take what is there, after a second at most; say whether the command still holds its terminal."""
        if not select.select([self._fd], [], [], 1)[0]:
            return True
        piece = b""
        with contextlib.suppress(OSError):  # Linux's word for the end of a terminal
            piece = os.read(self._fd, 65536)
        self.raw += piece.decode(errors="replace")
        return bool(piece)
