"""Pieces of SQL that the catalog queries share. Pure text; ``catalog`` fills in what depends on the database."""

from __future__ import annotations

from typing import Final

OURS: Final = "__OURS__"
"""Stands for the array of the schemas (oids) whose objects count."""
PLATFORM: Final = "__PLATFORM__"
"""Stands for the array of a platform's own schemas (oids): only what the app hung on their tables counts."""
ALIASES: Final = "__ALIASES__"
"""Stands for the branches that give roles a name which is the same in every environment."""


def role(oid: str) -> str:
    """Return the name of a role."""
    return f"case {oid} when 0 then 'PUBLIC' {ALIASES} else pg_get_userbyid({oid})::text end"


def granted(rights: str) -> str:
    """Return privileges one grantee a line, sorted: the order in which they were granted means nothing."""
    privilege = "one.privilege_type || case when one.is_grantable then '*' else '' end"
    return f"""(select jsonb_agg(lines.line order by lines.line) from (
        select {role("one.grantee")} || '=' || string_agg({privilege}, ',' order by one.privilege_type) as line
        from aclexplode({rights}) one group by one.grantee) lines)"""  # noqa: S608 - all ours


def acl(rights: str, letter: str, owner: str) -> str:
    """Return the privileges on an object where they are not those that it was made with; the rest costs nothing."""
    default = f"acldefault({letter}, {owner})"
    return f"case when {rights} <> {default} then nullif({granted(rights)}, {granted(default)}) end"


def comment(catalog: str, oid: str) -> str:
    """Return the comment on an object."""
    where = f"note.objoid = {oid} and note.classoid = '{catalog}'::regclass and note.objsubid = 0"
    return f"(select note.description from pg_description note where {where})"  # noqa: S608 - all ours


def own(catalog: str, oid: str) -> str:
    """Return the condition that an object does not belong to an extension."""
    where = f"member.classid = '{catalog}'::regclass and member.objid = {oid} and member.deptype = 'e'"
    return f"not exists (select from pg_depend member where {where})"


def true(condition: str) -> str:
    """Return a condition that is left out where it is false."""
    return f"nullif({condition}, false)"


def unless(value: str, usual: str) -> str:
    """Return a value that is left out where it is the usual one."""
    return f"nullif({value}::text, '{usual}')"


def row(kind: str, schema: str, name: str, source: str, /, **facts: str) -> str:
    """Return a query of one row an object: kind, schema, name, and its facts as JSON without what is null."""
    pairs = ", ".join(f"'{key.rstrip('_')}', {value}" for key, value in facts.items())
    return f"select {kind}, {schema}, {name}, jsonb_strip_nulls(jsonb_build_object({pairs}))::text {source}"


def options(stored: str) -> str:
    """Return the options of an object, without the numbers that recent minor releases keep among them (``pg_…``)."""
    return f"(select jsonb_agg(o order by o) from unnest({stored}) o where o !~ '^pg_')"  # noqa: S608 - all ours
