"""GitHub as the place where a story is published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from agent.model.names import Target
from agent.model.secret import Secret
from bridge.github import context
from bridge.reports.github import Reporter, Story

if TYPE_CHECKING:
    from bridge.reports.console import Console


def reporter(target: Target, environ: Mapping[str, str], token: Secret, console: Console) -> Reporter:
    """Return the reporter of one target in this run.

    Args:
        token: what GitHub is called with; an empty one publishes the summary alone.
        environ: the variables of the job.
    """
    here = context.read(environ)
    return Reporter(Story(target, here.run), None, console)
