"""Catalog queries: types, functions, operators and whatever else is written in or for SQL."""

from __future__ import annotations

from typing import Final

from agent.database.fingerprint.words import OURS, acl, comment, own, role, row, true, unless

_ARGUMENTS: Final = "pg_get_function_identity_arguments(p.oid)"


def _function(oid: str) -> str:
    return f"case when {oid} <> 0 then {oid}::oid::regprocedure::text end"


def _type(oid: str) -> str:
    return f"case when {oid} <> 0 then format_type({oid}, null) end"


def _whole(catalog: str, oid: str) -> str:
    """The condition that an object is not just a part of another one, as the cast of a range to its multirange is."""
    return f"""not exists (select from pg_depend i where i.classid = '{catalog}'::regclass and i.objid = {oid}
        and i.deptype = 'i')"""


FUNCTIONS: Final = row(
    "case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end", "n.nspname",
    f"p.proname || '(' || {_ARGUMENTS} || ')'",
    f"""from pg_proc p join pg_namespace n on n.oid = p.pronamespace left join pg_aggregate a on a.aggfnoid = p.oid
        where n.oid = any({OURS}) and {own("pg_proc", "p.oid")} and {_whole("pg_proc", "p.oid")}""",
    owner=role("p.proowner"),
    granted=acl("p.proacl", "'f'", "p.proowner"),
    definition="case when p.prokind <> 'a' then pg_get_functiondef(p.oid) end",
    aggregate="""case when p.prokind = 'a' then (to_jsonb(a) - array['aggfnoid', 'aggtranstype', 'aggmtranstype',
        'aggsortop']) || jsonb_build_object('state', format_type(a.aggtranstype, null), 'result',
        pg_get_function_result(p.oid), 'parallel', p.proparallel, 'moving', a.aggmtranstype::regtype::text,
        'sort', a.aggsortop::regoperator::text) end""",
    comment=comment("pg_proc", "p.oid"),
)  # fmt: skip

_SUBTYPES: Final = """(select jsonb_build_object('of', format_type(r.rngsubtype, null), 'class', o.opcname,
    'collation', nullif(r.rngcollation, 0)::regcollation::text, 'canonical', r.rngcanonical::text,
    'difference', r.rngsubdiff::text) from pg_range r join pg_opclass o on o.oid = r.rngsubopc
    where r.rngtypid = t.oid)"""
_ATTRIBUTES: Final = """(select jsonb_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || coalesce(' ' ||
    (select description from pg_description d where d.objoid = a.attrelid and d.objsubid = a.attnum
     and d.classoid = 'pg_class'::regclass), '') order by a.attnum)
    from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped)"""

TYPES: Final = row(
    "case t.typtype when 'd' then 'domain' when 'e' then 'enum' else 'type' end", "n.nspname", "t.typname",
    f"""from pg_type t join pg_namespace n on n.oid = t.typnamespace left join pg_class c on c.oid = t.typrelid
        where n.oid = any({OURS}) and {own("pg_type", "t.oid")} and t.typtype in ('b', 'c', 'd', 'e', 'r')
        and (c.oid is null or c.relkind = 'c')
        and not exists (select from pg_type e where e.oid = t.typelem and e.typarray = t.oid)""",
    owner=role("t.typowner"),
    granted=acl("t.typacl", "'T'", "t.typowner"),
    labels="""case when t.typtype = 'e' then (select jsonb_agg(e.enumlabel order by e.enumsortorder)
        from pg_enum e where e.enumtypid = t.oid) end""",
    base="case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) end",
    not_null=true("t.typnotnull"),
    default="t.typdefault",
    collation="case when t.typtype = 'd' then nullif(t.typcollation, 0)::regcollation::text end",
    attributes=f"case when t.typtype = 'c' then {_ATTRIBUTES} end",
    range=f"case when t.typtype = 'r' then {_SUBTYPES} end",
    base_type="""case when t.typtype = 'b' then jsonb_build_object('in', t.typinput::text, 'out', t.typoutput::text,
        'receive', t.typreceive::text, 'send', t.typsend::text, 'length', t.typlen, 'align', t.typalign,
        'storage', t.typstorage, 'by value', t.typbyval, 'category', t.typcategory) end""",
    comment=comment("pg_type", "t.oid"),
)  # fmt: skip

OPERATORS: Final = row(
    "'operator'", "n.nspname",
    f"o.oprname || '(' || coalesce({_type('o.oprleft')}, 'none') || ',' || {_type('o.oprright')} || ')'",
    f"""from pg_operator o join pg_namespace n on n.oid = o.oprnamespace
        where n.oid = any({OURS}) and {own("pg_operator", "o.oid")}""",
    owner=role("o.oprowner"), function=_function("o.oprcode"), commutator="nullif(o.oprcom, 0)::regoperator::text",
    negator="nullif(o.oprnegate, 0)::regoperator::text", restrict=_function("o.oprrest"), join=_function("o.oprjoin"),
    hashes=true("o.oprcanhash"), merges=true("o.oprcanmerge"), comment=comment("pg_operator", "o.oid"),
)  # fmt: skip

_MEMBERS: Final = """(select jsonb_agg(m order by m) from (
    select 'operator ' || a.amopstrategy || ' ' || a.amopopr::regoperator::text as m from pg_amop a
    where a.amopfamily = {0} union all
    select 'function ' || a.amprocnum || ' ' || a.amproc::oid::regprocedure::text from pg_amproc a
    where a.amprocfamily = {0}) x)"""

CLASSES: Final = row(
    "'operator class'", "n.nspname", "o.opcname || ' using ' || m.amname",
    f"""from pg_opclass o join pg_namespace n on n.oid = o.opcnamespace join pg_am m on m.oid = o.opcmethod
        where n.oid = any({OURS}) and {own("pg_opclass", "o.oid")}""",
    owner=role("o.opcowner"), type=_type("o.opcintype"), key=_type("o.opckeytype"), default=true("o.opcdefault"),
    members=_MEMBERS.format("o.opcfamily"), comment=comment("pg_opclass", "o.oid"),
)  # fmt: skip

FAMILIES: Final = row(
    "'operator family'", "n.nspname", "o.opfname || ' using ' || m.amname",
    f"""from pg_opfamily o join pg_namespace n on n.oid = o.opfnamespace join pg_am m on m.oid = o.opfmethod
        where n.oid = any({OURS}) and {own("pg_opfamily", "o.oid")}""",
    owner=role("o.opfowner"), members=_MEMBERS.format("o.oid"), comment=comment("pg_opfamily", "o.oid"),
)  # fmt: skip

CASTS: Final = row(
    "'cast'", "''", "format_type(c.castsource, null) || ' as ' || format_type(c.casttarget, null)",
    f"""from pg_cast c join pg_type s on s.oid = c.castsource join pg_type t on t.oid = c.casttarget
        where c.oid >= 16384 and {own("pg_cast", "c.oid")} and {_whole("pg_cast", "c.oid")}
        and (s.typnamespace = any({OURS}) or t.typnamespace = any({OURS}) or c.castfunc >= 16384)""",
    function=_function("c.castfunc"), context=unless("c.castcontext", "e"), method=unless("c.castmethod", "f"),
    comment=comment("pg_cast", "c.oid"),
)  # fmt: skip

COLLATIONS: Final = row(
    "'collation'", "n.nspname", "c.collname",
    f"""from pg_collation c join pg_namespace n on n.oid = c.collnamespace
        where n.oid = any({OURS}) and {own("pg_collation", "c.oid")}""",
    owner=role("c.collowner"),
    facts="to_jsonb(c) - array['oid', 'collname', 'collnamespace', 'collowner', 'collversion']",
    comment=comment("pg_collation", "c.oid"),
)  # fmt: skip

CONVERSIONS: Final = row(
    "'conversion'", "n.nspname", "c.conname",
    f"""from pg_conversion c join pg_namespace n on n.oid = c.connamespace
        where n.oid = any({OURS}) and {own("pg_conversion", "c.oid")}""",
    owner=role("c.conowner"), source="pg_encoding_to_char(c.conforencoding)",
    target="pg_encoding_to_char(c.contoencoding)", function="c.conproc::text", default=true("c.condefault"),
    comment=comment("pg_conversion", "c.oid"),
)  # fmt: skip

CONFIGURATIONS: Final = row(
    "'text search configuration'", "n.nspname", "c.cfgname",
    f"""from pg_ts_config c join pg_namespace n on n.oid = c.cfgnamespace
        where n.oid = any({OURS}) and {own("pg_ts_config", "c.oid")}""",
    owner=role("c.cfgowner"), parser="(select p.prsname from pg_ts_parser p where p.oid = c.cfgparser)",
    map="""(select jsonb_agg(m.maptokentype || ' ' || m.mapseqno || ' ' || m.mapdict::regdictionary::text
        order by m.maptokentype, m.mapseqno) from pg_ts_config_map m where m.mapcfg = c.oid)""",
    comment=comment("pg_ts_config", "c.oid"),
)  # fmt: skip

DICTIONARIES: Final = row(
    "'text search dictionary'", "n.nspname", "d.dictname",
    f"""from pg_ts_dict d join pg_namespace n on n.oid = d.dictnamespace
        where n.oid = any({OURS}) and {own("pg_ts_dict", "d.oid")}""",
    owner=role("d.dictowner"), template="(select t.tmplname from pg_ts_template t where t.oid = d.dicttemplate)",
    options="d.dictinitoption", comment=comment("pg_ts_dict", "d.oid"),
)  # fmt: skip

PARSERS: Final = row(
    "'text search parser'", "n.nspname", "p.prsname",
    f"""from pg_ts_parser p join pg_namespace n on n.oid = p.prsnamespace
        where n.oid = any({OURS}) and {own("pg_ts_parser", "p.oid")}""",
    start="p.prsstart::text", token="p.prstoken::text", end="p.prsend::text",  # noqa: S106 - a column
    headline="p.prsheadline::text", types="p.prslextype::text", comment=comment("pg_ts_parser", "p.oid"),
)  # fmt: skip

LANGUAGES: Final = row(
    "'language'", "''", "l.lanname",
    f"from pg_language l where l.oid >= 16384 and {own('pg_language', 'l.oid')}",
    owner=role("l.lanowner"), granted=acl("l.lanacl", "'l'", "l.lanowner"), trusted="l.lanpltrusted",
    call="l.lanplcallfoid::regproc::text", comment=comment("pg_language", "l.oid"),
)  # fmt: skip

QUERIES: Final = (
    FUNCTIONS, TYPES, OPERATORS, CLASSES, FAMILIES, CASTS, COLLATIONS, CONVERSIONS, CONFIGURATIONS, DICTIONARIES,
    PARSERS, LANGUAGES,
)  # fmt: skip
