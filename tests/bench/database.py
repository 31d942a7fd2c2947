"""What the measurements of the database share: a cluster as a host has it, a big schema, many small files."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.database.connect import connect
from agent.database.frame import Run
from agent.model.dsn import Dsn
from agent.model.migrations import Migration
from tests.integration.postgres import Cluster, running

_REAPED_WITHIN = 0.3
"""After how long a server has taken note of a session that ended."""

TABLE = """
    create table {0} (id bigint generated always as identity primary key, a text not null default 'x',
        b int check (b > 0), c timestamptz default now(), d jsonb, e numeric(10, 2), f uuid, g text);
    create index on {0} (b);
    alter table {0} enable row level security;
    create policy own_select on {0} for select using (a = current_user);
    create policy own_insert on {0} for insert with check (a = current_user);
    grant select, insert (a, b) on {0} to bench_reader;
    comment on table {0} is 'a table';
    create function {0}_touch() returns trigger language plpgsql security definer set search_path = ''
        as 'begin return new; end';
    create trigger touch before insert on {0} for each row execute function {0}_touch();
    create view {0}_view with (security_invoker) as select id, a, b from {0};
"""


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Yield a cluster that writes as durably as a host's does, and logs as little."""
    with running(fsync="on", log_statement="none", shared_buffers="128MB", max_locks_per_transaction="1024") as found:
        with connect(found.admin, "bench") as admin:
            admin.execute("create role bench_reader")
        yield found


def big(found: Cluster, tables: int, schemas: int) -> Dsn:
    """Return a database with that many tables and what hangs on them."""
    dsn = found.database()
    with connect(dsn, "bench") as connection:
        for number in range(schemas):
            connection.execute(f"create schema s{number}".encode())
        for number in range(tables):
            connection.execute(TABLE.format(f"s{number % schemas}.t{number}").encode())
    return dsn


def files(folder: Path, count: int) -> Path:
    """Write ``count`` migrations: a table with five columns, and an index."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, count + 1):
        table = f"create table app_t{number} (id bigint generated always as identity primary key, name text not null, "
        rest = "amount int not null default 0, note text, at timestamptz not null default now());\n"
        index = f"create index app_t{number}_name on app_t{number} (name);\n"
        (folder / f"{number:04}_t{number}.sql").write_text(table + rest + index)
    return folder


def plan(folder: Path, dsn: Dsn) -> Run:
    """Return a run of all files of a folder."""
    found = [Migration(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in sorted(folder.iterdir())]
    return Run(dsn, folder, found, "r-0123456789ab", "bench")


def seconds(work: Callable[[], object]) -> float:
    """Return how long ``work`` takes, in seconds of wall time."""
    began = time.perf_counter()
    work()
    return round(time.perf_counter() - began, 4)


class Spent:
    """Processor time of this process, its children and the server from here on: other people's load does not count."""

    def __init__(self, found: Cluster) -> None:
        self._server = int((found.log.parent / "data/postmaster.pid").read_text().split()[0])
        self._begin = self._now()

    def seconds(self) -> float:
        """Return what was spent so far, by sessions that are over."""
        return self._now() - self._begin

    def _now(self) -> float:
        time.sleep(_REAPED_WITHIN)
        own = os.times()
        fields = Path(f"/proc/{self._server}/stat").read_text().rpartition(")")[2].split()
        server = (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
        return own.user + own.system + own.children_user + own.children_system + server
