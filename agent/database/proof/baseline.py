"""What a database is built on, kept with the release: from it and the migrations alone it can be built anew elsewhere.

It is one file: the cluster's roles and settings, the database before its first migration, a platform's schemas, and
the schema that must come out. It names roles and settings, so it is as private as the database.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from agent.database.fingerprint.model import Fingerprint, Key, unpack
from agent.database.proof.likeness import Likeness
from agent.database.proof.rebuild import Live, as_applied
from agent.host.files import read_json, write_json
from agent.model.errors import IkomaError
from agent.model.migrations import File

FILE: Final = "baseline.json"
_FORMAT: Final = 1
_MODE: Final = 0o600


def keep(folder: Path, live: Live, schema: Fingerprint | None = None) -> None:
    """Write what ``live`` is built on into a release's folder, and what it must be once its migrations are applied."""
    like = asdict(replace(live.likeness, baseline=Fingerprint({}, live.likeness.major)))
    del like["baseline"]
    document = {
        "format": _FORMAT, "likeness": like, "before": _packed(live.likeness.baseline),
        "platform": list(live.platform), "platform_sql": live.platform_sql or "",
        "accepted": [[*key, digest] for key, digest in sorted(live.accepted.items())],
        "schema": _packed(schema) if schema else None,
    }  # fmt: skip
    write_json(folder / FILE, document, _MODE)


def complete(folder: Path, schema: Fingerprint) -> None:
    """Add what the database is by now; nothing where no baseline is kept."""
    document = read_json(folder / FILE)
    if document is not None:
        write_json(folder / FILE, document | {"schema": _packed(schema)}, _MODE)


def platform_sql(folder: Path) -> str | None:
    """Return the SQL of a platform's schemas that a release keeps, None where it keeps none."""
    found = (read_json(folder / FILE) or {}).get("platform_sql")
    return str(found) if found else None


def live(folder: Path, files: Sequence[File]) -> Live:
    """Return the database as a release has kept it: ``files`` applied, nobody asked.

    Raises:
        IkomaError: ``proof.no_baseline`` where it keeps none, or none that is whole.
    """
    document = read_json(folder / FILE)
    if not document or document.get("format") != _FORMAT or not document.get("schema"):
        raise IkomaError("proof.no_baseline", release=folder.name)
    known = {Key(*row[:3]): str(row[3]) for row in document["accepted"]}
    return Live(
        as_applied(files), unpack(base64.b64decode(document["schema"])), None, _likeness(document),
        tuple(document["platform"]), known, document["platform_sql"],
    )  # fmt: skip


def _likeness(document: dict[str, Any]) -> Likeness:
    facts = dict(document["likeness"])
    for name in ("roles", "members", "settings"):
        facts[name] = tuple(tuple(row) for row in facts.get(name, ()))
    for name in ("words", "preload"):
        facts[name] = tuple(facts[name])
    return Likeness(**facts, baseline=unpack(base64.b64decode(document["before"])))


def _packed(taken: Fingerprint) -> str:
    return base64.b64encode(taken.pack()).decode()
