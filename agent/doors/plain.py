"""Events and states as plain lines for people. Pure."""

from __future__ import annotations

from typing import Any

from agent.protocol import Event


def event(one: Event) -> str:
    """Return one line for an event."""
    return f"{one.ts[11:19]} {_text(one.kind, one.data)}"


def status(one: dict[str, Any]) -> str:
    """Return one line for what ``status.get`` answers."""
    running = one.get("operation")
    busy = f"  {running['capability']} {running['id']} ({running['step'] or '-'})" if running else ""
    name = one["app"] if one["environment"] == "production" else f"{one['app']} ({one['environment']})"
    return f"{name}  {one['status'] or '-'}  {one['release'] or '-'}  {one['since'] or ''}{busy}".rstrip()


def operation(one: dict[str, Any]) -> str:
    """Return one line for an operation of ``operations.list``, with its app."""
    name = one["app"] if one["environment"] == "production" else f"{one['app']} ({one['environment']})"
    when, ended = str(one["created"])[:19].replace("T", " "), one.get("error") or one.get("release") or ""
    return f"{when}  {name}  {one['capability']}  {one['status']}  {ended}  {one['id']}".replace("    ", "  ")


def _text(kind: str, data: dict[str, Any]) -> str:
    if kind == "step":
        seconds = f" {data['seconds']:.1f} s" if "seconds" in data else ""
        return f"{data['step']} {data['status']}{seconds} {data.get('detail', '')}".rstrip()
    if kind == "log":
        return f"{data['step']} {data['service']} | {_printable(data['line'])}"
    if kind == "progress":
        return f"{data['step']} {_printable(data['text'])}"
    if kind == "warning":
        return f"warning: {data['message']}"
    if kind == "end":
        return _end(data["status"], data["result"])
    return " ".join([kind, *(f"{name}={value}" for name, value in data.items() if isinstance(value, str))])


def _end(ended: str, result: dict[str, Any]) -> str:
    error = result.get("error") or {}
    lines = [f"{ended} {result.get('message', '')}", error.get("message", ""), error.get("remedy", "")]
    return "\n         ".join(line for line in lines if line)


def _printable(text: str) -> str:
    """Foreign text must not move the cursor."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
