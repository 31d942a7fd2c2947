"""Images are pulled a few at a time on the whole host, by however many deployments."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent.docker.engine import Engine
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.host.slots import Slots
from agent.model.errors import IkomaError
from agent.model.names import Target
from agent.releases import images
from agent.releases.site import Site


@dataclass
class Registry:
    """Counts how many pulls run at the same time, and in which order they began."""

    seconds: float = 0.05
    running: int = 0
    most: int = 0
    began: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    broken: str = ""

    def pull(self, _engine: Engine, reference: str, *_: Any) -> None:
        with self.lock:
            self.running, self.began = self.running + 1, [*self.began, reference]
            self.most = max(self.most, self.running)
        time.sleep(self.seconds)
        with self.lock:
            self.running -= 1
        if reference == self.broken:
            raise IkomaError("image.missing", image=reference, registry="r", reason="manifest unknown")


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Pulls that take no network; and whoever waits looks more often, and says so sooner."""
    monkeypatch.setattr("agent.host.slots._POLL", 0.01)
    monkeypatch.setattr("agent.host.slots._PATIENCE", 0.1)
    made = Registry()
    monkeypatch.setattr(Engine, "pull", lambda *words: made.pull(*words))
    return made


def deployment(root: Path, app: str, said: list[str], count: int = 4, lang: str = "en") -> Callable[[], None]:
    site = Site(Target(app, "production"), Paths(root), Settings(parallel_pulls=2))
    wanted = [f"r.example/{app}-{number}@sha256:{'0' * 64}" for number in range(count)]
    return lambda: images.pull(site, wanted, "linux/amd64", None, said.append, lang)


def held(root: Path, count: int = 2) -> Slots:
    return Slots(Paths(root).locks, "pulls", count)


def never() -> bool:
    return False


def test_two_deployments_together_never_pull_more_at_once_than_one_may(tmp_path: Path, registry: Registry) -> None:
    said: list[list[str]] = [[], [], []]
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(deployment(tmp_path, f"app{at}", said[at])) for at in range(3)]:
            done.result()
    assert (registry.most, len(registry.began)) == (2, 12)
    assert all(sum(line.endswith(": ok") for line in lines) == 4 for lines in said)


def test_who_has_many_images_does_not_keep_the_others_waiting_until_its_last(
    tmp_path: Path, registry: Registry
) -> None:
    many = threading.Thread(target=deployment(tmp_path, "many", [], count=16))
    many.start()
    while len(registry.began) < 3:
        time.sleep(0.01)
    deployment(tmp_path, "few", [], count=2)()
    many.join()
    of_few = ["/few-" in reference for reference in registry.began]
    last_of_many = len(of_few) - 1 - of_few[::-1].index(False)
    assert of_few.index(True) < last_of_many, registry.began


def test_a_deployment_that_waits_says_so_once_in_its_language(tmp_path: Path, registry: Registry) -> None:
    said: list[str] = []
    with held(tmp_path).one(lambda: None, never), held(tmp_path).one(lambda: None, never):
        waiting = threading.Thread(target=deployment(tmp_path, "late", said, lang="fr"))
        waiting.start()
        time.sleep(0.4)
        assert registry.began == []
    waiting.join()
    assert [line for line in said if line.startswith("en attente")] == said[:1]
    assert len(registry.began) == 4


def test_nobody_waits_where_nobody_else_pulls(tmp_path: Path, registry: Registry) -> None:
    said: list[str] = []
    registry.seconds = 0.2
    deployment(tmp_path, "alone", said)()
    assert registry.most == 2
    assert [line for line in said if "waiting" in line] == []


def test_a_deployment_that_fails_gives_up_what_it_waits_for(tmp_path: Path, registry: Registry) -> None:
    registry.broken = f"r.example/bad-0@sha256:{'0' * 64}"
    with held(tmp_path).one(lambda: None, never), pytest.raises(IkomaError) as caught:
        deployment(tmp_path, "bad", [])()
    assert caught.value.id == "image.missing"
    assert len(registry.began) < 4


def test_a_cancelled_deployment_ends_while_it_waits(tmp_path: Path, registry: Registry) -> None:
    def asked(_number: int, _frame: object) -> None:
        raise IkomaError("operation.cancelled")

    before = signal.signal(signal.SIGUSR1, asked)
    try:
        with held(tmp_path).one(lambda: None, never), held(tmp_path).one(lambda: None, never):
            threading.Timer(0.2, signal.pthread_kill, (threading.main_thread().ident, signal.SIGUSR1)).start()
            began = time.monotonic()
            with pytest.raises(IkomaError) as caught:
                deployment(tmp_path, "asked", [])()
            assert time.monotonic() - began < 5
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert (caught.value.id, registry.began) == ("operation.cancelled", [])


_HOLDS = """
import sys, time
from pathlib import Path
from agent.host.slots import Slots
with Slots(Path(sys.argv[1]), "pulls", 1).one(lambda: None, lambda: False):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_slot_of_a_killed_worker_is_free(tmp_path: Path) -> None:
    slots = held(tmp_path, 1)
    worker = subprocess.Popen([sys.executable, "-c", _HOLDS, str(slots.folder)], stdout=subprocess.PIPE)
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"held\n"
    until = time.monotonic() + 0.2
    with slots.one(lambda: None, lambda: time.monotonic() > until) as got:
        assert not got
    worker.kill()
    worker.wait()
    until = time.monotonic() + 10
    with slots.one(lambda: None, lambda: time.monotonic() > until) as got:
        assert got
