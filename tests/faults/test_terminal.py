"""What people see who type the commands at a terminal: a line that moves, questions, Ctrl-C."""

import json
import re
from pathlib import Path

from tests.faults.app import App
from tests.faults.lab import CHECKOUT, Lab
from tests.faults.terminal import Terminal

SHOWN_AGAIN = "\x1b[?25h"  # the cursor


def typed(lab: Lab, *words: str) -> Terminal:
    return Terminal(lab.command(*words), CHECKOUT, lab.environment)


def test_a_deployment_is_followed_on_a_line_that_moves(lab: Lab, tmp_path: Path) -> None:
    app = App(tmp_path, "watched", {"0001_init": "create table t (id int);"})
    app.write("one")
    seen = typed(lab, "pipeline", "run", "--repo", str(app.repo))
    assert seen.end() == 0, seen.text
    assert len(re.findall(r"roll-out  \d+\.\d s", seen.text)) > 3, seen.text  # its seconds went on
    for step in ("preflight", "migrate", "roll-out", "health"):
        assert re.search(rf"✓ {step} ", seen.text), seen.text
    assert "HEALTHY" in seen.text.rpartition("\x1b[1A")[2]
    assert seen.raw.rindex(SHOWN_AGAIN) < seen.raw.index("HEALTHY")
    pushed = typed(lab, "env", "push", "--app", app.name, "--from-env", "HOME")
    assert pushed.end() == 0, pushed.text


def test_ctrl_c_leaves_the_deployment_to_the_host_and_says_how_to_see_it_again(lab: Lab, tmp_path: Path) -> None:
    app = App(tmp_path, "left")
    app.write("one")
    lab.fault(sleep_at={"roll-out:before": 4})
    seen = typed(lab, "pipeline", "run", "--repo", str(app.repo))
    seen.until("roll-out  1")
    seen.type("\x03")
    assert seen.end() == 3, seen.text
    assert SHOWN_AGAIN in seen.raw
    (command,) = set(re.findall(r"python -m bridge (attach .*?)\s*$", seen.text, re.MULTILINE))
    followed = typed(lab, *command.split())
    assert followed.end() == 0, followed.text
    assert lab.ask(app.host) == (200, "one")


def test_a_host_is_changed_only_by_who_says_yes(lab: Lab, tmp_path: Path) -> None:
    settings = lab.inside("cat", "/etc/ikoma/settings.json")
    (tmp_path / "settings.json").write_text(json.dumps(json.loads(settings) | {"min_free_mb": 77}))
    asked = typed(lab, "host", "bootstrap", "--settings", str(tmp_path / "settings.json"))
    asked.until("[y/N]")
    asked.type("n\r")
    assert asked.end() == 0, asked.text
    assert lab.inside("cat", "/etc/ikoma/settings.json") == settings
