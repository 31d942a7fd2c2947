"""The release manifest ``release.json``: everything a host needs to run one release, by value or by digest.

Its id is derived from its content without the provenance (``names.release_id``): the same content is the same
release, whoever built it and whenever.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.model.contract import Backups, Health, Kind, Probe, Proof, Retention, check_routes
from agent.model.errors import Misuse
from agent.model.names import MIGRATION_FILE, Target, release_id

FORMAT: Final = 1

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def _stays_inside(path: str) -> str:
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError("the path must be relative and stay inside its folder")
    return path


Relative = Annotated[str, Field(pattern=r"^[^\x00-\x1f]{1,300}$"), AfterValidator(_stays_inside)]


class Part(BaseModel):
    """Strict like the contract; frozen: a release never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ReleaseService(Part):
    """One service: its pinned image and how it is rolled out. Its compose definition stands in ``compose``."""

    image: str = Field(pattern=r"^[^\s@]+@sha256:[0-9a-f]{64}$", description="Always by index digest.")
    tag: str = Field(default="", description="The content tag (in-…) of an image of ours; empty for others.")
    kind: Kind
    probe: Probe | None = None
    rollout: Literal["start-first", "stop-first"] = "start-first"
    drain: float = 10.0


class ReleaseMigration(Part):
    """One migration file in the bundle."""

    file: str = Field(pattern=f"^{MIGRATION_FILE.pattern}$")
    sha256: Sha256

    @property
    def version(self) -> str:
        return self.file.partition("_")[0]

    @property
    def name(self) -> str:
        """The file name without its ending, as reports show it: ``0001_init``."""
        return self.file.removesuffix(".sql")


class MountedFile(Part):
    """A file that compose mounts (bind, config or secret file), shipped in the bundle as ``files/<sha256>``."""

    path: Relative
    sha256: Sha256
    executable: bool = False


class Provenance(Part):
    """Where a release comes from. Not part of its identity."""

    commit: str = ""
    tag: str = ""
    author: str = ""
    time: str = ""
    dirty: bool = False
    repository: str = ""
    built_here: bool = Field(default=False, description="The host built its images itself, as its settings allow.")


class Release(Part):
    """The manifest."""

    format: Literal[1] = 1
    app: str
    environment: str
    platform: str
    compose: dict[str, Any] = Field(description="docker compose config --no-interpolate, images pinned, no build.")
    services: dict[str, ReleaseService]
    routes: Annotated[dict[str, str], AfterValidator(check_routes)] = {}
    migrations: list[ReleaseMigration] = []
    schemas: list[str] = ["public"]
    proof: Proof = "auto"
    required_env: list[str] = []
    files: list[MountedFile] = []
    health: Health = Health()
    retention: Retention = Retention()
    backups: Backups = Backups()
    maintenance: bool = False
    provenance: Provenance = Provenance()

    @property
    def target(self) -> Target:
        return Target(self.app, self.environment)

    @property
    def id(self) -> str:
        """``r-`` and 12 hex digits."""
        return release_id(self._content())

    @model_validator(mode="after")
    def _whole(self) -> Release:
        declared = set(self.compose.get("services", {}))
        if declared != set(self.services):
            raise ValueError(f"services differ from the compose file: {sorted(declared ^ set(self.services))}")
        versions = [migration.version for migration in self.migrations]
        if versions != sorted(set(versions), key=lambda v: (int(v), v)):
            raise ValueError("migrations are not in order, or one stands twice")
        return self

    def to_json(self) -> dict[str, Any]:
        """Return the stored form, with its own id under ``release``."""
        return {"release": self.id, **self._content()}

    def _content(self) -> dict[str, Any]:
        """Leave out what has its default: a new optional key changes no id, and an older agent need not know it."""
        return {"format": self.format, **self.model_dump(mode="json", exclude_defaults=True)}


def parse(data: Any) -> Release:
    """Return the manifest in ``data``. Raises ``Misuse("release.invalid")``, also when its id does not match it."""
    if not isinstance(data, dict):
        raise Misuse("release.invalid", reason="it is no JSON object")
    claimed = data.get("release")
    try:
        release = Release.model_validate({key: value for key, value in data.items() if key != "release"})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Misuse("release.invalid", reason=f"{where}: {first['msg']}" if where else first["msg"]) from None
    if claimed is not None and claimed != release.id:
        raise Misuse("release.invalid", reason=f"it calls itself {claimed} and is {release.id}")
    return release
