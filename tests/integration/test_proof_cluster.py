"""The throw-away cluster of a proof: who reaches it, what is left of it, what it reaches."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.database.connect import connect, session
from agent.database.proof import room, scratch
from agent.model.errors import IkomaError
from tests.integration.postgres import major


@pytest.fixture
def clusters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield root's folder of clusters, ours alone: a proof of another test process would sweep what we leave."""
    with tempfile.TemporaryDirectory(dir="/var/lib") as folder:  # the server's own user enters it
        Path(folder).chmod(0o755)
        assert tmp_path.exists()  # made while the usual folder still counts
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder) / "ikoma-proof"


def test_the_throw_away_cluster_is_gone_afterwards_and_listens_nowhere(clusters: Path, tmp_path: Path) -> None:
    found = scratch.programs(major())
    assert found is not None
    with scratch.cluster(found, tmp_path, "first") as admin, connect(admin, "tests") as connection:
        shown = connection.execute("show listen_addresses").fetchone()
        pid = int(admin.host.split("/")[2])
        assert len(list(clusters.iterdir())) == 1
        assert shown == ("",)
        assert Path(f"/proc/{pid}/net/dev").read_text().count(":") == 1  # the loopback device of its own, which is down
    assert list(clusters.iterdir()) == []
    assert not Path(f"/proc/{pid}").exists()


_DIES = """
import os, sys
from pathlib import Path
from agent.database.proof import scratch
found = scratch.programs(int(sys.argv[1]))
with scratch.cluster(found, Path(sys.argv[2]), "first") as admin:
    print(admin.host, flush=True)
    sys.stdin.read()
"""


def test_the_cluster_of_a_killed_worker_dies_with_it_and_is_swept(clusters: Path, tmp_path: Path) -> None:
    worker = subprocess.Popen([sys.executable, "-c", _DIES, str(major()), str(tmp_path)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert worker.stdout is not None
    pid = int(worker.stdout.readline().split("/")[2])
    folder = Path(f"/proc/{pid}/cwd").resolve().parent
    assert scratch.sweep(tmp_path) == 0  # its worker lives
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()
    assert list(clusters.iterdir()) == [folder]
    assert scratch.sweep(tmp_path) == 1
    assert not folder.exists()


def test_a_folder_swept_before_it_is_locked_is_made_again(
    clusters: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = scratch.programs(major())
    assert found is not None
    made: list[str] = []
    make = tempfile.mkdtemp

    def swept_at_once(*args: str, **kwargs: str) -> str:
        made.append(make(*args, **kwargs))
        if len(made) < 3:
            assert scratch.sweep(tmp_path) == 1  # as another worker does when it begins
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", swept_at_once)
    with scratch.cluster(found, tmp_path, "first") as admin, connect(admin, "tests"):
        assert [str(path) for path in clusters.iterdir()] == made[2:]


_CAGED = """
import os, signal, sys
from pathlib import Path
import psycopg
from agent.database.proof import scratch
scratch.process.run(["true"])  # what it imports may be closed to others than root
state = Path(sys.argv[2])
os.chown(state, 65534, 65534)
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
if not scratch.is_caged(state):
    raise SystemExit("no user namespaces")
with scratch.cluster(scratch.programs(int(sys.argv[1])), state, "first") as admin:
    with psycopg.connect(**admin.keywords()) as connection:
        others = f"test -S {sys.argv[3]} && echo socket; kill -0 {os.getpid()} && echo us"
        program = f"(ls /run /srv /home /tmp; {others}) > seen"
        connection.execute(f"copy (select 1) to program '{program} 2>/dev/null; true'")
        seen, = connection.execute("select pg_read_file('seen')").fetchone()
        print(admin.host, "|", seen.split(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_server_of_the_agents_own_user_reaches_nothing_of_the_host() -> None:
    # Above them, everybody may enter.
    with (
        tempfile.TemporaryDirectory(dir="/var/lib") as folder,
        tempfile.TemporaryDirectory(dir="/var/lib") as elsewhere,
    ):
        engine = Path(elsewhere) / "the engine.sock"
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(engine))
            listening.listen()
            Path(elsewhere).chmod(0o755)
            engine.chmod(0o666)
            done = subprocess.run([sys.executable, "-c", _CAGED, str(major()), folder, f'"{engine}"'],
                                  capture_output=True, text=True, env=os.environ | {"HOME": "/"})  # fmt: skip
        host, _, seen = done.stdout.partition(" | ")
        assert seen.strip() == "['/home:', '/run:', 'mount', '/srv:', '/tmp:']", done.stderr
        deadline = time.monotonic() + 10
        while Path(host).parent.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not Path(host).parent.exists()  # it died with its worker
        assert scratch.sweep(Path(folder)) == 0  # root's clusters lie elsewhere


def generated(megabytes: int, tables: int = 8) -> str:
    """Return statements that fill several tables, none of which is large by itself."""
    rows = megabytes * 1000 // tables  # a row takes about a kilobyte
    return "".join(
        f"create table filled_{number} as select repeat(md5(n::text), 30) as text from generate_series(1, {rows}) n;\n"
        for number in range(tables)
    )


def test_a_cluster_that_fills_more_than_it_may_is_stopped_and_told(clusters: Path, tmp_path: Path) -> None:
    found = scratch.programs(major())
    assert found is not None
    pids: list[int] = []

    def filled() -> None:
        cluster = scratch.cluster(found, tmp_path, "first", most_mb=200)
        with cluster as admin, session(admin, "tests") as connection:
            pids.append(int(admin.host.split("/")[2]))
            connection.execute(generated(3000).encode())

    with pytest.raises(IkomaError) as caught:
        filled()
    assert caught.value.id == "proof.over_disk"
    assert 200 < int(caught.value.params["used"]) < 1500  # stopped long before it was done
    assert list(clusters.iterdir()) == []
    assert not Path(f"/proc/{pids[0]}").exists()


def test_a_cluster_that_fills_less_than_it_may_is_left_alone(clusters: Path, tmp_path: Path) -> None:
    found = scratch.programs(major())
    assert found is not None
    cluster = scratch.cluster(found, tmp_path, "first", most_mb=room.OWN_MB + 100)
    with cluster as admin, session(admin, "tests") as connection:
        connection.execute(generated(90).encode())
        time.sleep(1)
        assert connection.execute("select count(*) from filled_1").fetchone() == (11250,)
    assert list(clusters.iterdir()) == []
