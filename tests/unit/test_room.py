"""What a throw-away cluster may take of the disk: looked at while it lives, and stopped once it is too much."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.database.proof import room
from agent.host import platform
from agent.model.errors import IkomaError

_MB = 1024 * 1024


class Server:
    """What is stopped; the block then fails of it."""

    def __init__(self) -> None:
        self.stops = 0
        self.stopped = threading.Event()

    def stop(self) -> None:
        self.stops += 1
        self.stopped.set()

    def work(self, error: Exception) -> None:
        """Work until it is stopped; fail as a client does then."""
        if self.stopped.wait(10):
            raise error


@pytest.fixture(autouse=True)
def no_watcher_is_left() -> Iterator[None]:
    yield
    assert "room" not in {thread.name for thread in threading.enumerate()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "cluster-1"
    (made / "data/base").mkdir(parents=True)
    return made


def fill(folder: Path, megabytes: int) -> None:
    for number in range(megabytes):
        (folder / f"data/base/{number}").write_bytes(b"x" * _MB)


def test_many_files_that_are_small_each_are_stopped_together_and_told(folder: Path) -> None:
    server = Server()
    fill(folder, 6)
    with pytest.raises(IkomaError) as caught, room.kept(folder, 5, server.stop):
        server.work(IkomaError("database.lost", where="x", reason="closed"))
    assert (caught.value.id, caught.value.params) == ("proof.over_disk", {"used": 6, "most": 5})
    assert "of 5 MB" in caught.value.message("en")
    assert "backups.max_gb" in caught.value.remedy("fr")


def test_what_fits_is_left_alone_and_its_own_faults_are_told(folder: Path) -> None:
    server = Server()
    fill(folder, 4)
    threading.Timer(1, server.stopped.set).start()
    with pytest.raises(IkomaError) as caught, room.kept(folder, 5, server.stop):
        server.work(IkomaError("database.lost", where="x", reason="closed"))
    assert (caught.value.id, server.stops) == ("database.lost", 0)


def test_free_disk_is_never_taken_below_the_reserve(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    monkeypatch.setattr(platform, "free_mb", lambda _: room.RESERVE_MB - 1)
    with pytest.raises(IkomaError) as caught, room.kept(folder, 5000, server.stop):
        server.work(OSError("closed"))
    assert caught.value.id == "proof.disk_low"
    assert f"{room.RESERVE_MB - 1} MB of disk were left" in caught.value.message("en")


def test_an_operation_that_is_cancelled_meanwhile_stays_cancelled(folder: Path) -> None:
    server = Server()
    fill(folder, 2)
    with pytest.raises(IkomaError) as caught, room.kept(folder, 1, server.stop):
        server.work(IkomaError("operation.cancelled"))
    assert caught.value.id == "operation.cancelled"


def test_a_server_that_cannot_be_stopped_at_once_is_stopped_again(folder: Path) -> None:
    server, tries = Server(), 0

    def stop() -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise IkomaError("engine.silent", socket="/s")
        server.stop()

    fill(folder, 2)
    with pytest.raises(IkomaError), room.kept(folder, 1, stop):
        server.work(OSError("closed"))
    assert tries >= 3


def test_a_folder_that_vanishes_is_no_fault(folder: Path) -> None:
    server = Server()
    fill(folder, 1)
    with room.kept(folder, 5, server.stop):
        shutil.rmtree(folder)
        time.sleep(0.6)
    assert server.stops == 0


def test_a_block_that_had_ended_is_none_the_worse(folder: Path) -> None:
    server = Server()
    fill(folder, 2)
    with room.kept(folder, 1, server.stop):
        assert server.stopped.wait(10)


def test_a_database_of_any_size_fits_when_it_is_restored() -> None:
    for size in (0, 8 * _MB, 500 * 1024 * _MB):
        assert room.holding(size) * _MB > size * 3 // 2 + 1024 * _MB  # with what is sorted beside it
