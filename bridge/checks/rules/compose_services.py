"""IKB502: services that cannot be replaced without a gap, watched, or kept from filling the disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from agent.model.errors import IkomaError
from bridge.checks.fixes import yamledit
from bridge.checks.model import Edit, Finding, Rule, Severity
from bridge.workspace.compose import Compose, Service
from bridge.workspace.dockerfile import Dockerfile

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB502"


def check(facts: Facts) -> Iterable[Finding]:
    for compose in facts.composes:
        if compose.path == facts.compose_path:
            for service in compose.services:
                yield from _name(compose, service)
                yield from _health(facts, compose, service)
                yield from _logs(compose, service)
                yield from _image(compose, service)


def _name(compose: Compose, service: Service) -> Iterator[Finding]:
    if "container_name" in service.data:
        message = (
            f"container_name of {service.name} forbids a second container beside the first: every deployment has a gap."
        )
        edit = Edit(compose.path, lambda old: yamledit.remove(old, "services", service.name, "container_name"))
        yield _finding(compose, service, "container_name", Severity.WARNING, message, "Remove container_name.", (edit,))


def _health(facts: Facts, compose: Compose, service: Service) -> Iterator[Finding]:
    if _is_watched(service) or is_short(compose, service) or _probed(facts, service) or service.build is None:
        return
    parsed = next(
        (facts.dockerfiles.get(b.path) for b in facts.builds if b.service and b.service.name == service.name), None
    )
    if isinstance(parsed, Dockerfile) and any(item.keyword == "HEALTHCHECK" for item in parsed.instructions):
        return
    serves = any(key in service.data for key in ("ports", "expose"))
    what = "serves before traffic goes to it" if serves else "still works: it may hang, and count as running"
    fix = "Add a healthcheck to it, or a probe to the contract." if serves else "Add a healthcheck to it."
    message = f"{service.name} has no health check: nobody can tell whether it {what}."
    yield _finding(compose, service, "", Severity.WARNING, message, fix)


def _is_watched(service: Service) -> bool:
    check = service.data.get("healthcheck")
    if not isinstance(check, dict):
        return False
    return str(check.get("disable", "")).lower() != "true" and check.get("test") not in ("NONE", ["NONE"])


def _probed(facts: Facts, service: Service) -> bool:
    contract = facts.contract
    if contract is None or isinstance(contract, IkomaError):
        return False
    entry = contract.services.get(service.name)
    return entry is not None and entry.probe is not None


def is_short(compose: Compose, service: Service) -> bool:
    """Return whether it runs to its end: others wait for that, or it is never restarted."""
    if str(service.data.get("restart", "")) in ("no", "False", "false"):
        return True
    return any(
        isinstance(needed, dict) and _completes(needed.get(service.name))
        for other in compose.services
        if (needed := other.data.get("depends_on"))
    )


def _completes(entry: Any) -> bool:
    return isinstance(entry, dict) and entry.get("condition") == "service_completed_successfully"


def _logs(compose: Compose, service: Service) -> Iterator[Finding]:
    """A service that says nothing of its log gets the contract's ``retention.logs``, but from us alone."""
    logging = service.data.get("logging")
    fix = 'logging: { driver: json-file, options: { max-size: 10m, max-file: "3" } }'
    if not isinstance(logging, dict):
        message = f"{service.name} sets no size limit for its log: only the contract's retention.logs gives it one."
        yield _finding(compose, service, "logging", Severity.INFO, message, fix)
        return
    options = logging.get("options")
    if logging.get("driver", "json-file") == "json-file" and not (isinstance(options, dict) and "max-size" in options):
        message = f"The log of {service.name} has no size limit: json-file grows until the disk is full."
        yield _finding(compose, service, "logging", Severity.INFO, message, fix)


def _image(compose: Compose, service: Service) -> Iterator[Finding]:
    image = service.data.get("image")
    if isinstance(image, str) and service.build is None and "$" not in image and "@" not in image:
        tag = image.rpartition("/")[2].partition(":")[2]
        if tag in ("", "latest"):
            message = f"The image {image} of {service.name} has no version: the next pull may bring another one."
            yield _finding(
                compose, service, "image", Severity.WARNING, message, f"Name a version: {image.partition(':')[0]}:…"
            )


def _finding(
    compose: Compose,
    service: Service,
    key: str,
    severity: Severity,
    message: str,
    fix: str,
    edits: tuple[Edit, ...] = (),
) -> Finding:
    line, column = compose.position("services", service.name, *((key,) if key else ()))
    return Finding(ID, severity, compose.path, line, column, message, service.name, service.name,
                   frozenset({service.name}), fix, edits)  # fmt: skip


RULE = Rule(
    ID,
    "service-hygiene",
    Severity.WARNING,
    "",
    "What a service in the deployed compose file should have: no container_name, which forbids two containers at "
    "once and so every replacement without a gap; a health check, so that traffic goes only where it is answered; a "
    "limit for its log, so that it cannot fill the disk (on the host, one that says nothing gets the contract's "
    "retention.logs); and a version of a foreign image.",
    check,
    "removes container_name",
)
