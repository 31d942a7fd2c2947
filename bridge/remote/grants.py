"""Keys that may call the agent: what keys.json and authorized_keys hold after one more. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from agent.host import keys as host_keys
from agent.host.paths import Paths
from agent.model.errors import Misuse
from agent.model.names import check_name
from agent.protocol import ROLES
from bridge.remote import layout
from bridge.remote.keys import PublicKey

Table = dict[str, dict[str, Any]]
"""keys.json: a key's name, and what it may do."""

_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._@-]{0,63}")


@dataclass(frozen=True, slots=True)
class Grant:
    """A key that may call the agent: its name, its role, and what it may act on (``*`` for everything)."""

    name: str
    public: PublicKey
    role: str
    apps: tuple[str, ...] = ("*",)
    environments: tuple[str, ...] = ("*",)

    def check(self) -> None:
        """Raise ``Misuse`` (``name.bad`` or ``remote.role_unknown``) for a grant that makes no sense."""
        if not _NAME.fullmatch(self.name):
            raise Misuse("name.bad", what="key", value=self.name[:80])
        if self.role not in ROLES:
            raise Misuse("remote.role_unknown", role=self.role, roles=", ".join(ROLES))
        for name in (*self.apps, *self.environments):
            if name != "*":
                check_name(name, "app")

    def entry(self) -> dict[str, Any]:
        """Return what stands behind the name in keys.json, but for the date."""
        return {
            "role": self.role,
            "apps": list(self.apps),
            "environments": list(self.environments),
            "fingerprint": self.public.fingerprint,
            "public_key": self.public.line,
        }


def granted(text: str, grant: Grant | None, today: str) -> Table:
    """Return the table in ``text`` (keys.json) with ``grant`` in it; a name that was there keeps its date.

    Raises:
        Misuse: ``remote.keys_damaged``.
    """
    try:
        table = json.loads(text or "{}")
    except ValueError:
        table = None
    if not isinstance(table, dict) or not all(isinstance(entry, dict) for entry in table.values()):
        raise Misuse("remote.keys_damaged", file=layout.KEYS)
    if grant:
        added = table.get(grant.name, {}).get("added") or today
        table[grant.name] = {**grant.entry(), "added": added}
    return table


def keys_text(table: Table) -> str:
    """Return the text of keys.json, as the agent itself writes it."""
    return json.dumps({name: table[name] for name in sorted(table)}, indent=2, ensure_ascii=False) + "\n"


def authorized_text(table: Table, extra: str = "") -> str:
    """Return the text of authorized_keys: a line for each key that may call the agent, and nothing else."""
    lines = [_line(name, entry["public_key"]) for name, entry in sorted(table.items()) if entry.get("public_key")]
    return "".join(f"{line}\n" for line in sorted([*lines, *([extra] if extra else [])]))


def probe_line(name: str, public: PublicKey) -> str:
    """Return the line that lets a key of ours, for the time of a test, call the agent under the name of another."""
    return _line(name, public.line)


def _line(name: str, public: str) -> str:
    return host_keys.authorized_line(Paths(), host_keys.Grant(name, "observer", public_key=public))
