"""``bridge mcp``: the authoring tools over standard input and output, by the official SDK."""

from __future__ import annotations

import json
import logging
from typing import Any, Final

import anyio
import mcp_types as types
from anyio.to_thread import run_sync
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server

from agent.model.errors import IkomaError
from agent.model.messages import language
from bridge import __version__
from bridge.authoring import tools
from bridge.authoring.tools import Desk, Tool

_ABOUT: Final = (
    "Drafts for a repository that is deployed by IKOMA Bridge. Read first (check, drafts, versions), then write a "
    "draft: it becomes a draft pull request, whose checks and reports draft_show tells. People merge and publish."
)
_Context = ServerRequestContext[Any]
_Page = types.PaginatedRequestParams | None


def serve(desk: Desk, *, write: bool) -> None:
    """Serve one assistant until its end of the stream is closed; without ``write`` it only reads."""
    logging.disable(logging.WARNING)  # libraries would tell standard error what a person starts to read as faults
    anyio.run(Author(desk, write).serve)


class Author:
    """One connection."""

    def __init__(self, desk: Desk, write: bool) -> None:
        self.desk, self.write, self.lang = desk, write, language()

    async def serve(self) -> None:
        """Answer until standard input ends."""
        server: Server[Any] = Server(
            "ikoma-bridge", version=__version__, instructions=_ABOUT,
            on_list_tools=self._list_tools, on_call_tool=self._call_tool,
        )  # fmt: skip
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    async def _list_tools(self, _context: _Context, _page: _Page) -> types.ListToolsResult:
        offered = [shown(tool) for tool in tools.TOOLS.values() if self.write or not tool.writes]
        return types.ListToolsResult(tools=offered)

    async def _call_tool(self, _context: _Context, asked: types.CallToolRequestParams) -> types.CallToolResult:
        try:
            answer = await run_sync(lambda: tools.call(self.desk, asked.name, asked.arguments or {}, write=self.write))
        except IkomaError as error:
            text = f"{error.message(self.lang)} {error.remedy(self.lang)}".rstrip()
            return _told({"error": error.to_json(self.lang)}, text, is_error=True)
        except Exception as error:  # a fault of ours: its text may hold anything, so its kind has to do
            internal = IkomaError("draft.internal", kind=type(error).__name__)
            return _told({"error": internal.to_json(self.lang)}, internal.message(self.lang), is_error=True)
        return _told(answer, json.dumps(answer, ensure_ascii=False))


def shown(tool: type[Tool]) -> types.Tool:
    """Return a tool as an assistant sees it."""
    schema = tool.model_json_schema()
    schema.pop("description", None)
    return types.Tool(
        name=tool.name,
        description=" ".join((tool.__doc__ or "").split()),
        input_schema=schema,
        annotations=types.ToolAnnotations(
            read_only_hint=not tool.writes,
            destructive_hint=tool.removes,
            idempotent_hint=not tool.removes,
            open_world_hint=tool.name != "check",
        ),
    )


def _told(content: dict[str, Any], text: str, is_error: bool = False) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text=text)], structured_content=content, is_error=is_error)
