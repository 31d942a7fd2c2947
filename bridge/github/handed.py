"""What a job without rights handed on for publishing: foreign text, believed in nothing but its shape."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.model.errors import Misuse
from agent.model.names import NAME, Target
from bridge.reports.github import CheckReport
from bridge.reports.text import clean

_LARGEST: Final = 8 * 1024 * 1024
_MOST: Final = 5000

_Short = Annotated[str, Field(max_length=400)]
_Long = Annotated[str, Field(max_length=8000)]
_Count = Annotated[int, Field(ge=0, le=10_000_000)]
_Name = Annotated[str, Field(pattern=f"^{NAME.pattern}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class _Finding(_Model):
    rule: Annotated[str, Field(pattern=r"^[A-Z]{3}[0-9]{3}$")]
    severity: Literal["error", "warning", "info"]
    file: _Short
    line: _Count
    column: _Count
    package: _Short
    app: _Short
    message: _Long
    why: _Long
    fix: _Long
    row: _Short
    fixable: bool


class _Check(_Model):
    findings: Annotated[list[_Finding], Field(max_length=_MOST)]
    counts: dict[Literal["error", "warning", "info"], _Count]
    seconds: float
    files: _Count
    silenced: _Count
    fixed: Annotated[list[_Short], Field(max_length=_MOST)]


class _Handed(_Model):
    app: _Name
    environment: _Name
    check: _Check


@dataclass(frozen=True, slots=True)
class Handed:
    """A check that somebody else made."""

    target: Target
    check: CheckReport

    @property
    def findings(self) -> int:
        """How many errors and warnings it has."""
        return sum(self.check["counts"].get(word, 0) for word in ("error", "warning"))

    def status(self, *, strict: bool = False) -> str:
        """How it ended; ``strict``: warnings fail too."""
        fails = ("error", "warning") if strict else ("error",)
        return "REFUSED" if any(self.check["counts"].get(word) for word in fails) else "PASSED"


def read(file: Path) -> Handed:
    """Return what ``file`` holds. Raises ``Misuse("action.handed")`` when it is no report of ours."""
    try:
        if file.stat().st_size > _LARGEST:
            raise Misuse("action.handed", file=file.name, reason="it is too large")
        found = _Handed.model_validate_json(file.read_bytes())
    except OSError as error:
        raise Misuse("action.handed", file=file.name, reason=error.strerror or type(error).__name__) from None
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise Misuse("action.handed", file=file.name, reason=f"{clean(where)[:80]} is not what it must be") from None
    check = _counted(_cleaned(found.check.model_dump()))
    return Handed(Target(found.app, found.environment), cast(CheckReport, check))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {key: _cleaned(item) for key, item in value.items()}
    return [_cleaned(item) for item in value] if isinstance(value, list) else value


def _counted(check: dict[str, Any]) -> dict[str, Any]:
    """Count again: a report may not say that it is better than what it lists."""
    words = [finding["severity"] for finding in check["findings"]]
    return check | {"counts": {word: words.count(word) for word in ("error", "warning", "info")}}
