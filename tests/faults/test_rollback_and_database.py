"""Back over a migration that the earlier release cannot live with: refused, unless the database goes back as well."""

from pathlib import Path

from tests.faults.app import App
from tests.faults.lab import Lab


def test_a_rollback_over_a_breaking_migration_takes_the_database_along_or_does_not_happen(
    lab: Lab, tmp_path: Path
) -> None:
    app = App(tmp_path, "over", {"0001_init": "create table t (id int, name text); insert into t values (1, 'kept');"})
    app.write("one")
    first = lab.deploy(app.repo)
    assert first.code == 0, first
    app.migrations["0002_less"] = "alter table t drop column name;"
    app.write("two")
    second = lab.deploy(app.repo, "--accept", "0002_less")
    assert second.code == 0, second

    with lab.asking(app.host) as answers:
        refused = lab.bridge("rollback", "--app", app.name, "--json")
    assert (refused.code, refused.json["status"]) == (1, "FAILED"), refused
    assert "0002_less" in refused.json["error"]["message"], refused
    assert "--restore-database" in refused.json["error"]["remedy"]
    assert (set(answers.bodies), answers.failures) == ({"two"}, [])

    back = lab.bridge("rollback", "--app", app.name, "--restore-database", "--discard", "all", "--json")
    assert (back.code, back.json["status"]) == (0, "HEALTHY"), back
    assert back.json["release"] == first.json["release"]
    before_they_stop = [step["name"] for step in back.json["steps"]][:4]
    assert before_they_stop == ["weigh", "pull", "backup", "stop"]
    assert lab.ask(app.host) == (200, "one")
    query = ["runuser", "-u", "postgres", "--", "psql", "-At", "-d", app.name, "-c", "select name from t"]
    assert lab.inside(*query).strip() == "kept"
    assert lab.bridge("call", "artifact.verify_release", "--app", app.name, "--json").json["verified"] is True

    gone = lab.bridge("call", "apps.remove", "--app", app.name, f"confirm={app.name}", "database=true", "--json")
    assert (gone.code, gone.json["status"]) == (0, "DONE"), gone
    left = ["runuser", "-u", "postgres", "--", "psql", "-At", "-c",
            f"select datname from pg_database where datname like '{app.name}%' union all "
            f"select rolname from pg_roles where rolname like '{app.name}%'"]  # fmt: skip
    assert lab.inside(*left).strip() == ""
    assert lab.inside("sh", "-c", f"ls /var/backups/ikoma/{app.name}"), "the last backup stays"
