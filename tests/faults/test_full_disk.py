"""A host whose disk is full: a deployment says so and changes nothing; what frees or only reads still works."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.app import App
from tests.faults.lab import Lab
from tests.rig.fixtures import command, exports

NAME = "small"
BALLAST = "/var/lib/fill"


@pytest.fixture
def small(rig: dict[str, str]) -> Iterator[Lab]:
    """A second host beside the first, with a disk of 900 MB."""
    command("up", "--name", NAME, "--disk", "900M")
    try:
        yield Lab(exports(NAME), NAME)
    finally:
        command("down", "--name", NAME)


def fill(lab: Lab) -> None:
    """Leave not a byte free."""
    lab.inside(
        "sh", "-c", f"dd if=/dev/zero of={BALLAST} bs=1M 2>/dev/null; cat /dev/zero > {BALLAST}.2; true", check=False
    )


def test_on_a_full_disk_only_what_needs_space_is_refused(small: Lab, tmp_path: Path) -> None:
    app = App(tmp_path, "full", {"0001_init": "create table t (id int);"})
    for version in ("one", "two"):
        app.write(version)
        done = small.deploy(app.repo)
        assert done.code == 0, done
    operation = done.json["operation"]
    fill(small)
    app.migrations["0002_more"] = "create table u (id int);"
    app.write("three")
    with small.asking(app.host) as answers:
        refused = small.deploy(app.repo)
    assert (refused.code, refused.json["status"]) == (1, "FAILED"), refused
    told = refused.json["error"]["message"].lower()
    assert "disk" in told or "free" in told, told
    assert refused.json["error"]["remedy"], refused
    assert answers.failures == []
    assert set(answers.bodies) == {"two"}
    attached = small.bridge("attach", operation, "--json")
    assert (attached.code, attached.json["status"]) == (0, "HEALTHY"), attached
    back = small.bridge("rollback", "--app", app.name, "--json")
    assert back.code == 0, back
    assert small.ask(app.host) == (200, "one")
    restarted = small.bridge("call", "deploy.restart", "--app", app.name)
    assert restarted.code == 0, restarted
    down = small.bridge("call", "deploy.down", "--app", app.name)
    assert down.code == 0, down
    small.inside("rm", "-f", BALLAST, f"{BALLAST}.2")
    again = small.deploy(app.repo)
    assert again.code == 0, again
    assert small.ask(app.host) == (200, "three")
