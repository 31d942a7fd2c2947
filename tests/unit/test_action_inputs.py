"""The Action's inputs: one list, told the same everywhere, judged all at once, masked before use."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from agent.model.errors import Misuse
from agent.model.secret import Secret
from bridge.github import handed, job, request
from bridge.github.inputs import COMMANDS, INPUTS, OUTPUTS, Input

ROOT = Path(__file__).parents[2]
DEPLOY = {"command": "deploy", "ssh-key": "-----BEGIN KEY-----", "registry": "ghcr.io/you"}


@pytest.fixture(scope="module")
def action() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load((ROOT / "action.yml").read_text())
    return loaded


def row(item: Input) -> str:
    """Return the row of the README's table."""
    commands = "all" if len(item.commands) == len(COMMANDS) else ", ".join(c for c in COMMANDS if c in item.commands)
    default = f"`{item.default}`" if item.default else "required" if item.required == item.commands else ""
    return f"| `{item.name}` | {commands} | {default} | {item.about} |"


def test_action_yml_has_the_inputs_of_the_list_in_its_order(action: dict[str, Any]) -> None:
    stated = {name: (item["description"], item.get("default", "")) for name, item in action["inputs"].items()}
    assert list(stated.items()) == [(item.name, (item.about, item.default)) for item in INPUTS]


def test_action_yml_gives_every_input_to_the_bridge_and_every_output_to_the_caller(action: dict[str, Any]) -> None:
    run = action["runs"]["steps"][-1]
    assert run["env"] == {item.variable: f"${{{{ inputs.{item.name} }}}}" for item in INPUTS}
    assert action["outputs"] == {
        item.name: {"description": item.about, "value": f"${{{{ steps.run.outputs.{item.name} }}}}"} for item in OUTPUTS
    }


def test_no_step_puts_an_expression_into_a_script(action: dict[str, Any]) -> None:
    workflows = [YAML(typ="safe").load(path.read_text()) for path in (ROOT / ".github/workflows").glob("*.yml")]
    steps = [step for workflow in workflows for spec in workflow["jobs"].values() for step in spec.get("steps", [])]
    scripts = [step["run"] for step in [*steps, *action["runs"]["steps"]] if "run" in step]
    assert scripts
    assert not [script for script in scripts if "${{" in script]


def test_the_readme_tells_every_input_and_output() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    assert [line for item in INPUTS if (line := row(item)) not in lines] == []
    assert [line for item in OUTPUTS if (line := f"| `{item.name}` | {item.about} |") not in lines] == []


@pytest.mark.parametrize("name", ["check.yml", "deploy.yml", "rollback.yml", "report.yml"])
def test_the_workflows_give_the_action_only_inputs_that_their_command_uses(name: str) -> None:
    workflow = YAML(typ="safe").load((ROOT / ".github/workflows" / name).read_text())
    calls = [step for spec in workflow["jobs"].values() for step in spec["steps"] if step.get("uses") == "$/"]
    assert calls
    for call in calls:
        known = {item.name for item in INPUTS if call["with"]["command"] in item.commands}
        assert call["with"].keys() <= known


def problems(**given: str) -> str:
    with pytest.raises(Misuse) as caught:
        request.read({name.replace("_", "-"): value for name, value in given.items()})
    return caught.value.message("en")


def test_a_right_request_is_read_with_its_defaults() -> None:
    read = request.read(DEPLOY | {"only": "web\n\n jobs \n", "build-values": "A=1\nB=x=y"})
    assert read.command == "deploy"
    assert read.text("environment") == "production"
    assert read.lines("only") == ("web", "jobs")
    assert read.build_values == {"A": "1", "B": "x=y"}
    assert "BEGIN" not in repr(read)


def test_every_problem_is_told_at_once() -> None:
    said = problems(command="deploy", port="x", strict="true", environment="Prod!", host_key="a b", known_hosts="c")
    for part in ("(6)", "`ssh-key` is missing", "`registry` is missing", "`port`", "`strict` means nothing to `deploy`",
                 "`environment`", "`host-key` and `known-hosts`"):  # fmt: skip
        assert part in said, said


def test_a_scanner_is_named_as_an_image() -> None:
    assert request.read(DEPLOY | {"sbom": "ghcr.io/you/scan:1"}).text("sbom") == "ghcr.io/you/scan:1"
    assert "`sbom` must be" in problems(**DEPLOY | {"sbom": "x,type=provenance"})


def test_a_mistyped_command_is_told_with_the_nearest_one() -> None:
    assert "(deploy?)" in problems(command="depoly")
    assert "`command` is missing" in problems()


@pytest.mark.parametrize("to", ["r-0a1b2c3d4e5", "r-0a1b2c3d4e5f\nx", "$(id)", "r-0A1B2C3D4E5F"])
def test_a_rollback_goes_to_release_ids_alone(to: str) -> None:
    assert "`to`" in problems(command="rollback", ssh_key="-----BEGIN", to=to)


@pytest.mark.parametrize("line", ["PATH=/x", "LD_PRELOAD=/x", "GITHUB_ENV=/x", "BRIDGE_HOST=x", "PYTHONPATH=x", "A B=c",
                                  "NODE_OPTIONS=-r x", "http_proxy=x", "just words"])  # fmt: skip
def test_build_values_reach_no_program_of_ours(line: str) -> None:
    assert "`build-values`" in problems(**DEPLOY | {"build_values": line})


def test_a_wrong_value_is_shown_short_and_on_one_line() -> None:
    said = problems(command="x" * 500 + "\n::set-output name=a::b")
    assert max(map(len, said.splitlines())) < 200
    assert "\n::set-output" not in said


def test_a_key_is_its_text_and_never_a_path() -> None:
    said = problems(command="rollback", ssh_key="~/.ssh/deploy")
    assert "`ssh-key` must be the text" in said
    assert "~/.ssh" not in said


def test_inputs_leave_the_environment() -> None:
    environ = {item.variable: "v" for item in INPUTS} | {"IKOMA_INPUT_LATER": "x", "HOME": "/root"}
    assert set(request.take(environ).values()) == {"v"}
    assert environ == {"HOME": "/root"}


def test_masks_cover_the_whole_its_lines_and_what_is_derived() -> None:
    key = "-----BEGIN KEY-----\nfirst-line-of-it\nsecond-line-of-it\n-----END KEY-----\n"
    masks = job.masks([Secret(key), Secret("tok/en+1234")], "robot")
    assert {"first-line-of-it", "second-line-of-it", key.strip(), "tok/en+1234", "tok%2Fen%2B1234"} <= set(masks)
    assert base64.b64encode(b"robot:tok/en+1234").decode() in masks
    assert b"tok/en+1234".hex() in masks


def masked(text: str, *secrets: str) -> str:
    """Return ``text`` as the runner shows it, going by our masks alone."""
    for form in job.masks([Secret(secret) for secret in secrets]):
        text = text.replace(form, "***")
    return text


@given(st.binary(max_size=5), st.binary(max_size=5), st.text(min_size=10, max_size=30))
def test_no_encoding_of_a_secret_is_shown_wherever_it_stands(before: bytes, after: bytes, secret: str) -> None:
    value = f"s3cr3t{secret.strip()}t3rc3s"
    raw = value.encode(errors="replace")
    whole = base64.b64encode(before + raw + after).decode()
    assert len(masked(whole, value)) <= len(before) * 2 + len(after) * 2 + 11, "all but the edges"
    safe = base64.urlsafe_b64encode(raw).decode()
    told = [safe, quote(raw, safe=""), quote_plus(raw), raw.hex(), json.dumps({"a": value})[7:-2]]
    assert [masked(text, value) for text in told] == ["***"] * len(told)


def test_a_key_is_masked_in_json_and_as_one_base64_text_too() -> None:
    key = "-----BEGIN KEY-----\nfirst-line-of-it\nsecond-line-of-it\n-----END KEY-----\n"
    assert "line-of-it" not in masked(json.dumps({"key": key}), key)
    assert masked(base64.b64encode(key.encode()).decode(), key) in ("***", "***Cg==", "***K", "***o=")


def test_masks_cover_each_value_of_an_environment_file_but_no_ordinary_word() -> None:
    masks = job.masks([Secret('STRIPE="sk_live_12345"\nPORT=8080\nMODE=production\nDEBUG=true\nA=b')])
    assert "sk_live_12345" in masks
    assert not {"8080", "production", "true", "b"} & set(masks)


def test_an_output_stays_in_its_place_whatever_it_holds(tmp_path: Path) -> None:
    file = tmp_path / "output"
    job.write_outputs(file, {"status": "X\nrelease<<EOF\nowned\nEOF\n::error::y\x1b[2J", "release": "r" * 5000})
    lines = file.read_text().splitlines()
    assert len(lines) == 3 * len(OUTPUTS)
    assert [line.partition("<<")[0] for line in lines[::3]] == [item.name for item in OUTPUTS]
    assert "\x1b" not in file.read_text()
    assert len({lines[0].partition("<<")[2], lines[3].partition("<<")[2]}) == 2


def test_a_workflow_command_stays_one_command() -> None:
    said = job.command("error", "a\n::set-output name=x::y%", {"file": "a,line=1::b", "title": ""})
    assert said == "::error file=a%2Cline=1%3A%3Ab::a%0A::set-output name=x::y%25"


FINDING = {
    "rule": "IKB203", "severity": "error", "file": "a\u202eb", "line": 1, "column": 1, "package": "", "app": "",
    "message": "x\n::error::y\x1b[2J", "why": "", "fix": "", "row": "", "fixable": False,
}  # fmt: skip
CHECK = {"findings": [FINDING], "counts": {"error": 0}, "seconds": 0.1, "files": 1, "silenced": 0, "fixed": []}
REPORT = {"app": "shop", "environment": "production", "check": CHECK}


def test_a_report_of_another_job_is_cleaned_and_counted_again(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(json.dumps(REPORT))
    kept = handed.read(tmp_path / "r.json")
    assert kept.status() == "REFUSED"
    assert kept.findings == 1
    assert kept.check["findings"][0]["file"] == "ab"
    assert kept.check["findings"][0]["message"] == "x ::error::y"


def test_warnings_alone_fail_where_whoever_publishes_says_so_and_never_by_what_is_handed_over(tmp_path: Path) -> None:
    check = CHECK | {"findings": [FINDING | {"severity": "warning"}], "counts": {"warning": 0}, "strict": False}
    (tmp_path / "r.json").write_text(json.dumps(REPORT | {"check": check, "strict": True}))
    kept = handed.read(tmp_path / "r.json")
    assert (kept.status(), kept.status(strict=True)) == ("PASSED", "REFUSED")


@pytest.mark.parametrize(
    "spoiled",
    [
        {"app": "Shop"}, {"app": "a" * 40}, {"environment": "x/y"}, {"check": {}}, {"check": None},
        {"check": CHECK | {"findings": [FINDING] * 5001}}, {"check": CHECK | {"findings": [FINDING | {"line": "1"}]}},
        {"check": CHECK | {"findings": [FINDING | {"severity": "fatal"}]}},
        {"check": CHECK | {"findings": [FINDING | {"message": "x" * 9000}]}},
        {"check": CHECK | {"counts": {"free text": 1}}},
    ],
)  # fmt: skip
def test_a_report_of_another_shape_is_refused(tmp_path: Path, spoiled: dict[str, Any]) -> None:
    (tmp_path / "r.json").write_text(json.dumps(REPORT | spoiled))
    with pytest.raises(Misuse, match="no report of an earlier check"):
        handed.read(tmp_path / "r.json")
