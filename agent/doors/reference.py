"""The references: ``docs/capabilities.md`` and the OpenAPI document, made from the index and the models, and
``docs/settings.md``, made from the host settings' own words.

``python -m agent.doors.reference docs`` writes them; a test compares them with what is checked in.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from agent.capabilities import CAPABILITIES, Index, models
from agent.capabilities.index import Capability
from agent.doors import http_openapi, mcp_tools, schemas
from agent.host.settings import Settings
from agent.model.secret import Secret

_HEAD = """\
# Capabilities

What the agent can do, made from its index by `python -m agent.doors.reference docs`. The same capabilities stand behind
four doors:

| door | how `apps.health` is called |
| --- | --- |
| SSH | `python -m bridge call apps.health --app myapp` |
| HTTP | `curl -X POST http://localhost:3000/execute/apps.health -H "X-Api-Key: $API_KEY" -d '{"appName":"myapp"}'` |
| MCP | the tool `apps_health` of `ssh ikoma@host mcp`, or of `ikoma-agent mcp` on the host |
| the host | `ikoma call apps.health app=myapp` |

Each takes `environment` (by default `production`) beside its own arguments. A *change* starts an operation: over HTTP
the answer comes at its end, or at once with `Prefer: respond-async`, and `GET /operations/<id>?after=N` replays its
events. Roles are ordered: observer, operator, builder. Results only ever grow; their types stand in
[openapi.json](openapi.json).

| capability | role | |
| --- | --- | --- |
"""


_SETTINGS = """\
# Host settings

What an administrator decides for a host: `/etc/ikoma/settings.json`, which root and the agent alone read, put there by
`python -m bridge host bootstrap --settings FILE`. Every key may be left out; one that is unknown or of another type is
refused. Made from the settings' own words by `python -m agent.doors.reference docs`.

When a release may be deployed, and who must agree, stands in a file of its own: [policies](policies.md).

| key | default | |
| --- | --- | --- |
"""


def markdown(index: Index) -> str:
    """Return the reference as Markdown. Pure."""
    known = [index[name] for name in sorted(index)]
    rows = "".join(f"| [`{one.name}`](#{one.name.replace('.', '')}) | {one.role} | {_sort(one)} |\n" for one in known)
    return _HEAD + rows + "".join(_section(one) for one in known)


def _sort(one: Capability) -> str:
    return "change" if one.changes else "read that writes" if one.writes else "read"


def _section(one: Capability) -> str:
    told = [f"\n## {one.name}\n", one.summary_en, "", f"*{one.summary_fr}*", ""]
    told.append(f"Role `{one.role}`, a {_sort(one)}; MCP tool `{mcp_tools.name_of(one.name)}`.")
    told += _arguments(one)
    told += _answer(one)
    return "\n".join(told) + "\n"


def _arguments(one: Capability) -> list[str]:
    schema = schemas.inlined(models.arguments(one))
    required = set(schema.get("required", []))
    rows = [_row(name, field, name in required) for name, field in schema.get("properties", {}).items()]
    return ["", "| argument | type | needed | |", "| --- | --- | --- | --- |", *rows] if rows else []


def _row(name: str, field: dict[str, Any], needed: bool) -> str:
    return f"| `{name}` | {_kind(field)} | {'yes' if needed else _default(field)} | {field.get('description', '')} |"


def _answer(one: Capability) -> list[str]:
    if one.changes:
        return []
    schema = schemas.result_schema(one)
    if schema.get("type") == "string":
        return ["", f"Answers a text: {schema.get('description', '')}"]
    fields = ", ".join(f"`{name}`" for name in schema.get("properties", {}))
    return ["", f"Answers {fields}."] if fields else []


def _kind(field: dict[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_kind(kind) for kind in field["anyOf"] if kind.get("type") != "null"))
    if field.get("type") == "array":
        return f"list of {_kind(field.get('items', {}))}"
    return str(field.get("type", "any"))


def _default(field: dict[str, Any]) -> str:
    default = field.get("default")
    return "no" if default in (None, "", [], {}) else f"no, `{default}`"


def settings() -> str:
    """Return the reference of the host settings as Markdown. Pure."""
    defaults = Settings()
    rows = []
    for names, text in _described(Settings.__doc__ or ""):
        keys, values = (f"`{name}`" for name in names), (_shown(getattr(defaults, name)) for name in names)
        rows.append(f"| {', '.join(keys)} | {' / '.join(values)} | {text.replace('``', '`')} |\n")
    return _SETTINGS + "".join(rows)


def _described(text: str) -> list[tuple[list[str], str]]:
    """Return the names and the sentence of each line below ``Attributes:``."""
    lines = [line.strip() for line in text.partition("Attributes:")[2].strip().splitlines()]
    return [(names.split(", "), told) for names, _, told in (line.partition(": ") for line in lines)]


def _shown(default: Any) -> str:
    if isinstance(default, Secret):
        return "none; a secret"
    return f"`{json.dumps(default)}`" if default not in ("", (), {}) else "none"


def write(folder: Path) -> None:
    """Write the documents below ``folder``."""
    (folder / "capabilities.md").write_text(markdown(CAPABILITIES))
    (folder / "settings.md").write_text(settings())
    document = json.dumps(http_openapi.document(CAPABILITIES), indent=1, ensure_ascii=False)
    (folder / "openapi.json").write_text(document + "\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
