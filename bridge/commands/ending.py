"""How a command that followed an operation ends: its report, its error, its exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import typer

from agent.model.errors import Exit, IkomaError
from agent.model.names import Target
from agent.protocol import exit_code
from bridge.commands.edge import console
from bridge.pipeline.settings import Flags, Where

if TYPE_CHECKING:
    from bridge.pipeline.run import Wish


_SAID: Final = frozenset(
    {"app", "previous", "warnings", "environment", "error", "steps", "message", "status", "operation", "seconds"}
)


def conclude(report: Any, text: str, exit_with: Exit, fault: IkomaError | None = None) -> None:
    """Answer with ``report``, say what went wrong and what to do, and leave with the exit code."""
    speaker = console()
    speaker.answer(report, text)
    if error := report.get("error"):
        speaker.fault(fault or IkomaError.from_json(error))
    if exit_with:
        raise typer.Exit(int(exit_with))


def deploy(flags: Flags, wish: Wish) -> None:
    """Run the pipeline as wished and end with its report."""
    from bridge.pipeline.run import Pipeline
    from bridge.reports import final
    from bridge.reports.progress import progress

    speaker = console()
    pipeline = Pipeline(Where(flags), speaker, progress(speaker), wish)
    report, fault = pipeline.run(), pipeline.fault
    conclude(
        report, final.deployment(report, speaker), fault.exit_code if fault else exit_code(report["status"]), fault
    )


def finish(result: dict[str, Any], target: Target | None, operation: str, *, brief: bool = False) -> None:
    """End a command with the result of an operation: the deployment's report, or what another one returned.

    Args:
        brief: people have seen all of it in the steps; only say how it ended.
    """
    from bridge.reports import final, model

    speaker = console()
    status = str(result.get("status", "FAILED"))
    result = {**result, "operation": result.get("operation") or operation}
    target = target or _target(result)
    if target and result.get("release"):
        report = model.deployment(target, result)
        conclude(report, final.deployment(report, speaker), exit_code(status))
    else:
        conclude(result, _head(result) if brief else plain(result), exit_code(status))


def _target(result: dict[str, Any]) -> Target | None:
    app = result.get("app")
    return Target(str(app), str(result.get("environment") or "production")) if app else None


def plain(result: dict[str, Any]) -> str:
    """Return any result for people: its message, then what else it holds as indented JSON."""
    import json

    rest = {key: value for key, value in result.items() if key not in _SAID and value not in (None, {}, [])}
    if not any((result.get("migrations") or {}).values()):
        rest.pop("migrations", None)
    return "\n".join(
        part for part in (_head(result), json.dumps(rest, ensure_ascii=False, indent=2) if rest else "") if part
    )


def _head(result: dict[str, Any]) -> str:
    return " · ".join(str(result[key]) for key in ("status", "message") if result.get(key))
