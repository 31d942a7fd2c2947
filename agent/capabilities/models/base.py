"""What the models have in common."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Release = Annotated[str, Field(pattern=r"^r-[0-9a-f]{12}$", description="A release id.", examples=["r-0a1b2c3d4e5f"])]
Service = Annotated[str, Field(min_length=1, max_length=63, description="The name of a service.", examples=["web"])]
Flag = Annotated[bool, Field(strict=False)]


class Args(BaseModel):
    """Arguments: what is not named is refused. A text from a command line is taken where it reads as the type."""

    model_config = ConfigDict(extra="forbid")


class Result(BaseModel):
    """A result only ever grows: a reader ignores what it does not know."""

    model_config = ConfigDict(extra="allow")


class OfTarget(Result):
    """What most answers begin with."""

    app: str
    environment: str


class Problem(Result):
    """Something that is wrong, and what to do about it."""

    id: str = Field(description="Stable; branch on it, never on the sentence.")
    message: str
    remedy: str = ""


class Step(Result):
    """One step of an operation."""

    name: str
    status: Literal["done", "skipped", "failed", "undone", "started"]
    seconds: float = 0.0
    detail: str = ""


class Migrations(Result):
    """Names of migration files, without their ending."""

    applied: list[str] = []
    pending: list[str] = []


class OperationResult(OfTarget):
    """How an operation ended."""

    status: Literal["HEALTHY", "FAILED", "ROLLED_BACK", "INTERRUPTED", "DONE"]
    message: str
    release: str | None = None
    previous: str | None = None
    operation: str
    seconds: float
    steps: list[Step] = []
    services: dict[str, Any] = {}
    migrations: Migrations = Migrations()
    error: dict[str, Any] | None = None
    warnings: list[Any] = []


class ServiceState(Result):
    """What runs of one service."""

    state: str = Field(description="Health where a health check is declared, else the container's state.")
    containers: int = Field(description="How many run.")
    image: str = ""
    tag: str = ""
    kind: str = ""
    as_recorded: bool = Field(default=True, description="False where something else runs than was deployed.")
