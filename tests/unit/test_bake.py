"""The bake definition, the login for one build, and what is shown of a build's output."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.model.errors import IkomaError, Misuse
from agent.model.secret import Secret
from bridge.images import bake, baking, login, names
from bridge.images.render import Build

TOKEN = "to ken%'\""


@dataclass(frozen=True)
class Access:
    address: str = "ghcr.io/acme"
    username: str = "ada"
    token: Secret = field(default_factory=lambda: Secret(TOKEN))


def order(service: str = "web", **build: object) -> bake.Order:
    made = Build(service, Path("/src"), Path("/src/Dockerfile"), **build)  # type: ignore[arg-type]
    return bake.Order(made, names.ours("ghcr.io/acme", "shop", service, "in-1"), "linux/amd64")


def test_a_target_says_where_from_where_to_and_for_what() -> None:
    [target] = bake.definition([order(target="final", args={"A": "1"}, secrets=("id=ca,src=/ca",))], cache=False)[
        "target"
    ].values()
    assert target == {
        "context": "/src", "dockerfile": "/src/Dockerfile", "target": "final", "args": {"A": "1"},
        "platforms": ["linux/amd64"], "tags": ["ghcr.io/acme/shop/web:in-1"], "output": ["type=registry"],
        "secret": ["id=ca,src=/ca"],
    }  # fmt: skip


def test_a_cache_stands_beside_the_image_and_never_fails_a_build() -> None:
    target = bake.definition([order()], cache=True)["target"]["web"]
    assert target["cache-from"] == ["type=registry,ref=ghcr.io/acme/shop/web:buildcache"]
    assert target["cache-to"] == ["type=registry,ref=ghcr.io/acme/shop/web:buildcache,mode=max,ignore-error=true"]


def test_what_was_built_and_how_is_attested_where_the_builder_can() -> None:
    assert "attest" not in bake.definition([order()], cache=False, sbom="1")["target"]["web"]
    assert bake.definition([order()], cache=True)["target"]["web"]["attest"] == ["type=provenance,mode=max"]
    assert "type=sbom" in bake.definition([order()], cache=True, sbom="1")["target"]["web"]["attest"]
    own = bake.definition([order()], cache=True, sbom="r.example/scanner:1")["target"]["web"]["attest"]
    assert "type=sbom,generator=r.example/scanner:1" in own


def test_a_scanner_is_an_image_and_nothing_else() -> None:
    assert [baking._scanner({"BRIDGE_SBOM": said}) for said in ("", "0", "1")] == ["", "", "1"]
    assert baking._scanner({"BRIDGE_SBOM": "scan"}) == "docker.io/library/scan:latest"
    with pytest.raises(Misuse):
        baking._scanner({"BRIDGE_SBOM": "x,type=provenance"})


def test_values_that_look_like_templates_stay_what_they_are() -> None:
    target = bake.definition([order(args={"A": "${HOME} %{x}"}, inline="FROM a\nRUN echo ${B}")], cache=False)[
        "target"
    ]["web"]
    assert target["args"] == {"A": "$${HOME} %%{x}"}
    assert target["dockerfile-inline"] == "FROM a\nRUN echo $${B}"


def test_named_contexts_are_folders_siblings_and_pinned_bases() -> None:
    made = order(contexts={"assets": "/assets", "base": "service:api"})
    pinned = bake.Order(
        made.build, made.reference, made.platform, {"node:22": "docker-image://n@d"}, {"base": "target:api"}
    )
    target = bake.definition([pinned], cache=False)["target"]["web"]
    assert target["contexts"] == {"assets": "/assets", "base": "target:api", "node:22": "docker-image://n@d"}


def test_services_with_dots_get_names_that_bake_allows_and_that_do_not_clash() -> None:
    assert bake.target_name("web") == "web"
    assert bake.target_name("a.b").startswith("a_b_")
    assert bake.target_name("a.b") != bake.target_name("a_b")


def test_nothing_secret_stands_on_the_command_line() -> None:
    argv = bake.command(Path("/tmp/x/bake.json"), Path("/tmp/x/metadata.json"), ["web", "api"])
    assert argv[:3] == ["docker", "buildx", "bake"]
    assert argv[-2:] == ["web", "api"]
    assert TOKEN not in " ".join(argv)


def test_digests_are_read_by_service() -> None:
    metadata = {"web": {"containerimage.digest": "sha256:1"}, "api": {}, "buildx.build.warnings": []}
    assert bake.digests(metadata, ["web", "api", "jobs"]) == {"web": "sha256:1"}


SHOWN = [
    ("#12 [api build 3/6] COPY packages/db packages/db", "[api build 3/6] COPY packages/db packages/db"),
    ("#1 [stage-1 1/2] FROM docker.io/library/a", "[stage-1 1/2] FROM docker.io/library/a"),
    ("#9 pushing ghcr.io/x:in-1 with docker", "pushing ghcr.io/x:in-1 with docker"),
    ("#9 ERROR: process did not complete", "ERROR: process did not complete"),
    ("#9 ERROR: failed to configure registry cache importer: not found", ""),
    ("#3 [auth] shop/web:pull token for ghcr.io", ""),
    ("#3 [internal] load build definition", ""),
    ("#12 0.523 npm notice", ""),
    ("#12 CACHED", ""),
    ("", ""),
]


@pytest.mark.parametrize(("line", "expected"), SHOWN)
def test_of_a_builds_many_lines_the_steps_are_shown(line: str, expected: str) -> None:
    assert bake.readable(line) == expected


def test_the_cause_of_a_failed_build_is_its_last_error_and_what_led_to_it() -> None:
    output = """#7 [web 2/2] RUN exit 3
#7 0.1 something broke
#7 ERROR: process "/bin/sh -c exit 3" did not complete successfully: exit code: 3
------
 > [web 2/2] RUN exit 3:
0.1 something broke
------
Dockerfile:2
--------------------
   2 | >>> RUN exit 3
--------------------
ERROR: failed to solve: process "/bin/sh -c exit 3" did not complete successfully: exit code: 3
"""
    cause = bake.fault(output.splitlines())
    assert cause.startswith("failed to solve: process")
    assert "something broke" in cause
    assert "Dockerfile:2" in cause


def test_without_an_error_line_the_end_of_the_output_is_the_cause() -> None:
    assert bake.fault(["one", "", "two"]) == "one\ntwo"


def test_our_login_stands_in_a_configuration_of_its_own_that_is_gone_afterwards(tmp_path: Path) -> None:
    theirs = tmp_path / "docker"
    (theirs / "cli-plugins").mkdir(parents=True)
    (theirs / "config.json").write_text('{"auths": {"other.example": {"auth": "eA=="}}, "currentContext": "remote"}')
    with login.logged_in(
        Access(), {"DOCKER_CONFIG": str(theirs), "SECRET_OF_OTHERS": "x", "DOCKER_HOST": "unix:///x"}
    ) as env:
        folder = Path(env["DOCKER_CONFIG"])
        config = json.loads((folder / "config.json").read_text())
        assert config["auths"]["ghcr.io"] == {"auth": base64.b64encode(f"ada:{TOKEN}".encode()).decode()}
        assert config["auths"]["other.example"] == {"auth": "eA=="}
        assert config["currentContext"] == "remote"
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "config.json").stat().st_mode & 0o777 == 0o600
        assert (folder / "cli-plugins").resolve() == (theirs / "cli-plugins").resolve()
        assert env["DOCKER_HOST"] == "unix:///x"
        assert env["BUILDX_CONFIG"] == str(theirs / "buildx")
        assert "SECRET_OF_OTHERS" not in env
        assert TOKEN not in json.dumps(env)
    assert not folder.exists()
    assert (theirs / "cli-plugins").exists()
    assert "ghcr.io" not in (theirs / "config.json").read_text()


def test_the_login_is_removed_when_the_build_fails(tmp_path: Path) -> None:
    folders = []

    def failing_build() -> None:
        with login.logged_in(Access(), {"HOME": str(tmp_path)}) as env:
            folders.append(Path(env["DOCKER_CONFIG"]))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing_build()
    assert not folders[0].exists()


def test_a_credential_store_keeps_serving_the_registries_it_knows_and_not_ours() -> None:
    theirs = {"credsStore": "desktop", "auths": {"docker.io": {}, "ghcr.io": {}}, "credHelpers": {"gcr.io": "gcloud"}}
    found = login.configuration(theirs, Access())
    assert found["credHelpers"] == {"gcr.io": "gcloud", "docker.io": "desktop"}
    assert "credsStore" not in found
    assert found["auths"]["ghcr.io"]["auth"]


def test_without_a_token_the_users_own_login_is_used() -> None:
    theirs = {"auths": {"ghcr.io": {"auth": "mine"}}}
    assert login.configuration(theirs, Access(token=Secret("")))["auths"] == {"ghcr.io": {"auth": "mine"}}


@pytest.mark.parametrize(
    ("said", "passes"),
    [
        ("unexpected status from HEAD request to https://r/v2/a/web/blobs/sha256:2c: 500 Internal Server Error", True),
        ("failed to push r/a/web:in-1: write: connection reset by peer", True),
        ("missing content: content digest sha256:2d1d: not found", True),
        ('failed to solve: image "r:5000/a/web:in-1": already exists', True),
        ('process "/bin/sh -c false" said: image "x": already exists', False),
        ("failed to push r/a/web:in-1: 507 Insufficient Storage", False),
        ('process "/bin/sh -c curl https://x" did not complete: 502 Bad Gateway', False),
        ("", False),
    ],
)
def test_a_build_is_run_again_only_when_its_push_broke_off(said: str, passes: bool) -> None:
    assert baking.stumbled(IkomaError("build.failed", said=said)) is passes
    assert not baking.stumbled(IkomaError("registry.denied", registry="r", what="push", repository="/", said=said))
