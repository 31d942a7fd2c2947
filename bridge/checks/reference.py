"""The reference of all rules as Markdown: ``python -m bridge.checks.reference > docs/check.md``."""

from __future__ import annotations

from bridge.checks.rules import all_rules

_HEAD = """# bridge check

`python -m bridge check --repo DIR` finds everything that would stop the build, in one pass, before the first build. It
needs no install, no network, no node_modules and no Node.js, and runs no code of the repository. Two options go
further: `--fix` lets the package manager that the repository pins renew a lock file, without the scripts of packages
(it may ask its registry, and reads what configures it: `.pnpmfile.cjs`, plugins of yarn; yarn 1 cannot do without an
install: its command is named, not called), and `--with-database` runs the migrations.

    python -m bridge check                          what stops the build, grouped by app
    python -m bridge check --app website            only what that image needs, transitively
    python -m bridge check --changed-since main     only what the change touches, or breaks elsewhere
    python -m bridge check --fix --dry-run          the changes that --fix would make
    python -m bridge check --fix                    make them, and check again
    python -m bridge check --strict                 warnings fail too
    python -m bridge check --format github|sarif|json
    python -m bridge check --with-database VARIABLE all migrations in an empty database of that server
    python -m bridge check --explain IKB101

Exit codes: 0 no error, 1 errors (with `--strict`: or warnings), 2 misuse.

**Severity** follows what would happen: an *error* stops a build or a start, a *warning* works by luck or fails later,
*information* is true and may wait. A package that is imported and not declared is an error only if it does not
resolve in an image that contains the file, computed for each image from lock file, linker and hoist patterns. In
examples, templates and test data that nothing deploys there are no errors, secrets excepted.

`pipeline run` checks by itself before it builds anything, and stops with exit code 1 at an error (migrations are left
to the plan and the host, which know the database); `--no-check` goes on, and says so. Nothing to build needs no check.

A finding is accepted in `ikoma.release.json`, by rule (id or name) and path (file, folder or pattern), with a reason:

    "silence": [{ "rule": "IKB206", "path": "tools/*", "reason": "thrown away after the build" }]

Text and JSON say what was accepted, and why. An acceptance that accepts nothing any more is itself a finding (IKB902).

JSON: `{"findings": [{"rule", "severity", "file", "line", "column", "package", "app", "message", "why", "fix", "row",
"fixable"}], "counts", "seconds", "files", "silenced", "silences": [{"rule", "path", "reason", "findings"}], "fixed"}`.
GitHub shows ten errors and ten warnings a step: the worst are annotated, all stand in the job summary.

## Rules

| Rule | Name | At worst | Row | `--fix` |
|---|---|---|---|---|
"""


def text() -> str:
    """Return the whole page."""
    rules = all_rules().values()
    table = "".join(
        f"| {rule.id} | {rule.name} | {rule.severity.word} | {rule.row or '–'} | {rule.fixes or '–'} |\n"
        for rule in rules
    )
    body = "".join(f"\n### {rule.id} {rule.name}\n\n{rule.why}\n" for rule in rules)
    return _HEAD + table + body


if __name__ == "__main__":
    print(text(), end="")
