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


DOCKERFILE = """\
ARG BASE
FROM ${BASE}
COPY page /www/index.html
EXPOSE 8080
CMD ["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/www"]
"""


@pytest.fixture
def unpublished(shop: Shop, known: str) -> Shop:
    """A host that may build; on main stands a commit with something to build, of which CI published nothing."""
    assert known
    put(shop, f"{{build: {{context: ., args: {{BASE: {shop.image}}}}}, healthcheck: {{disable: true}}}}")
    settings = json.loads(shop.inside("cat", SETTINGS)) | {"allow_build": True}
    shop.inside("sh", "-c", f"cat > {SETTINGS} <<'EOF'\n{json.dumps(settings)}\nEOF")
    healthy = shop.deploy(shop.version("zero"))  # the base image is here then, as one from a public registry would be
    assert healthy["status"] == "HEALTHY", healthy
    return shop


def put(shop: Shop, web: str) -> None:
    """Commit an app whose website is described so."""
    folder = f"/srv/git/{shop.name}"
    contract = json.dumps({"app": shop.name, "routes": {shop.host: "web:8080"}, "health": {"window": "1s"}})
    git = f"git -C {folder} -c safe.directory={folder} -c user.name=t -c user.email=t@localhost"
    shop.inside("sh", "-ec", f"""
        cd {folder}; printf %s '{contract}' > ikoma.release.json; echo homemade > page
        printf 'services:\n  web: {web}\n' > docker-compose.yml; mkdir -p migrations
        printf %s '{DOCKERFILE}' > Dockerfile; ln -sfn /etc elsewhere
        {git} add -A; {git} commit -q -m more; chown -R ikoma: {folder}
    """)  # fmt: skip


def test_a_commit_is_built_on_the_host_only_where_its_settings_say_so(unpublished: Shop) -> None:
    shop = unpublished
    said = up(shop, "main")
    assert "ended 0" in said, said
    assert "built on this host" in said, said
    assert shop.ask() == "homemade"
    found = shop.read("status.get")
    assert (found["status"], found["built_here"]) == ("HEALTHY", True)
    assert shop.read("artifact.verify_release")["verified"] is True
    assert shop.perform("deploy.rollback")["status"] == "HEALTHY"
    assert shop.read("status.get")["built_here"] is False
    for context in ("..", "/etc", "elsewhere"):
        put(shop, f"{{build: {{context: {context}, dockerfile: passwd}}}}")
        said = up(shop, "main")
        assert "leads out of" in said, said
    put(shop, "{build: {context: ., network: host}}")
    assert "asks for “network”" in up(shop, "main")
    assert shop.ask() == "zero"
