"""``ikoma deploy up --app X --ref main`` on the host, verbatim: repository, commit, published release, deployment."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from agent.model.secret import Secret
from bridge.images.artifact import Publisher
from tests.integration.rollout_fixtures import Access, Shop, bundle, busybox, shop

__all__ = ["busybox", "shop"]

SETTINGS = "/etc/ikoma/settings.json"


@pytest.fixture
def known(shop: Shop) -> Iterator[str]:
    """A repository of the shop that the host knows, with one commit on main; the commit."""
    folder = f"/srv/git/{shop.name}"
    git = f"git -C {folder} -c user.name=t -c user.email=t@localhost"
    contract = json.dumps({"app": shop.name})
    shop.inside("sh", "-ec", f"""
        mkdir -p {folder}; git init -q -b main {folder}
        printf %s '{contract}' > {folder}/ikoma.release.json
        {git} add -A; {git} commit -q -m one; chown -R ikoma: {folder}; cp -p {SETTINGS} {SETTINGS}.kept
    """)  # fmt: skip
    settings = json.loads(shop.inside("cat", SETTINGS))
    settings |= {
        "registry": shop.env["BRIDGE_REGISTRY"],
        "registry_user": shop.env["BRIDGE_REGISTRY_USER"],
        "registry_token": shop.env["BRIDGE_REGISTRY_TOKEN"],
        "repositories": {shop.name: {"url": f"file://{folder}"}},
    }
    shop.inside("sh", "-c", f"cat > {SETTINGS} <<'EOF'\n{json.dumps(settings)}\nEOF")
    yield shop.inside("git", "-c", f"safe.directory={folder}", "-C", folder, "rev-parse", "HEAD").strip()
    shop.inside("sh", "-c", f"mv {SETTINGS}.kept {SETTINGS}; rm -rf {folder}")


def up(shop: Shop, ref: str) -> str:
    return shop.inside("sh", "-c", f"ikoma deploy up --app {shop.name} --ref {ref} 2>&1; echo ended $?")


def test_a_name_of_the_repository_is_deployed_as_ci_published_it(shop: Shop, known: str) -> None:
    said = up(shop, "main")
    assert "published no release" in said, said
    assert known[:12] in said
    assert "ended 1" in said
    release = shop.version("one")
    access = Access(shop.env["BRIDGE_REGISTRY"], shop.env["BRIDGE_REGISTRY_USER"],
                    Secret(shop.env["BRIDGE_REGISTRY_TOKEN"]))  # fmt: skip
    publisher = Publisher(access, {**os.environ, **shop.env})
    publisher.publish(access.address, release.target, known, bundle(release))
    said = up(shop, "main")
    assert "ended 0" in said, said
    assert "HEALTHY" in said
    assert shop.ask() == "one"
    assert shop.read("apps.status")["release"] == release.id
    assert "ended 2" in up(shop, "--upload-pack=id"), "an option is no name"
    assert shop.env["BRIDGE_REGISTRY_TOKEN"] not in said + shop.inside("cat", "/var/log/ikoma/audit.jsonl")
