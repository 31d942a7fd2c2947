"""Taking a fingerprint: one read-only transaction over the catalogs, names always written out in full."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from psycopg import sql

from agent.database.connect import Connection
from agent.database.fingerprint import code, relations, wide
from agent.database.fingerprint.model import KEPT, Fingerprint, Key
from agent.database.fingerprint.words import ALIASES, OURS, PLATFORM

LEDGER: Final = "ikoma"
OWNER: Final = "@owner"
_SUPABASE: Final = "supabase_migrations"
_OTHERS: Final = Key("table", "public", "schema_migrations")
APP: Final = "@app"

_BEGIN: Final = """
    begin isolation level repeatable read read only;
    set local search_path = pg_catalog; set local jit = off; set local statement_timeout = '120s';
    set local enable_material = off; set local work_mem = '32MB';
    set local quote_all_identifiers = off; set local extra_float_digits = 1; set local datestyle = 'ISO';
    set local intervalstyle = 'postgres'; set local bytea_output = 'hex'; set local timezone = 'UTC'
"""
_PLATFORM_NAMES: Final = frozenset(
    """
    _analytics _realtime _supavisor auth cron dbdev etl extensions graphql graphql_public net pgbouncer pgmq pgsodium
    pgsodium_masks pgtle realtime repack storage supabase_functions supabase_migrations tiger tiger_data topology vault
    """.split()  # noqa: SIM905 - thirty quotes would not make it clearer
)
_PLATFORM_PATTERN: Final = re.compile(r"_?timescaledb_.*")
_PLATFORM_OWNER: Final = re.compile(r"supabase_.*|postgres|rdsadmin|cloudsqladmin")
_SCHEMAS: Final = """
    select n.oid, n.nspname, pg_get_userbyid(n.nspowner), pg_get_userbyid(n.nspowner) = %s
    from pg_namespace n where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not exists (select from pg_depend e where e.classid = 'pg_namespace'::regclass and e.objid = n.oid
                    and e.deptype = 'e')
"""


def take(connection: Connection, *, owner: str = "", app_role: str = "") -> Fingerprint:
    """Return the fingerprint of the database that ``connection`` is in; changes nothing.

    Left out are the ledger's schema, members of extensions, and the schemas of a platform (Supabase's ``auth``,
    ``storage``, …) except for policies and triggers that the app hung on their tables. The migrating role
    (``owner``, by default the connecting one) and ``app_role`` appear under names that are the same everywhere.

    Raises:
        psycopg.Error: what the server says; the caller translates.
    """
    connection.execute(_BEGIN.encode())
    try:
        owner = owner or connection.info.user
        ours, platform = schemas(connection, owner)
        fill = {OURS: _array(ours), PLATFORM: _array(platform), ALIASES: _aliases(connection, owner, app_role)}
        version = connection.info.server_version
        objects: dict[Key, str] = {}
        for query in (*relations.QUERIES, *code.QUERIES, *wide.queries(version)):
            for kind, schema, name, facts in connection.execute(_filled(query, fill)).fetchall():
                objects[Key(kind, schema, name)] = facts
        return Fingerprint(without_ledgers(objects), version // 10000)
    finally:
        connection.execute("rollback")


def without_ledgers(objects: dict[Key, str]) -> dict[Key, str]:
    """Leave out what dbmate and its like note their own work in: no migration makes it. Pure."""
    if _OTHERS not in objects:
        return objects
    return {
        key: text for key, text in objects.items()
        if key.schema != _OTHERS.schema or key.name.partition(".")[0] not in (_OTHERS.name, f"{_OTHERS.name}_pkey")
    }  # fmt: skip


def schemas(connection: Connection, migrator: str) -> tuple[list[int], list[int]]:
    """Return the oids of the schemas that are the app's, and of those that are a platform's."""
    ours: list[int] = []
    platform: list[int] = []
    for oid, name, owner, mine in connection.execute(_SCHEMAS.encode(), [migrator]).fetchall():
        if name not in (LEDGER, _SUPABASE) and not name.startswith(KEPT):
            (platform if is_platform(name, owner, mine=mine) else ours).append(oid)
    return ours, platform


def names_platform(name: str) -> bool:
    """Whether a schema has the name of one of a platform's. Pure."""
    return name in _PLATFORM_NAMES or _PLATFORM_PATTERN.fullmatch(name) is not None


def is_platform(name: str, owner: str, *, mine: bool) -> bool:
    """Whether a schema is a platform's: it has the name of one, and the migrating role did not make it. Pure."""
    if not names_platform(name):
        return False
    return not mine or _PLATFORM_OWNER.fullmatch(owner) is not None


def _aliases(connection: Connection, owner: str, app_role: str) -> str:
    """Return the branches of a ``case`` over role oids."""
    names: Mapping[str, str] = {app_role: APP, owner: OWNER}
    query = "select oid, rolname from pg_roles where rolname = any(%s)"
    found = connection.execute(query, [list(names)]).fetchall()
    return " ".join(f"when {oid} then '{names[name]}'" for oid, name in found)


def _array(oids: list[int]) -> str:
    return "'{" + ",".join(map(str, oids)) + "}'::oid[]"


def _filled(query: str, fill: Mapping[str, str]) -> sql.SQL:
    for mark, text in fill.items():
        query = query.replace(mark, text)
    return sql.SQL(query)  # every part is ours or a number
