"""The whole reports: the comment, the check run's output, the job's summary. Pure, and never longer than allowed."""

from __future__ import annotations

import re
from typing import Any, Final, Literal

from bridge.reports import sections
from bridge.reports.document import Part, fit
from bridge.reports.github import Story
from bridge.reports.markdown import code, cut, link, prose
from bridge.reports.sections import Words
from bridge.reports.text import clean

COMMENT_LIMIT: Final = 65_536
CHECK_LIMIT: Final = 65_535
SUMMARY_LIMIT: Final = 1024 * 1024
"""Bytes; of a job's summary GitHub shows nothing at all when it is longer."""

_RESERVE: Final = 536
_SIGNS: Final = {"HEALTHY": "✅", "DONE": "✅", "FAILED": "❌", "ROLLED_BACK": "↩️", "INTERRUPTED": "⚠️", "RUNNING": "⏳"}

Conclusion = Literal["success", "failure", "neutral"]


def comment(story: Story, lang: str) -> str:
    """Return the comment without its marker, below the limit with room for one."""
    return fit(_parts(story, lang), COMMENT_LIMIT - _RESERVE)


def job(story: Story, lang: str) -> str:
    """Return the job's summary; half the limit, since others may write to the same file."""
    return fit(_parts(story, lang), SUMMARY_LIMIT // 2) + "\n"


def check_text(story: Story, lang: str) -> str:
    """Return the text of the check run: findings and plan."""
    say = Words(lang)
    return fit([*sections.findings(story, say), *sections.plan(story, say)], CHECK_LIMIT - _RESERVE)


def check_title(story: Story, lang: str) -> str:
    """Return the check run's headline."""
    say = Words(lang)
    counted = sections.tally(story.check, say) if story.check else say("not_checked")
    refused = story.plan is not None and sections.plan_problems(story.plan)
    return f"{counted}; {say('refused')}" if refused else counted


def conclusion(story: Story) -> Conclusion:
    """Return how the check ends: errors and refused plans fail it, a plan that could not be made fails nothing."""
    if story.check is None:
        return "neutral"
    counts = story.check["counts"]
    failing = counts.get("error") or (story.strict and counts.get("warning"))
    refused = story.plan is not None and bool(sections.plan_problems(story.plan))
    return "failure" if failing or refused else "success"


def notes(story: Story, limit: int) -> list[dict[str, Any]]:
    """Return the findings as the Checks API takes them, the worst first, at most ``limit``."""
    levels = {"error": "failure", "warning": "warning"}
    found = story.check["findings"] if story.check else []
    return [
        {
            "path": cut(clean(item.get("file", "")), 1000) or ".",
            "start_line": max(1, int(item.get("line") or 1)),
            "end_line": max(1, int(item.get("line") or 1)),
            "annotation_level": levels.get(str(item.get("severity")), "notice"),
            "title": cut(clean(item.get("rule", "")), 255),
            "message": cut(clean(f"{item.get('message', '')} {item.get('fix', '')}".strip()), 4000) or "–",
        }
        for item in found[:limit]
    ]


def headline(story: Story, lang: str) -> str:
    """Return the first line: what, where, how it stands."""
    say, end = Words(lang), story.end
    name = f"{story.target.app} → {story.target.environment}"
    if end is not None:
        word = end["status"] if re.fullmatch("[A-Z_]{1,20}", end["status"]) else "?"
        return f"## {_SIGNS.get(end['status'], '❔')} {name}: {word}"
    if story.start is not None:
        return f"## ⏳ {name}: {say('running')}"
    if story.check is None and story.plan is None and story.plan_error is None:
        return f"## {name}"
    sign = {"success": "✅", "failure": "❌", "neutral": "❔"}[conclusion(story)]
    return f"## {sign} {name}: {check_title(story, lang)}"


def _parts(story: Story, lang: str) -> list[Part]:
    say = Words(lang)
    return [
        Part(headline(story, lang)),
        Part(_byline(story, say)),
        *sections.outcome(story, say),
        *sections.plan(story, say),
        *sections.findings(story, say),
    ]


def _byline(story: Story, say: Words) -> str:
    """Return which commit, release and run this is about."""
    run, end, start = story.run, story.end, story.start
    release = (end["release"] if end else None) or (start.release if start else "")
    operation = (end["operation"] if end else None) or (start.operation if start else "")
    commit = (start.commit if start else "") or run.commit
    known = run.repository and re.fullmatch("[0-9a-f]{7,64}", commit)
    page = f"{run.server}/{run.repository}/commit/{commit}" if known else ""
    tag = start.tag if start else ""
    words = [
        f"{say('commit')} {link(code(commit[:12]), page)}" if commit else "",
        f"{say('tag')} {code(tag)}" if tag else "",
        f"{say('release')} {code(release)}" if release else "",
        f"{say('operation')} {code(operation)}" if operation else "",
        link(say("log"), run.url) if run.url else "",
        prose(run.event, 60),
    ]
    return " · ".join(word for word in words if word)
