"""One assistant's session: tools and resources of the official SDK, each call handed to the service of every door."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Final

import mcp_types as types
from anyio.to_thread import run_sync
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

import agent
from agent.capabilities.index import Capability
from agent.doors import asking, mcp_tools, waiting
from agent.doors.service import REFUSED
from agent.doors.starter import RemoteService
from agent.host import keys, log
from agent.host.keys import LOCAL
from agent.model.errors import IkomaError, Misuse
from agent.model.messages import language
from agent.model.names import Target, check_operation
from agent.protocol import SUCCESS, TERMINAL, Body

_PATIENCE: Final = 50.0
"""Seconds for which a tool waits for the end of an operation: clients give up after sixty."""

_ABOUT: Final = (
    "Deployments of one host. Read first (platform_check, apps_status, deploy_plan), then change. A tool that changes "
    "something starts an operation; if it goes on for long, its id is answered, and operations_follow tells the rest."
)
_Context = ServerRequestContext[Any]
_Page = types.PaginatedRequestParams | None


class Assistant:
    """Serves one connection with what the service's key may do."""

    def __init__(self, service: RemoteService) -> None:
        self.service, self.lang = service, language()
        self.all_names = {mcp_tools.name_of(name): name for name in service.index}

    async def serve(self) -> None:
        """Answer on standard output until standard input ends."""
        server: Server[Any] = Server(
            "ikoma-agent",
            version=agent.__version__,
            instructions=_ABOUT,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_list_resources=self._list_resources,
            on_list_resource_templates=self._list_templates,
            on_read_resource=self._read_resource,
        )
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    def _still_known(self) -> None:
        """Look the key up again: a session may outlive it. Raises ``Misuse("wire.unknown_key")``."""
        grant = self.service.grant
        if grant.name == LOCAL.name:
            return
        known = keys.load(self.service.paths).get(grant.name)
        if known is None:
            raise Misuse("wire.unknown_key", key=grant.name)
        role = grant.role if known.has_role(grant.role) else known.role
        self.service.grant = dataclasses.replace(known, role=role)

    async def _refuse_strangers(self) -> None:
        """Tell nothing to a key that was revoked meanwhile."""
        try:
            await run_sync(self._still_known)
        except Misuse as error:
            raise MCPError(types.INVALID_REQUEST, error.message(self.lang), {"id": error.id}) from None

    # --- tools

    async def _list_tools(self, _context: _Context, _page: _Page) -> types.ListToolsResult:
        await self._refuse_strangers()
        tools = [mcp_tools.tool(one) for one in mcp_tools.table(self.service.index, self.service.grant).values()]
        return types.ListToolsResult(tools=[*tools, mcp_tools.follow_tool()])

    async def _call_tool(self, _context: _Context, asked: types.CallToolRequestParams) -> types.CallToolResult:
        arguments = asked.arguments or {}
        name = self.all_names.get(asked.name, asked.name)
        try:
            await run_sync(self._still_known)
            if asked.name == mcp_tools.FOLLOW:
                return _answer(await self._follow(arguments))
            known = self.service.index.get(name)
            capability = self.service.capability(name, "pending" if known and known.changes else None)
            return await self._perform(capability, arguments)
        except IkomaError as error:
            return await self._failed(name, arguments, error)
        except Exception as error:
            reference = await run_sync(log.record, self.service.paths, error)
            internal = IkomaError("wire.internal", kind=type(error).__name__, reference=reference)
            return await self._failed(name, arguments, internal)

    async def _perform(self, capability: Capability, arguments: dict[str, Any]) -> types.CallToolResult:
        call = asking.ask(capability, asking.parse(json.dumps(arguments).encode()), {}, "mcp")
        if call.operation is None:
            return _answer({"result": await run_sync(self.service.read, capability, call.body)})
        await run_sync(self.service.start, capability.name, call.operation, call.body)
        found = await waiting.ended(self.service, call.operation, _PATIENCE)
        if found.status not in TERMINAL:
            return _answer({"operation": call.operation, "status": found.status})
        answer = {"operation": call.operation, "status": found.status, "result": found.result}
        return _answer(answer, is_error=found.status not in SUCCESS)

    async def _follow(self, arguments: dict[str, Any]) -> dict[str, Any]:
        operation = check_operation(str(arguments.get("operation", "")))
        after, wait = _number(arguments, "after", 0, 10**9), _number(arguments, "wait", 20, int(_PATIENCE))
        found = await run_sync(self.service.find, operation)
        found = await waiting.ended(self.service, found.id, wait, after)
        body = Body(app=found.target.app, environment=found.target.environment)
        await run_sync(self.service.audit, "attach", "ok", body, operation)
        return await run_sync(waiting.told, self.service.paths, found, after)

    async def _failed(self, name: str, arguments: dict[str, Any], error: IkomaError) -> types.CallToolResult:
        outcome = "refused" if error.id in REFUSED else "error"
        await run_sync(self.service.audit, name[:80], outcome, asking.named(arguments), None, error)
        text = f"{error.message(self.lang)} {error.remedy(self.lang)}".rstrip()
        return mcp_tools.told({"error": error.to_json(self.lang)}, text, is_error=True)

    # --- resources

    async def _list_resources(self, _context: _Context, _page: _Page) -> types.ListResourcesResult:
        await self._refuse_strangers()
        folders = sorted(self.service.paths.apps.glob("*/current.json"))
        targets = [Target.of_folder(folder.parent.name) for folder in folders]
        mine = [target for target in targets if target is not None and self.service.grant.may_act_on(target)]
        return types.ListResourcesResult(resources=mcp_tools.resources(mine))

    async def _list_templates(self, _context: _Context, _page: _Page) -> types.ListResourceTemplatesResult:
        return types.ListResourceTemplatesResult(resource_templates=mcp_tools.templates())

    async def _read_resource(
        self, _context: _Context, asked: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        body: Body | None = None
        name = "resource"
        try:
            await run_sync(self._still_known)
            name, target = mcp_tools.resource(asked.uri)
            body = Body(app=target.app, environment=target.environment, lang=self.lang)
            capability = self.service.capability(name, None)
            answer = await run_sync(self.service.read, capability, body)
        except IkomaError as error:
            outcome = "refused" if error.id in REFUSED else "error"
            await run_sync(self.service.audit, name, outcome, body, None, error)
            raise MCPError(types.INVALID_PARAMS, error.message(self.lang), {"id": error.id}) from None
        text = json.dumps(answer, ensure_ascii=False)
        content = types.TextResourceContents(uri=asked.uri, mime_type="application/json", text=text)
        return types.ReadResourceResult(contents=[content])


def _answer(content: dict[str, Any], is_error: bool = False) -> types.CallToolResult:
    return mcp_tools.told(content, json.dumps(content, ensure_ascii=False), is_error)


def _number(arguments: dict[str, Any], name: str, default: int, most: int) -> int:
    value = arguments.get(name, default)
    if type(value) is not int or not 0 <= value <= most:
        raise Misuse("wire.number", argument=name, most=most)
    return value
