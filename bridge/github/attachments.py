"""A kept release as a file of GitHub's release: whoever has it can deploy again without building."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agent.model.errors import IkomaError
from bridge.github.api import Api

if TYPE_CHECKING:
    from github.GitRelease import GitRelease
    from github.GitReleaseAsset import GitReleaseAsset

_GONE = 404


def attach(api: Api, tag: str, file: Path) -> bool:
    """Attach ``file`` to the release of ``tag``, in place of one of the same name; False where there is no release.

    Raises:
        IkomaError: ``github.*``.
    """
    release = _release(api, tag)
    if release is None:
        return False

    def find() -> GitReleaseAsset | None:
        for asset in release.get_assets():
            if asset.name == file.name:
                if asset.state == "uploaded" and asset.size == file.stat().st_size:
                    return asset
                asset.delete_asset()  # half an upload, or another release of the same tag
        return None

    def create() -> GitReleaseAsset:
        return release.upload_asset(str(file), label=file.name, name=file.name, content_type="application/gzip")

    api.policy.ensure(find, create)
    return True


def _release(api: Api, tag: str) -> GitRelease | None:
    try:
        return api.policy.call(lambda: api.repo.get_release(tag))
    except IkomaError as error:
        if error.id == "github.refused" and error.params["status"] == _GONE:
            return None
        raise
