"""Where the database itself cannot be renamed (a platform lives in it): the contract's schemas, inside one transaction.

Live's schemas are renamed, the backup's are made in their place, or nothing happens at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from agent.database.backup import names, store, tools
from agent.database.backup.beside import Job
from agent.database.backup.source import Source
from agent.database.connect import Connection, session
from agent.database.fingerprint import catalog, explain
from agent.database.fingerprint.compare import compare
from agent.database.fingerprint.model import Fingerprint, unpack
from agent.model.errors import IkomaError

LEDGER: Final = "ikoma"

_NAMES_IN_FULL: Final = "set search_path = pg_catalog"
_THERE: Final = "select nspname from pg_namespace where nspname = any(%s) order by 1"
_ABOUT: Final = """
    select nspname, pg_get_userbyid(nspowner), obj_description(oid, 'pg_namespace') from pg_namespace
    where nspname = any(%s) order by 1
"""
_GRANTS: Final = """
    select n.nspname, case when a.grantee = 0 then null else pg_get_userbyid(a.grantee) end, a.privilege_type,
           a.is_grantable
    from pg_namespace n, aclexplode(n.nspacl) a where n.nspname = any(%s) and a.grantee <> n.nspowner order by 1, 2, 3
"""
_EXTENSIONS: Final = """
    select e.extname, n.nspname, e.extrelocatable and r.rolsuper
    from pg_extension e join pg_namespace n on n.oid = e.extnamespace join pg_roles r on r.rolname = current_user
    where n.nspname = any(%s) order by 1
"""
_TRIGGERS: Final = """
    select pg_get_triggerdef(t.oid), t.tgconstraint <> 0, t.tgname from pg_trigger t
    join pg_proc f on f.oid = t.tgfoid join pg_namespace fn on fn.oid = f.pronamespace
    join pg_class c on c.oid = t.tgrelid join pg_namespace tn on tn.oid = c.relnamespace
    where not t.tgisinternal and fn.nspname = any(%(mine)s) and tn.nspname <> all(%(mine)s) order by 3
"""
_TIED: Final = """
    select distinct 'constraint ' || r.conrelid::regclass || '.' || r.conname from pg_constraint r
    join pg_class target on target.oid = r.confrelid join pg_class source on source.oid = r.conrelid
    where r.contype = 'f' and target.relnamespace::regnamespace::text = any(%(mine)s)
      and source.relnamespace::regnamespace::text <> all(%(mine)s)
    union
    select distinct 'view ' || v.oid::regclass from pg_class v join pg_rewrite w on w.ev_class = v.oid
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_class'::regclass
    join pg_class target on target.oid = d.refobjid
    where target.oid <> v.oid and target.relnamespace::regnamespace::text = any(%(mine)s)
      and v.relnamespace::regnamespace::text <> all(%(mine)s)
    union
    select 'policy ' || p.polname || ' on ' || p.polrelid::regclass from pg_policy p
    join pg_class c on c.oid = p.polrelid
    join pg_depend d on d.classid = 'pg_policy'::regclass and d.objid = p.oid
     and d.refclassid in ('pg_proc'::regclass, 'pg_class'::regclass) and d.refobjid <> c.oid
    left join pg_proc f on d.refclassid = 'pg_proc'::regclass and f.oid = d.refobjid
    left join pg_class t on d.refclassid = 'pg_class'::regclass and t.oid = d.refobjid
    where coalesce(f.pronamespace, t.relnamespace)::regnamespace::text = any(%(mine)s)
      and c.relnamespace::regnamespace::text <> all(%(mine)s)
"""


def swap(job: Job, agree: Callable[[Connection], None]) -> list[str]:
    """Replace the schemas; return what live's are called now.

    Raises:
        IkomaError: ``backup.entangled`` when something outside holds on to what is inside.
    """
    source = job.source
    with session(source.strongest, source.session_name) as connection:
        connection.execute(_NAMES_IN_FULL)
        mine = _there(connection, [*source.schemas, LEDGER])
        renamed = {name: names.kept_schema(name, source.operation) for name in mine}
        before, after = _frame(connection, mine, renamed)
        agree(connection)
    job.note(how="schemas", renamed=renamed)
    job.say("restore.schemas", {"name": job.backup.name, "schemas": ", ".join(mine)})
    script = source.folder / f".{source.operation or 'restore'}.sql"
    try:
        _write(job, script, mine, before, after)
        programs = tools.of(source.strongest, job.backup.major, source.docker_socket)
        options = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output=/dev/null")
        programs.read(script, programs.argv("psql", *options))
    finally:
        script.unlink(missing_ok=True)
    with session(source.strongest, source.session_name) as connection:
        _same(connection, job, mine)
    return sorted(renamed.values())


def _there(connection: Connection, schemas: list[str]) -> list[str]:
    return [row[0] for row in connection.execute(_THERE, [schemas]).fetchall()]


def _frame(connection: Connection, mine: list[str], renamed: dict[str, str]) -> tuple[list[str], list[str]]:
    """Return the statements before and after the backup's own."""
    moved = [(name, schema) for name, schema, movable in connection.execute(_EXTENSIONS, [mine]).fetchall() if movable]
    _untied(connection, mine)
    before = [f"alter schema {explain.quoted(name)} rename to {explain.quoted(old)}" for name, old in renamed.items()]
    before += list(_made_again(connection, mine))
    before += [f"alter extension {explain.quoted(name)} set schema {explain.quoted(schema)}" for name, schema in moved]
    after = [_hung_again(text) for text, _, _ in connection.execute(_TRIGGERS, {"mine": mine}).fetchall()]
    return before, after


def _untied(connection: Connection, mine: list[str]) -> None:
    """Refuse when something outside would go on with what live was."""
    found = [row[0] for row in connection.execute(_TIED.encode(), {"mine": mine}).fetchall()]
    stuck = connection.execute(_EXTENSIONS, [mine]).fetchall()
    found += [f"extension {name}" for name, _, movable in stuck if not movable]
    bound = connection.execute(_TRIGGERS, {"mine": mine}).fetchall()
    found += [f"constraint trigger {name}" for _, constraint, name in bound if constraint]
    if found:
        raise IkomaError("backup.entangled", schemas=", ".join(mine), count=len(found), objects=", ".join(found[:5]))


def _made_again(connection: Connection, mine: list[str]) -> Iterator[str]:
    for name, owner, comment in connection.execute(_ABOUT, [mine]).fetchall():
        yield f"create schema {explain.quoted(name)} authorization {explain.quoted(owner)}"
        if comment:
            yield f"comment on schema {explain.quoted(name)} is {explain.literal(comment)}"
    for name, grantee, right, grantable in connection.execute(_GRANTS, [mine]).fetchall():
        option = " with grant option" if grantable else ""
        who = explain.quoted(grantee) if grantee else "public"
        yield f"grant {right} on schema {explain.quoted(name)} to {who}{option}"


def _hung_again(definition: str) -> str:
    """Hang a trigger of a foreign table on the new function of the same name."""
    return definition.replace("CREATE TRIGGER", "create or replace trigger", 1)


def _write(job: Job, script: Path, mine: list[str], before: list[str], after: list[str]) -> None:
    """Write the whole exchange into one file: a stream that broke off would be half of it, and committed."""
    os.close(os.open(script, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, store.MODE))
    with script.open("a") as stream:
        stream.writelines(f"{statement};\n" for statement in before)
    programs = tools.of(job.source.strongest, job.backup.major, job.source.docker_socket)
    options = [f"--schema={name}" for name in mine]
    argv = programs.argv("pg_restore", "--file=-", *options, database=False)
    programs.run(["sh", "-c", 'in="$1"; out="$2"; shift 2; exec "$@" <"$in" >>"$out"', "sh", str(job.path), str(script),
                  *argv])  # fmt: skip
    with script.open("a") as stream:
        stream.writelines(f"{statement};\n" for statement in after)


def _same(connection: Connection, job: Job, mine: list[str]) -> None:
    """Compare the schemas with what they were when the backup was made."""
    wanted = unpack(store.schema(job.source.folder, job.backup.name).read_bytes())
    taken = catalog.take(connection, owner=job.source.dsn.user, app_role=job.source.app_role)
    found = [item.title for item in compare(_only(wanted, mine), _only(taken, mine))]
    if found:
        raise IkomaError("backup.not_same", name=job.backup.name, count=len(found), objects=", ".join(found[:5]))


def _only(fingerprint: Fingerprint, mine: list[str]) -> Fingerprint:
    kept = {key: text for key, text in fingerprint.objects.items() if key.schema in mine}
    return Fingerprint(kept, fingerprint.major)


def take_back(source: Source, renamed: dict[str, str]) -> str:
    """Give live's schemas their names again, in one transaction; return them if they had lost them."""
    with session(source.strongest, source.session_name) as connection:
        connection.execute(_NAMES_IN_FULL)
        gone = {name: old for name, old in renamed.items() if _there(connection, [old])}
        if not gone:
            return ""
        with connection.transaction():
            for statement in _back(connection, gone):
                connection.execute(statement.encode())
    return ", ".join(gone)


def _back(connection: Connection, gone: dict[str, str]) -> list[str]:
    mine = list(gone)
    moved: list[Any] = connection.execute(_EXTENSIONS, [mine]).fetchall()
    hung: list[Any] = connection.execute(_TRIGGERS, {"mine": mine}).fetchall()
    aside = {name: names.kept_schema(name, "undone") for name in gone}
    back = [f"alter schema {explain.quoted(name)} rename to {explain.quoted(aside[name])}" for name in mine]
    back += [f"alter schema {explain.quoted(old)} rename to {explain.quoted(name)}" for name, old in gone.items()]
    back += [f"alter extension {explain.quoted(name)} set schema {explain.quoted(schema)}" for name, schema, _ in moved]
    back += [_hung_again(text) for text, _, _ in hung]
    return back + [f"drop schema {explain.quoted(name)} cascade" for name in aside.values()]
