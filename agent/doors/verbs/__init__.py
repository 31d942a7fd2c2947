"""Verbs of ``ikoma`` that are more than one capability: what people on the host type.

One line in the table and one module each. The module has ``add_arguments(parser)`` and ``run(at) -> int``; it is
imported when its words are typed, never before. A capability needs no line here: ``ikoma db status --app shop``
works for each of them by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Verb:
    """What is typed, where it is written, and what it does in one line.

    Attributes:
        as_root: it keeps root's rights; otherwise root becomes the agent's own user first.
    """

    words: tuple[str, ...]
    module: str
    summary: str
    as_root: bool = False


TABLE: Final[tuple[Verb, ...]] = (
    Verb(("http",), "agent.doors.http", "Serve over HTTP, on loopback and where the host settings say; see door_port"),
    Verb(("supabase", "migrate"), "agent.doors.verbs.supabase_migrate", "Apply a repository's SQL files"),
    Verb(
        ("deploy", "up"), "agent.doors.verbs.deploy_up", "Deploy what CI published for --ref, or start what is stopped"
    ),
    Verb(("db", "console"), "agent.doors.verbs.db_console", "Open psql on an app's database"),
    Verb(("clean",), "agent.doors.verbs.clean", "Take a test deployment away, volumes and synced repository included"),
    Verb(("history",), "agent.doors.verbs.history", "What ran on this host, newest first"),
    Verb(("compose",), "agent.doors.verbs.compose", "Docker Compose by hand, under the agent's locks"),
    Verb(("mcp",), "agent.doors.mcp", "Serve an assistant over standard input and output, in the role of a key"),
)


def find(words: Sequence[str]) -> Verb | None:
    """Return the verb that ``words`` begin with, the longest that fits."""
    fitting = [verb for verb in TABLE if tuple(words[: len(verb.words)]) == verb.words]
    return max(fitting, key=lambda verb: len(verb.words), default=None)
