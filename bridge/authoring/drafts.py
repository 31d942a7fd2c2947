"""Drafts: a branch and a draft pull request each, on which the repository's own checks and a person have their say."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import bridge
from agent.host import process
from agent.model.errors import IkomaError, Misuse
from bridge.authoring import changes
from bridge.authoring.branch import Git
from bridge.authoring.changes import Draft
from bridge.github.api import Api
from bridge.github.comments import marker

if TYPE_CHECKING:
    from github.PullRequest import PullRequest

_CHECK_SECONDS: Final = 300.0
_REPORT_LETTERS: Final = 20_000
_NO_DRAFTS: Final = "draft pull requests are not supported"


@dataclass
class Drafts:
    """The drafts of one repository.

    Attributes:
        below: the folder that is checked, from the top of the work tree.
    """

    git: Git
    api: Api
    below: Path = Path()

    def listing(self) -> list[dict[str, Any]]:
        """Return the drafts that are open."""
        pulls = self.api.policy.call(lambda: list(self.api.repo.get_pulls(state="open")))
        return [_pull(pull) for pull in pulls if self._is_ours(pull)]

    def show(self, name: str) -> dict[str, Any]:
        """Return one draft: its files, its checks, and the reports of ``bridge`` on its pull request.

        Raises:
            Misuse: ``draft.name``, ``draft.unknown``.
        """
        branch = changes.branch_of(name)
        main = self.git.main_branch()
        heads = self.git.heads(branch, main)
        if branch not in heads:
            raise Misuse("draft.unknown", name=name)
        self.git.fetch(branch, main)
        head, pull = heads[branch], self._find(branch)
        said = {"name": name, "branch": branch, "commit": head, "base": main}
        told: dict[str, Any] = {**said, "files": self.git.changed(heads[main], head), "checks": self._checks(head)}
        return {**told, "pull": _pull(pull) if pull else None, "reports": self._reports(pull) if pull else []}

    def write(self, draft: Draft, *, despite_errors: bool = False) -> dict[str, Any]:
        """Check the draft, push it as one commit more, and open its pull request. Safe to repeat.

        Args:
            despite_errors: push although ``bridge check`` finds errors in what the draft changes.

        Raises:
            Misuse: ``draft.*`` for what may not be written, or changes nothing.
            IkomaError: ``draft.errors``, ``draft.moved``, ``draft.git``, ``github.*``.
        """
        changes.judged(draft)
        main = self.git.main_branch()
        heads = self.git.heads(draft.branch, main)
        before = heads.get(draft.branch, "")
        self.git.fetch(main, *([draft.branch] if before else []))
        made = self.git.commit(draft, before or heads[main])
        if not made.new and not before:
            raise Misuse("draft.nothing", branch=main)
        report = self._checked(made.id, heads[main])
        errors = [item for item in report["findings"] if item["severity"] == "error"]
        if errors and not despite_errors:
            raise IkomaError("draft.errors", count=len(errors), first=_said(errors[0]))
        if made.new:
            self.git.push(draft.branch, made.id, before)
        pull = self._opened(draft, main)
        told = {"name": draft.name, "branch": draft.branch, "commit": made.id, "base": main, "pushed": made.new}
        return {**told, "pull": _pull(pull), "counts": report["counts"], "findings": report["findings"]}

    def discard(self, name: str) -> dict[str, Any]:
        """Close a draft's pull request and remove its branch. Raises ``Misuse("draft.unknown")``."""
        branch = changes.branch_of(name)
        pull, head = self._find(branch), self.git.heads(branch).get(branch, "")
        if pull is None and not head:
            raise Misuse("draft.unknown", name=name)
        if pull is not None:
            self.api.policy.call(lambda: pull.edit(state="closed"))
        if head:
            self.git.push(branch, "", head)
        return {"name": name, "branch": branch, "commit": head, "closed": pull.number if pull else None}

    def _checked(self, commit: str, base: str) -> dict[str, Any]:
        """Return what ``bridge check`` says of the part that the draft changes."""
        with self.git.laid_out(commit) as tree:
            if not (tree / self.below).is_dir():
                raise Misuse("draft.not_there", path=self.below, branch=commit[:12])
            return check(tree / self.below, "--changed-since", base)

    def _opened(self, draft: Draft, main: str) -> PullRequest:
        """Return the draft's pull request. Of one that is there, only a new description replaces the old one."""
        pull = self.api.policy.ensure(lambda: self._found(draft.branch), lambda: self._create(draft, main))
        if draft.text and (pull.body or "") != draft.text:
            self.api.policy.call(lambda: pull.edit(body=draft.text))
        return pull

    def _create(self, draft: Draft, main: str) -> PullRequest:
        from github import GithubException

        def create(as_draft: bool) -> PullRequest:
            return self.api.repo.create_pull(
                base=main, head=draft.branch, title=draft.title.strip(), body=draft.text, draft=as_draft
            )

        try:
            return create(True)
        except GithubException as error:
            if error.status == 422 and _NO_DRAFTS in str(error.data).lower():  # a plan without them: an open one then
                return create(False)
            raise

    def _find(self, branch: str) -> PullRequest | None:
        return self.api.policy.call(lambda: self._found(branch))

    def _found(self, branch: str) -> PullRequest | None:
        owner = self.api.context.run.repository.partition("/")[0]
        found = (pull for pull in self.api.repo.get_pulls(state="open", head=f"{owner}:{branch}"))
        return next((pull for pull in found if self._is_ours(pull) and pull.head.ref == branch), None)

    def _is_ours(self, pull: PullRequest) -> bool:
        """Say whether it comes from a draft's branch of this very repository: a fork may name its branches so too."""
        owner = self.api.context.run.repository.partition("/")[0]
        return pull.head.ref.startswith(changes.PREFIX) and pull.head.label == f"{owner}:{pull.head.ref}"

    def _checks(self, commit: str) -> list[dict[str, Any]]:
        runs = self.api.policy.call(lambda: list(self.api.repo.get_commit(commit).get_check_runs()))
        return [{"name": run.name, "status": run.status, "conclusion": run.conclusion, "url": run.html_url}
                for run in runs]  # fmt: skip

    def _reports(self, pull: PullRequest) -> list[str]:
        """Return what the bridge wrote: with its marker, and by a bot, for anybody can copy a marker."""
        comments = self.api.policy.call(lambda: list(self.api.repo.get_issue(pull.number).get_comments()))
        ours = (one for one in comments if marker(one.body) and one.user is not None and one.user.type == "Bot")
        return [comment.body[:_REPORT_LETTERS] for comment in ours]


def check(folder: Path, *words: str) -> dict[str, Any]:
    """Return what ``bridge check --json`` says of ``folder``. Raises ``IkomaError("draft.check")``.

    A process of its own, started where our own code lies: nothing of ``folder`` can pass for a part of it.
    """
    done = process.run(
        [sys.executable, "-m", "bridge", "check", "--json", "--repo", str(folder), *words],
        env={**process.MINIMAL}, cwd=Path(bridge.__file__).parents[1], check=False, timeout=_CHECK_SECONDS,
    )  # fmt: skip
    try:
        told = json.loads(done.stdout)
    except ValueError:
        told = {}
    if isinstance(told.get("findings"), list):
        return dict(told)
    if isinstance(error := told.get("error"), dict):
        raise IkomaError.from_json(error)
    raise IkomaError("draft.check", said=done.last_lines())


def _pull(pull: PullRequest) -> dict[str, Any]:
    name = pull.head.ref.removeprefix(changes.PREFIX)
    return {"name": name, "number": pull.number, "title": pull.title, "url": pull.html_url, "draft": pull.draft,
            "branch": pull.head.ref, "commit": pull.head.sha, "updated": str(pull.updated_at)}  # fmt: skip


def _said(finding: dict[str, Any]) -> str:
    return f"{finding['file']}:{finding['line']} {finding['rule']} {finding['message']}"
