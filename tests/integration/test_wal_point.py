"""A named point in the server's log: only where it is archived, and for a cluster of one app."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.database.backup import wal
from agent.database.connect import Connection, connect
from agent.model.errors import IkomaError
from tests.integration.postgres import Cluster, running


@pytest.fixture(scope="module")
def archive() -> Iterator[Path]:
    """A folder that the server, which is not root, may reach; pytest's own are closed to it."""
    with tempfile.TemporaryDirectory(prefix="ikoma-archive-") as folder:
        shutil.chown(folder, "nobody")
        yield Path(folder)


@pytest.fixture(scope="module")
def archiving(archive: Path) -> Iterator[Cluster]:
    command = f"test ! -e {archive}/full && cp %p {archive}/%f"
    with running(archive_mode="on", wal_level="replica", archive_command=command) as found:
        yield found


@pytest.fixture
def live(archiving: Cluster) -> Iterator[Connection]:
    """The superuser's session in the only app's database."""
    dsn = archiving.database()
    with archiving.inside(dsn) as connection:
        connection.execute("create table t (i int)")
        yield connection
    with connect(archiving.admin, "tests") as admin:
        admin.execute(f"drop database {dsn.database} with (force)".encode())


def reasons(connection: Connection) -> list[str]:
    return [error.message("en") for error in wal.obstacles(connection, "en")]


def test_where_nothing_is_archived_there_is_no_point(cluster: Cluster) -> None:
    with cluster.inside(cluster.database()) as connection:
        (reason,) = reasons(connection)
    assert "does not archive its log" in reason


def test_an_archive_that_has_never_worked_is_none(live: Connection, archive: Path) -> None:
    (archive / "full").touch()
    try:
        assert [text for text in reasons(live) if "nothing was archived" in text]
        with pytest.raises(IkomaError) as caught:
            wal.mark(live, "never", seconds=30)
        assert caught.value.id == "backup.wal_not_archived"
    finally:
        (archive / "full").unlink()


def test_a_point_is_named_and_its_log_is_in_the_archive(live: Connection, archive: Path) -> None:
    point = wal.mark(live, "before-0014", seconds=150)
    assert reasons(live) == []
    names = {path.name for path in archive.iterdir()}
    row = live.execute("select pg_walfile_name(%s::pg_lsn)", [point.lsn]).fetchone()
    assert row is not None
    assert row[0] in names
    assert point.recorded == "wal:before-0014"


def test_a_cluster_of_several_apps_has_none_but_what_a_restore_kept_is_ours(
    live: Connection, archiving: Cluster
) -> None:
    wal.mark(live, "healthy", seconds=150)
    kept = f"{live.info.dbname}_before_0123abcd"
    live.execute(f"create database {kept}".encode())
    assert reasons(live) == []
    other = archiving.database()
    try:
        (reason,) = reasons(live)
        assert other.database in reason
    finally:
        for name in (kept, other.database):
            live.execute(f"drop database {name}".encode())


def test_a_role_without_the_right_is_named(live: Connection, archiving: Cluster) -> None:
    wal.mark(live, "healthy", seconds=150)
    live.execute("create role plain; set role plain")
    told = reasons(live)
    live.execute("reset role; drop role plain")
    assert [text for text in told if "may not call pg_create_restore_point" in text]
