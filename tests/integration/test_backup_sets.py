"""Backup sets with a real restic and a real PostgreSQL: what left the host comes back, and is unreadable there."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from agent.database.backup import sets, store, verify
from agent.database.backup.source import Source
from agent.database.connect import connect
from agent.host import restic
from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError
from agent.model.names import Target
from agent.model.secret import Secret
from tests.integration.postgres import Cluster
from tests.integration.sshd import Sshd, sshd

__all__ = ["sshd"]

SHOP = Target("shop", "production")
WORD = "a passphrase with spaces, $ and é"


@pytest.fixture
def repository(tmp_path: Path) -> restic.Repository:
    settings = Settings(backup_repository=Secret(str(tmp_path / "away")), backup_password=Secret(WORD))
    return restic.of(Paths(tmp_path), settings)


@pytest.fixture
def site(tmp_path: Path, cluster: Cluster, database: Dsn) -> sets.Site:
    home, folder = Paths(tmp_path).target(SHOP), tmp_path / "var/backups/ikoma/shop"
    home.base.mkdir(parents=True)
    home.app_env.write_text("APP_SECRET=tremendously-private\n")
    home.agent_env.write_text("SUPABASE_DB_DSN=x\n")
    with connect(database, "tests") as connection:
        connection.execute("create table notes (text text); insert into notes values ('tremendously-private')")
    admin = replace(cluster.admin, database=database.database)
    source = Source(database.database, database, folder, tmp_path, "op-1", admin)
    return sets.Site("shop", home, folder, source, "", "")


def push(site: sets.Site, repository: restic.Repository, operation: str, keep: int = 3) -> sets.Pushed:
    return sets.push(site, repository, keep, operation, lambda _: None)


def test_a_set_leaves_the_host_unreadable_and_comes_back_whole(
    site: sets.Site, repository: restic.Repository, tmp_path: Path
) -> None:
    first = push(site, repository, "op-1")
    assert first.parts == ["database", "roles", "env", "release"]
    assert list(site.folder.iterdir()) == []
    raw = b"".join(path.read_bytes() for path in (tmp_path / "away").rglob("*") if path.is_file())
    assert raw
    assert b"tremendously" not in raw
    second = push(site, repository, "op-2", keep=1)
    snapshot, folder, name = sets.fetch(site, repository, "")
    assert (snapshot, name) == (second.snapshot, f"fetched-{second.snapshot}")
    assert (folder / "env/app.env").read_text() == "APP_SECRET=tremendously-private\n"
    assert (folder / "env/app.env").stat().st_mode & 0o777 == site.home.app_env.stat().st_mode & 0o777
    assert site.source is not None
    assert f"CREATE ROLE {site.source.dsn.user}" in (folder / "roles.sql").read_text()
    fetched = store.find(site.folder, name)
    assert verify.verify(site.source, fetched).rows == 1
    with pytest.raises(IkomaError) as refused:
        sets.fetch(site, repository, first.snapshot)
    assert refused.value.id == "backup.no_set"


def test_a_wrong_password_is_told_and_a_lock_of_a_dead_restic_is_dropped(
    site: sets.Site, repository: restic.Repository, tmp_path: Path
) -> None:
    repository.run("init")
    wrong = Settings(backup_repository=Secret(str(tmp_path / "away")), backup_password=Secret("another"))
    with pytest.raises(IkomaError) as refused:
        sets.snapshots(restic.of(Paths(tmp_path), wrong), "shop")
    assert refused.value.id == "backup.repository"
    assert "another" not in str(refused.value)
    _die_with_a_lock(tmp_path)
    assert push(site, repository, "op-1").snapshot


def test_sets_that_begin_at_the_same_time_make_one_repository_and_wait_for_each_other(
    repository: restic.Repository, tmp_path: Path
) -> None:
    """The clock starts the sets of all apps of a host at once, and each ends with the exclusive lock of a prune."""
    (tmp_path / "word.txt").write_text("some words")

    def kept(app: str) -> int:
        repository.run("backup", "--tag", app, str(tmp_path / "word.txt"))
        repository.run("forget", "--tag", app, "--keep-last", "1", "--prune")
        return len(repository.json("snapshots", "--tag", app))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(kept, ["one", "two", "three", "four"])) == [1, 1, 1, 1]
    assert len(list((tmp_path / "away/keys").iterdir())) == 1


def test_the_lock_of_a_restic_that_lives_is_waited_for_but_not_for_ever(
    repository: restic.Repository, tmp_path: Path
) -> None:
    repository.run("init")
    holder = _with_a_lock(tmp_path)
    holder.send_signal(signal.SIGSTOP)

    def ends() -> None:
        holder.kill()
        holder.wait()

    try:
        with pytest.raises(IkomaError) as refused:
            repository.run("prune", patience=0)
        assert refused.value.id == "backup.repository"
        assert "lock" in refused.value.message("en")
        threading.Timer(2, ends).start()
        repository.run("prune", patience=60)
    finally:
        holder.kill()
        holder.wait()


def _die_with_a_lock(tmp_path: Path) -> None:
    holder = _with_a_lock(tmp_path)
    holder.kill()
    holder.wait()
    assert list((tmp_path / "away/locks").iterdir())


def _with_a_lock(tmp_path: Path) -> subprocess.Popen[bytes]:
    """Return a restic that has the repository locked, and is far from its end."""
    (tmp_path / "word").write_text(WORD)
    big = tmp_path / "big"
    with big.open("wb") as stream:
        stream.truncate(4 << 30)
    env = {"PATH": "/usr/bin:/bin", "RESTIC_PASSWORD_FILE": str(tmp_path / "word"), "HOME": str(tmp_path)}
    words = ["restic", "-r", str(tmp_path / "away"), "backup", str(big)]
    child = subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL)
    while not [path for path in (tmp_path / "away/locks").iterdir() if len(path.name) == 64]:  # whole, not its draft
        assert child.poll() is None
    return child


def test_a_settings_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "etc/ikoma/restic.env"
    file.parent.mkdir(parents=True)
    file.write_text("AWS_SECRET_ACCESS_KEY=x\n")
    file.chmod(0o640)
    settings = Settings(backup_repository=Secret("s3:x/y"), backup_password=Secret("z"))
    with pytest.raises(IkomaError) as refused:
        restic.of(Paths(tmp_path), settings)
    assert refused.value.id == "backup.loose"
    with pytest.raises(IkomaError) as refused:
        restic.of(Paths(tmp_path), Settings())
    assert refused.value.id == "backup.no_repository"


def test_volumes_with_a_name_belong_to_a_set_and_anonymous_ones_do_not() -> None:
    mounts = [
        {"Type": "volume", "Name": "shop_uploads", "Destination": "/data"},
        {"Type": "volume", "Name": "0123456789abcdef" * 4, "Destination": "/tmp/x"},
        {"Type": "bind", "Source": "/srv", "Destination": "/srv"},
    ]
    assert sets.volumes({"Mounts": mounts}) == [("shop_uploads", "/data")]
    assert sets.volumes({}) == []


def test_a_set_goes_to_another_machine_by_sftp_and_comes_back(site: sets.Site, sshd: Sshd, tmp_path: Path) -> None:
    sshd.let_in("restrict")
    (tmp_path / "id").touch(mode=0o600)
    (tmp_path / "id").write_text(sshd.key.reveal())
    (tmp_path / "known").write_text(sshd.known_hosts)
    words = f"-F none -i {tmp_path}/id -o UserKnownHostsFile={tmp_path}/known -o BatchMode=yes"
    ssh = tmp_path / "bin/ssh"  # what ~/.ssh/config of the agent's user says on a host
    ssh.parent.mkdir()
    ssh.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} {words} "$@"\n')
    ssh.chmod(0o755)
    file = Paths(tmp_path).etc / "restic.env"
    file.parent.mkdir(parents=True)
    file.touch(mode=0o600)
    file.write_text(f"PATH={ssh.parent}:/usr/bin:/bin\n")
    place = Secret(f"sftp://root@127.0.0.1:{sshd.port}//root/sets")
    away = restic.of(Paths(tmp_path), Settings(backup_repository=place, backup_password=Secret(WORD)))
    pushed = push(site, away, "op-1")
    assert [row["snapshot"] for row in sets.snapshots(away, "shop")] == [pushed.snapshot]
    _, folder, _ = sets.fetch(site, away, "")
    assert (folder / "env/app.env").read_text() == "APP_SECRET=tremendously-private\n"
