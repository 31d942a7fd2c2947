"""The OpenAPI document of the HTTP door, made from the index and the models. Pure."""

from __future__ import annotations

from typing import Any, Final

import agent
from agent.capabilities import Index, models
from agent.capabilities.index import Capability
from agent.capabilities.models.base import OperationResult
from agent.doors.http_problem import MEDIA_TYPE, STATUSES
from agent.doors.schemas import inlined, request_schema, result_schema
from agent.protocol import ROLES

_TEXTS: Final = {
    400: "The request is no JSON object, or a header or number makes no sense.",
    401: "The API key is missing or unknown.",
    403: "The key or the role does not suffice, or the key is not granted this app.",
    404: "There is no such capability, operation or address.",
    405: "The address takes another method.",
    408: "The body did not arrive in time.",
    409: "The operation ended without success (see `outcome`), or the target is held by another one.",
    413: "The body is larger than 4 MiB.",
    422: "An argument does not fit, or the host refuses what was asked; nothing was changed.",
    429: "Too many requests; `Retry-After` says when the next one is answered.",
    500: "The agent failed in a way it did not foresee; `detail` holds the reference in its log.",
    503: "Something on the host does not answer: the engine, the database, the disk.",
}


def document(index: Index) -> dict[str, Any]:
    """Return the whole document."""
    paths = {f"/execute/{name}": {"post": _operation(index[name])} for name in sorted(index)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "IKOMA agent",
            "version": agent.__version__,
            "description": "Named capabilities of one host. Errors are RFC 9457 problem details.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://localhost:3000"}],
        "security": [{"apiKey": []}],
        "paths": paths | _others(),
        "components": {
            "securitySchemes": {"apiKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key"}},
            "schemas": {"Problem": _PROBLEM, "Event": _EVENT, "OperationResult": inlined(OperationResult)},
            "responses": {f"Problem{status}": _problem(status) for status in STATUSES},
        },
    }


def _operation(capability: Capability) -> dict[str, Any]:
    schema = request_schema(capability)
    content = {"application/json": {"schema": schema}}
    return {
        "operationId": capability.name,
        "tags": [capability.name.partition(".")[0]],
        "summary": capability.summary_en,
        "description": f"{capability.summary_fr}\n\nRole: `{capability.role}`. "
        + ("Starts an operation and waits for its end." if capability.changes else "Changes nothing."),
        "parameters": _PARAMETERS + (_CHANGE_PARAMETERS if capability.changes else []),
        "requestBody": {"required": bool(schema.get("required")), "content": content},
        "responses": _answers(capability) | _problems(),
        "x-role": capability.role,
        "x-changes": capability.changes,
    }


def _answers(capability: Capability) -> dict[str, Any]:
    plain = models.result(capability) is OperationResult
    schema = {"$ref": "#/components/schemas/OperationResult"} if plain else result_schema(capability)
    properties: dict[str, Any] = {"result": schema}
    if not capability.changes:
        return {"200": _json("The answer.", properties, ["result"])}
    properties["operation"] = {"type": "string", "format": "uuid"}
    started = {name: {"type": "string"} for name in ("operation", "status", "location")}
    return {
        "200": _json("The operation ended well.", properties, ["result", "operation"]),
        "202": _json("The operation goes on; poll its `location`.", started, list(started)),
    }


def _problems(*left_out: int) -> dict[str, Any]:
    return {
        str(status): {"$ref": f"#/components/responses/Problem{status}"}
        for status in STATUSES
        if status not in left_out
    }


def _problem(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": _TEXTS[status], "content": {MEDIA_TYPE: {"schema": schema}}}


def _json(text: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": required}
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _others() -> dict[str, Any]:
    poll = _json(
        "The operation, and its events behind `after`; `result` once it has ended.",
        {
            "operation": {"type": "object"},
            "events": {"type": "array", "items": {"$ref": "#/components/schemas/Event"}},
            "after": {"type": "integer"},
            "result": {"type": "object"},
        },
        ["operation", "events", "after"],
    )
    alive = _json("The door answers.", {"status": {"const": "ok"}}, ["status"])
    figures = {"description": "Prometheus' text format.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    return {
        "/operations/{operation}": {
            "get": _get("operations.get", "An operation and its events.", {"200": poll} | _problems(), _POLL_PARAMETERS)
        },
        "/healthz": {"get": _get("healthz", "Whether the door answers.", {"200": alive}) | {"security": []}},
        "/metrics": {
            "get": _get(
                "metrics", "Figures for Prometheus; on the host itself without a key.", {"200": figures} | _problems()
            )
        },
        "/openapi.json": {
            "get": _get("openapi", "This document.", {"200": _json("The document.", {}, [])}) | {"security": []}
        },
    }


def _get(name: str, summary: str, responses: dict[str, Any], parameters: list[Any] | None = None) -> dict[str, Any]:
    return {"operationId": name, "summary": summary, "parameters": parameters or [], "responses": responses}


def _header(name: str, text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": text, "schema": schema}


_PARAMETERS: Final = [
    _header("X-Role", "The role to act in, no higher than the key's own.", {"type": "string", "enum": list(ROLES)}),
    _header("Accept-Language", "`en` or `fr`.", {"type": "string", "enum": ["en", "fr"]}),
]
_CHANGE_PARAMETERS: Final = [
    _header("Prefer", "`respond-async`, or `wait=N` seconds (RFC 7240).", {"type": "string"}),
    _header("Idempotency-Key", "The same as `operation` in the body.", {"type": "string", "format": "uuid"}),
]
_POLL_PARAMETERS: Final = [
    {"name": "operation", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}},
    {
        "name": "after",
        "in": "query",
        "description": "The number of the last event that was seen.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 10**9, "default": 0},
    },
    {
        "name": "wait",
        "in": "query",
        "description": "Seconds to wait for news.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 60, "default": 0},
    },
]
_PROBLEM: Final = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "id": {"type": "string", "description": "Stable; branch on it."},
        "remedy": {"type": "string"},
        "step": {"type": ["string", "null"]},
        "operation": {"type": "string"},
        "outcome": {"type": "object", "description": "What a failed operation left."},
        "errors": {
            "type": "array",
            "items": {"type": "object", "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}}},
        },
    },
    "required": ["type", "title", "status", "detail", "id"],
    "not": {"required": ["result"]},
}
_EVENT: Final = {
    "type": "object",
    "properties": {
        "t": {"type": "string", "enum": ["event", "end"]},
        "op": {"type": "string"},
        "seq": {"type": "integer", "minimum": 1},
        "ts": {"type": "string"},
        "kind": {"type": "string"},
        "data": {"type": "object"},
    },
    "required": ["t", "op", "seq", "ts", "kind", "data"],
}
