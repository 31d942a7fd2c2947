"""Environment files of a target."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agent.capabilities.models.base import Args, Result


class PushArgs(Args):
    """Names and values. The values stay in memory and in the file: no log, event or answer shows one."""

    scope: Literal["app", "agent"] = "app"
    values: dict[str, str] = Field(default={}, json_schema_extra={"writeOnly": True})
    remove: list[str] = []


class KeysResult(Result):
    """Name → fingerprint; equal fingerprints of one name are equal values on this host."""

    app: dict[str, str]
    agent: dict[str, str]
