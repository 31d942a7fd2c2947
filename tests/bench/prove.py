"""How long a fingerprint takes, and the whole proof of 200 and of 1,000 files."""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.database import apply
from agent.database.connect import connect
from agent.database.fingerprint import catalog
from agent.database.proof import rebuild
from agent.model.dsn import Dsn
from tests.bench import database, paired
from tests.integration.postgres import Cluster


def main() -> int:
    """Measure, and write docs/results/prove.json."""
    parser = argparse.ArgumentParser(prog="scripts/bench prove", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="of each (default: %(default)s)")
    rounds = parser.parse_args().rounds
    with database.cluster() as found, tempfile.TemporaryDirectory() as folder:
        facts = {
            "rounds": rounds,
            "fingerprint_79_tables": _fingerprint(found, database.big(found, 79, 5), rounds),
            "fingerprint_1000_tables": _fingerprint(found, database.big(found, 1000, 10), rounds),
            "proof_200_files": _proof(found, Path(folder), 200, rounds),
            "proof_1000_files": _proof(found, Path(folder), 1000, max(rounds // 2, 1)),
        }
    path = paired.write("prove", facts)
    print(f"{json.dumps(facts, indent=2)}\nwritten to {path}")
    return 0


def _fingerprint(found: Cluster, dsn: Dsn, rounds: int) -> dict[str, Any]:
    spent = database.Spent(found)
    with connect(dsn, "bench") as connection:
        objects = len(catalog.take(connection).objects)
        facts = _spread(lambda: catalog.take(connection).digest, rounds)
    return {"objects": objects, **facts, "cpu_s": round(spent.seconds() / (rounds + 1), 3)}


def _proof(found: Cluster, folder: Path, count: int, rounds: int) -> dict[str, Any]:
    """Prove a database that has all but the last of its files, which is the case of a deployment that migrates."""
    everything = database.plan(database.files(folder / str(count), count), found.database())
    with connect(found.admin, "bench") as admin:
        admin.execute(f"grant create on database {everything.dsn.database} to {everything.dsn.user}".encode())
    with found.inside(everything.dsn) as admin:
        admin.execute(f"grant create on schema public to {everything.dsn.user}".encode())
    apply.migrate(replace(everything, files=everything.files[:-1]))

    def prove() -> None:
        with connect(everything.dsn, "bench") as connection:
            live = rebuild.look(connection, "")
        proof = rebuild.rebuild(everything, live, folder)
        if proof.differences:
            raise RuntimeError(f"the proof failed: {proof.differences[0].title}")

    return {"files": count, **_spread(prove, rounds)}


def _spread(work: Callable[[], object], rounds: int) -> dict[str, Any]:
    measured = [database.seconds(work) for _ in range(rounds)]
    return {"median_s": round(statistics.median(measured), 3), "min_s": min(measured), "measured_s": measured}


if __name__ == "__main__":
    raise SystemExit(main())
