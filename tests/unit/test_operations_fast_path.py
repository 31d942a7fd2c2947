"""A call that only looks something up does not pay for what deploys: neither pydantic, psycopg nor the rest."""

import json
import os
import subprocess
import sys

import pytest

from agent.model.names import new_operation
from agent.protocol import Body
from tests.fixtures.operations.house import PROGRAM, House

HEAVY = {"pydantic", "psycopg", "invoke", "tenacity", "ruamel", "fabric", "paramiko", "asyncio", "argparse", "email"}
_WATCH = """
import atexit, json, os, runpy, sys
def tell():
    with open(os.environ["TELL"], "w") as out:
        json.dump(sorted({name.partition(".")[0] for name in sys.modules}), out)
atexit.register(tell)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def imported(house: House, line: str, body: Body | None = None) -> set[str]:
    """Make one call and return the top-level modules that its process had imported at its end."""
    tell = house.paths.root / "modules.json"
    done = subprocess.run(
        [sys.executable, "-c", _WATCH, str(PROGRAM), "serve", "--key", "ci"],
        input=body.encode() if body else b"", capture_output=True, timeout=60,
        env={**os.environ, "IKOMA_ROOT": str(house.paths.root), "SSH_ORIGINAL_COMMAND": line, "TELL": str(tell)},
    )  # fmt: skip
    assert b'"t":"error"' not in done.stdout, done.stdout
    return set(json.loads(tell.read_text()))


@pytest.mark.parametrize("verb", ["hello", "attach", "status", "unchanged"])
def test_a_cheap_call_imports_nothing_heavy(house: House, verb: str) -> None:
    operation = new_operation()
    house.deploy(operation, unchanged=True)
    lines = {
        "hello": ("v1 hello", None),
        "attach": (f"v1 attach {operation} after=0", None),
        "status": ("v1 status.get", Body(app="shop")),
        "unchanged": (f"v1 test.deploy {new_operation()}", Body(app="shop", args={"unchanged": True})),
    }
    heavy = HEAVY - {"email"} if verb == "status" else HEAVY  # the Engine is asked by http.client, which parses with it
    assert imported(house, *lines[verb]) & heavy == set()


def test_the_watch_sees_what_a_call_imports(house: House) -> None:
    assert {"sqlite3", "agent"} <= imported(house, f"v1 test.deploy {new_operation()}", Body(app="shop"))


FAST = ["status_get", "operations_list", "platform_capabilities", "deploy_apply"]


@pytest.mark.parametrize("module", [f"agent.capabilities.{name}" for name in FAST] + ["agent.releases.unchanged"])
def test_what_a_cheap_call_needs_can_be_imported_without_anything_heavy(module: str) -> None:
    code = f"import json, sys, {module}; print(json.dumps(sorted(name.partition('.')[0] for name in sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=PROGRAM.parents[3])
    assert set(json.loads(done.stdout)) & (HEAVY - {"email"}) == set()
