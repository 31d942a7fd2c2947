"""A GitHub with a memory: pull requests, comments, check runs, deployments, grown out of GitHub's own examples."""

from __future__ import annotations

import base64
import copy
import gzip
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.github import spec
from tests.github.authored import Authored

REPOSITORY: Final = "acme/shop"
JOB_TOKEN: Final = "ghs_0123456789abcdefghijABCDEFGHIJ012345"
READ_TOKEN: Final = "ghs_readonly89abcdefghijABCDEFGHIJ012345"
APP_TOKEN: Final = "ghs_ownapp6789abcdefghijABCDEFGHIJ012345"
USER_TOKEN: Final = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
NOW: Final = "2026-11-20T12:00:00Z"
_WHO: Final = {
    JOB_TOKEN: ("github-actions[bot]", "Bot"), READ_TOKEN: ("github-actions[bot]", "Bot"), USER_TOKEN: ("anna", "User"),
    APP_TOKEN: ("our-app[bot]", "Bot"),
}  # fmt: skip


class Refused(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def example(name: str) -> Any:
    """Return a copy of one of GitHub's own examples."""
    return copy.deepcopy(spec.load()["components"]["examples"][name]["value"])


@dataclass
class Double(Authored):
    """The state, and what GitHub does with a request that its description allows."""

    base: str = "https://api.github.com"
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    checks: list[dict[str, Any]] = field(default_factory=list)
    notes: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    deployments: list[dict[str, Any]] = field(default_factory=list)
    statuses: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    releases: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[int, bytes] = field(default_factory=dict)
    analyses: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _last: int = 1000

    def number(self) -> int:
        """Return a new id; ids grow, and all kinds share them."""
        self._last += 1
        return self._last

    def user(self, token: str) -> dict[str, Any]:
        """Return who writes with ``token``."""
        login, kind = _WHO[token]
        return self.person(login, kind)

    @staticmethod
    def person(login: str, kind: str = "User") -> dict[str, Any]:
        person: dict[str, Any] = example("issue-comment")["user"]
        return {**person, "login": login, "type": kind, "id": sum(login.encode())}

    def open_pull(self, number: int, head: str, branch: str = "topic", owner: str = "acme", merged: str = "") -> None:
        """Open a pull request of ``owner:branch`` at ``head``; ``merged``: it is merged as this commit."""
        pull = self.located(example("pull-request-simple-items")[0])
        pull["requested_teams"] = []  # the one part of this example that breaks the description itself
        pull.update(number=number, state="closed" if merged else "open", merged_at=NOW if merged else None,
                    merge_commit_sha=merged or None)  # fmt: skip
        pull["head"].update(sha=head, ref=branch, label=f"{owner}:{branch}")
        pull["url"] = f"{self.base}/repos/{REPOSITORY}/pulls/{number}"
        self.pulls[number], self.comments[number] = pull, self.comments.get(number, [])

    def plant(self, number: int, login: str, body: str, kind: str = "User") -> int:
        """Let somebody else write a comment; return its number."""
        return self._comment(number, body, self.person(login, kind))["id"]  # type: ignore[no-any-return]

    def located(self, thing: Any) -> Any:
        """Return ``thing`` with addresses on this server: the client follows no others."""
        return json.loads(json.dumps(thing).replace("https://api.github.com", self.base))

    # What follows is called with the path's parameters, the query and the body; each returns status and answer.

    def list_comments(self, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str) -> Any:
        return 200, self.comments[self._pull(path["issue_number"])["number"]]

    def create_comment(self, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str) -> Any:
        _short_enough(body["body"], 65_536, "body")
        return 201, self._comment(self._pull(path["issue_number"])["number"], body["body"], self.user(token))

    def edit_comment(self, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str) -> Any:
        _short_enough(body["body"], 65_536, "body")
        comment = self._found(path["comment_id"])
        comment["body"] = body["body"]
        return 200, comment

    def delete_comment(self, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str) -> Any:
        comment = self._found(path["comment_id"])
        for comments in self.comments.values():
            if comment in comments:
                comments.remove(comment)
        return 204, None

    def create_check(self, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str) -> Any:
        if not token.startswith("ghs_"):
            raise Refused(403, "You must authenticate via a GitHub App.")
        run = self.located(example("check-run-example-of-completed-conclusion"))
        run.update(id=self.number(), name=body["name"], head_sha=body["head_sha"], pull_requests=[])
        run["app"]["slug"] = _WHO[token][0].removesuffix("[bot]")
        run["url"] = f"{self.base}/repos/{REPOSITORY}/check-runs/{run['id']}"
        run["output"] = {"title": None, "summary": None, "text": None, "annotations_count": 0,
                         "annotations_url": f"{run['url']}/annotations"}  # fmt: skip
        self.checks.append(run)
        self.notes[run["id"]] = []
        return 201, self._checked(run, body)

    def edit_check(self, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str) -> Any:
        return 200, self._checked(self._check(path), body)

    def get_check(self, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str) -> Any:
        return 200, self._check(path)

    def list_checks(self, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str) -> Any:
        named = query.get("check_name")
        runs = [run for run in self.checks if run["head_sha"] == path["ref"] and named in (None, run["name"])]
        return 200, {"total_count": len(runs), "check_runs": runs}

    def list_pulls(self, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str) -> Any:
        state, head = query.get("state", "open"), query.get("head")
        return 200, [
            pull for pull in self.pulls.values()
            if state in ("all", pull["state"]) and head in (None, pull["head"]["label"])
        ]  # fmt: skip

    def list_pulls_of(self, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str) -> Any:
        commit = path["commit_sha"]
        return 200, [p for p in self.pulls.values() if commit in (p["head"]["sha"], p["merge_commit_sha"])]

    def create_deployment(self, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str) -> Any:
        if body.get("auto_merge", True) or body.get("required_contexts") != []:
            raise Refused(409, "Conflict: Commit status checks failed for the ref.")
        _short_enough(body.get("description") or "", 140, "description")
        deployment = self.located(example("deployment-items")[0])
        deployment.update(
            id=self.number(), ref=body["ref"], task=body.get("task", "deploy"), payload=body.get("payload", {}),
            environment=body.get("environment", "production"), original_environment=body.get("environment"),
            description=body.get("description"), creator=self.user(token),
            production_environment=body.get("production_environment", False),
            transient_environment=body.get("transient_environment", False),
        )  # fmt: skip
        deployment["url"] = f"{self.base}/repos/{REPOSITORY}/deployments/{deployment['id']}"
        deployment["statuses_url"] = f"{deployment['url']}/statuses"
        self.deployments.insert(0, deployment)
        self.statuses[deployment["id"]] = []
        return 201, deployment

    def list_deployments(self, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str) -> Any:
        wanted = {key: value for key, value in query.items() if key in ("sha", "ref", "task", "environment")}
        return 200, [item for item in self.deployments if all(item[key] == value for key, value in wanted.items())]

    def create_status(self, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str) -> Any:
        _short_enough(body.get("description") or "", 140, "description")
        deployment = self._deployment(path)
        status = self.located(example("deployment-status"))
        status.update(
            id=self.number(), state=body["state"], description=body.get("description") or "",
            target_url=body.get("log_url") or body.get("target_url") or "",
            log_url=body.get("log_url") or body.get("target_url") or "", creator=self.user(token),
            environment=body.get("environment") or deployment["environment"],
            environment_url=body.get("environment_url") or "", deployment_url=deployment["url"],
        )  # fmt: skip
        self.statuses[deployment["id"]].insert(0, status)
        if body["state"] == "success" and body.get("auto_inactive", True):
            self._inactivate(deployment)
        return 201, status

    def list_statuses(self, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str) -> Any:
        return 200, self.statuses[self._deployment(path)["id"]]

    def release_of(self, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str) -> Any:
        return 200, _known(self.releases.get(path["tag"]))

    def list_assets(self, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str) -> Any:
        return 200, self._release(path)["assets"]

    def upload_asset(self, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str) -> Any:
        assets = self._release(path)["assets"]
        if any(asset["name"] == query["name"] for asset in assets):
            raise Refused(422, "Validation Failed: already_exists")
        asset: dict[str, Any] = self.located(example("release-asset-items")[0])
        asset.update(id=self.number(), name=query["name"], label=query.get("label"), size=len(body), state="uploaded",
                     uploader=self.user(token))  # fmt: skip
        asset["url"] = f"{self.base}/repos/{REPOSITORY}/releases/assets/{asset['id']}"
        self.files[asset["id"]] = body
        assets.append(asset)
        return 201, asset

    def delete_asset(self, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str) -> Any:
        for release in self.releases.values():
            for asset in [item for item in release["assets"] if item["id"] == int(path["asset_id"])]:
                release["assets"].remove(asset)
                return 204, None
        raise Refused(404, "Not Found")

    def take_sarif(self, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str) -> Any:
        document = json.loads(gzip.decompress(base64.b64decode(body["sarif"], validate=True)))
        self.analyses.append({"commit": body["commit_sha"], "ref": body["ref"], "document": document})
        return 202, self.located(example("code-scanning-sarif-upload"))

    def publish(self, tag: str) -> None:
        """Make a release of ``tag``, without files."""
        release: dict[str, Any] = self.located(example("release"))
        url = f"{self.base}/repos/{REPOSITORY}/releases/{self.number()}"
        release.update(id=self._last, tag_name=tag, url=url, assets=[], assets_url=f"{url}/assets",
                       upload_url=f"{url}/assets{{?name,label}}")  # fmt: skip
        self.releases[tag] = release

    def who(self, path: Mapping[str, str], query: Mapping[str, str], body: Any, token: str) -> Any:
        if token.startswith("ghs_"):
            raise Refused(403, "Resource not accessible by integration")
        full = {"followers": 0, "following": 0, "public_gists": 0, "public_repos": 0, "created_at": NOW,
                "updated_at": NOW, "bio": None, "blog": None, "company": None, "email": None, "hireable": None,
                "location": None, "name": None, "user_view_type": "public"}  # fmt: skip
        return 200, {**self.user(token), **full}

    def _inactivate(self, ours: Mapping[str, Any]) -> None:
        """What GitHub does by itself: never for production."""
        for other in self.deployments:
            if other is ours or other["environment"] != ours["environment"] or other["production_environment"]:
                continue
            if self.state(other["id"]) == "success" and not other["transient_environment"]:
                self.statuses[other["id"]].insert(0, {**self.statuses[other["id"]][0], "state": "inactive"})

    def state(self, deployment: int) -> str | None:
        """Return the state that GitHub shows."""
        return next((str(item["state"]) for item in self.statuses[deployment]), None)

    def _comment(self, number: int, body: str, user: dict[str, Any]) -> dict[str, Any]:
        comment: dict[str, Any] = self.located(example("issue-comment"))
        key = self.number()
        comment.update(id=key, body=body, user=user, html_url=f"https://github.com/{REPOSITORY}/pull/{number}#c-{key}",
                       url=f"{self.base}/repos/{REPOSITORY}/issues/comments/{key}")  # fmt: skip
        self.comments[number].append(comment)
        return comment

    def _checked(self, run: dict[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        for key in ("name", "external_id", "details_url", "status", "conclusion"):
            run[key] = body.get(key, run.get(key))
        output = body.get("output") or {}
        for key in ("summary", "text"):
            _short_enough(output.get(key) or "", 65_535, key)
        run["output"].update({key: value for key, value in output.items() if key in ("title", "summary", "text")})
        self.notes[run["id"]] += output.get("annotations", [])
        run["output"]["annotations_count"] = len(self.notes[run["id"]])
        return run

    def _pull(self, number: str) -> dict[str, Any]:
        return _known(self.pulls.get(int(number)))

    def _found(self, number: str) -> dict[str, Any]:
        everywhere = [comment for comments in self.comments.values() for comment in comments]
        return _known(next((comment for comment in everywhere if comment["id"] == int(number)), None))

    def _check(self, path: Mapping[str, str]) -> dict[str, Any]:
        return _known(next((run for run in self.checks if run["id"] == int(path["check_run_id"])), None))

    def _release(self, path: Mapping[str, str]) -> dict[str, Any]:
        return _known(next((item for item in self.releases.values() if item["id"] == int(path["release_id"])), None))

    def _deployment(self, path: Mapping[str, str]) -> dict[str, Any]:
        return _known(next((item for item in self.deployments if item["id"] == int(path["deployment_id"])), None))


def _known(thing: dict[str, Any] | None) -> dict[str, Any]:
    if thing is None:
        raise Refused(404, "Not Found")
    return thing


def _short_enough(text: str, limit: int, name: str) -> None:
    """Limits that GitHub keeps but does not describe."""
    if len(text) > limit:
        raise Refused(422, f"Validation Failed: {name} is too long (maximum is {limit} characters)")
