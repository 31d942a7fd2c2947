"""The one comment of an app and environment on a pull request: found again by its marker and its author."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from agent.model.names import Target
from bridge.github.api import Api
from bridge.reports.github import Run

if TYPE_CHECKING:
    from github.Issue import Issue
    from github.IssueComment import IssueComment


@dataclass(frozen=True, slots=True)
class Marker:
    """The hidden first line of a comment: whose it is, and which run wrote it."""

    app: str
    environment: str
    run: int
    attempt: int

    @classmethod
    def of(cls, target: Target, run: Run) -> Marker:
        return cls(target.app, target.environment, run.id, run.attempt)

    def render(self) -> str:
        """Return the line."""
        return (
            f"<!-- ikoma-bridge report app={self.app} environment={self.environment} run={self.run}.{self.attempt} -->"
        )

    def same(self, other: Marker | None) -> bool:
        """Say whether both belong to one app and environment."""
        return other is not None and (self.app, self.environment) == (other.app, other.environment)

    def older(self, other: Marker) -> bool:
        """Say whether ``other`` was written by a later run: what it says is newer than what we know."""
        return (self.run, self.attempt) < (other.run, other.attempt)


_MARKER = re.compile(
    r"<!-- ikoma-bridge report app=([a-z0-9-]{1,31}) environment=([a-z0-9-]{1,31}) run=(\d{1,20})\.(\d{1,9}) -->"
)


def marker(body: str | None) -> Marker | None:
    """Return the marker that ``body`` begins with; one further down is a quotation."""
    match = _MARKER.match(body or "")
    return Marker(match[1], match[2], int(match[3]), int(match[4])) if match else None


@dataclass
class Comments:
    """The comments of one pull request."""

    api: Api
    number: int

    def write(self, ours: Marker, text: str) -> None:
        """Write ``text`` as the comment of its app and environment, unless a later run has written there.

        Two runs that both found none may both create one: the older comment stays, and the other is taken away. So it
        goes when we looked under another name than the token turns out to write under.
        """
        body = f"{ours.render()}\n{text}"
        found: list[IssueComment] = []
        created: list[IssueComment] = []

        def find() -> IssueComment | None:
            found[:] = self._all(ours)
            return found[0] if found else None

        def create() -> IssueComment:
            created.append(self._issue.create_comment(body))
            self.api.wrote(created[0].user.login)
            return created[0]

        self.api.policy.ensure(find, create)
        if created:
            self.api.policy.call(find)
        first = found[0] if found else created[0]
        self._update(first, ours, body)
        for double in found[1:]:
            self.api.policy.call(partial(_delete, double))

    def _update(self, comment: IssueComment, ours: Marker, body: str) -> None:
        theirs = marker(comment.body)
        if comment.body != body and not (theirs and ours.older(theirs)):
            self.api.policy.call(lambda: comment.edit(body))

    @property
    def _issue(self) -> Issue:
        return self.api.repo.get_issue(self.number)

    def _all(self, ours: Marker) -> list[IssueComment]:
        author = self.api.author
        found = [
            comment
            for comment in self._issue.get_comments()
            if ours.same(marker(comment.body)) and comment.user is not None and comment.user.login == author
        ]
        return sorted(found, key=lambda comment: comment.id)


def _delete(comment: IssueComment) -> None:
    from github import UnknownObjectException

    try:
        comment.delete()
    except UnknownObjectException:
        return  # whoever wrote at the same time took it away already
