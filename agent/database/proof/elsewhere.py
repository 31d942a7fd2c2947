"""Where a database is built anew: in a container of the live server's own image, or by this host's programs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.database.backup import tools
from agent.database.proof import contained, room, scratch
from agent.database.proof.contained import Cluster
from agent.database.proof.likeness import Likeness
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError


@dataclass(frozen=True, slots=True)
class Place:
    """What decides where.

    Attributes:
        live: the live database's connection; it is not opened.
        state: the agent's state folder.
        docker_socket: where one asks whether the live server runs in a container; "" is nowhere.
        hostile: what will run there may make the server run programs.
        most_mb: what the cluster may take of the disk, in MiB.
    """

    live: Dsn
    state: Path
    docker_socket: str = ""
    hostile: bool = True
    most_mb: int = room.MOST_MB


@contextmanager
def cluster(place: Place, like: Likeness) -> Iterator[Cluster]:
    """Yield an empty cluster of live's major. Where live runs in a container, of its image if that comes up.

    Raises:
        IkomaError: ``proof.no_server``, ``proof.no_container``, ``proof.no_cage``, ``proof.no_disk`` or
            ``proof.no_start``; ``proof.over_disk`` or ``proof.disk_low`` when it was stopped because of what it wrote.
    """
    with ExitStack() as stack:
        yield _entered(stack, place, like)


def _entered(stack: ExitStack, place: Place, like: Likeness) -> Cluster:
    live = tools.in_container(place.live, place.docker_socket)
    programs = scratch.programs(like.major)
    if live:
        try:
            return stack.enter_context(contained.cluster(live, like, place.state, place.most_mb))
        except IkomaError as error:
            if error.id != "proof.no_container" or programs is None:
                raise
    if programs is None:
        raise IkomaError("proof.no_server", major=like.major)
    if place.hostile and not scratch.is_caged(place.state):
        raise IkomaError("proof.no_cage", role=like.migrator)
    admin = stack.enter_context(scratch.cluster(programs, place.state, like.superuser, like.preload, place.most_mb))
    return Cluster(admin, tools.Programs(admin, str(programs.folder)))
