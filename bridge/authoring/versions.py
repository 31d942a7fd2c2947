"""Versions as GitHub knows them: what each holds, and notes for the next one. Publishing stays a person's decision.

A published version's tag starts a deployment to production (docs/action.md), so nothing here publishes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from agent.model import names
from agent.model.errors import Misuse
from bridge.github.api import Api

if TYPE_CHECKING:
    from github.GitRelease import GitRelease

_TAG: Final = re.compile(r"v?\d{1,9}\.\d{1,9}\.\d{1,9}(?P<unfinished>-[0-9A-Za-z][0-9A-Za-z.-]{0,60})?")
_SHOWN: Final = 30


@dataclass
class Versions:
    """The versions of one repository."""

    api: Api

    def listing(self, most: int = _SHOWN) -> list[dict[str, Any]]:
        """Return the newest versions, drafts included where the token may see them."""
        return [_told(release) for release in self._all(most)]

    def draft(self, tag: str, title: str, notes: str, target: str) -> dict[str, Any]:
        """Write the notes of a version that nobody has published yet. Safe to repeat.

        Args:
            tag: ``v1.2.3``, or with ``-rc.1`` for one that is not final.
            target: the branch or commit that the tag will name once a person publishes it.

        Raises:
            Misuse: ``version.tag``, ``version.published``.
            IkomaError: ``github.*``.
        """
        form = _TAG.fullmatch(tag)
        if form is None:
            raise Misuse("version.tag", tag=tag[:80])
        unfinished = form["unfinished"] is not None
        release = self.api.policy.ensure(
            lambda: self._find(tag),
            lambda: self.api.repo.create_git_release(
                tag, title or tag, notes, draft=True, prerelease=unfinished, target_commitish=target
            ),
        )
        if not release.draft:
            raise Misuse("version.published", tag=tag)
        wanted = (title or tag, notes, target)
        if (release.name, release.body or "", release.target_commitish) != wanted:
            release = self.api.policy.call(
                lambda: release.update_release(
                    title or tag, notes, draft=True, prerelease=unfinished, target_commitish=target
                )
            )
        return _told(release)

    def _find(self, tag: str) -> GitRelease | None:
        # A draft is not found by its tag, which it does not have yet.
        found = [release for release in self.api.repo.get_releases() if release.tag_name == tag]
        return next((one for one in found if not one.draft), found[0] if found else None)

    def _all(self, most: int) -> list[GitRelease]:
        return self.api.policy.call(lambda: list(self.api.repo.get_releases()[:most]))


def _told(release: GitRelease) -> dict[str, Any]:
    """Return a version; ``release`` is the id under which hosts know it, where its files say so."""
    files = [asset.name for asset in release.assets]
    known = sorted({found[0] for name in files if (found := names.RELEASE.search(name))})
    return {
        "tag": release.tag_name, "title": release.name, "notes": release.body or "", "draft": release.draft,
        "final": not release.prerelease, "target": release.target_commitish, "url": release.html_url,
        "published": str(release.published_at) if release.published_at else None, "files": files, "releases": known,
    }  # fmt: skip
