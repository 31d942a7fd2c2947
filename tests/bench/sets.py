"""Sets of migrations that nobody here wrote: applied by us and by psql, compared, and rebuilt elsewhere.

``python -m tests.bench.sets NAME=FOLDER …`` with folders of files such as ``0001_name.sql``. A file ``prelude.sql`` in
a folder stands for what the set expects to be there (a platform's roles and schemas); an administrator runs it first.
The files themselves are committed nowhere.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from psycopg import sql

from agent.database import apply
from agent.database.connect import connect
from agent.database.fingerprint import catalog
from agent.database.fingerprint.compare import compare
from agent.database.fingerprint.model import Fingerprint
from agent.database.frame import Run
from agent.database.proof import rebuild
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError
from agent.model.migrations import set_problems
from tests.bench import database, paired
from tests.integration.postgres import Cluster, binaries

PRELUDE = "prelude.sql"


def main(words: list[str]) -> int:
    """Measure each set, and write docs/results/migrations.json."""
    sets = dict(word.split("=", 1) for word in words)
    with database.cluster() as found, tempfile.TemporaryDirectory() as state:
        facts = {name: _measure(found, Path(folder), Path(state)) for name, folder in sets.items()}
    print(paired.write("migrations", facts))
    for name, fact in facts.items():
        print(name, fact)
    return 0


def _measure(found: Cluster, folder: Path, state: Path) -> dict[str, Any]:
    names = [path.name for path in folder.glob("*.sql") if path.name != PRELUDE]
    facts: dict[str, Any] = {"files": len(names)}
    if problems := set_problems(names):
        return facts | {"refused": [f"{item.id}: {item.message('en')}" for item in problems][:3]}
    ours, floor = _empty(found, folder), _empty(found, folder)
    run = _plan(folder, ours)
    facts |= _applied(run)
    count = int(facts["applied"])
    facts["psql"] = _psql(run, floor, count)
    taken, told = _taken(ours), _taken(floor)
    different = compare(taken, told)
    facts |= {
        "objects": len(taken.objects),
        "equal": not different,
        "different": [item.title for item in different][:5],
    }
    if count < len(names):
        facts["psql_says"] = _ran(run, floor, run.files[count].file, single=True) or "nothing: it runs there"
    return facts | _proven(run, state)


def _plan(folder: Path, dsn: Dsn) -> Run:
    run = database.plan(folder, dsn)
    return replace(run, files=sorted((item for item in run.files if item.file != PRELUDE), key=_number))


def _number(item: Any) -> int:
    return int(str(item.file).partition("_")[0])


def _empty(found: Cluster, folder: Path) -> Dsn:
    """Return an empty database in which the prelude was run; its owner is a superuser, as in the sets' own set-ups."""
    dsn = found.database()
    with found.inside(dsn) as admin:
        admin.execute(sql.SQL("alter schema public owner to {}").format(sql.Identifier(dsn.user)))
        admin.execute(sql.SQL("alter role {} superuser").format(sql.Identifier(dsn.user)))
        if (folder / PRELUDE).exists():
            admin.execute((folder / PRELUDE).read_bytes())
    return dsn


def _applied(run: Run) -> dict[str, Any]:
    """Apply as many as can be: what the first failing file says is the result, the files before it stand."""
    began = time.perf_counter()
    try:
        count, failed = len(apply.migrate(run)), ""
    except IkomaError as error:
        failed = error.message("en")[:300]
        with connect(run.dsn, "bench") as connection:
            row = (
                connection.execute("select count(*) from ikoma.migrations").fetchone() if _ledger(connection) else None
            )
        count = int(row[0]) if row else 0
    return {"applied": count, "seconds": round(time.perf_counter() - began, 2), "failed": failed}


def _ledger(connection: Any) -> bool:
    return bool(connection.execute("select to_regclass('ikoma.migrations') is not null").fetchone()[0])


def _psql(run: Run, dsn: Dsn, count: int) -> int:
    """Let psql run the files that we could apply, in one transaction where each can be; return how many it could."""
    for number, item in enumerate(run.files[:count]):
        if _ran(run, dsn, item.file, single=not apply.read(run.folder, item).parted):
            return number
    return count


def _ran(run: Run, dsn: Dsn, file: str, *, single: bool) -> str:
    """Return what psql says of a file that fails, nothing of one that runs."""
    words = {"PGHOST": dsn.host, "PGPORT": str(dsn.port), "PGUSER": dsn.user, "PGDATABASE": dsn.database}
    env = os.environ | words | {"PGPASSWORD": dsn.password.reveal(), "PGOPTIONS": "-c client_min_messages=error"}
    whole = ["--single-transaction"] if single else []
    argv = [str(binaries() / "psql"), "-q", "-X", "-v", "ON_ERROR_STOP=1", *whole, "-f", str(run.folder / file)]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    return done.stderr.rpartition("ERROR:")[2].strip()[:200] if done.returncode else ""


def _taken(dsn: Dsn) -> Fingerprint:
    with connect(dsn, "bench") as connection:
        return catalog.take(connection)


def _proven(run: Run, state: Path) -> dict[str, Any]:
    with connect(run.dsn, "bench") as connection:
        live = rebuild.look(connection, "")
    applied = {row.version for row in live.rows}
    done = replace(run, files=[item for item in run.files if item.file.partition("_")[0] in applied])
    try:
        proof = rebuild.rebuild(done, live, state)
    except IkomaError as error:
        return {"proof": error.message("en")[:300]}
    told = [f"{item.title}: {item.sql}"[:200] for item in proof.differences]
    return {"proof": told[:5] or "equal", "proof_seconds": round(proof.seconds, 2)}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
