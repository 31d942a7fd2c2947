"""The check run of a target on a commit, with all its annotations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bridge.github.api import Api
from bridge.reports.summary import Conclusion

if TYPE_CHECKING:
    from github.CheckRun import CheckRun

PER_REQUEST: Final = 50
MOST: Final = 1000
"""Annotations; twenty requests. The text counts all findings."""


@dataclass(frozen=True, slots=True)
class Check:
    """What a check run says.

    Attributes:
        key: the run and attempt, by which it is found again.
    """

    name: str
    commit: str
    key: str
    url: str
    conclusion: Conclusion
    title: str
    summary: str
    text: str
    notes: Sequence[dict[str, Any]] = field(default=())

    def output(self, notes: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Return the part of a request that holds the texts; GitHub adds ``notes`` to those it has."""
        output: dict[str, Any] = {"title": self.title, "summary": self.summary}
        if self.text:
            output["text"] = self.text
        if notes:
            output["annotations"] = list(notes)
        return output


def write(api: Api, check: Check) -> int:
    """Create the check run, or bring the one of this run up to date, and return its number.

    Annotations can only be added: after an attempt whose answer was lost, the check run is asked how many it has.
    """
    created: list[CheckRun] = []

    def create() -> CheckRun:
        created.append(_create(api, check))
        if created[0].app is not None:
            api.wrote(f"{created[0].app.slug}[bot]")
        return created[0]

    run = api.policy.ensure(lambda: _find(api, check), create)
    if not created and _differs(run, check):
        api.policy.call(lambda: _edit(run, check, ()))
    sent = min(PER_REQUEST, len(check.notes)) if created else run.output.annotations_count
    while sent < len(check.notes):
        sent = api.policy.call(_batch(api, run, check, sent))
    return run.id


def _differs(run: CheckRun, check: Check) -> bool:
    has = (run.conclusion, run.output.title, run.output.summary, run.output.text or "")
    return has != (check.conclusion, check.title, check.summary, check.text)


def _batch(api: Api, run: CheckRun, check: Check, sent: int) -> Callable[[], int]:
    """Return what sends the next annotations and says how many are there then."""
    tried = False

    def send() -> int:
        nonlocal tried
        if tried and (there := api.repo.get_check_run(run.id).output.annotations_count) > sent:
            return there
        tried = True
        batch = check.notes[sent : sent + PER_REQUEST]
        _edit(run, check, batch)
        return sent + len(batch)

    return send


def _find(api: Api, check: Check) -> CheckRun | None:
    runs = api.repo.get_commit(check.commit).get_check_runs(check_name=check.name, filter="all")
    return next((run for run in runs if run.external_id == check.key), None)


def _create(api: Api, check: Check) -> CheckRun:
    return api.repo.create_check_run(
        name=check.name,
        head_sha=check.commit,
        details_url=check.url,
        external_id=check.key,
        status="completed",
        conclusion=check.conclusion,
        output=check.output(check.notes[:PER_REQUEST]),
    )


def _edit(run: CheckRun, check: Check, notes: Sequence[dict[str, Any]]) -> None:
    run.edit(status="completed", conclusion=check.conclusion, output=check.output(notes))
