"""``bridge action``: one step of a workflow. Inputs come from the environment, results go to GitHub's files."""

from __future__ import annotations

import os

import typer

from bridge.commands.edge import console


def action() -> None:
    """Run as a step of the Action: what to do stands in IKOMA_INPUT_* variables (see action.yml).

    \b
    Exit codes: 0 done, 1 failed, 2 misuse, 3 connection lost while the operation goes on.
    """
    from bridge.commands.job import Job

    if code := Job(os.environ, console()).run():
        raise typer.Exit(int(code))
