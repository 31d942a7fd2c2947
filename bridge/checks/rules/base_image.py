"""IKB206: a base image without a tag or a digest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bridge.checks.model import Finding, Rule, Severity
from bridge.workspace.dockerfile import Dockerfile, Instruction
from bridge.workspace.stages import pairs
from bridge.workspace.words import Unknown, expand

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB206"


def check(facts: Facts) -> Iterable[Finding]:
    for path, parsed in facts.dockerfiles.items():
        if isinstance(parsed, Dockerfile):
            values: dict[str, str] = {}
            stages: set[str] = set()
            for item in parsed.instructions:
                if item.keyword == "ARG" and not stages:
                    values |= {name: value.strip("\"'") for name, value in pairs(item.value) if value is not None}
                elif item.keyword == "FROM":
                    if (finding := _from(path, item, values, stages)) is not None:
                        yield finding
                    stages.add(item.words[-1].lower() if len(item.words) == 3 else f"#{len(stages)}")


def _from(path: str, item: Instruction, values: dict[str, str], stages: set[str]) -> Finding | None:
    try:
        image = expand(item.words[0], values) if item.words else ""
    except Unknown:
        return None
    if not image or image == "scratch" or image.lower() in stages or "@" in image:
        return None
    tag = image.rpartition("/")[2].partition(":")[2]
    if tag and tag != "latest":
        return None
    what = "has no tag" if not tag else "is latest"
    message = f"The base image {image} {what}: the next build may start from another system than this one."
    fix = f"Name a version, best with its digest: FROM {image.partition(':')[0]}:<version>@sha256:<digest>"
    return Finding(ID, Severity.WARNING, path, item.line, 1, message, image, fix=fix)


RULE = Rule(
    ID,
    "base-image-not-pinned",
    Severity.WARNING,
    "",
    "FROM without a tag, or with latest, takes whatever the registry has that day: a build that passed yesterday fails "
    "today, and nobody can say what changed. A version pins what it means, a digest pins what it is.",
    check,
)
