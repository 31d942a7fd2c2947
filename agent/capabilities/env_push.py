"""``env.push``: values arrive in a secret argument and go into a 0600 file; only their names are ever recorded."""

from __future__ import annotations

from typing import Any, Final

from agent.capabilities.call import Call
from agent.database import reach, target
from agent.host import envfile
from agent.host.paths import TargetPaths
from agent.model import dsn as dsns
from agent.model import messages
from agent.model.errors import IkomaError, Misuse
from agent.operations.step import Context, Outcome, Step

SCOPES: Final = ("app", "agent")
_RESERVED: Final = "SUPABASE_DB_"


def check(call: Call) -> None:
    """Refuse bad names, values, scopes and connections before anything is recorded."""
    scope, values, remove = _arguments(call.args)
    if not values and not remove:
        raise Misuse("env.empty")
    for key in [*values, *remove]:
        envfile.check(key, values.get(key, ""))
        _check_scope(key, scope)
    if value := values.get(target.DSN):
        dsn = dsns.parse(value, target.DSN)
        if dsn.pooled:
            raise IkomaError("database.pooler", where=dsn.where)
        reach.check(call.grant, call.settings, dsn, _present(call))


def _present(call: Call) -> dsns.Dsn | None:
    """Return the connection that is there; one that cannot be read opens nothing."""
    try:
        return target.dsn(call.paths.target(call.the_target))
    except IkomaError:
        return None


def _check_scope(key: str, scope: str) -> None:
    if scope == "app" and key.startswith(_RESERVED):
        raise Misuse("env.agent_only", key=key)
    if scope == "agent" and key not in target.KEYS:
        raise Misuse("env.app_only", key=key, known=", ".join(target.KEYS))


def _arguments(args: dict[str, Any]) -> tuple[str, dict[str, str], list[str]]:
    scope, values, remove = args.get("scope", "app"), args.get("values", {}), args.get("remove", [])
    if scope not in SCOPES:
        raise Misuse("env.scope", scope=str(scope)[:40])
    if not isinstance(values, dict) or not isinstance(remove, list):
        raise Misuse("env.empty")
    return scope, values, [str(key) for key in remove]


def file_of(home: TargetPaths, scope: str) -> Any:
    """Return the file in which the values of a scope stand."""
    return home.agent_env if scope == "agent" else home.app_env


class Push(Step):
    """Writes the file, whole or not at all."""

    name = "env"

    def apply(self, ctx: Context) -> Outcome:
        scope, values, remove = _arguments(ctx.args)
        ctx.redactor.add(*values.values())
        path = file_of(ctx.home, scope)
        before = envfile.read(path)
        envfile.write(path, values, remove)
        keys = compared(before, values, remove)
        counts = {kind: len(names) for kind, names in keys.items()}
        return Outcome(detail=messages.text("env.done", counts, ctx.lang), result={"scope": scope, "keys": keys})


def compared(before: dict[str, str], values: dict[str, str], remove: list[str]) -> dict[str, list[str]]:
    """Return the names that are added, changed, left alone and removed. Pure."""
    known = {key: before[key] == value for key, value in values.items() if key in before}
    return {
        "added": sorted(key for key in values if key not in before),
        "changed": sorted(key for key, same in known.items() if not same),
        "unchanged": sorted(key for key, same in known.items() if same),
        "removed": sorted(key for key in remove if key in before),
    }


def steps(_ctx: Context) -> list[Step]:
    """Return the one step there is."""
    return [Push()]
