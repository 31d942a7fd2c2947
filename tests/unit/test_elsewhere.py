"""Where a database is built anew: what decides it, and what a throw-away container is given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from agent.database import whereabouts
from agent.database.backup import tools
from agent.database.fingerprint.model import Fingerprint
from agent.database.proof import contained, elsewhere, scratch
from agent.database.proof.contained import Cluster
from agent.database.proof.elsewhere import Place
from agent.database.proof.likeness import Likeness
from agent.doors.verbs import db_console
from agent.model.dsn import Dsn
from agent.model.errors import IkomaError
from agent.model.secret import Secret

LIVE = Dsn("db", "migrator", "shop", Secret("word"))
SETTINGS = (("pgsodium.getkey_script", "/key.sh"), ("cron.launch_active_jobs", "on"), ("other.x", "1"))
LIKE = Likeness(
    17, "admin", "migrator", "app", "shop", (), (), (), ("pgsodium", "auto_explain"), Fingerprint({}, 17), SETTINGS
)


@contextmanager
def by_host(*_: object) -> Iterator[Dsn]:
    yield Dsn("/socket", "admin", "template1")


@contextmanager
def by_image(live: tools.Programs, like: Likeness, state: Path, most_mb: int) -> Iterator[Cluster]:
    dsn = Dsn("/inside", "admin", "template1")
    yield Cluster(dsn, tools.Programs(dsn, container=live.container))


@contextmanager
def never(live: tools.Programs, like: Likeness, state: Path, most_mb: int) -> Iterator[Cluster]:
    raise IkomaError("proof.no_container", image=live.container, reason="initdb: not found")
    yield


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Return a function that says what is chosen: of a live server in a container or not, and programs or none."""

    def choose(boxed: bool, programs: bool, image: Any = by_image) -> str:
        inside = tools.Programs(LIVE, container="c1", docker_socket="/s") if boxed else None
        found = scratch.Programs(17, Path("/pg/bin")) if programs else None
        monkeypatch.setattr(tools, "in_container", lambda *_: inside)
        monkeypatch.setattr(scratch, "programs", lambda _: found)
        monkeypatch.setattr(scratch, "cluster", by_host)
        monkeypatch.setattr(contained, "cluster", image)
        with elsewhere.cluster(Place(LIVE, tmp_path, "/s", hostile=False), LIKE) as made:
            return made.admin.host

    return choose


def test_what_runs_in_a_container_is_rebuilt_in_its_image_and_all_else_by_the_hosts_programs(chosen: Any) -> None:
    assert chosen(boxed=True, programs=True) == "/inside"
    assert chosen(boxed=True, programs=False) == "/inside"
    assert chosen(boxed=False, programs=True) == "/socket"
    with pytest.raises(IkomaError) as refused:
        chosen(boxed=False, programs=False)
    assert refused.value.id == "proof.no_server"


def test_an_image_that_does_not_come_up_is_replaced_by_the_hosts_programs_or_told(chosen: Any) -> None:
    assert chosen(boxed=True, programs=True, image=never) == "/socket"
    with pytest.raises(IkomaError) as refused:
        chosen(boxed=True, programs=False, image=never)
    assert refused.value.id == "proof.no_container"
    assert "initdb: not found" in refused.value.message("en")


def test_a_throw_away_container_has_no_network_no_rights_and_one_folder_of_the_host(tmp_path: Path) -> None:
    image = contained.Image("sha256:abc", ["/var/lib/postgresql/data"])
    words = contained.argv("/run/d.sock", image, "one", tmp_path / "0", "admin", {"work_mem": "8MB"})
    options, rest = words[: words.index("sha256:abc")], words[words.index("sha256:abc") + 1 :]
    given = dict(pairwise(options))
    assert (given["--network"], given["--cap-drop"], given["--security-opt"]) == ("none", "ALL", "no-new-privileges")
    assert (given["--pull"], given["--memory"]) == ("never", "1g")
    mounts = [words[at + 1] for at, word in enumerate(words) if word == "--mount"]
    assert mounts == [f"type=bind,src={tmp_path}/0,dst=/throw-away",
                      f"type=bind,src={tmp_path}/passwd,dst=/etc/passwd,readonly"]  # fmt: skip
    assert "--read-only" in options  # what it writes is in the folder that is watched, or in memory
    in_memory = [words[at + 1] for at, word in enumerate(words) if word == "--tmpfs"]
    assert in_memory == ["/tmp:size=16m,mode=1777", "/var/lib/postgresql/data:size=16m,mode=1777"]
    assert not {"--privileged", "--volume", "-v", "--env", "-e", "--publish"} & set(options)
    assert rest[-2:] == ["admin", "-cwork_mem=8MB"]


def test_libraries_that_the_log_names_are_left_out_with_their_settings() -> None:
    said = 'FATAL:  The getkey script "/usr/share/postgresql/extension/pgsodium_getkey" does not exist.'
    assert contained.loadable(LIKE.preload, said) == ["auto_explain"]
    assert contained.loadable(["pg_cron", "pg_net"], 'FATAL: invalid value for "cron.timezone"') == ["pg_net"]
    assert contained.configured(LIKE.settings, LIKE.preload) == {"pgsodium.getkey_script": "/key.sh"}
    assert contained.configured(LIKE.settings, ["pg_cron"]) == {}  # a schedule stays off


def test_a_console_is_opened_in_the_servers_own_container_without_a_password_in_sight() -> None:
    inside = tools.Programs(LIVE, container="c1", docker_socket="/s")
    words = db_console.contained(inside, ["-c", "select 1"], terminal=True)
    assert words[:7] == ["docker", "exec", "--tty", "-i", "-e", "PGPASSWORD", "c1"]
    assert words[7:10] == ["psql", "-c", "select 1"]
    assert "word" not in " ".join(words)


def container(name: str, service: str = "", state: str = "running", address: str = "10.0.0.5") -> dict[str, Any]:
    return {"Id": name * 3, "Names": [f"/{name}"], "State": state, "Labels": {"com.docker.compose.service": service},
            "NetworkSettings": {"Networks": {"n": {"IPAddress": address}}}}  # fmt: skip


def test_a_host_is_a_container_by_name_before_it_is_a_service() -> None:
    known = [container("shop-db-1", "db"), container("db", "other"), container("old-db-1", "db", state="exited")]
    assert whereabouts.named(known, "db") == [known[1]]
    assert whereabouts.named(known[::2], "db") == [known[0]]
    assert whereabouts.named(known, "nothing") == []
    assert whereabouts.address(known[0]) == "10.0.0.5"
    assert whereabouts.address(container("host-network", address="")) == "127.0.0.1"


def test_a_service_of_an_app_never_passes_for_the_database_of_another() -> None:
    theirs = container("evil-db-1", "db")
    theirs["Labels"]["ikoma.target"] = "evil"
    assert whereabouts.named([theirs], "db") == []
    assert whereabouts.named([theirs, container("platform-db-1", "db")], "db") == [container("platform-db-1", "db")]
    assert whereabouts.named([theirs], "evil-db-1") == [theirs]
    assert (tools.serves(theirs, LIVE), tools.serves(container("platform-db-1", "db"), LIVE)) == (0, 5432)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "/run/postgresql", "db.example.com", ""])
def test_what_is_no_containers_name_is_looked_up_nowhere(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whereabouts, "Engine", pytest.fail)
    dsn = Dsn(host, "me", "shop")
    assert whereabouts.located(dsn) == dsn
