"""What the double knows of drafts and versions: pull requests of real branches, releases that nobody published yet."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NO_DRAFTS = "Validation Failed: Draft pull requests are not supported in this repository."


class Authored:
    """Mixed into the double.

    Attributes:
        remote: the bare repository behind it, None where no test pushes.
        plan_has_drafts: free plans have no draft pull requests in private repositories.
    """

    remote: Path | None = None
    plan_has_drafts: bool = True

    def create_pull(
        self: Any, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str
    ) -> tuple[int, Any]:
        from tests.github.double import Refused

        commit = self._commit(body["head"])
        if commit is None or self._commit(body["base"]) is None:
            raise Refused(422, "Validation Failed: head or base is no branch")
        if any(pull["head"]["ref"] == body["head"] and pull["state"] == "open" for pull in self.pulls.values()):
            raise Refused(422, f"Validation Failed: A pull request already exists for acme:{body['head']}.")
        if body.get("draft") and not self.plan_has_drafts:
            raise Refused(422, NO_DRAFTS)
        number = self.number()
        self.open_pull(number, commit, body["head"])
        self.pulls[number].update(title=body["title"], body=body.get("body"), draft=body.get("draft", False))
        return 201, self._whole(number)

    def edit_pull(
        self: Any, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str
    ) -> tuple[int, Any]:
        number = int(path["pull_number"])
        self._pull(path["pull_number"]).update(body)
        return 200, self._whole(number)

    def list_releases(
        self: Any, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str
    ) -> tuple[int, Any]:
        return 200, list(self.releases.values())[::-1]

    def create_release(
        self: Any, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str
    ) -> tuple[int, Any]:
        self.publish(body["tag_name"])
        return 201, self._noted(self.releases[body["tag_name"]], body)

    def edit_release(
        self: Any, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str
    ) -> tuple[int, Any]:
        return 200, self._noted(self._release(path), body)

    def _noted(self: Any, release: dict[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        names = ("tag_name", "name", "body", "draft", "prerelease", "target_commitish")
        release.update({name: body[name] for name in names if name in body})
        release["published_at"] = None if release["draft"] else release["created_at"]
        return release

    def _whole(self: Any, number: int) -> dict[str, Any]:
        """Return the long form of a pull request; lists have the short one."""
        from tests.github.double import REPOSITORY, example

        whole: dict[str, Any] = self.located(example("pull-request"))
        whole.update({key: value for key, value in self.pulls[number].items() if key in whole and key != "_links"})
        whole["url"] = f"{self.base}/repos/{REPOSITORY}/pulls/{number}"
        return whole

    def _commit(self, branch: str) -> str | None:
        """Return the commit of a branch of the bare repository."""
        words = ["git", "-C", str(self.remote), "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}"]
        done = subprocess.run(words, capture_output=True, text=True)
        return done.stdout.strip() or None
