"""Releases that fall ill in ways of their own: users of the old one notice nothing, and nothing of the new stays."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.app import GOOD, App
from tests.faults.lab import Lab

PROBE = """\
#!/bin/sh
if [ $(($(cut -d. -f1 /proc/uptime) - $(cat /tmp/since))) -ge 3 ]; then echo "Status: 500 Internal Server Error"; fi
printf 'Content-Type: text/plain\\r\\n\\r\\n'
echo the widgets are gone
"""
SINCE = "cut -d. -f1 /proc/uptime > /tmp/since\n"
FLAPS = "(while :; do rm -f /www/health; sleep 1.2; echo ok > /www/health; sleep 1.2; done) &\n"
DEAF = "trap '' TERM\n/bin/busybox httpd -f -p 8080 -h /www &\nwhile :; do sleep 1; done\n"


@pytest.fixture(scope="module")
def served(rig: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, App]]:
    """An app whose first release serves; every test replaces it by a bad one, and finds it there again."""
    lab, app = Lab(rig), App(tmp_path_factory.mktemp("ill"), "ill")
    lab.fault()
    app.write("one")
    first = lab.deploy(app.repo)
    assert first.code == 0, first
    yield lab, app
    lab.remove({app.name})


def answers_500_after_three_seconds(app: App) -> None:
    app.write("two", health={"timeout": "20s", "window": "6s"}, services={"web": {"probe": {"path": "/cgi-bin/probe"}}})
    (app.repo / "www/cgi-bin").mkdir()
    (app.repo / "www/cgi-bin/probe").write_text(PROBE)
    (app.repo / "www/cgi-bin/probe").chmod(0o755)
    (app.repo / "serve.sh").write_text(SINCE + GOOD)


def exits_at_once_and_is_not_restarted(app: App) -> None:
    app.write("two", "crash")
    change(app, "    expose:", '    restart: "no"\n    expose:')


def flaps(app: App) -> None:
    app.write("two", health={"timeout": "8s", "window": "3s"})
    (app.repo / "serve.sh").write_text(FLAPS + GOOD)


def eats_all_its_memory(app: App) -> None:
    app.write("two", health={"timeout": "15s", "window": "5s"})
    change(app, "    expose:", "    mem_limit: 24m\n    expose:")
    (app.repo / "serve.sh").write_text(GOOD.replace("wait $!", "sleep 2; exec tail /dev/zero"))


def hangs_when_it_is_told_to_stop(app: App) -> None:
    app.write("two", healthy=False)
    (app.repo / "serve.sh").write_text(DEAF)


def change(app: App, old: str, new: str) -> None:
    """Change the website's part of the compose file."""
    compose = app.repo / "docker-compose.yml"
    assert old in compose.read_text()
    compose.write_text(compose.read_text().replace(old, new, 1))


ILL: list[tuple[Callable[[App], None], set[str], str]] = [
    (answers_500_after_three_seconds, {"health.relapse"}, "HTTP 500"),
    (exits_at_once_and_is_not_restarted, {"health.exited"}, "cannot open the widget store"),
    (flaps, {"health.timeout", "health.relapse", "health.unhealthy"}, "404"),
    (eats_all_its_memory, {"health.memory", "health.restarts"}, "web"),
    (hangs_when_it_is_told_to_stop, {"health.unhealthy"}, "404"),
]


CHOSEN = ILL if os.environ.get("IKOMA_LONG") else random.Random(os.environ.get("IKOMA_SEED", "1")).sample(ILL, 2)


@pytest.mark.parametrize(("spoil", "errors", "said"), CHOSEN, ids=[case[0].__name__ for case in CHOSEN])
def test_users_of_the_old_release_notice_nothing_of_one_that(
    served: tuple[Lab, App], spoil: Callable[[App], None], errors: set[str], said: str
) -> None:
    lab, app = served
    before, networks = lab.containers(app.name), networks_of(lab, app)
    clean(app.repo / "www/cgi-bin")
    spoil(app)
    with lab.asking(app.host) as answers:
        done = lab.deploy(app.repo)
    assert done.code == 1, done
    result = done.json
    assert result["status"] == "ROLLED_BACK", done
    assert result["error"]["id"] in errors, done
    assert said in json.dumps(result["error"], ensure_ascii=False), done
    assert answers.failures == []
    assert set(answers.bodies) == {"one"}
    assert lab.containers(app.name) == before, "the old containers were touched"
    assert len(lab.all_containers(app.name)) == len(before), "something was left over"
    assert networks_of(lab, app) == networks
    assert lab.lock_is_free(app.name)


def clean(folder: Path) -> None:
    """Take away what the case before wrote."""
    for file in folder.glob("*"):
        file.unlink()
    if folder.exists():
        folder.rmdir()


def networks_of(lab: Lab, app: App) -> str:
    """Return the app's networks; other tests may use the host too."""
    return lab.inside("docker", "network", "ls", "--filter", f"name={app.name}", "--format", "{{.ID}} {{.Name}}")
