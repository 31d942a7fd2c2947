"""``--only``: part of an app is built and deployed; the rest stays as it is, unless the database forbids it."""

from pathlib import Path

from tests.faults.app import App
from tests.faults.lab import Lab


def test_only_what_was_named_is_built_and_replaced(lab: Lab, tmp_path: Path) -> None:
    app = App(tmp_path, "part", {"0001_init": "create table t (id int, name text);"})
    app.write("one")
    first = lab.deploy(app.repo)
    assert first.code == 0, first
    before = {service: identity for identity, service in lab.containers(app.name).items()}
    app.migrations["0002_more"] = "alter table t add column note text;"
    app.write("two")
    part = lab.deploy(app.repo, "--only", "web")
    assert part.code == 0, part
    assert sorted(part.json["images"]) == ["web"]
    assert part.json["services"]["jobs"]["action"] == "unchanged"
    after = {service: identity for identity, service in lab.containers(app.name).items()}
    assert after["jobs"] == before["jobs"]
    assert after["web"] != before["web"]
    assert lab.ask(app.host) == (200, "two")

    app.migrations["0003_less"] = "alter table t drop column name;"
    app.write("three")
    refused = lab.deploy(app.repo, "--only", "web")
    assert (refused.code, refused.json["status"]) == (1, "FAILED"), refused
    assert "0003_less.sql:1" in refused.json["error"]["message"], refused
    assert lab.ask(app.host) == (200, "two")
    whole = lab.deploy(app.repo, "--accept", "0003_less")
    assert whole.code == 0, whole
    assert lab.ask(app.host) == (200, "three")
