"""Adding a capability is adding one file: what a stranger would write is there at every door, and in every document."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import agent
from tests.fixtures.doors.assistant import speak
from tests.fixtures.doors.http import Door, free_port, wait_until_open
from tests.fixtures.operations.house import House

FILE = '''
"""``coin.toss``: heads or tails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from agent.capabilities.index import Capability

CAPABILITY = Capability(
    "coin.toss",
    role="operator",
    changes=False,
    module=__name__,
    summary_en="Toss a coin.",
    summary_fr="Tirer à pile ou face.",
    needs_target=False,
    takes=("side",),
)


@dataclass(frozen=True)
class Args:
    """What is hoped for."""

    side: Literal["heads", "tails"]


@dataclass(frozen=True)
class Result:
    """How it fell."""

    won: bool


def run(call: Any) -> dict[str, Any]:
    return {"won": call.args["side"] == "heads"}
'''
RUN = "import sys; from agent.__main__ import main; sys.exit(main())"
ENTRY = [sys.executable, "-P", "-c", RUN]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agent's sources with one file more."""
    tree = tmp_path_factory.mktemp("tree")
    shutil.copytree(Path(agent.__file__).parent, tree / "agent", ignore=shutil.ignore_patterns("__pycache__"))
    (tree / "agent/capabilities/single/coin_toss.py").write_text(FILE)
    return tree


def environment(tree: Path, house: House, **more: str) -> dict[str, str]:
    base = {**os.environ, "PYTHONPATH": str(tree), "IKOMA_ROOT": str(house.paths.root), "IKOMA_LANG": "en"}
    return base | more


def test_one_file_is_there_at_each_of_the_four_doors(tree: Path, house: House) -> None:
    answers = {
        "cli": on_the_host(tree, house), "ssh": over_ssh(tree, house), "http": over_http(tree, house),
        "mcp": over_mcp(tree, house),
    }  # fmt: skip
    assert answers == {door: {"won": True} for door in answers}
    lines = [json.loads(line) for line in house.paths.audit.read_text().splitlines()]
    assert {line["door"] for line in lines if (line["capability"], line["result"]) == ("coin.toss", "ok")} == set(
        answers
    )


def on_the_host(tree: Path, house: House) -> Any:
    words = [*ENTRY, "coin", "toss", "--side", "heads"]
    done = subprocess.run(words, env=environment(tree, house), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def over_ssh(tree: Path, house: House) -> Any:
    body = json.dumps({"args": {"side": "heads"}})
    done = subprocess.run(
        [*ENTRY, "serve", "--key", "ci"], env=environment(tree, house, SSH_ORIGINAL_COMMAND="v1 coin.toss"),
        input=f"{len(body)}\n{body}", capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])["result"]


def over_http(tree: Path, house: House) -> Any:
    port = free_port()
    house.settings(http_door=True, door_port=port)
    process = subprocess.Popen([*ENTRY, "http"], env=environment(tree, house))
    door = Door(house, port, process, {})
    try:
        door.grant("api", "operator")
        wait_until_open(door)
        path = door.ask("GET", "/openapi.json").json["paths"]["/execute/coin.toss"]["post"]
        schema = path["requestBody"]["content"]["application/json"]["schema"]
        assert schema["properties"]["side"]["enum"] == ["heads", "tails"]
        assert door.call("coin.toss", side="edge").json["id"] == "http.argument"
        return door.call("coin.toss", side="heads").json["result"]
    finally:
        process.terminate()
        process.wait(20)


def over_mcp(tree: Path, house: House) -> Any:
    tools, answer = speak(
        [*ENTRY, "mcp", "--key", "ci"],
        [{"do": "tools"}, {"do": "call", "name": "coin_toss", "args": {"side": "heads"}}],
        PYTHONPATH=str(tree), IKOMA_ROOT=str(house.paths.root),
    )  # fmt: skip
    (tool,) = [one for one in tools["tools"] if one["name"] == "coin_toss"]
    assert tool["inputSchema"]["required"] == ["side"]
    return answer["structuredContent"]["result"]


def test_it_is_in_the_help_and_the_reference(tree: Path, house: House) -> None:
    words = [*ENTRY, "coin.toss", "--help"]
    told = subprocess.run(words, env=environment(tree, house), capture_output=True, text=True, timeout=60, check=True)
    assert "Toss a coin." in told.stdout
    docs = tree / "docs"
    docs.mkdir()
    write = "from pathlib import Path; from agent.doors.reference import write; import sys; write(Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-P", "-c", write, str(docs)], env=environment(tree, house), timeout=60, check=True)
    assert "## coin.toss" in (docs / "capabilities.md").read_text()
    assert "/execute/coin.toss" in json.loads((docs / "openapi.json").read_text())["paths"]
