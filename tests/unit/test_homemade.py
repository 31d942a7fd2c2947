"""What a build on the host is given: the checkout, and nothing else of the host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.model.contract import Settings
from agent.model.errors import Misuse
from agent.releases import homemade
from agent.releases.homemade import Sources


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    root = tmp_path / "sources"
    (root / "deploy/web").mkdir(parents=True)
    (root / "elsewhere").symlink_to("/etc")
    (root / "deploy/Dockerfile").symlink_to("/etc/passwd")
    (root / "deploy/compose.yml").touch()
    return Sources(root, "c" * 40, Settings(compose="deploy/compose.yml"))


def test_a_context_is_a_folder_of_the_checkout_and_is_named_whole(sources: Sources) -> None:
    found = homemade._allowed("web", {"context": "web", "target": "run", "tags": ["x"], "cache_to": ["y"]}, sources)
    assert found == {"context": str(sources.root / "deploy/web"), "target": "run"}
    assert homemade._allowed("web", {"context": "..", "dockerfile_inline": "FROM x"}, sources)["context"] == str(
        sources.root
    )


@pytest.mark.parametrize(
    "build",
    [
        {"context": "../.."}, {"context": "/etc"}, {"context": "../elsewhere"}, {"context": "https://example.com/x.git"},
        {"context": ".", "dockerfile": "Dockerfile"}, {"context": "web", "dockerfile": "../../../build.json"},
    ],
    ids=str,
)  # fmt: skip
def test_what_leads_out_of_the_checkout_is_refused(sources: Sources, build: dict[str, Any]) -> None:
    with pytest.raises(Misuse, match="leads out of"):
        homemade._allowed("web", build, sources)


@pytest.mark.parametrize(
    "key", ["network", "secrets", "ssh", "privileged", "additional_contexts", "extra_hosts", "entitlements"]
)
def test_what_gives_a_build_more_than_its_sources_is_refused_by_name(sources: Sources, key: str) -> None:
    with pytest.raises(Misuse, match=f"asks for “{key}”"):
        homemade._allowed("web", {"context": "web", key: "host"}, sources)


@pytest.mark.parametrize(
    "document",
    [{"include": ["/etc/ikoma/settings.json"]}, {"services": {"web": {"extends": {"file": "/srv/x", "service": "y"}}}}],
)
def test_a_compose_file_that_names_others_is_not_read(document: dict[str, Any]) -> None:
    with pytest.raises(Misuse, match="which no build on this host is given"):
        homemade._alone(document)
    homemade._alone({"services": {"web": {"extends": {"service": "base"}}, "base": {}}})
