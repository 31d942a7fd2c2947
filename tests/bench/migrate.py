"""A first run of many migrations and a run with nothing to do, against psql in one session and dbmate."""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from psycopg import sql

from agent.model.dsn import Dsn
from tests.bench import database, paired
from tests.integration.postgres import Cluster, binaries

PEERS: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ikoma-bridge" / "bench"
OURS: Final = """
import sys, time
from pathlib import Path
from agent.database import apply
from agent.model import dsn
from tests.bench import database
run = database.plan(Path(sys.argv[1]), dsn.parse(sys.stdin.read()))
began = time.perf_counter()
apply.migrate(run)
print(round(time.perf_counter() - began, 4))
"""

Tool = Callable[[Path, Dsn], float]


def main() -> int:
    """Measure, and write docs/results/migrate.json. Tools take turns, in an order that ``seed`` decides."""
    parser = argparse.ArgumentParser(prog="scripts/bench migrate", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of each (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="decides the order (default: %(default)s)")
    parser.add_argument("--files", type=int, nargs="+", default=[200, 1000], help="how many (default: 200 1000)")
    options = parser.parse_args()
    rounds, seed = options.rounds, options.seed
    tools = _tools()
    with database.cluster() as found, tempfile.TemporaryDirectory() as folder:
        facts = {
            "rounds": rounds,
            "seed": seed,
            "tools": sorted(tools),
            **{f"files_{count}": _measure(found, Path(folder), tools, count, rounds, seed) for count in options.files},
        }
    path = paired.write("migrate", facts)
    print(f"{json.dumps(facts, indent=2)}\nwritten to {path}")
    return 0


def _measure(
    found: Cluster, folder: Path, tools: dict[str, Tool], count: int, rounds: int, seed: int
) -> dict[str, dict[str, Any]]:
    place, chance = database.files(folder / str(count), count), random.Random(seed)
    marked = _marked(place, folder / f"{count}-marked")
    first: dict[str, list[float]] = {name: [] for name in tools}
    again: dict[str, list[float]] = {name: [] for name in tools}
    cpu: dict[str, list[float]] = {name: [] for name in tools}
    for _ in range(rounds):
        for name in chance.sample(sorted(tools), len(tools)):
            dsn = _empty(found)
            files = marked if name == "dbmate" else place
            spent = database.Spent(found)
            first[name].append(tools[name](files, dsn))
            cpu[name].append(round(spent.seconds(), 3))
            if name != "psql":
                again[name].append(tools[name](files, dsn))
    floor, least = statistics.median(first["psql"]), statistics.median(cpu["psql"])
    return {
        name: _summary(first[name], again[name], floor)
        | {"cpu_s": statistics.median(cpu[name]), "cpu_ratio_to_psql": round(statistics.median(cpu[name]) / least, 3)}
        for name in tools
    }


def _summary(first: list[float], again: list[float], floor: float) -> dict[str, Any]:
    middle = statistics.median(first)
    facts = {"first_s": round(middle, 3), "ratio_to_psql": round(middle / floor, 3), "first_measured_s": first}
    return facts | ({"again_s": round(statistics.median(again), 4), "again_measured_s": again} if again else {})


def _marked(place: Path, folder: Path) -> Path:
    """Return the same files with the marks that dbmate asks for."""
    folder.mkdir()
    for path in place.iterdir():
        (folder / path.name).write_text("-- migrate:up\n" + path.read_text() + "-- migrate:down\n")
    return folder


def _empty(found: Cluster) -> Dsn:
    dsn = found.database()
    with found.inside(dsn) as admin:
        admin.execute(sql.SQL("alter schema public owner to {}").format(sql.Identifier(dsn.user)))
        admin.execute("checkpoint")
    return dsn


def _tools() -> dict[str, Tool]:
    """Return what is measured; the other tools are installed into a cache the first time."""
    return {"ours": _whole, "ours, without starting Python": _inside, "psql": _psql, "dbmate": _dbmate()}


def _run(argv: list[str], text: str = "", **env: str) -> str:
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False, env={**os.environ, **env})
    if done.returncode:
        raise RuntimeError(f"{argv[0]} ended with {done.returncode}: {done.stderr[-500:]}")
    return done.stdout


def _whole(place: Path, dsn: Dsn) -> float:
    return database.seconds(lambda: _run([sys.executable, "-c", OURS, str(place)], dsn.url().reveal()))


def _inside(place: Path, dsn: Dsn) -> float:
    return float(_run([sys.executable, "-c", OURS, str(place)], dsn.url().reveal()))


def _psql(place: Path, dsn: Dsn) -> float:
    """The floor: one session, one transaction a file, no record of anything."""
    script = "".join(f"begin;\n\\i {path}\ncommit;\n" for path in sorted(place.iterdir()))
    argv = [str(binaries() / "psql"), "-q", "-X", "-v", "ON_ERROR_STOP=1", "-f", "-"]
    place_of = {"PGHOST": dsn.host, "PGPORT": str(dsn.port), "PGUSER": dsn.user, "PGDATABASE": dsn.database}
    return database.seconds(lambda: _run(argv, script, PGPASSWORD=dsn.password.reveal(), **place_of))


def _dbmate() -> Tool:
    program = PEERS / "node_modules/.bin/dbmate"
    if not program.exists():
        PEERS.mkdir(parents=True, exist_ok=True)
        _run([shutil.which("npm") or "npm", "install", "--prefix", str(PEERS), "--no-audit", "--no-fund", "dbmate@2"])
    binary = next(iter(sorted(PEERS.glob("node_modules/@dbmate/*/bin/dbmate"))), program)

    def work(place: Path, dsn: Dsn) -> float:
        argv = [str(binary), "--no-dump-schema", "--migrations-dir", str(place), "migrate"]
        url = f"postgres://{dsn.user}:{dsn.password.reveal()}@{dsn.host}:{dsn.port}/{dsn.database}?sslmode=disable"
        return database.seconds(lambda: _run(argv, DATABASE_URL=url))

    return work


if __name__ == "__main__":
    raise SystemExit(main())
