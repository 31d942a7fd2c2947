"""Which stages reach the target, and what they take from where."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.model.errors import Misuse
from bridge.workspace.dockerfile import parse
from bridge.workspace.stages import Inputs, inputs

FIXTURES = Path(__file__).parents[1] / "fixtures/dockerfiles"


def read(text: str, target: str = "", contexts: frozenset[str] = frozenset(), **args: str) -> Inputs:
    return inputs(parse(text), args, target=target, contexts=contexts)


def taken(found: Inputs) -> list[str]:
    return [f"{source.context}:{source.path}" if source.context else source.path for source in found.sources]


def test_only_stages_that_the_target_stands_on_count() -> None:
    text = "FROM a AS one\nCOPY x .\nFROM b AS two\nCOPY y .\nFROM one\nCOPY z .\n"
    found = read(text)
    assert taken(found) == ["x", "z"]
    assert found.images == ["a"]
    assert taken(read(text, target="two")) == ["y"]


def test_stages_are_reached_by_copy_and_by_mount_and_by_number() -> None:
    text = "FROM a\nCOPY x .\nFROM b AS two\nCOPY y .\nFROM c\nCOPY --from=0 /x .\n"
    text += "RUN --mount=type=bind,from=two,source=/y true"
    assert taken(read(text)) == ["x", "y"]
    assert read(text).images == ["a", "b", "c"]


def test_images_of_others_are_taken_from_copy_and_mount_too() -> None:
    text = "FROM a\nCOPY --from=tools:1 /t .\nRUN --mount=from=other:2,target=/o true\n"
    text += "RUN --mount=type=tmpfs,target=/t true"
    assert read(text).images == ["a", "other:2", "tools:1"]


def test_a_bind_without_a_source_takes_the_whole_context_and_a_cache_or_secret_nothing() -> None:
    assert taken(read("FROM a\nRUN --mount=type=bind,target=. make")) == ["."]
    assert taken(read("FROM a\nRUN --mount=type=bind,src=go.mod,target=go.mod make")) == ["go.mod"]
    assert taken(read("FROM a\nRUN --mount=type=cache,target=/c --mount=type=secret,id=s make")) == []


def test_addresses_and_documents_are_no_files() -> None:
    text = "FROM a\nADD https://e.example/x.tgz git@e.example:r.git local /\nCOPY <<one real /d/\ntext\none\n"
    assert taken(read(text)) == ["local", "real"]


def test_arguments_choose_bases_and_paths() -> None:
    text = "ARG BASE=a:1\nARG APP\nFROM ${BASE}\nARG APP\nENV DIR=apps/${APP}\nCOPY ${DIR}/src .\nCOPY apps/$UNSEEN ."
    found = read(text, APP="web", OTHER="unused")
    assert found.images == ["a:1"]
    assert taken(found) == ["apps/web/src", "."]  # UNSEEN may come from the base image: it may be anything
    assert found.arguments == {"APP": "web"}
    assert read(text, APP="web", BASE="b:2").images == ["b:2"]


def test_an_argument_of_a_stage_that_does_not_count_does_not_count() -> None:
    text = "FROM a AS tests\nARG REPORT\nFROM a\nARG APP=x\n"
    assert read(text, REPORT="1", APP="y").arguments == {"APP": "y"}


def test_a_stage_knows_the_values_of_the_stage_it_starts_from() -> None:
    assert taken(read("FROM a AS base\nENV ROOT=src\nFROM base\nCOPY $ROOT .")) == ["src"]


def test_the_platform_is_known_to_bases_and_stages() -> None:
    text = "FROM base-$TARGETARCH\nARG TARGETOS\nCOPY bin/$TARGETOS ."
    found = inputs(parse(text), {}, platform="linux/arm64")
    assert found.images == ["base-arm64"]
    assert taken(found) == ["bin/linux"]


def test_named_contexts_stand_before_stages_and_images() -> None:
    text = "FROM base AS one\nCOPY --from=assets img/ .\nFROM one\n"
    found = read(text, contexts=frozenset({"base", "assets"}))
    assert found.images == []
    assert found.contexts == ["assets", "base"]
    assert taken(found) == ["assets:img/"]


def test_scratch_is_no_image() -> None:
    assert read("FROM scratch\nCOPY x /").images == []


def test_an_unknown_target_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Misuse) as caught:
        read("FROM a AS web\nFROM a AS api", target="wbe")
    assert caught.value.id == "dockerfile.stage"
    assert "web, api" in caught.value.message("en")


def test_a_base_without_a_name_or_a_value_is_refused() -> None:
    for text, message in (("ARG BASE\nFROM $BASE", "dockerfile.base"), ("FROM $BASE", "build.variable")):
        with pytest.raises(Misuse) as caught:
            read(text)
        assert caught.value.id == message


def test_a_workspace_build_takes_its_manifests_first() -> None:
    found = read((FIXTURES / "pnpm_filter.Dockerfile").read_text())
    assert taken(found) == [
        "package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json", "apps/web/package.json",
    ]  # fmt: skip
    assert found.images == ["gcr.io/distroless/nodejs22", "node:22-slim"]
