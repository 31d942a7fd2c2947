"""The three stories: a deployment, a release that fails, and the end."""

from __future__ import annotations

import json
import re
import time

from tests.demo.stage import HOST, Stage, Visitor
from tests.rig import rig
from tests.rig import state as states
from tests.rig.commands import RigError

SICK = (
    '"/health": () => json({ status: "ok", image: site.imageTag })',
    '"/health": () => json({ status: "sick" }, 500)',
)


def tell() -> int:
    """Deploy the suite, ask it for a row of its database, show where it answers."""
    began = time.monotonic()
    stage = Stage.set_up()
    stage.must("env", "init")
    stage.must("env", "push")
    stage.must("pipeline", "run")
    seen = _row(stage)
    stage.must("status")
    print(f"""
The suite runs. Its page, asked through the proxy, shows a row that the API read from PostgreSQL:

  “{seen}”

It answers at http://{HOST}; from this machine:
  curl --header 'Host: {HOST}' http://{stage.env["RIG_ADDRESS"]}/

Try next:
  scripts/demo                      again: nothing is built, migrated or restarted
  scripts/demo break                a release that fails its health check; the old one goes on serving
  eval "$(scripts/rig env)"         then any command: .venv/bin/python -m bridge logs --app suite
  scripts/rig exec -- docker ps     look inside the host
  scripts/demo down                 remove everything

{time.monotonic() - began:.0f} s since the host was up.""")
    return 0


def _row(stage: Stage) -> str:
    status, page = stage.ask()
    row = re.search(r'<p lang="[a-z]+">(.+?)</p>', page)
    if status != 200 or row is None:
        raise RigError(f"http://{HOST} answers {status} without the row: {page[:200]!r}")
    return row[1]


def break_it() -> int:
    """Deploy a website whose health check fails, while somebody asks all the time."""
    stage = Stage.set_up()
    before = _version(stage)
    print(f"\nNow the website's /health answers 500. Somebody asks http://{HOST}/version all the while.")
    _make_sick(stage)
    try:
        with Visitor(stage, "/version") as visitor:
            code = stage.bridge("pipeline", "run")
    finally:
        stage.copy()  # the repository is well again
    stage.bridge("status")
    return _verdict(stage, before, code, visitor)


def _verdict(stage: Stage, before: str, code: int, visitor: Visitor) -> int:
    served, failed = visitor.answers.total(), visitor.failures.total()
    old = sum(count for text, count in visitor.answers.items() if json.loads(text)["image"] == before)
    serves = _version(stage) == before
    print(f"""
The deployment ended with exit code {code}. Meanwhile {served + failed} requests were made:
  {old} answered by the old release ({before}), {served - old} by another one, {failed} failed{_causes(visitor)}.
The old release {"still serves" if serves else "does NOT serve any more"}. The copy of the repository is well again.""")
    return 0 if code == 1 and old == served > 0 and not failed and serves else 1


def _causes(visitor: Visitor) -> str:
    said = ", ".join(f"{count} {cause}" for cause, count in visitor.failures.items())
    return f" ({said})" if said else ""


def _make_sick(stage: Stage) -> None:
    file = stage.repo / "apps/website/src/routes.ts"
    text = file.read_text()
    if SICK[0] not in text:
        raise RigError(f"{file} is not what the demonstration expects")
    file.write_text(text.replace(*SICK))


def _version(stage: Stage) -> str:
    status, text = stage.ask("/version")
    if status != 200:
        raise RigError(f"http://{HOST}/version answers {status}; deploy the suite first: scripts/demo")
    return str(json.loads(text)["image"])


def take_down() -> int:
    """Remove the rig and with it everything the demonstration made."""
    with states.locked() as state:
        rig.down(state, None)
    print("Everything is gone; only the download cache stays.")
    return 0
