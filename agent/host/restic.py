"""restic: backup sets off this host, encrypted, in any place that restic knows.

Repository and password come from the host's settings and reach restic by files that lie in memory alone. What a back
end wants besides (``AWS_ACCESS_KEY_ID``, …) stands in ``/etc/ikoma/restic.env``, mode 0600.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.host import envfile, process
from agent.host.flock import Flock
from agent.host.paths import Paths
from agent.host.process import Completed as Done
from agent.host.settings import Settings
from agent.model.errors import IkomaError
from agent.model.secret import Redactor, Secret

TAG: Final = "ikoma"
_POLL: Final = 1.0
_LOCKED: Final = ("already locked", "unable to create lock")
_ABSENT: Final = ("unable to open config file", "does not exist", "no such file", "404")


@dataclass(frozen=True, slots=True)
class Repository:
    """Where backup sets go."""

    place: Secret
    password: Secret
    cache: Path
    env_file: Path

    def run(self, *words: str, cwd: Path | None = None, seconds: float = 86400, patience: float = 600) -> Done:
        """Run restic; the first backup makes the repository, and locks that dead processes left are dropped.

        Args:
            seconds: until restic is killed.
            patience: seconds to wait for the lock of another restic, on this host or elsewhere.

        Raises:
            IkomaError: ``backup.no_restic``, ``backup.repository`` with what it said, ``process.timeout``.
        """
        done = self._patiently(words, cwd, seconds, patience)
        if not done.ok and "backup" in words and _says(done, _ABSENT):
            self._make()
            done = self._patiently(words, cwd, seconds, patience)
        if not done.ok:
            raise self._fault(done)
        return done

    def json(self, *words: str) -> Any:
        """Run restic with ``--json`` and return what it answered. Takes no lock: who only looks waits for nobody."""
        return json.loads(self.run("--json", "--no-lock", *words).stdout or "null")

    def _patiently(self, words: Sequence[str], cwd: Path | None, seconds: float, patience: float) -> Done:
        """Run restic until nobody else's lock is in its way; locks of processes that are gone are dropped."""
        deadline = time.monotonic() + patience
        while True:
            done = self._run(words, cwd, seconds)
            if done.ok or not _says(done, _LOCKED) or time.monotonic() > deadline:
                return done
            said = self._run(("unlock",), None, 300)  # restic drops only what is stale
            if not said.ok:
                return said
            time.sleep(_POLL)

    def _make(self) -> None:
        """Make the repository, one process of this host at a time: of two keys one would open nothing."""
        with Flock(self.cache / "making.lock"):
            if (
                not self._run(("--no-lock", "cat", "config"), None, 300).ok
                and not (done := self._run(("init",), None, 300)).ok
            ):
                raise self._fault(done)

    def _run(self, words: Sequence[str], cwd: Path | None, seconds: float) -> Done:
        argv = process.with_parent(["restic", *words])
        with self._environment() as env:
            try:
                done = process.run(argv, env=env, cwd=cwd, timeout=seconds, check=False)
            except IkomaError as error:
                raise IkomaError("backup.no_restic") if error.id == "process.missing" else error from None
        if done.code == 127:
            raise IkomaError("backup.no_restic")
        return done

    def _fault(self, done: process.Completed) -> IkomaError:
        hide = Redactor([self.password, self.place, *self._more().values()])
        said = " ".join(hide(done.last_lines(3)).split())
        if "no space left" in said.lower():
            return IkomaError("backup.disk_full")
        return IkomaError("backup.repository", said=said[-500:], file=self.env_file)

    def _more(self) -> dict[str, Secret]:
        return {name: Secret(value) for name, value in envfile.read(self.env_file).items()}

    @contextmanager
    def _environment(self) -> Iterator[dict[str, str]]:
        self.cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        more = {name: value.reveal() for name, value in self._more().items()}
        with secret_file("password", self.password) as password, secret_file("repository", self.place) as place:
            mine = {"RESTIC_PASSWORD_FILE": password, "RESTIC_REPOSITORY_FILE": place}
            places = {"RESTIC_CACHE_DIR": str(self.cache), "HOME": str(self.cache)}
            yield {**process.MINIMAL, "RESTIC_PROGRESS_FPS": "0", **more, **places, **mine}


def _says(done: Done, sentences: Sequence[str]) -> bool:
    return any(sentence in done.stderr.lower() for sentence in sentences)


@contextmanager
def secret_file(name: str, content: Secret) -> Iterator[str]:
    """Yield the path of a file that lies in memory and ends with this process; only its user may open it."""
    descriptor = os.memfd_create(name)
    try:
        os.fchmod(descriptor, 0o600)
        os.write(descriptor, content.reveal().encode())
        yield f"/proc/{os.getpid()}/fd/{descriptor}"
    finally:
        os.close(descriptor)


def of(paths: Paths, settings: Settings) -> Repository:
    """Return the host's repository. Raises ``IkomaError`` (``backup.no_repository``, ``backup.loose``)."""
    if not settings.backup_repository or not settings.backup_password:
        raise IkomaError("backup.no_repository")
    file = paths.etc / "restic.env"
    if file.exists() and file.stat().st_mode & 0o077:
        raise IkomaError("backup.loose", file=file)
    return Repository(settings.backup_repository, settings.backup_password, paths.state / "restic", file)
