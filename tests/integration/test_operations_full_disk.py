"""A full disk: operations end with a reason, and everything that helps to get out of it goes on working."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.host import ballast, history
from agent.model.names import new_operation
from agent.protocol import Body
from tests.fixtures.operations.house import SHOP, House, tar, with_bundle


@pytest.fixture
def small(tmp_path: Path) -> Iterator[House]:
    """A host on a disk of 12 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(disk)], check=True)
    try:
        yield House(disk / "host")
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def filler(house: House) -> Path:
    return house.paths.target(SHOP).base / "filler"


def fill(house: House) -> None:
    """Leave no byte free."""
    with filler(house).open("ab", buffering=0) as out:
        for size in (65536, 4096, 1):
            with contextlib.suppress(OSError):
                while out.write(b"\0" * size):
                    pass


def free_bytes(house: House) -> int:
    found = os.statvfs(house.paths.root)
    return found.f_bavail * found.f_frsize


def test_a_step_that_fills_the_disk_fails_with_that_reason(small: House) -> None:
    answer = small.deploy(fill="roll-out")
    assert answer.end["status"] == "ROLLED_BACK"
    assert answer.end["result"]["error"]["id"] == "operation.disk_full"
    assert small.effects() == {}


def test_everything_answers_on_a_disk_that_is_already_full(small: House) -> None:
    operation = new_operation()
    small.deploy(operation)
    assert ballast.path(small.paths).exists()
    fill(small)
    assert free_bytes(small) == 0
    assert small.attach(operation).end["status"] == "HEALTHY"
    assert small.ask("v1 status.get", Body(app="shop")).result["operation"] is None
    assert small.deploy().end["status"] == "HEALTHY"  # a rollback would do the same: it brings nothing along
    assert history.verify(small.paths).ok


def test_a_bundle_that_does_not_fit_is_refused_and_leaves_nothing(small: House) -> None:
    small.deploy()
    bundle = tar({"seeds/big": os.urandom(9 * 1024 * 1024)})
    answer = small.ask(f"v1 test.deploy {new_operation()}", with_bundle(bundle), bundle)
    assert answer.error == "operation.disk_full"
    assert list(small.paths.incoming.iterdir()) == []


def test_the_ballast_is_there_again_once_there_is_room(small: House) -> None:
    small.deploy(fill="prepare")
    filler(small).unlink(missing_ok=True)
    small.deploy()
    assert ballast.path(small.paths).exists()
