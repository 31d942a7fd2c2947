"""A lost host: how long until another one serves the same rows and files, by the runbook's own commands."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.bench import paired
from tests.fixtures.lost import STEPS, Story, elsewhere, host, suite, tiny
from tests.rig.commands import RigError
from tests.rig.fixtures import exports

MAKE = {"tiny": tiny, "suite": suite}


def measure(app: str, rows: int) -> None:
    """Lose a host and write docs/results/host-lost-APP.json. Raises RigError when anything is lost with it."""
    with tempfile.TemporaryDirectory() as folder, elsewhere(exports()) as place:
        project = MAKE[app](Path(folder), rows)
        story = Story(project, place, Path(folder))
        with host("first") as first:
            known = story.live_on(first)
        gone = time.monotonic()
        with host("second") as second:
            machine = time.monotonic() - gone
            took = story.take_its_place(second)
            whole = time.monotonic() - gone
            if project.rows(second) != known or story.photo(second) != "a photo\n":
                raise RigError("rows or files are not those that were")
    facts = {
        "app": app,
        "rows": known.partition("|")[0],
        "steps": {"a new machine": round(machine, 2), **{name: took[name] for name in STEPS}},
        "seconds": round(whole, 2),
    }
    path = paired.write(f"host-lost-{app}", facts)
    print(f"{facts['seconds']} s; written to {path}")
