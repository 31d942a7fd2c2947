"""pg_dump as the second witness: it reads the catalogs in its own way, and must say the same of live and of a rebuild.

The fingerprint is ours; what it did not look at, both sides would be the same in. pg_dump is PostgreSQL's own, and
is told to leave out what belongs to a server and not to a schema: owners, rights, places, subscriptions.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.database.backup import tools
from agent.database.backup.tools import Programs
from agent.database.fingerprint.compare import Difference
from agent.database.fingerprint.model import Fingerprint, Key
from agent.database.frame import Run
from agent.model.errors import IkomaError

_SECONDS: Final = 120.0
_OPTIONS: Final = (
    "--schema-only", "--no-owner", "--no-privileges", "--no-tablespaces", "--no-security-labels", "--no-publications",
    "--no-subscriptions", "--lock-wait-timeout=5000",
)  # fmt: skip
_HEADER: Final = re.compile(r"^-- Name: (?P<name>.*); Type: (?P<kind>.*); Schema: (?P<schema>.*); Owner: ?.*$")
_END: Final = "-- PostgreSQL database dump complete"
# They stand wherever the next object needs another value than the last one, so they depend on the order of others.
_BETWEEN: Final = re.compile(r"SET default_\w+ = .*;")
_SHOWN: Final = 4000


@dataclass(frozen=True, slots=True)
class Heard:
    """What the second witness said.

    Attributes:
        agrees: None where it could not be asked; ``reason`` says why.
    """

    agrees: bool | None
    differences: tuple[Difference, ...] = ()
    reason: str = ""


def hear(run: Run, taken: Fingerprint, rebuilt: Programs) -> Heard:
    """Ask pg_dump about live and about a rebuild that has the same fingerprint.

    Args:
        taken: live's fingerprint, which says which schemas are the app's.
        rebuilt: the programs of the throw-away cluster, for the rebuilt database.
    """
    names = sorted(key.name for key in taken.objects if key.kind == "schema")
    if not names:
        return Heard(agrees=True)
    try:
        live = dumped(tools.of(run.dsn, taken.major, run.docker_socket), names)
        other = dumped(rebuilt, names)
    except IkomaError as error:
        return Heard(None, reason=str(error.params.get("said", error.message("en")))[:_SHOWN])
    found = tuple(differences(live, other))
    return Heard(not found, found)


def dumped(programs: Programs, names: Sequence[str]) -> str:
    """Return what pg_dump says of schemas. Raises ``IkomaError`` as ``Programs.run``."""
    chosen = ['--schema="' + name.replace('"', '""') + '"' for name in names]
    with tempfile.TemporaryDirectory(prefix="ikoma-witness-") as folder:
        file = Path(folder) / "schema.sql"
        programs.write(file, programs.argv("pg_dump", *_OPTIONS, *chosen), _SECONDS)
        return file.read_text(encoding="utf-8")


def differences(live: str, rebuilt: str) -> Iterator[Difference]:
    """Yield the objects that two dumps tell differently. Pure."""
    left, right = objects(live), objects(rebuilt)
    for key in sorted({*left, *right}):
        if left.get(key) != right.get(key):
            mine, theirs = left.get(key), right.get(key)
            yield Difference(
                key, _facts(mine), _facts(theirs), (mine or "-- only the rebuilt database has it")[:_SHOWN]
            )


def objects(dump: str) -> dict[Key, str]:
    """Return what a dump says of each object: kind, schema and name → its statements. Pure."""
    entries: list[tuple[Key, list[str]]] = []
    for line in dump.split("\n"):
        if line == _END:
            break
        if match := _HEADER.match(line):
            schema = "" if match["schema"] == "-" else match["schema"]
            entries.append((Key(match["kind"].lower(), schema, match["name"]), []))
        elif entries and not _BETWEEN.fullmatch(line):
            entries[-1][1].append(line)
    found: dict[Key, list[str]] = {}
    for key, lines in entries:
        found.setdefault(key, []).append("\n".join(lines).strip("-\n"))
    return {key: "\n\n".join(sorted(texts)) for key, texts in found.items()}


def _facts(text: str | None) -> dict[str, str] | None:
    return None if text is None else {"pg_dump": text[:_SHOWN]}
