"""Who may call the agent."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agent.capabilities.models.base import Args, Result


class Key(Result):
    """A key and what it may do."""

    name: str
    role: str
    apps: list[str]
    environments: list[str]
    fingerprint: str
    added: str
    secrets: int = Field(description="How many API secrets are valid.")
    rotating: bool


class ListResult(Result):
    """The keys; never a secret."""

    keys: list[Key]


class RotateArgs(Args):
    """Whose secret; without, the caller's own."""

    key: str | None = Field(default=None, max_length=64)


class RotateResult(Result):
    """The new secret, which is shown this once."""

    key: str
    apiKey: str  # noqa: N815 (the wire's name)
    valid: int = Field(description="How many secrets of the key are valid now.")


class RevokeArgs(Args):
    """The secret from before a rotation, or a whole key."""

    key: str | None = Field(default=None, max_length=64)
    previous: bool | None = None


class RevokeResult(Result):
    """What was taken back."""

    key: str
    revoked: Literal["previous", "key"]
