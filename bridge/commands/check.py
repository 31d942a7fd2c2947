"""``bridge check``: everything that would stop the build, in one pass, before the first build."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.model.errors import Exit, Misuse
from bridge.commands.edge import console

if TYPE_CHECKING:
    from agent.model.dsn import Dsn
    from bridge.checks.engine import Report
    from bridge.checks.model import Rule

Repo = Annotated[Path, typer.Option("--repo", metavar="DIR", help="The repository, or a folder in it.")]
Form = Annotated[str, typer.Option("--format", metavar="FORM", help="text, json, github or sarif.")]
Json = Annotated[bool, typer.Option("--json", help="The same as --format json.")]
Strict = Annotated[bool, typer.Option("--strict", help="Warnings fail too.")]
Explain = Annotated[str, typer.Option("--explain", metavar="RULE", help="Say what a rule is for, and leave.")]
App = Annotated[str, typer.Option("--app", metavar="APP", help="Only what this app's image needs, transitively.")]
Since = Annotated[str, typer.Option("--changed-since", metavar="REV", help="Only what changed since this commit.")]
Fix = Annotated[bool, typer.Option("--fix", help="Repair what can be repaired safely, and check again.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="With --fix: show the changes, make none.")]
Database = Annotated[
    str, typer.Option("--with-database", metavar="VARIABLE", help="Try all migrations on the server this names.")
]
Out = Annotated[str, typer.Option("--output", metavar="FILE", help="Write the report to a file as well.")]


def check(
    repo: Repo = Path(),
    form: Form = "text",
    as_json: Json = False,
    strict: Strict = False,
    explain: Explain = "",
    app: App = "",
    changed_since: Since = "",
    fix: Fix = False,
    dry_run: Dry = False,
    output: Out = "",
    with_database: Database = "",
) -> None:
    """Find everything that would stop the build: no install, no network, no Node.js.

    \b
    Examples:
      python -m bridge check
      python -m bridge check --repo ../shop --app website --strict
      python -m bridge check --fix --dry-run
      python -m bridge check --with-database CI_DATABASE_URL
      python -m bridge check --explain IKB101

    \b
    Exit codes: 0 no error, 1 errors (with --strict: or warnings), 2 misuse.
    """
    if explain:
        _explain(explain)
        return
    face = "json" if as_json else form
    _known_face(face)
    if not repo.is_dir():
        raise Misuse("check.no_folder", path=repo)
    report = _report(repo, app, changed_since, with_database, fix=fix, dry_run=dry_run)
    _show(report, face, output)
    failed = report.counts["error"] or (strict and report.counts["warning"])
    if failed:
        raise typer.Exit(int(Exit.FAILED))


def _report(repo: Path, app: str, changed_since: str, variable: str, *, fix: bool, dry_run: bool) -> Report:
    from bridge.checks import engine, fixing, scope

    wanted = replace(scope.scope(repo, app, changed_since), database=_server(variable) if variable else None)
    if dry_run and not fix:
        raise Misuse("check.dry_run")
    if not fix:
        return engine.check(repo, wanted)
    return fixing.fix(repo, wanted, console().say, dry_run=dry_run)


def _server(variable: str) -> Dsn:
    """Return the connection that a variable of the environment holds. Raises ``Misuse("check.no_database")``."""
    from agent.model import dsn

    value = os.environ.get(variable, "").strip()
    if not value:
        raise Misuse("check.no_database", variable=variable)
    return dsn.parse(value, variable)


def _known_face(name: str) -> None:
    from bridge.reports import findings

    if name not in findings.names():
        raise Misuse("check.format", format=name, known=", ".join(findings.names()))


def _show(report: Report, face: str, output: str) -> None:
    from bridge.reports import findings

    speaker = console()
    if face in ("github", "sarif"):
        report = report.from_top()
    text = findings.render(face, report)
    if output:
        from agent.host.files import write_atomic

        write_atomic(Path(output), text + "\n")
    if face == "text":
        speaker.say(text)
    else:
        speaker.raw(text)
    if (summary := os.environ.get("GITHUB_STEP_SUMMARY")) and face == "github":
        from bridge.github.context import read
        from bridge.reports.findings import github

        with open(summary, "a", encoding="utf-8", errors="replace") as stream:
            stream.write(github.summary(report, read(os.environ).run, speaker.lang))


def _explain(name: str) -> None:
    rule, speaker = _rule(name), console()
    row = f", row {rule.row}" if rule.row else ""
    fixes = f"--fix {rule.fixes}." if rule.fixes else "Nothing is changed by --fix."
    told = f"{rule.id} {rule.name} (at worst {rule.severity.word}{row})\n\n{rule.why}\n\n{fixes}"
    if speaker.kept:  # no form of theirs explains
        speaker.raw(told)
        return
    known = {"rule": rule.id, "name": rule.name, "severity": rule.severity.word, "row": rule.row}
    speaker.answer({**known, "explanation": rule.why, "fix": rule.fixes}, told)


def _rule(name: str) -> Rule:
    """Return the rule of this id or name. Raises ``Misuse("check.no_rule")``."""
    import difflib

    from bridge.checks.rules import all_rules

    rules = all_rules()
    rule = rules.get(name.upper()) or next((rule for rule in rules.values() if rule.name == name.lower()), None)
    if rule is None:
        known = [*rules, *(rule.name for rule in rules.values())]
        near = difflib.get_close_matches(name, known, 1, 0.4)
        raise Misuse("check.no_rule", rule=name, near=near[0] if near else next(iter(rules)))
    return rule
