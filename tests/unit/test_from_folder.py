"""An app that lies in its folder: what may become a release, and which of its files go with it."""

from pathlib import Path
from typing import Any

import pytest

from agent.host.paths import Paths
from agent.host.settings import Settings
from agent.model.errors import Misuse
from agent.model.names import Target
from agent.operations.step import Context
from agent.operations.steps.gather import Gather
from agent.protocol import EventKind
from agent.releases import fromfolder, incoming
from agent.releases.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(Target("shop"), Paths(tmp_path), Settings())
    (made.home.base / "config").mkdir(parents=True)
    return made


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("services: {}\n", "apps.no_services"),
        ("services: {web: {build: .}}\n", "apps.build"),
        ("services: {web: {build: ., image: nginx}}\n", "apps.build"),
        ("services: {web: {command: [a]}}\n", "apps.build"),
        ("services: {web: nginx}\n", "apps.build"),
    ],
)
def test_what_would_have_to_be_built_or_is_nothing_is_refused(site: Site, text: str, fault: str) -> None:
    site.home.compose.write_text(text)
    with pytest.raises(Misuse) as refused:
        fromfolder.check(site)
    assert refused.value.id == fault
    assert refused.value.remedy("fr")


def mounted(site: Site, into: Path, **service: object) -> dict[str, str]:
    document = {"services": {"web": {"image": "nginx", **service}}}
    found = fromfolder._files(site, document, into)
    return {item.path: (into / "files" / item.sha256).read_text() for item in found}


def test_files_of_config_go_with_the_release_and_data_of_the_host_does_not(site: Site, tmp_path: Path) -> None:
    (site.home.base / "config/site.conf").write_text("site")
    (site.home.base / "config/web.env").write_text("A=1")
    (site.home.base / "uploads").mkdir()
    (site.home.base / "uploads/photo").write_text("photo")
    given = {
        "volumes": ["./config/:/etc/site:ro", "./uploads:/uploads", "named:/x", "/var/lib/y:/y",
                    {"type": "bind", "source": "config/site.conf", "target": "/z"}],
        "env_file": ["app.env", {"path": "./config/web.env"}],
    }  # fmt: skip
    assert mounted(site, tmp_path / "into", **given) == {"config/site.conf": "site", "config/web.env": "A=1"}


@pytest.mark.parametrize("path", ["agent.env", "./agent.env", "config/../agent.env", "../blog/app.env", "/etc/passwd"])
def test_a_file_beside_config_never_reaches_a_container(site: Site, tmp_path: Path, path: str) -> None:
    (site.home.base / "agent.env").write_text("SUPABASE_DB_DSN=secret")
    (site.home.base / "../blog").mkdir()
    (site.home.base / "../blog/app.env").write_text("KEY=secret")
    with pytest.raises(Misuse) as refused:
        mounted(site, tmp_path / "into", env_file=[path])
    assert refused.value.id == "apps.outside"


def test_a_link_out_of_config_is_not_followed(site: Site, tmp_path: Path) -> None:
    (site.home.base / "agent.env").write_text("SUPABASE_DB_DSN=secret")
    (site.home.base / "config/innocent").symlink_to("../agent.env")
    with pytest.raises(Misuse) as refused:
        mounted(site, tmp_path / "into", volumes=["./config:/etc/site"])
    assert refused.value.id == "apps.outside"


@pytest.mark.parametrize(
    ("reference", "repository"),
    [
        ("nginx", "nginx"),
        ("nginx:1.27", "nginx"),
        ("ghcr.io/acme/shop/web:in-1", "ghcr.io/acme/shop/web"),
        ("localhost:5000/web", "localhost:5000/web"),
        ("localhost:5000/web:1", "localhost:5000/web"),
    ],
)
def test_the_repository_of_an_image_is_its_name_without_the_tag(reference: str, repository: str) -> None:
    assert fromfolder._repository(reference) == repository


class Notes:
    """The durable side of an operation, in memory."""

    def emit(self, kind: EventKind, data: dict[str, Any]) -> None:
        """Nobody looks."""

    def note(self, step: str, facts: dict[str, Any]) -> None:
        """Nothing is asked for again."""

    def notes(self, step: str) -> dict[str, Any]:
        return {}


def test_what_a_commit_took_from_the_folder_is_given_back_when_the_first_deployment_is_undone(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = f"nginx@sha256:{'0' * 64}"
    compose, migration = site.home.compose, site.home.base / "migrations/0001_notes.sql"
    compose.write_text(f"services: {{web: {{image: '{digest}'}}}}\n")
    migration.parent.mkdir()
    migration.write_text("create table notes (id int);")
    document = {"services": {"web": {"image": digest}}}
    monkeypatch.setattr("agent.releases.prepare.interpolate", lambda *_: document)
    site.paths.incoming.mkdir(parents=True)
    ctx = Context("op-1", site.target, site.paths, site.settings, {}, None, Notes(), step="gather")
    step = Gather()
    step.apply(ctx)
    assert incoming.of(ctx).release.migrations[0].file == "0001_notes.sql"
    before = compose.read_text()
    compose.unlink()
    migration.unlink()
    for _ in range(2):
        step.undo(ctx)
        assert compose.read_text() == before
        assert migration.read_text() == "create table notes (id int);"
