"""The contract between an app and its deployment: ``ikoma.release.json``.

``{"app": "ikomaposte"}`` is complete; everything else states an exception. The models are the schema: the JSON
Schema in ``docs/contract.schema.json`` and the reference in ``docs/contract.md`` are generated from them.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from agent.model import jsonfile
from agent.model.errors import Misuse
from agent.model.names import NAME, PRODUCTION

FILE: Final = "ikoma.release.json"

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)?")
_UNITS: Final = {"ms": 0.001, "s": 1.0, None: 1.0, "m": 60.0, "h": 3600.0}
_LOG_SIZE: Final = r"([1-9][0-9]{1,4}k|[1-9][0-9]{0,3}m|[1-9]g|10g)"
_HOST = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_ROUTE = re.compile(r"([a-zA-Z0-9][a-zA-Z0-9._-]{0,62}):([0-9]{1,5})")

Kind = Literal["routed", "worker", "one-shot", "stateful"]
Proof = Literal["auto", "required", "warn", "off"]


def check_routes(value: dict[str, str]) -> dict[str, str]:
    """Return routes that a configuration may hold as they are. Raises ``ValueError``."""
    for host, upstream in value.items():
        if not _HOST.fullmatch(host):
            raise ValueError(f"“{host}” is no host name")
        match = _ROUTE.fullmatch(upstream)
        if match is None or not 0 < int(match[2]) < 65536:
            raise ValueError(f"“{upstream}” is not service:port")
    return value


def seconds(value: Any) -> Any:
    """Return a duration in seconds: a number, or text such as ``500ms``, ``30s``, ``2m``."""
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None:
            raise ValueError(f"“{value}” is no duration; write 500ms, 30s, 2m or 1h")
        return float(match[1]) * _UNITS[match[2]]
    return value


def log_size(value: str) -> str:
    """Return a size that the Engine understands and that a log can live in, as it is. Raises ``ValueError``."""
    if not re.fullmatch(_LOG_SIZE, value):
        raise ValueError(f"“{value}” is no size of a log; write 512k, 10m or 1g (from 10k to 10g)")
    return value


Seconds = Annotated[float, BeforeValidator(seconds, json_schema_input_type=float | str), Field(ge=0, le=86400)]
LogSize = Annotated[str, AfterValidator(log_size), WithJsonSchema({"type": "string", "pattern": f"^{_LOG_SIZE}$"})]


class Strict(BaseModel):
    """Unknown keys are errors, values are not coerced behind one's back."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Probe(Strict):
    """An HTTP request that tells whether a service is ready, asked on the container's own address."""

    path: str = Field(default="/", pattern=r"^/", description="What is asked for.")
    port: int | None = Field(default=None, ge=1, le=65535, description="Default: the service's only exposed port.")
    status: int = Field(default=0, ge=0, le=599, description="The answer expected; 0 means any 2xx or 3xx.")
    contains: str = Field(default="", description="Text that the body must hold.")
    timeout: Seconds = Field(default=2.0, description="How long one answer may take.")


class Service(Strict):
    """What a service's compose definition does not say."""

    kind: Kind | None = Field(default=None, description="Inferred when not stated; see the plan.")
    probe: Probe | None = Field(default=None, description="Asked besides the service's own health check.")
    rollout: Literal["start-first", "stop-first"] | None = Field(
        default=None, description="Default: start-first, unless the service publishes a port."
    )
    exclusive_volumes: bool = Field(default=False, description="Two containers must never share its volumes.")
    drain: Seconds = Field(default=10.0, description="How long open connections may end after the switch.")


class Health(Strict):
    """When a release counts as healthy."""

    timeout: Seconds = Field(default=120.0, description="How long a service may take to become ready.")
    window: Seconds = Field(default=5.0, description="How long it must then stay up, without a restart.")


class Migrations(Strict):
    """Where the versioned SQL files are and which schemas they own."""

    folder: str = Field(default="migrations", description="Holds files such as 0001_accounts.sql.")
    schemas: list[str] = Field(default=["public"], description="The schemas that the migrations own.")
    proof: Proof = Field(
        default="auto",
        description="Whether the database must be rebuilt somewhere else before it is touched: required, warn, off; "
        "auto is required where the server runs in a container of the host, or the host has PostgreSQL's server "
        "programs of the same major, and warn elsewhere.",
    )


class Logs(Strict):
    """What a container may keep of its log on the host; a `logging` of its own in the compose file wins."""

    max_size: LogSize = Field(default="10m", description="Size at which a log begins a new file: 512k, 10m, 1g.")
    files: int = Field(default=3, ge=1, le=100, description="How many files stay; the oldest goes first.")


class Retention(Strict):
    """What is kept on the host: releases for rollbacks, and logs."""

    releases: int = Field(default=5, ge=2, le=100, description="How many releases stay ready for a rollback.")
    logs: Logs = Field(default=Logs(), description="How much of its log each container keeps.")


class Backups(Strict):
    """The restore point before migrations, and what it may cost."""

    max_minutes: float = Field(
        default=15, gt=0, le=1440, description="Longest time for a restore point, for its trial, and for the proof."
    )
    max_gb: float = Field(
        default=20, gt=0, le=100000,
        description="Most space for a restore point, for its trial, and for what the proof builds.",
    )  # fmt: skip
    verify: Literal["every", "daily", "never"] = Field(
        default="daily",
        description="When a restore point is restored for a trial: each one, the newest once a day, never.",
    )
    keep: int = Field(
        default=5, ge=1, le=1000, description="How many restore points stay; those of kept releases stay."
    )


class Silence(Strict):
    """A finding that is accepted, and why."""

    rule: str = Field(description="The rule that found it.")
    path: str = Field(default="*", description="Where it is accepted; a pattern.")
    reason: str = Field(min_length=5, description="Why; shown in what `check` prints for people and as JSON.")


class Settings(Strict):
    """The keys an environment may override."""

    compose: str = Field(default="docker-compose.yml", description="The compose file, relative to this file.")
    platform: str = Field(
        default="linux/amd64", pattern=r"^linux/(amd64|arm64)$", description="What images are built for."
    )
    migrations: Migrations | Literal[False] = Field(
        default=Migrations(), description="Folder and schemas, the folder alone, or false for none."
    )
    services: dict[str, Service] = Field(default={}, description="What the compose file does not say, by service.")
    routes: dict[str, str] = Field(default={}, description="Public host name → service:port.")
    health: Health = Field(default=Health(), description="When a release counts as healthy.")
    retention: Retention = Field(default=Retention(), description="What is kept for rollbacks, and of logs.")
    backups: Backups = Field(default=Backups(), description="Restore points before migrations.")
    maintenance: bool = Field(
        default=False,
        description="Close the app (its routes answer 503) for a migration "
        "that its running release cannot live with; without it, such a migration is refused.",
    )

    @field_validator("migrations", mode="before", json_schema_input_type=Migrations | Literal[False] | str)
    @classmethod
    def _folder_alone(cls, value: Any) -> Any:
        return {"folder": value} if isinstance(value, str) else value

    @field_validator("compose")
    @classmethod
    def _inside(cls, value: str) -> str:
        if value.startswith("/") or ".." in Path(value).parts:
            raise ValueError("the compose file must stay inside the repository")
        return value

    @field_validator("routes")
    @classmethod
    def _routes(cls, value: dict[str, str]) -> dict[str, str]:
        return check_routes(value)


class Environment(Strict):
    """Where an environment lives, and what differs in it."""

    host: str = Field(default="", description="Name or address of the host.")
    port: int = Field(default=22, ge=1, le=65535, description="SSH port.")
    user: str = Field(default="ikoma", description="SSH user; the one that host bootstrap makes.")
    host_key: str = Field(default="", description="The pinned key: a line of known_hosts without the host.")
    compose: str | None = None
    platform: str | None = None
    migrations: Migrations | Literal[False] | str | None = None
    services: dict[str, Service] | None = None
    routes: dict[str, str] | None = None
    health: Health | None = None
    retention: Retention | None = None
    backups: Backups | None = None
    maintenance: bool | None = None


class Contract(Settings):
    """``ikoma.release.json``, whole."""

    schema_: str | None = Field(default=None, alias="$schema", exclude=True, description="For editors alone.")
    app: str = Field(pattern=f"^{NAME.pattern}$", description="The app's name; names everything on the host.")
    environments: dict[Annotated[str, Field(pattern=f"^{NAME.pattern}$")], Environment] = Field(
        default={}, description="Where each environment lives and what differs in it."
    )
    silence: list[Silence] = Field(default=[], description="Findings that are accepted.")

    @model_validator(mode="after")
    def _overrides_are_valid(self) -> Contract:
        for name in self.environments:
            self.settings(name)
        return self

    def settings(self, environment: str = PRODUCTION) -> Settings:
        """Return the settings of one environment: the top level with its overrides; an undescribed one has none.

        ``services`` are merged service by service; everything else is replaced whole.
        """
        names = list(Settings.model_fields)
        merged = {name: getattr(self, name) for name in names}
        if (chosen := self.environments.get(environment)) is not None:
            over = {name: value for name in names if (value := getattr(chosen, name)) is not None}
            over["services"] = self.services | over.get("services", {})
            merged |= over
        return Settings.model_validate({k: _plain(v) for k, v in merged.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def load(text: str, name: str = FILE) -> Contract:
    """Return the contract in ``text``.

    Raises:
        Misuse: ``json.broken``, ``json.duplicate`` or ``contract.invalid``, with file, line and the nearest known key.
    """
    located = jsonfile.parse(text, name)
    try:
        return Contract.model_validate(located.value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = tuple(part for part in first["loc"] if part != "[key]")
        raise Misuse("contract.invalid", file=name, line=located.line(_real(path, located)),
                     reason=_reason(first, path)) from None  # fmt: skip


def _real(path: tuple[Any, ...], located: jsonfile.Located) -> tuple[Any, ...]:
    """Drop the parts that name a branch of a union rather than a key of the document."""
    kept: tuple[Any, ...] = ()
    for part in path:
        if (*kept, part) in located.lines:
            kept = (*kept, part)
    return kept


def _reason(error: Any, path: tuple[Any, ...]) -> str:
    where = ".".join(str(part) for part in path)
    if error["type"] == "extra_forbidden":
        nearest = difflib.get_close_matches(str(path[-1]), _known_keys(), 1, 0.6)
        return f"unknown key “{where}”" + (f"; did you mean “{nearest[0]}”?" if nearest else "")
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"“{where}”: {message}" if where else message


def _known_keys() -> list[str]:
    models = (Contract, Environment, Service, Probe, Health, Migrations, Retention, Logs, Backups, Silence)
    return sorted({name for model in models for name in model.model_fields})
