"""What a request over HTTP or MCP asks for: its JSON, judged against the capability's model. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.capabilities import models
from agent.capabilities.index import Capability
from agent.model.errors import Misuse
from agent.model.messages import LANGUAGES
from agent.model.names import NAME, check_operation, new_operation
from agent.protocol import Body

MAX_BYTES: Final = 4 * 1024 * 1024
PATIENCE: Final = 900.0
"""Seconds for which an answer waits for the end of an operation, unless the caller prefers otherwise."""


class Envelope(BaseModel):
    """What each request may say beside the arguments of its capability."""

    model_config = ConfigDict(extra="forbid")

    appName: str | None = Field(  # noqa: N815 (the wire's name)
        default=None, pattern=r"^[a-z][a-z0-9-]{0,30}$", description="The app.", examples=["myapp"]
    )
    environment: str = Field(default="production", pattern=r"^[a-z][a-z0-9-]{0,30}$")
    operation: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
        description="UUIDv7 of a change; the same one again is the same operation.",
    )
    onBusy: Literal["wait", "refuse"] = "wait"  # noqa: N815 (the wire's name)
    lang: Literal["en", "fr"] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that has the right form. ``operation`` is None for a read, ``patience`` seconds to wait for an end."""

    body: Body
    operation: str | None
    patience: float


class Malformed(Misuse):
    """Arguments that do not fit; ``errors`` says where and why, never the values."""

    def __init__(self, capability: str, errors: list[dict[str, str]]) -> None:
        first = errors[0]
        super().__init__("http.argument", capability=capability, argument=first["pointer"], reason=first["detail"])
        self.errors = errors


def parse(raw: bytes) -> dict[str, Any]:
    """Return the JSON object in ``raw``, whatever the content type said; nothing counts as an empty one.

    Raises:
        Misuse: ``wire.body``.
    """
    if not raw.strip():
        return {}
    try:
        data = json.loads(raw.decode())
        json.dumps(data, ensure_ascii=False, allow_nan=False).encode()  # half a surrogate fits into no journal
    except (ValueError, RecursionError):
        raise Misuse("wire.body", reason="it is no JSON") from None
    if not isinstance(data, dict):
        raise Misuse("wire.body", reason="it is no JSON object")
    return data


def named(data: dict[str, Any]) -> Body | None:
    """Return what the history can say of a request that may yet be refused: the target, where it names one."""
    app, environment = data.get("appName"), data.get("environment", "production")
    if all(isinstance(word, str) and NAME.fullmatch(word) for word in (app, environment)):
        return Body(app=app, environment=environment)
    return None


def ask(capability: Capability, data: dict[str, Any], headers: Mapping[str, str], address: str) -> Asked:
    """Return what is asked for.

    Raises:
        Misuse: ``http.argument`` (as ``Malformed``), ``wire.unknown_argument``, ``name.operation``.
    """
    envelope, args = _split(capability, data)
    agent = "".join(letter for letter in headers.get("user-agent", "") if letter.isprintable())
    return Asked(
        body=Body(
            app=envelope.appName,
            environment=envelope.environment,
            args=args,
            lang=envelope.lang or language(headers),
            on_busy=envelope.onBusy,
            client={"address": address, "user_agent": agent[:200]},
        ),
        operation=_operation(envelope, headers) if capability.changes else None,
        patience=patience(headers),
    )


def _split(capability: Capability, data: dict[str, Any]) -> tuple[Envelope, dict[str, Any]]:
    """Tell the arguments of the capability from what belongs to every request. A name of both is the capability's."""
    takes = capability.takes
    common = {name for name in Envelope.model_fields if name not in (takes or ())}
    args = {name: value for name, value in data.items() if name not in common}
    unknown = [name for name in args if takes is not None and name not in takes]
    if unknown:
        known = ", ".join([*sorted(common), *(takes or ())])
        raise Misuse("wire.unknown_argument", capability=capability.name, argument=unknown[0][:40], takes=known)
    try:
        envelope = Envelope.model_validate({name: data[name] for name in data if name in common})
        models.arguments(capability).model_validate(args)
    except ValidationError as error:
        raise Malformed(capability.name, _errors(error)) from None
    return envelope, args


def _errors(error: ValidationError) -> list[dict[str, str]]:
    """Return place and reason of each fault; what was sent stays out."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [{"pointer": "/" + "/".join(str(part)[:80] for part in one["loc"]), "detail": one["msg"]} for one in found]


def _operation(envelope: Envelope, headers: Mapping[str, str]) -> str:
    given = envelope.operation or headers.get("idempotency-key", "").strip('"')
    return check_operation(given) if given else new_operation()


def patience(headers: Mapping[str, str]) -> float:
    """Return the seconds that ``Prefer`` (RFC 7240) grants: ``respond-async`` none, ``wait=N`` N."""
    for preference in headers.get("prefer", "").split(","):
        name, _, value = preference.strip().lower().partition("=")
        if name == "respond-async":
            return 0.0
        if name == "wait" and value.isascii() and value.isdigit():
            return min(float(value[:9]), PATIENCE)
    return PATIENCE


def language(headers: Mapping[str, str]) -> str:
    """Return the first language of ``Accept-Language`` that we speak, else English."""
    for word in headers.get("accept-language", "").lower().split(","):
        if word.strip()[:2] in LANGUAGES:
            return word.strip()[:2]
    return "en"
