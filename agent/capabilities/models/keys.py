"""Who may call the agent."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agent.capabilities.models.base import Args, Flag, Result

Name = str


class Key(Result):
    """One key."""

    name: Name
    role: str
    apps: list[str]
    environments: list[str]
    fingerprint: str
    added: str
    secrets: int = Field(description="How many API secrets are valid.")
    rotating: bool = Field(description="Two secrets are valid: the one before the rotation is not revoked yet.")


class ListResult(Result):
    """By name."""

    keys: list[Key]


class RotateArgs(Args):
    """Which key; by default the caller's own."""

    key: Name | None = None


class RotateResult(Result):
    """The secret is shown this once."""

    key: Name
    apiKey: str = Field(description="The new secret, for the header X-Api-Key.")  # noqa: N815
    valid: int = Field(description="How many secrets of the key are valid now.")


class RevokeArgs(Args):
    """A whole key by its name, or with ``previous`` the secret from before the last rotation."""

    key: Name | None = None
    previous: Flag = False


class RevokeResult(Result):
    """What is worthless now."""

    key: Name
    revoked: Literal["previous", "key"]
