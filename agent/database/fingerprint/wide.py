"""Catalog queries: what belongs to the database as a whole."""

from __future__ import annotations

from typing import Final

from agent.database.fingerprint.words import OURS, acl, comment, granted, own, role, row, unless

_CURRENT: Final = "(select d.oid from pg_database d where d.datname = current_database())"
_TABLE: Final = "quote_ident(n.nspname) || '.' || quote_ident(c.relname)"

DATABASE: Final = row(
    "'database'", "''", "'settings'", "from pg_database d where d.datname = current_database()",
    owner=role("d.datdba"), granted=acl("d.datacl", "'d'", "d.datdba"),
    comment="(select s.description from pg_shdescription s where s.objoid = d.oid "
    "and s.classoid = 'pg_database'::regclass)",
)  # fmt: skip

SETTINGS: Final = row(
    "'setting'", "''",
    f"case when s.setrole = 0 then 'database' else 'role ' || {role('s.setrole')} end || ' ' || split_part(x, '=', 1)",
    f"from pg_db_role_setting s, unnest(s.setconfig) x where s.setdatabase = {_CURRENT}",
    value="substr(x, strpos(x, '=') + 1)",
)  # fmt: skip

EXTENSIONS: Final = row(
    "'extension'", "''", "e.extname", "from pg_extension e",
    schema="(select n.nspname from pg_namespace n where n.oid = e.extnamespace)", version="e.extversion",
)  # fmt: skip

DEFAULTS: Final = row(
    "'default privileges'", "coalesce(n.nspname, '')",
    f"""{role("a.defaclrole")} || ' on ' || case a.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences'
        when 'f' then 'functions' when 'T' then 'types' when 'n' then 'schemas' else a.defaclobjtype::text end""",
    f"""from pg_default_acl a left join pg_namespace n on n.oid = a.defaclnamespace
        where n.oid is null or n.oid = any({OURS})""",
    granted=granted("a.defaclacl"),
)  # fmt: skip

EVENTS: Final = row(
    "'event trigger'", "''", "t.evtname",
    f"""from pg_event_trigger t join pg_proc p on p.oid = t.evtfoid
        where {own("pg_event_trigger", "t.oid")} and p.pronamespace = any({OURS})""",
    owner=role("t.evtowner"), event="t.evtevent", function="t.evtfoid::oid::regprocedure::text",
    enabled=unless("t.evtenabled", "O"), tags="to_jsonb(t.evttags)", comment=comment("pg_event_trigger", "t.oid"),
)  # fmt: skip

WRAPPERS: Final = row(
    "'foreign data wrapper'", "''", "w.fdwname",
    f"from pg_foreign_data_wrapper w where {own('pg_foreign_data_wrapper', 'w.oid')}",
    owner=role("w.fdwowner"), granted=acl("w.fdwacl", "'F'", "w.fdwowner"),
    handler="nullif(w.fdwhandler, 0)::oid::regproc::text", validator="nullif(w.fdwvalidator, 0)::oid::regproc::text",
    options="to_jsonb(w.fdwoptions)", comment=comment("pg_foreign_data_wrapper", "w.oid"),
)  # fmt: skip

SERVERS: Final = row(
    "'server'", "''", "s.srvname",
    f"""from pg_foreign_server s join pg_foreign_data_wrapper w on w.oid = s.srvfdw
        where {own("pg_foreign_server", "s.oid")}""",
    owner=role("s.srvowner"), granted=acl("s.srvacl", "'S'", "s.srvowner"), wrapper="w.fdwname", type="s.srvtype",
    version="s.srvversion", options="to_jsonb(s.srvoptions)", comment=comment("pg_foreign_server", "s.oid"),
)  # fmt: skip

MAPPINGS: Final = row(
    "'user mapping'", "''", f"{role('m.umuser')} || ' on ' || m.srvname", "from pg_user_mappings m",
    names="(select jsonb_agg(split_part(o, '=', 1) order by o) from unnest(m.umoptions) o)",  # values may be passwords
)  # fmt: skip

_PUBLISHED: Final = f"""(select jsonb_agg({_TABLE} {{}} order by {_TABLE}) from pg_publication_rel r
    join pg_class c on c.oid = r.prrelid join pg_namespace n on n.oid = c.relnamespace where r.prpubid = p.oid)"""  # noqa: S608 - all ours
_PART: Final = """|| coalesce(' (' || (select string_agg(a.attname, ', ' order by a.attnum) from pg_attribute a
    where a.attrelid = c.oid and a.attnum = any(r.prattrs)) || ')', '')
    || coalesce(' where ' || pg_get_expr(r.prqual, r.prrelid), '')"""
_SCHEMAS: Final = """(select jsonb_agg(n.nspname order by n.nspname) from pg_publication_namespace s
    join pg_namespace n on n.oid = s.pnnspid where s.pnpubid = p.oid)"""


def _publications(tables: str, schemas: str) -> str:
    return row(
        "'publication'", "''", "p.pubname", "from pg_publication p",
        owner=role("p.pubowner"), facts="to_jsonb(p) - array['oid', 'pubname', 'pubowner']", tables=tables,
        schemas=schemas, comment=comment("pg_publication", "p.oid"),
    )  # fmt: skip


SUBSCRIPTIONS: Final = row(
    "'subscription'", "''", "s.subname", f"from pg_subscription s where s.subdbid = {_CURRENT}",
    owner=role("s.subowner"), publications="to_jsonb(s.subpublications)", enabled="s.subenabled",
)  # fmt: skip

LABELS: Final = row(
    "'security label'", "''", "l.provider || ' ' || pg_describe_object(l.classoid, l.objoid, l.objsubid)",
    "from pg_seclabel l", label="l.label",
)  # fmt: skip

TRANSFORMS: Final = row(
    "'transform'", "''", "format_type(t.trftype, null) || ' for ' || l.lanname",
    f"from pg_transform t join pg_language l on l.oid = t.trflang where {own('pg_transform', 't.oid')}",
    from_="nullif(t.trffromsql, 0)::oid::regprocedure::text", to="nullif(t.trftosql, 0)::oid::regprocedure::text",
)  # fmt: skip

METHODS: Final = row(
    "'access method'", "''", "m.amname", f"from pg_am m where m.oid >= 16384 and {own('pg_am', 'm.oid')}",
    handler="m.amhandler::text", type="m.amtype",
)  # fmt: skip


def queries(version: int) -> tuple[str, ...]:
    """Return the queries for a server of ``version`` (``170004`` is 17.4)."""
    parts = (_PART, _SCHEMAS) if version >= 150000 else ("", "null")
    return (
        DATABASE, SETTINGS, EXTENSIONS, DEFAULTS, EVENTS, WRAPPERS, SERVERS, MAPPINGS,
        _publications(_PUBLISHED.format(parts[0]), parts[1]), SUBSCRIPTIONS, LABELS, TRANSFORMS, METHODS,
    )  # fmt: skip
