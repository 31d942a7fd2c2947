"""Reports: what people see, with everything foreign made harmless."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from typing import Any

import pytest

from agent.model.errors import Exit, IkomaError
from agent.model.names import Target
from agent.protocol import Event
from bridge.commands import edge, logs
from bridge.reports import final, model
from bridge.reports.console import Console
from bridge.reports.progress import Progress, sentence
from bridge.reports.text import clean, inert, seconds, table

HOSTILE = "\x1b[31mred\x1b[0m \x1b]0;title\x07bell\x07 \x9b2J \u202eevil\u202c \u200bhidden\r\n::set-output name=x::y"


def console(*, as_json: bool = False, **env: str) -> Console:
    return Console(as_json=as_json, environ={"IKOMA_LANG": "en", **env}, out=io.StringIO(), err=io.StringIO())


def read(stream: Any) -> str:
    return str(stream.getvalue())


def event(kind: Any, **data: Any) -> Event:
    return Event("op", 1, "2026-01-01T00:00:00Z", kind, data)


def test_nothing_that_a_terminal_obeys_survives() -> None:
    shown = clean(HOSTILE)
    assert shown == "red bell 2J evil hidden ::set-output name=x::y"
    assert all(letter.isprintable() for letter in shown)


def test_no_mark_that_hides_or_reorders_survives_and_no_half_of_a_character() -> None:
    """Signs of four scripts are of the same class, and visible: they stay."""
    visible = re.compile("ARABIC (?!LETTER MARK)|SYRIAC|KAITHI|EGYPTIAN")
    hidden = [
        letter for letter in map(chr, range(0x110000)) if unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp")
    ]
    kept = [letter for letter in hidden if letter not in "\t\n" and letter in clean(f"a{letter}b")]
    assert len(hidden) > 100
    assert [hex(ord(letter)) for letter in kept if not visible.match(unicodedata.name(letter, ""))] == []
    assert clean("\udcff.txt \ud800") == "\ufffd.txt \ufffd"


def test_a_stream_that_knows_few_letters_stops_no_command() -> None:
    raw = io.BytesIO()
    narrow = io.TextIOWrapper(raw, encoding="ascii", errors="strict")
    Console(environ={}, out=narrow, err=narrow).say("déjà → ✅")
    assert raw.getvalue() == b"d\\xe9j\\xe0 \\u2192 \\u2705\n"


def test_what_machines_read_holds_no_workflow_command_either() -> None:
    said = {"message": "##[add-mask]web ##[error]x"}
    speaker = console(as_json=True, GITHUB_ACTIONS="true")
    speaker.answer(said, "")
    assert "##[" not in read(speaker.out)
    assert json.loads(read(speaker.out)) == said


@pytest.mark.parametrize(
    "line",
    [
        "::error::x",
        "  ::add-mask::x",
        "\t::stop-commands::x",
        "a ##[error]x",
        "##[group]x",
        ":\x00:error::x",
        "\u200b::error::x",
    ],
)
def test_no_foreign_line_is_a_workflow_command(line: str) -> None:
    speaker = console(GITHUB_ACTIONS="true")
    speaker.say(line)
    printed = read(speaker.out)
    assert not printed.lstrip().startswith("::")
    assert "##[" not in printed


def test_inert_leaves_ordinary_text_alone() -> None:
    assert inert("a::b ## [x] std::vector") == "a::b ## [x] std::vector"


def test_log_lines_of_services_cannot_open_a_group() -> None:
    speaker = console(GITHUB_ACTIONS="true")
    Progress(speaker).event(event("log", step="health", service="::group::x", line="::endgroup::\n::error::boo"))
    assert not [line for line in read(speaker.out).splitlines() if line.lstrip().startswith("::")]


@pytest.mark.parametrize(
    ("actions", "expected"), [("true", ["::group::build", "  x", "::endgroup::"]), ("", ["build", "  x"])]
)
def test_stages_are_groups_in_actions_and_headings_elsewhere(actions: str, expected: list[str]) -> None:
    speaker = console(GITHUB_ACTIONS=actions)
    face = Progress(speaker)
    with face.stage("build"):
        face.note("x")
    assert read(speaker.out).splitlines() == expected
    assert [name for name, _ in face.stages] == ["build"]


def test_a_group_is_closed_when_its_stage_fails() -> None:
    speaker = console(GITHUB_ACTIONS="true")
    with pytest.raises(IkomaError), Progress(speaker).stage("build"):
        raise IkomaError("cli.cancelled")
    assert read(speaker.out).splitlines()[-1] == "::endgroup::"


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (event("step", step="migrate", status="done", seconds=0.21, detail="x"), "✓ migrate          0.2 s  x"),
        (event("step", step="health", status="failed", seconds=12.4, detail=""), "✗ health            12 s"),
        (event("step", step="a", status="failed", seconds=1, detail="b:\n- c"), "✗ a                1.0 s  b"),
        (event("progress", step="pull", text="api: ok"), "    api: ok"),
        (event("log", step="health", service="api", line="boom"), "    api | boom"),
        (event("accepted"), ""),
        (event("end", status="HEALTHY"), ""),
    ],
)  # fmt: skip
def test_each_event_is_one_line_or_none(shown: Event, expected: str) -> None:
    assert sentence(shown, console()) == expected


def test_who_holds_the_lock_is_said_with_the_run() -> None:
    client = {"actor": "anna", "repository": "shop/shop", "run": "https://x/1"}
    line = sentence(event("waiting", holder="op-2", since="12:00", client=client), console())
    assert line == "waiting: the operation op-2 of anna, shop/shop, https://x/1 holds this target since 12:00"


def test_secrets_of_this_side_are_masked_in_lines_and_in_the_object() -> None:
    speaker = console(
        as_json=True, BRIDGE_REGISTRY_TOKEN="s3same/+open", BRIDGE_SSH_KEY="-----BEGIN K\nabcdefgh\n-----END"
    )
    speaker.say("token s3same/+open key abcdefgh")
    speaker.answer({"a": ["x s3same/+open"], "b": {"c": "s3same%2F%2Bopen"}}, "")
    assert read(speaker.err) == "token *** key ***\n"
    assert json.loads(read(speaker.out)) == {"a": ["x ***"], "b": {"c": "***"}}


def test_a_path_of_a_key_is_no_secret() -> None:
    speaker = console(BRIDGE_SSH_KEY="/home/anna/.ssh/deploy")
    speaker.say("uses /home/anna/.ssh/deploy")
    assert read(speaker.out) == "uses /home/anna/.ssh/deploy\n"


def test_a_command_answers_once() -> None:
    speaker = console(as_json=True)
    speaker.answer({}, "")
    with pytest.raises(RuntimeError):
        speaker.answer({}, "")


RESULT: dict[str, Any] = {
    "status": "HEALTHY", "message": "Deployment validated by health check",
    "release": "r-000000000001", "previous": None, "operation": "op",
    "seconds": 4.0, "steps": [{"name": "commit", "status": "done", "seconds": 0.1, "detail": ""}],
    "services": {"web": {"action": "replaced", "state": "healthy"}},
    "migrations": {"applied": ["0001_a"], "pending": []}, "error": None, "warnings": [],
}  # fmt: skip


def test_a_deployments_report_has_every_documented_key_even_when_the_host_said_little() -> None:
    documented = {"status", "message", "app", "environment", "release", "previous", "operation", "seconds", "steps",
                  "stages", "images", "services", "migrations", "routes", "warnings", "error"}  # fmt: skip
    for result in (RESULT, {}, {"migrations": None, "services": None, "steps": None}):
        report = model.deployment(Target("shop"), result)
        assert set(report) == documented
        assert set(report["migrations"]) == {"applied", "pending"}


def test_a_deployment_that_failed_here_says_so_and_one_that_goes_on_is_running() -> None:
    failed = model.failed_deployment(Target("shop"), None, IkomaError("cli.not_built", services="web"), "en")
    assert (failed["status"], failed["operation"]) == ("FAILED", None)
    assert failed["error"] is not None
    assert failed["error"]["id"] == "cli.not_built"
    lost = IkomaError(
        "remote.detached", exit_code=Exit.DETACHED, operation="op", command="c", destination="d", reason="r"
    )
    assert model.failed_deployment(Target("shop"), "op", lost, "en")["status"] == "RUNNING"


def test_the_closing_table_tells_what_happened_and_obeys_nobody() -> None:
    report = model.deployment(Target("shop"), RESULT | {"message": HOSTILE, "routes": ["https://shop.example"]})
    report["images"] = {"web": {"ref": "r@sha256:0", "built": True}}
    shown = final.deployment(report, console())
    for part in (
        "shop (production)",
        "r-000000000001",
        "HEALTHY",
        "1 applied",
        "https://shop.example",
        "replaced",
        "built",
    ):
        assert part in shown
    assert "\x1b" not in shown


def test_the_status_table_shows_what_runs() -> None:
    result = {"release": "r-1", "status": "HEALTHY", "since": "x", "services": {"web": {"state": "healthy"}},
              "operation": {"id": "op", "capability": "deploy.apply", "step": "migrate", "since": "x"}}  # fmt: skip
    shown = final.status(model.status(Target("shop", "staging"), result), console())
    assert "shop (staging)" in shown
    assert "deploy.apply  migrate" in shown
    assert "–" in final.status(model.status(Target("shop"), {}), console())


def test_a_fault_keeps_the_lines_of_a_log() -> None:
    speaker = console()
    speaker.fault(IkomaError("health.exited", service="web", code=1, log="first\nsecond"))
    assert read(speaker.err).splitlines()[-2:] == ["first", "second"]


def test_a_deployment_that_failed_shows_no_empty_columns_and_the_first_line_of_why() -> None:
    failed = {"status": "FAILED", "message": "two reasons:\n- a\n- b"}
    report = model.deployment(Target("shop"), RESULT | failed | {"services": {}})
    report["images"] = {"web": {"ref": "r@sha256:0", "built": True}}
    shown = [line.split() for line in final.deployment(report, console()).splitlines()]
    assert ["status", "FAILED", "·", "two", "reasons"] in shown
    assert shown[-2:] == [["service", "image"], ["web", "built"]]


@pytest.mark.parametrize(("action", "said"), [("replaced", True), ("restarted", False), ("unchanged", False)])
def test_the_way_back_is_shown_after_what_a_rollback_would_undo(action: str, said: bool) -> None:
    result = RESULT | {"previous": "r-000000000000", "migrations": {}, "services": {"web": {"action": action}}}
    shown = final.deployment(model.deployment(Target("shop"), result), console())
    assert ("bridge rollback --app shop" in shown) is said


def test_where_nothing_was_deployed_the_status_says_how_to_begin() -> None:
    assert "pipeline run" in final.status(model.status(Target("shop"), {}), console())


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ({"web": "exited", "jobs": "stopped", "seed": "completed"}, True),
        ({"web": "exited", "jobs": "running", "seed": "completed"}, False),
        ({"seed": "completed"}, False),
    ],
)
def test_a_target_that_was_stopped_says_how_to_bring_it_up(states: dict[str, str], said: bool) -> None:
    services = {name: {"state": state, "kind": "one-shot" if name == "seed" else "worker"}
                for name, state in states.items()}  # fmt: skip
    result = {"release": "r-1", "status": "HEALTHY", "services": services}
    shown = final.status(model.status(Target("shop", "staging"), result), console())
    assert ("stopped: bring it up with python -m bridge call deploy.up --app shop --env staging" in shown) is said
    starting = result | {"operation": {"id": "op", "capability": "deploy.up"}}
    assert "bring it up" not in final.status(model.status(Target("shop"), starting), console())


def planned(migrations: model.MigrationPlan | None) -> model.PlanReport:
    host = {"lines": ["web: replaced"], "problems": []}
    return {"app": "shop", "environment": "production", "release": "r-1", "images": {}, "host": host,
            "migrations": migrations}  # fmt: skip


def test_a_plan_names_the_migrations_it_would_apply() -> None:
    report = planned({"pending": ["0002_x", "0003_y"], "problems": []})
    assert "migrations: 2 pending: 0002_x, 0003_y" in final.plan(report, console()).splitlines()
    assert not model.obstructed(report)


def test_a_plan_that_the_database_would_stop_says_why_and_fails() -> None:
    report = planned({"pending": [], "problems": ["0001_x.sql was changed.\x1b[31m"]})
    assert "✗ 0001_x.sql was changed." in final.plan(report, console()).splitlines()
    assert model.obstructed(report)


def test_a_plan_of_an_older_host_says_nothing_of_migrations() -> None:
    report = planned(None)
    assert "migrations" not in final.plan(report, console())
    assert not model.obstructed(report)


def test_tables_and_times_are_for_people() -> None:
    assert table([("a", "bb"), ("ccc", "d")]) == "a    bb\nccc  d"
    assert table([]) == ""
    assert [seconds(value) for value in (0.04, 9.94, 61, 200)] == ["0.0 s", "9.9 s", "61 s", "3 min 20 s"]


def test_lines_that_are_followed_are_the_answer_and_nothing_follows_them(capsys: pytest.CaptureFixture[str]) -> None:
    line = {"service": "api", "time": "2026-01-01T00:00:00Z", "line": "a\x1b[31m ready"}

    def program() -> None:
        logs.show({"lines": [line, line]}, edge.console())
        raise KeyboardInterrupt

    assert edge.run(program, ["logs", "--follow", "--json"]) == Exit.FAILED
    assert [json.loads(said) for said in capsys.readouterr().out.splitlines()] == [line, line]
    edge.run(program, ["logs", "--follow"])
    assert capsys.readouterr().out == "api | a ready\n" * 2
