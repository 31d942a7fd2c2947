"""Findings as alerts of GitHub's code scanning."""

from __future__ import annotations

import base64
import gzip

from bridge.github.api import Api
from bridge.reports.github import Run


def upload(api: Api, run: Run, sarif: str) -> None:
    """Hand ``sarif`` to code scanning, for the commit that was checked out.

    Sending it again is harmless: an analysis takes the place of the one before of its commit, tool and category.

    Raises:
        IkomaError: ``github.*``.
    """
    packed = gzip.compress(sarif.encode(errors="replace"), mtime=0)
    body = {
        "commit_sha": run.sources,
        "ref": run.ref,
        "sarif": base64.b64encode(packed).decode(),
        "tool_name": "ikoma-bridge",
    }
    url = f"{api.repo.url}/code-scanning/sarifs"
    api.policy.call(lambda: api.repo.requester.requestJsonAndCheck("POST", url, input=body))
