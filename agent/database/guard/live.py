"""What a live database can tell the judgement: which relations there are, how big, and who is anonymous."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from agent.database.connect import Connection
from agent.model.guardrails import Known, Relation

_RELATIONS: Final = """
    select n.nspname || '.' || c.relname,
           case when c.relkind in ('r', 'm', 'p') then pg_total_relation_size(c.oid) else 0 end,
           c.relkind in ('r', 'p') and c.relpages = 0 and c.reltuples <= 0 and pg_relation_size(c.oid) = 0
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I') and n.nspname !~ '^pg_'
      and n.nspname not in ('information_schema', 'ikoma')
"""
_CHILDREN: Final = """
    select n.nspname || '.' || c.relname, sum(pg_total_relation_size(t.relid)), sum(pg_relation_size(t.relid))
    from pg_class c join pg_namespace n on n.oid = c.relnamespace, lateral pg_partition_tree(c.oid) t
    where c.relkind = 'p' group by 1
"""
_ANONYMOUS: Final = "select rolname from pg_roles where rolname in ('anon', 'authenticated')"


def known(connection: Connection, *, running: bool, owned: Collection[str] = ()) -> Known:
    """Return what is known of the database; ``running`` says whether an earlier release serves from it."""
    relations = {
        name: Relation(int(size), bool(empty)) for name, size, empty in connection.execute(_RELATIONS).fetchall()
    }
    for name, size, rows in connection.execute(_CHILDREN).fetchall():
        relations[name] = Relation(int(size), not rows)
    anonymous = frozenset(row[0] for row in connection.execute(_ANONYMOUS).fetchall())
    return Known(relations, running, anonymous, frozenset(owned))
