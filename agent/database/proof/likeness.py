"""What a throw-away cluster has in common with the live one before the first migration runs in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from agent.database.connect import Connection
from agent.database.fingerprint import explain
from agent.database.fingerprint.catalog import APP, OWNER, names_platform
from agent.database.fingerprint.compare import compare
from agent.database.fingerprint.model import Fingerprint, Key

_BOOTSTRAP: Final = "select rolname from pg_roles where oid = 10"
_ROLES: Final = """
    select rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,
           coalesce(rolconfig, '{}') from pg_roles where rolname !~ '^pg_' order by oid
"""
_MEMBERS: Final = """
    select pg_get_userbyid(roleid), pg_get_userbyid(member), bool_or(admin_option) from pg_auth_members
    where roleid >= 16384 or pg_get_userbyid(roleid) ~ '^pg_' group by 1, 2 order by 1, 2
"""
_DATABASE: Final = (
    "select to_jsonb(d), pg_encoding_to_char(d.encoding) from pg_database d where datname = current_database()"
)
_PRELOADED: Final = """
    select case when pg_has_role('pg_read_all_settings', 'usage') or (select rolsuper from pg_roles
                     where rolname = current_user) then current_setting('shared_preload_libraries') end,
           (select array_agg(extname::text order by extname) from pg_extension)
"""
_SETTINGS: Final = """
    select name, setting from pg_settings
    where strpos(name, '.') > 0 and source in ('configuration file', 'command line') order by name
"""
_WANT_PRELOAD: Final = ("pg_cron", "pg_net", "pg_stat_statements", "pgaudit", "pgsodium", "timescaledb")
_MIGHTY: Final = ("pg_execute_server_program", "pg_write_server_files", "pg_read_server_files")
_PROVIDERS: Final = {"i": "icu", "b": "builtin"}
_MADE: Final = {
    "table", "foreign table", "view", "materialized view", "sequence", "column", "constraint", "index", "trigger",
    "rule", "function", "procedure", "aggregate", "enum", "domain", "type",
}  # fmt: skip
"""What only migrations may bring: whatever of it was there before them cannot be rebuilt."""
_FIRST: Final = ("database", "schema", "extension", "default privileges", "setting")


@dataclass(frozen=True, slots=True)
class Likeness:
    """Facts about the live cluster and database.

    Attributes:
        superuser: the cluster's first role.
        roles: name, five attributes and settings of each role.
        words: how the database is created: encoding and locale.
        settings: what the live server's configuration says about its libraries, as far as we may know it.
        baseline: the fingerprint of the database before its first migration.
    """

    major: int
    superuser: str
    migrator: str
    app_role: str
    database: str
    roles: tuple[tuple[Any, ...], ...]
    members: tuple[tuple[str, str, bool], ...]
    words: tuple[str, ...]
    preload: tuple[str, ...]
    baseline: Fingerprint
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def may_run_programs(self) -> bool:
        """Whether a migration could make the throw-away server run programs: by a superuser's right, or one it gets."""
        mighty = any(role[1] or role[3] for role in self.roles if role[0] != self.superuser)
        return mighty or self.migrator == self.superuser or any(group in _MIGHTY for group, _, _ in self.members)

    def named(self, text: str) -> str:
        """Return SQL of a fingerprint with the real names of roles and database."""
        names = {OWNER: self.migrator, APP: self.app_role, explain.DATABASE: self.database}
        for mark, name in names.items():
            text = text.replace(mark, explain.quoted(name))
        return text


def read(connection: Connection, baseline: Fingerprint, app_role: str) -> Likeness:
    """Read the facts of a live cluster. Any role may."""
    info = connection.info
    return Likeness(
        major=info.server_version // 10000, superuser=str(_one(connection, _BOOTSTRAP)), migrator=info.user,
        app_role=app_role, database=info.dbname, roles=tuple(connection.execute(_ROLES).fetchall()),
        members=tuple(connection.execute(_MEMBERS).fetchall()), words=tuple(_words(connection)),
        preload=_preloaded(connection), baseline=baseline,
        settings=tuple((str(name), str(value)) for name, value in connection.execute(_SETTINGS.encode())),
    )  # fmt: skip


def _preloaded(connection: Connection) -> tuple[str, ...]:
    """Return the libraries that live preloads, or, where we may not know, those its extensions ask for."""
    row = connection.execute(_PRELOADED.encode()).fetchone()
    told, extensions = row if row else (None, [])
    if told is None:
        return tuple(name for name in _WANT_PRELOAD if name in (extensions or []))
    return tuple(name.strip().strip('"') for name in str(told).split(",") if name.strip())


def _one(connection: Connection, query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def _words(connection: Connection) -> Iterator[str]:
    row = connection.execute(_DATABASE.encode()).fetchone()
    facts, encoding = row if row else ({}, "UTF8")
    yield f"encoding {explain.literal(encoding)}"
    provider = _PROVIDERS.get(facts.get("datlocprovider", "c"))
    if provider:
        locale = facts.get("datlocale") or facts.get("daticulocale")
        yield f"locale_provider {provider} {provider}_locale {explain.literal(str(locale))}"
    yield f"lc_collate {explain.literal(facts['datcollate'])} lc_ctype {explain.literal(facts['datctype'])}"


def imitate(connection: Connection, likeness: Likeness, leave: set[str]) -> None:
    """Make roles and the empty database in a fresh cluster; ``leave`` are roles that the migrations make."""
    wanted = [row for row in likeness.roles if row[0] not in leave | {likeness.superuser}]
    for row in wanted:
        connection.execute(_role(*row[:7]).encode())
    for name, *_, settings in wanted:
        for setting in settings:
            _try(connection, f"alter role {explain.quoted(name)} set {explain.assigned(*setting.split('=', 1))}")
    for group, member, admin in likeness.members:
        option = " with admin option" if admin else ""
        _try(connection, f"grant {explain.quoted(group)} to {explain.quoted(member)}{option}")
    if likeness.database == "postgres":
        connection.execute("drop database postgres")
    _create_database(connection, likeness)


def _role(name: str, *flags: bool) -> str:
    words = ("superuser", "inherit", "createrole", "createdb", "replication", "bypassrls")
    chosen = " ".join(word if flag else f"no{word}" for word, flag in zip(words, flags, strict=True))
    return f"create role {explain.quoted(name)} login {chosen}"


def _create_database(connection: Connection, likeness: Likeness) -> None:
    """Create it with live's locale, or, where this host lacks that, with the plainest of the same encoding."""
    name, owner = explain.quoted(likeness.database), explain.quoted(likeness.migrator)
    head = f"create database {name} owner {owner} template template0"
    if not _try(connection, f"{head} {' '.join(likeness.words)}"):
        connection.execute(f"{head} {likeness.words[0]} lc_collate 'C' lc_ctype 'C'".encode())


def settle(connection: Connection, likeness: Likeness, bare: Fingerprint) -> bool:
    """Bring the empty database to what live was before its first migration: extensions, schemas, rights, settings.

    Returns:
        Whether there was anything to do.

    Raises:
        psycopg.Error: an extension that this host does not have.
    """
    wanted = [item for item in compare(likeness.baseline, bare) if item.key.kind in _FIRST]
    for difference in wanted:
        if difference.key.kind == "extension":
            _extension(connection, difference.key, likeness)
        else:
            _try(connection, likeness.named(difference.sql))
        if difference.key.kind == "schema" and names_platform(difference.key.name):
            # Another's would pass for a platform's, and not be looked at again.
            owner = explain.quoted(likeness.migrator)
            _try(connection, f"alter schema {explain.quoted(difference.key.name)} owner to {owner}")
    return bool(wanted)


def _extension(connection: Connection, key: Key, likeness: Likeness) -> None:
    """Install an extension as live has it, in its schema even if that is a platform's."""
    facts = likeness.baseline.facts(key)
    if not facts:
        connection.execute(sql.SQL("drop extension {}").format(sql.Identifier(key.name)))
        return
    schema = explain.quoted(facts["schema"])
    if _try(connection, f"create schema {schema}"):
        _try(connection, f"grant usage on schema {schema} to public")  # a platform's, whose rights are not compared
    head = f"create extension if not exists {explain.quoted(key.name)} with schema {explain.quoted(facts['schema'])}"
    if not _try(connection, f"{head} version {explain.literal(facts['version'])} cascade"):
        connection.execute(f"{head} cascade".encode())


def _try(connection: Connection, statement: str) -> bool:
    """Run what may fail without harm: what it should have made is then told as a difference."""
    try:
        connection.execute(statement.encode())
    except psycopg.Error:
        return False
    return True


def ignorable(live: Fingerprint, rebuilt: Fingerprint, baseline: Fingerprint, keys: Sequence[Key]) -> set[Key]:
    """Return the differing surroundings that no migration ever touched: they are as before the first one. Pure."""
    return {
        key for key in keys
        if key.kind not in _MADE
        and live.objects.get(key) == baseline.objects.get(key)
        and (key not in rebuilt.objects or (key.kind == "extension" and key in live.objects))
    }  # fmt: skip
