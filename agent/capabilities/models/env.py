"""Environment files of a target."""

from __future__ import annotations

from typing import Literal

from agent.capabilities.models.base import Args, Result


class PushArgs(Args):
    """Names and values. The values stay in memory and in the file: no log, event or answer shows one."""

    scope: Literal["app", "agent"] = "app"
    values: dict[str, str] = {}
    remove: list[str] = []


class KeysResult(Result):
    """Name → fingerprint; equal fingerprints of one name are equal values on this host."""

    app: dict[str, str]
    agent: dict[str, str]
