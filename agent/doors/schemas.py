"""What a capability takes and answers as JSON Schema, for the doors that tell it to others. Pure."""

from __future__ import annotations

from typing import Any

from agent.capabilities import models
from agent.capabilities.index import Capability
from agent.doors.asking import Envelope


def request_schema(capability: Capability) -> dict[str, Any]:
    """Return the schema of a request: what belongs to every one, and the arguments of the capability."""
    common, own = inlined(Envelope), inlined(models.arguments(capability))
    shared = dict(common["properties"])
    if not capability.changes:
        shared = {name: schema for name, schema in shared.items() if name not in ("operation", "onBusy")}
    required = (["appName"] if capability.needs_target or capability.changes else []) + own.get("required", [])
    if "appName" in required:
        shared["appName"] = _without_null(shared["appName"])
    for name in capability.secret_args:
        own.setdefault("properties", {}).setdefault(name, {})["writeOnly"] = True
    return {
        "type": "object",
        "properties": shared | own.get("properties", {}),
        **({"required": required} if required else {}),
        "additionalProperties": capability.takes is None,
    }


def result_schema(capability: Capability) -> dict[str, Any]:
    """Return the schema of what a capability answers."""
    return inlined(models.result(capability), mode="serialization")


def inlined(kind: Any, mode: Any = "validation") -> dict[str, Any]:
    """Return the JSON Schema of a model with nothing to look up elsewhere."""
    schema = models.adapter(kind).json_schema(mode=mode)
    definitions = schema.pop("$defs", {})
    found: dict[str, Any] = _resolved(schema, definitions)
    return found


def _resolved(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_resolved(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = definitions[node["$ref"].rpartition("/")[2]]
        return _resolved(target | {key: value for key, value in node.items() if key != "$ref"}, definitions)
    return {
        key: _resolved(value, definitions)
        for key, value in node.items()
        if key != "title" or not isinstance(value, str)
    }


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    kinds = [kind for kind in schema.get("anyOf", []) if kind.get("type") != "null"]
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
    return rest | (kinds[0] if kinds else {})
