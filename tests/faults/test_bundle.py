"""A release whose images the host cannot pull: they come along, whole and verified, or nothing of them counts."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from agent.host.imageparts import FOLDER
from agent.model.names import Target, new_operation
from agent.protocol import Body
from bridge.images import carry
from bridge.images.registry import Client
from bridge.remote.client import Agent
from bridge.remote.connection import Destination
from tests.faults.app import App
from tests.faults.lab import Lab


@pytest.fixture
def kept(lab: Lab, tmp_path: Path) -> tuple[App, Path]:
    """An app that serves its first release; its second was built and kept, and the host has none of its images."""
    app = App(tmp_path / "repo", "carried")
    app.write("one")
    assert lab.deploy(app.repo).code == 0
    app.write("two")
    file = tmp_path / "two.tar.gz"
    done = lab.deploy(app.repo, "--save", str(file))
    assert done.code == 0, done
    back = lab.bridge("rollback", "--app", app.name, "--json")
    assert back.code == 0, back
    lab.inside("docker", "rmi", *images(file))
    return app, file


def images(file: Path) -> list[str]:
    services = json.loads(members(file)["release.json"])["services"].values()
    return sorted({service["image"] for service in services})


def members(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as archive:
        return {member.name: (archive.extractfile(member) or io.BytesIO()).read() for member in archive}


def test_images_come_with_the_release_or_nothing_of_them_counts(
    lab: Lab, kept: tuple[App, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, file = kept
    before = lab.containers(app.name)
    with lab.stopped("registry", "registry"), lab.asking(app.host) as answers:
        for spoilt in (without_a_layer, with_an_altered_layer):
            result = send(lab, app, spoilt(packed(file, tmp_path, lab, monkeypatch)))
            assert (result["status"], result["error"]["step"]) == ("FAILED", "pull"), result
            assert result["error"]["id"] == "image.incomplete", result
            assert result["error"]["remedy"]
            assert lab.containers(app.name) == before
        done = lab.bridge("deploy", "apply", "--release", str(file), "--repo", str(app.repo), "--bundle", "--json")
    assert done.code == 0, done
    assert answers.failures == []
    assert set(answers.bodies) == {"one", "two"}
    verified = lab.bridge("call", "artifact.verify_release", "--app", app.name, "--json").json
    assert verified["verified"] is True, verified
    again = lab.bridge("deploy", "apply", "--release", str(file), "--repo", str(app.repo), "--json")
    assert (again.code, again.json["steps"]) == (0, []), "the same release, whichever way its images came"


def packed(file: Path, tmp_path: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Return the members of the bundle that brings the images along."""
    monkeypatch.setenv("DOCKER_HOST", lab.env["DOCKER_HOST"])
    folder = tmp_path / new_operation()
    folder.mkdir()
    return members(carry.pack(file.read_bytes(), images(file), "linux/amd64", Client(), folder, print))


def largest(content: dict[str, bytes]) -> str:
    return max((name for name in content if name.startswith(FOLDER)), key=lambda name: len(content[name]))


def without_a_layer(content: dict[str, bytes]) -> dict[str, bytes]:
    return {name: raw for name, raw in content.items() if name != largest(content)}


def with_an_altered_layer(content: dict[str, bytes]) -> dict[str, bytes]:
    name = largest(content)
    return content | {name: content[name][:-1] + bytes([content[name][-1] ^ 1])}


def send(lab: Lab, app: App, content: dict[str, bytes]) -> dict[str, Any]:
    """Deploy a bundle of these members over the wire."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, data in content.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    env, release = lab.env, json.loads(content["release.json"])["release"]
    there = Destination(env["BRIDGE_HOST"], int(env["BRIDGE_PORT"]), env["BRIDGE_USER"], Path(env["BRIDGE_SSH_KEY"]),
                        Path(env["BRIDGE_KNOWN_HOSTS"]))  # fmt: skip
    with Agent(there) as agent:
        body = Body(app=Target(app.name).app, args={"release": release})
        sent = gzip.compress(raw.getvalue(), compresslevel=0)
        return agent.perform("deploy.apply", body, sent, new_operation(), lambda _event: None)
