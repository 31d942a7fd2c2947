"""Capabilities as MCP tools, and what a target has to read as resources. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import mcp_types as types

from agent.capabilities import Index
from agent.capabilities.index import Capability
from agent.doors import schemas
from agent.host.keys import Grant
from agent.model.errors import Misuse
from agent.model.names import Target

FOLLOW: Final = "operations_follow"
"""The one tool that is no capability: news of an operation that a tool started."""

_READS: Final = {"status": "apps.status", "releases": "apps.releases", "logs": "apps.logs"}
_TITLES: Final = {"status": "What runs", "releases": "What can be gone back to", "logs": "The last lines"}
_URI: Final = re.compile(r"ikoma://([a-z0-9-]+)/([a-z0-9-]+)/([a-z]+)")


def name_of(capability: str) -> str:
    """Return the tool's name: assistants take letters, digits and underscores."""
    return capability.replace(".", "_")


def table(index: Index, grant: Grant) -> dict[str, Capability]:
    """Return tool name → capability, for what the role may call."""
    return {name_of(name): one for name, one in sorted(index.items()) if grant.has_role(one.role)}


def tool(capability: Capability) -> types.Tool:
    """Return one capability as a tool."""
    answered = {"result": schemas.result_schema(capability)}
    if capability.changes:
        answered |= {"operation": {"type": "string"}, "status": {"type": "string"}}
    return types.Tool(
        name=name_of(capability.name),
        title=capability.name,
        description=f"{capability.summary_en} Role: {capability.role}.",
        input_schema=schemas.request_schema(capability),
        output_schema={"type": "object", "properties": answered},
        annotations=types.ToolAnnotations(
            read_only_hint=not (capability.changes or capability.writes),
            destructive_hint=(capability.changes or capability.writes) and not capability.additive,
            idempotent_hint=not (capability.changes or capability.writes),
            open_world_hint=False,
        ),
    )


def follow_tool() -> types.Tool:
    """Return the tool that follows an operation."""
    number = {"type": "integer", "minimum": 0}
    return types.Tool(
        name=FOLLOW,
        description="News of an operation: its status, the events behind `after`, its result once it has ended.",
        input_schema={
            "type": "object",
            "properties": {
                "operation": {"type": "string"},
                "after": number | {"default": 0},
                "wait": number | {"maximum": 50, "default": 20, "description": "Seconds to wait for news."},
            },
            "required": ["operation"],
            "additionalProperties": False,
        },
        annotations=types.ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False),
    )


def resources(targets: Iterable[Target]) -> list[types.Resource]:
    """Return what can be read of each target."""
    return [
        types.Resource(
            uri=f"ikoma://{target.app}/{target.environment}/{kind}",
            name=f"{target.slug}-{kind}",
            title=f"{target}: {title}",
            mime_type="application/json",
        )
        for target in targets
        for kind, title in _TITLES.items()
    ]


def templates() -> list[types.ResourceTemplate]:
    """Return the addresses of resources, for targets that are not listed."""
    return [
        types.ResourceTemplate(
            uri_template=f"ikoma://{{app}}/{{environment}}/{kind}", name=kind, title=title, mime_type="application/json"
        )
        for kind, title in _TITLES.items()
    ]


def resource(uri: str) -> tuple[str, Target]:
    """Return the capability and the target behind an address. Raises ``Misuse("mcp.resource")``."""
    match = _URI.fullmatch(uri)
    if match is None or match[3] not in _READS:
        raise Misuse("mcp.resource", uri=uri[:200])
    return _READS[match[3]], Target(match[1], match[2])


def told(content: Any, text: str, is_error: bool = False) -> types.CallToolResult:
    """Return an answer, for programs and for readers."""
    block = types.TextContent(text=text)
    return types.CallToolResult(content=[block], structured_content=content, is_error=is_error)
