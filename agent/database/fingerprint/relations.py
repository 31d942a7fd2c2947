"""Catalog queries: schemas, tables, views, sequences, columns, constraints, indexes and what hangs on tables."""

from __future__ import annotations

from typing import Final

from agent.database.fingerprint.words import (
    OURS,
    PLATFORM,
    acl,
    comment,
    granted,
    options,
    own,
    role,
    row,
    true,
    unless,
)

_IN_OURS: Final = f"c.relnamespace = any({OURS}) and {own('pg_class', 'c.oid')}"
_TABLES: Final = "c.relkind in ('r', 'p', 'f')"
_KIND: Final = """case c.relkind when 'r' then 'table' when 'p' then 'table' when 'f' then 'foreign table'
    when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' end"""
_SPACE: Final = "(select t.spcname from pg_tablespace t where t.oid = {}.reltablespace)"
_CLASS: Final = "from pg_class k join pg_namespace m on m.oid = k.relnamespace"
_PARENTS: Final = f"""(select jsonb_agg(quote_ident(m.nspname) || '.' || quote_ident(k.relname) order by i.inhseqno)
    {_CLASS} join pg_inherits i on i.inhparent = k.oid where i.inhrelid = c.oid)"""

SCHEMAS: Final = row(
    "'schema'", "''", "n.nspname", f"from pg_namespace n where n.oid = any({OURS})",
    owner=role("n.nspowner"), granted=acl("n.nspacl", "'n'", "n.nspowner"), comment=comment("pg_namespace", "n.oid"),
)  # fmt: skip

RELATIONS: Final = row(
    _KIND, "n.nspname", "c.relname",
    f"""from pg_class c join pg_namespace n on n.oid = c.relnamespace
        left join pg_foreign_table f on f.ftrelid = c.oid
        where c.relkind in ('r', 'p', 'f', 'v', 'm') and {_IN_OURS}""",
    owner=role("c.relowner"),
    granted=acl("c.relacl", "'r'", "c.relowner"),
    columns="""case when c.relkind in ('r', 'p', 'f') then (select jsonb_agg(a.attname order by a.attnum)
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) end""",
    persistence=unless("c.relpersistence", "p"),
    options=options("c.reloptions"),
    toast=f"(select {options('t.reloptions')} from pg_class t where t.oid = c.reltoastrelid)",  # noqa: S608 - all ours
    row_security=true("c.relrowsecurity"),
    row_security_forced=true("c.relforcerowsecurity"),
    replica_identity="case when c.relkind in ('r', 'p') then " + unless("c.relreplident", "d") + " end",
    replica_index="""case when c.relreplident = 'i' then (select k.relname from pg_index i
        join pg_class k on k.oid = i.indexrelid where i.indrelid = c.oid and i.indisreplident) end""",
    method="(select m.amname from pg_am m where m.oid = c.relam and m.amname <> 'heap')",
    tablespace=_SPACE.format("c"),
    of_type="case when c.reloftype <> 0 then format_type(c.reloftype, null) end",
    inherits=_PARENTS,
    bound="case when c.relispartition then pg_get_expr(c.relpartbound, c.oid) end",
    partitions="case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end",
    server="(select s.srvname from pg_foreign_server s where s.oid = f.ftserver)",
    server_options="to_jsonb(f.ftoptions)",
    definition="case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end",
    comment=comment("pg_class", "c.oid"),
)  # fmt: skip

SEQUENCES: Final = row(
    "'sequence'", "n.nspname", "c.relname",
    f"""from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
        where {_IN_OURS}""",
    owner=role("c.relowner"),
    granted=acl("c.relacl", "'s'", "c.relowner"),
    type="format_type(s.seqtypid, null)", start="s.seqstart", step="s.seqincrement", least="s.seqmin",
    most="s.seqmax", cache="s.seqcache", cycle=true("s.seqcycle"), persistence=unless("c.relpersistence", "p"),
    owned_by=f"""(select quote_ident(m.nspname) || '.' || quote_ident(k.relname) || '.' || quote_ident(a.attname)
        {_CLASS} join pg_depend d on d.refobjid = k.oid join pg_attribute a on a.attrelid = k.oid
        and a.attnum = d.refobjsubid where d.classid = 'pg_class'::regclass and d.objid = c.oid
        and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i'))""",
    comment=comment("pg_class", "c.oid"),
)  # fmt: skip

COLUMNS: Final = row(
    "'column'", "n.nspname", "c.relname || '.' || a.attname",
    f"""from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
        join pg_type t on t.oid = a.atttypid
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        left join pg_description r on r.objoid = c.oid and r.classoid = 'pg_class'::regclass and r.objsubid = a.attnum
        where a.attnum > 0 and not a.attisdropped and {_IN_OURS} and ({_TABLES} or c.relkind in ('v', 'm')
        and (a.attacl is not null or r.description is not null or d.adbin is not null or a.attstattarget > 0))""",
    type="format_type(a.atttypid, a.atttypmod)",
    not_null=true("a.attnotnull"),
    default="case when d.adbin is not null then pg_get_expr(d.adbin, d.adrelid) end",
    identity=unless("a.attidentity", ""),
    generated=unless("a.attgenerated", ""),
    collation="""case when a.attcollation <> t.typcollation then
        (select quote_ident(m.nspname) || '.' || quote_ident(l.collname) from pg_collation l
         join pg_namespace m on m.oid = l.collnamespace where l.oid = a.attcollation) end""",
    storage="case when a.attstorage <> t.typstorage then a.attstorage::text end",
    compression=unless("a.attcompression", ""),
    statistics="case when a.attstattarget >= 0 then a.attstattarget end",
    options=options("a.attoptions"),
    server_options="to_jsonb(a.attfdwoptions)",
    inherited="case when a.attinhcount > 0 then case when a.attislocal then 'and local' else 'only' end end",
    granted="case when a.attacl is not null then " + granted("a.attacl") + " end",
    comment="r.description",
)  # fmt: skip

CONSTRAINTS: Final = row(
    "'constraint'", "n.nspname", "coalesce(c.relname, t.typname) || '.' || k.conname",
    f"""from pg_constraint k left join pg_class c on c.oid = k.conrelid left join pg_type t on t.oid = k.contypid
        join pg_namespace n on n.oid = coalesce(c.relnamespace, t.typnamespace)
        where k.contype <> 't' and (k.conrelid <> 0 or k.contypid <> 0) and n.oid = any({OURS})
        and (k.conrelid = 0 or {own("pg_class", "k.conrelid")}) and (k.contypid = 0 or {own("pg_type", "k.contypid")})
        """,
    definition="pg_get_constraintdef(k.oid)",
    on="case when k.contypid <> 0 then 'domain' end",
    not_inherited="case when k.contype = 'c' then " + true("k.connoinherit") + " end",
    inherited="case when k.coninhcount > 0 then case when k.conislocal then 'and local' else 'only' end end",
    enforced_by="""case when k.contype = 'f' then (select nullif(string_agg(distinct t.tgenabled::text, ''), 'O')
        from pg_trigger t where t.tgconstraint = k.oid) end""",
    comment=comment("pg_constraint", "k.oid"),
)  # fmt: skip

INDEXES: Final = row(
    "'index'", "n.nspname", "x.relname",
    f"""from pg_index i join pg_class x on x.oid = i.indexrelid join pg_class c on c.oid = i.indrelid
        join pg_namespace n on n.oid = x.relnamespace where c.relkind in ('r', 'p', 'm') and {_IN_OURS}""",
    definition="pg_get_indexdef(i.indexrelid)",
    table="c.relname",
    constraint_="""case when exists (select from pg_constraint k
        where k.conindid = x.oid and k.conrelid = c.oid) then true end""",
    invalid=true("not i.indisvalid or not i.indisready or not i.indislive"),
    clustered=true("i.indisclustered"),
    tablespace=_SPACE.format("x"),
    part_of="case when x.relispartition then " + _PARENTS.replace("c.oid", "x.oid") + " end",
    statistics="""case when i.indexprs is not null then (select jsonb_object_agg(a.attname, a.attstattarget)
        from pg_attribute a where a.attrelid = x.oid and a.attstattarget >= 0) end""",
    comment=comment("pg_class", "x.oid"),
)  # fmt: skip

TRIGGERS: Final = row(
    "'trigger'", "n.nspname", "c.relname || '.' || g.tgname",
    f"""from pg_trigger g join pg_class c on c.oid = g.tgrelid join pg_namespace n on n.oid = c.relnamespace
        join pg_proc f on f.oid = g.tgfoid where not g.tgisinternal and {own("pg_trigger", "g.oid")}
        and ({_IN_OURS} or c.relnamespace = any({PLATFORM}) and f.pronamespace = any({OURS}))""",
    definition="pg_get_triggerdef(g.oid)", enabled=unless("g.tgenabled", "O"), comment=comment("pg_trigger", "g.oid"),
)  # fmt: skip

POLICIES: Final = row(
    "'policy'", "n.nspname", "c.relname || '.' || p.polname",
    f"""from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
        where {_IN_OURS} or c.relnamespace = any({PLATFORM})""",
    kind=unless("case when p.polpermissive then 'permissive' else 'restrictive' end", "permissive"),
    for_="case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' "
    "else 'all' end",
    to=f"(select jsonb_agg({role('r')} order by {role('r')}) from unnest(p.polroles) r)",  # noqa: S608 - all ours
    using="pg_get_expr(p.polqual, p.polrelid)",
    check="pg_get_expr(p.polwithcheck, p.polrelid)",
    comment=comment("pg_policy", "p.oid"),
)  # fmt: skip

RULES: Final = row(
    "'rule'", "n.nspname", "c.relname || '.' || w.rulename",
    f"""from pg_rewrite w join pg_class c on c.oid = w.ev_class join pg_namespace n on n.oid = c.relnamespace
        where w.rulename <> '_RETURN' and {_IN_OURS}""",
    definition="pg_get_ruledef(w.oid)", enabled=unless("w.ev_enabled", "O"), comment=comment("pg_rewrite", "w.oid"),
)  # fmt: skip

STATISTICS: Final = row(
    "'statistics'", "n.nspname", "s.stxname",
    f"from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace where n.oid = any({OURS})",
    owner=role("s.stxowner"), definition="pg_get_statisticsobjdef(s.oid)",
    target="case when s.stxstattarget >= 0 then s.stxstattarget end", comment=comment("pg_statistic_ext", "s.oid"),
)  # fmt: skip

QUERIES: Final = (
    SCHEMAS, RELATIONS, SEQUENCES, COLUMNS, CONSTRAINTS, INDEXES, TRIGGERS, POLICIES, RULES, STATISTICS,
)  # fmt: skip
