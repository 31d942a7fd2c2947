"""The one ``docker buildx bake`` that builds all missing images: its definition, its command line. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.model.names import fingerprint
from bridge.images.names import Reference
from bridge.images.render import Build


@dataclass(frozen=True, slots=True)
class Order:
    """One image to build and push: under which reference, starting from which exact base images."""

    build: Build
    reference: Reference
    platform: str
    pins: dict[str, str] = field(default_factory=dict)
    siblings: dict[str, str] = field(default_factory=dict)
    """Named contexts that are images of other services: context → full reference, or a target of this bake."""


def target_name(service: str) -> str:
    """Return the name of a service's target; bake allows letters, digits, ``_`` and ``-`` alone."""
    name = re.sub(r"[^a-zA-Z0-9_-]", "_", service)
    return name if name == service else f"{name}_{fingerprint(service)[:6]}"


def definition(orders: Iterable[Order], *, cache: bool, sbom: str = "") -> dict[str, Any]:
    """Return the bake file as plain data.

    Args:
        cache: whether the builder can keep its cache in the registry, beside each image as ``:buildcache``, and attest
            beside each image how it was built.
        sbom: whether it also lists what each image holds. Empty: no; ``1``: by the scanner that BuildKit pulls;
            else the image of a scanner.
    """
    listed = "type=sbom" + (f",generator={sbom}" if sbom != "1" else "")
    attest = ["type=provenance,mode=max", *([listed] if sbom else [])] if cache else []
    return {"target": {target_name(order.build.service): _target(order, cache, attest) for order in orders}}


def _target(order: Order, cache: bool, attest: list[str]) -> dict[str, Any]:
    build = order.build
    contexts = {name: text for name, text in build.contexts.items() if name not in order.siblings}
    target: dict[str, Any] = {
        "context": str(build.context),
        "contexts": contexts | order.siblings | order.pins,
        "args": build.args,
        "labels": build.labels,
        "platforms": [order.platform],
        "tags": [order.reference.tagged],
        "output": ["type=registry"],
        "secret": list(build.secrets),
        "target": build.target,
        "attest": attest,
    }
    target |= {"dockerfile-inline": build.inline} if build.inline else {"dockerfile": str(build.dockerfile)}
    target |= build.extra
    if cache:
        kept = f"{order.reference.name}:buildcache"
        target["cache-from"] = [f"type=registry,ref={kept}"]
        target["cache-to"] = [f"type=registry,ref={kept},mode=max,ignore-error=true"]
    return {key: _literal(value) for key, value in target.items() if value}


def _literal(value: Any) -> Any:
    """Escape what bake would take for a template."""
    if isinstance(value, str):
        return value.replace("${", "$${").replace("%{", "%%{")
    if isinstance(value, dict):
        return {key: _literal(item) for key, item in value.items()}
    return [_literal(item) for item in value] if isinstance(value, list) else value


def command(file: Path, metadata: Path, services: Iterable[str]) -> list[str]:
    """Return the command line; nothing secret stands in it."""
    options = ["--file", str(file), "--metadata-file", str(metadata), "--progress", "plain"]
    return ["docker", "buildx", "bake", *options, *(target_name(service) for service in services)]


def digests(metadata: dict[str, Any], services: Iterable[str]) -> dict[str, str]:
    """Return service → digest as pushed, for those that the metadata tells."""
    found = {}
    for service in services:
        entry = metadata.get(target_name(service))
        if isinstance(entry, dict) and isinstance(entry.get("containerimage.digest"), str):
            found[service] = entry["containerimage.digest"]
    return found


_STEP = re.compile(r"#\d+ (\[[^\]]* \d+/\d+\] .*|pushing .* with docker|ERROR: .*)")


def readable(line: str) -> str:
    """Return a line of plain progress worth showing, or an empty text for the many that are not.

    Buildx repeats a step's line whenever its output goes on: the caller shows each once.
    """
    match = _STEP.fullmatch(line.strip())
    # A cache that does not exist yet is no error of the build.
    return match[1] if match and "cache importer" not in match[1] else ""


def fault(lines: Iterable[str]) -> str:
    """Return the part of a failed build's output that tells the cause: the last error and what led to it."""
    listed = [line.rstrip() for line in lines if line.strip()]
    for at in range(len(listed) - 1, -1, -1):
        if re.match(r"(ERROR|error):", listed[at]):
            start = next((i for i in range(at - 1, max(at - 25, -1), -1) if listed[i].strip() == "------"), at)
            before = next((i for i in range(start - 1, max(start - 25, -1), -1) if listed[i].strip() == "------"), at)
            return "\n".join([listed[at].partition(": ")[2], *listed[before + 1 : at]])[:4000]
    return "\n".join(listed[-10:])[:4000]
