"""The client itself: where it calls, whom it trusts, and what becomes of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.model.secret import Secret
from bridge.github import attachments, context
from bridge.github.api import Api
from bridge.github.retry import Policy
from tests.github.double import JOB_TOKEN
from tests.github.server import Fault, Kind, Server, serve
from tests.github.stage import HEAD, Stage, check
from tests.unit.certificates import self_signed


def api(stage: Stage) -> Api:
    """Return a client of the double."""
    here = context.read(stage.environ({}, "push", 100))
    return Api(here, Secret(JOB_TOKEN), Policy(sleep=stage.waited.append))


def test_an_enterprise_server_is_called_under_its_own_path(tmp_path: Path) -> None:
    with serve(prefix="/api/v3") as server:
        stage = Stage(server, tmp_path)
        server.double.open_pull(7, HEAD)
        for index in range(120):
            server.double.plant(7, f"user{index}", "me too")
        job = stage.job()
        job.findings(check())
        assert job.close() == []
        assert len(stage.comments) == 1
        assert server.violations == []


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_bundle_of_the_machine_is_trusted(tmp_path: Path, name: str) -> None:
    certificate = self_signed(tmp_path, "localhost")
    with serve(certificate) as server:
        stage = Stage(server, tmp_path)
        server.double.open_pull(7, HEAD)
        job = stage.job(**{name: str(certificate[0])})  # type: ignore[arg-type]
        job.findings(check())
        assert job.close() == []
        assert len(stage.comments) == 1


def test_a_server_that_nobody_vouches_for_gets_no_token(tmp_path: Path) -> None:
    with serve(self_signed(tmp_path, "localhost")) as server:
        stage = Stage(server, tmp_path)
        job = stage.job()
        job.findings(check())
        assert job.close() == ["check", "comment"]
        assert server.calls == []
        assert stage.waited == [], "no certificate gets better by asking again"
        assert JOB_TOKEN not in stage.log.getvalue()


def test_a_file_is_attached_to_the_release_of_its_tag(github: Server, stage: Stage, tmp_path: Path) -> None:
    github.double.publish("v1.2.3")
    file = tmp_path / "production.ikoma-release.tar.gz"
    for content in (b"first", b"the second, longer"):
        file.write_bytes(content)
        assert attachments.attach(api(stage), "v1.2.3", file)
    (asset,) = github.double.releases["v1.2.3"]["assets"]
    assert github.double.files[asset["id"]] == b"the second, longer"


@pytest.mark.parametrize("kind", ["before", "after", "drop"])
def test_an_upload_whose_answer_is_lost_is_not_sent_twice(
    github: Server, stage: Stage, tmp_path: Path, kind: Kind
) -> None:
    github.double.publish("v1.2.3")
    github.faults.append(Fault(kind, method="POST"))
    file = tmp_path / "release.tar.gz"
    file.write_bytes(b"x" * 5000)
    assert attachments.attach(api(stage), "v1.2.3", file)
    assert len(github.double.releases["v1.2.3"]["assets"]) == 1


def test_a_tag_without_a_release_has_nothing_to_attach_to(github: Server, stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "release.tar.gz"
    file.write_bytes(b"x")
    assert not attachments.attach(api(stage), "v9", file)
