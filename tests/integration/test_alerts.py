"""Alerts as they leave a host: to a real web hook, a real mail server and in the form that Slack takes."""

from __future__ import annotations

import email
import json
import threading
import time
from collections.abc import Iterator
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from agent.host import alerting, notify
from agent.host.files import write_json
from agent.operations import alerts
from agent.operations.journal import Journal, Operation
from agent.protocol import Body
from tests.fixtures.doors.http import free_port
from tests.fixtures.operations.house import SHOP, House

TOKEN = "hook-token-that-nobody-sees"
NOW = 1_700_000_000.0


class Hook:
    """A web hook's other side. ``down`` makes it refuse."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Any]] = []
        self.down = False
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                if not hook.down:
                    hook.got.append((self.path, json.loads(raw)))
                self.send_response(503 if hook.down else 200)
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_port}"

    @property
    def url(self) -> str:
        return f"json://{self.address}/{TOKEN}"

    def titles(self) -> list[str]:
        return [content["title"].partition("] ")[2] for _, content in self.got]


@pytest.fixture
def hook() -> Iterator[Hook]:
    hook = Hook()
    yield hook
    hook.server.shutdown()
    hook.server.server_close()


class Mailbox:
    """What the mail server took."""

    def __init__(self) -> None:
        self.letters: list[Message] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        self.letters.append(email.message_from_bytes(envelope.content, policy=default))
        return "250 OK"


@pytest.fixture
def mail() -> Iterator[tuple[str, Mailbox]]:
    box = Mailbox()
    port = free_port()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    yield f"mailto://127.0.0.1:{port}?smtp=127.0.0.1&from=vps@example.com&to=ops@example.com&mode=insecure", box
    server.stop()


def told(house: House, *urls: str, lang: str = "en") -> None:
    """Say who is told. The host has no engine: that is what it tells of."""
    house.settings(reserve_mb=1, docker_socket="/nowhere/docker.sock", min_free_mb=0, alert_free_mb=1)
    house.paths.backups.mkdir(parents=True, exist_ok=True)
    alerting.store(house.paths, "\n".join(urls), lang)


def rounds(house: House, *seconds: float) -> int:
    """Look at these seconds, sending after each; return how many messages were taken."""
    taken = 0
    for second in seconds:
        alerts.look(house.paths, NOW + second)
        taken += alerts.deliver(house.paths, NOW + second, notify.send)
    return taken


def test_an_alert_reaches_web_hook_and_mail_box_once_each(house: House, hook: Hook, mail: tuple[str, Mailbox]) -> None:
    told(house, hook.url, mail[0])
    assert rounds(house, 0, 10, 30, 40, 50) == 2
    (path, content), (letter,) = hook.got[0], mail[1].letters
    assert (path, hook.titles()) == (f"/{TOKEN}", ["Alert: Docker"])
    assert "/nowhere/docker.sock" in content["message"]
    assert letter["Subject"].endswith("Alert: Docker")
    assert letter["To"] == "ops@example.com"
    body = letter.get_body(("plain", "html"))  # type: ignore[attr-defined]
    assert "/nowhere/docker.sock" in body.get_content()


def test_slack_gets_the_form_that_it_takes(house: House, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    from apprise.plugins.slack import NotifySlack

    monkeypatch.setattr(NotifySlack, "webhook_url", f"http://{hook.address}/services")
    told(house, f"slack://T1JJ3T3L2/A1BRTD4JD/{'T' * 24}", lang="fr")
    assert rounds(house, 0, 30) == 1
    ((path, content),) = hook.got
    assert path == f"/services/T1JJ3T3L2/A1BRTD4JD/{'T' * 24}"
    (shown,) = content["attachments"]
    assert shown["title"].endswith("Alerte : Docker")


def test_a_receiver_that_is_down_gets_its_alert_later_and_the_other_one_only_once(house: House, hook: Hook) -> None:
    well = Hook()
    told(house, hook.url, well.url)
    hook.down = True
    assert rounds(house, 0, 30, 40) == 1
    answer = house.ask("v1 alerts.get", Body()).result
    assert [one["failed"] is not None for one in answer["receivers"]] == [True, False]
    assert answer["waiting"] == 1
    hook.down = False
    assert rounds(house, 50, 130) == 1
    assert (hook.titles(), well.titles()) == (["Alert: Docker"], ["Alert: Docker"])
    assert house.ask("v1 alerts.get", Body()).result["waiting"] == 0
    well.server.shutdown()
    well.server.server_close()


def test_what_cannot_be_sent_is_given_up_in_the_end(house: House, hook: Hook) -> None:
    told(house, hook.url)
    hook.down = True
    rounds(house, 0, 30)
    for day in range(1, 8):
        for hour in range(24):
            alerts.deliver(house.paths, NOW + (day * 24 + hour) * 3600, notify.send)
    assert alerting.state(house.paths).waiting == []


def test_the_supervisors_round_looks_and_sends_without_waiting_for_either(house: House, hook: Hook) -> None:
    told(house, hook.url)
    since = time.time() - 3600
    watch = {"bad_since": since, "fault": "engine.absent", "params": {}}
    write_json(house.paths.alert_state, {"watches": {"engine:docker": watch}})
    done = house.local("recover")
    assert done.returncode == 0, done.stderr
    deadline = time.monotonic() + 60
    while not hook.got and time.monotonic() < deadline:
        time.sleep(0.05)
    assert hook.titles() == ["Alert: Docker"]
    (standing,) = house.ask("v1 alerts.get", Body()).result["alerts"]
    assert (standing["subject"], standing["id"]) == ("engine:docker", "engine.absent")


def test_a_disk_that_fills_and_is_cleared_is_told_with_hysteresis(
    house: House, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(house, hook.url)
    house.settings(docker_socket="/nowhere/docker.sock", alert_free_mb=1000)
    free = {0: 5000, 40: 900, 80: 900, 120: 1100, 240: 1100, 300: 1300, 400: 1300}
    for second, megabytes in free.items():
        monkeypatch.setattr("agent.host.platform.free_mb", lambda _path, now=megabytes: now)
        rounds(house, second)
    assert [title for title in hook.titles() if "disk" in title] == [
        f"Alert: disk of {house.paths.apps}", f"Over: disk of {house.paths.apps}",
    ]  # fmt: skip


def test_a_database_without_a_fresh_backup_is_told_of(house: House, hook: Hook) -> None:
    told(house, hook.url)
    home = house.paths.apps / "shop"
    home.mkdir()
    (home / "current.json").write_text("{}")
    (home / "agent.env").write_text("SUPABASE_DB_DSN=postgresql://nobody@127.0.0.1/none\n")
    rounds(house, 0, 3600)
    assert [title for title in hook.titles() if "backup" in title] == ["Alert: backup of shop"]
    house.settings(docker_socket="/nowhere/docker.sock", alert_free_mb=1, alert_backup_hours=0)
    rounds(house, 3700, 3800)
    assert hook.titles()[-1] == "Over: backup of shop"


def test_a_test_says_who_took_it_and_no_address_is_in_any_file_but_its_own(house: House, hook: Hook) -> None:
    house.settings(reserve_mb=1, docker_socket="/nowhere/docker.sock")
    set_ = house.ask("v1 alerts.set", Body(args={"receivers": f"{hook.url}\njson://127.0.0.1:9/{TOKEN}", "lang": "fr"}))
    assert [one["sort"] for one in set_.result["receivers"]] == ["json", "json"]
    sent = house.ask("v1 alerts.test", Body()).result
    assert (sent["ok"], [one["sent"] for one in sent["receivers"]]) == (False, [True, False])
    assert hook.titles() == ["Essai des alertes"]
    told_of = json.dumps([set_.lines, sent, house.ask("v1 alerts.get", Body()).lines])
    assert TOKEN not in told_of
    files = [file for file in house.paths.root.rglob("*") if file.is_file() and TOKEN.encode() in file.read_bytes()]
    assert files == [house.paths.alerts]


def test_a_key_of_one_app_neither_sets_nor_sees_the_hosts_receivers(house: House, hook: Hook) -> None:
    told(house, hook.url)
    house.grant("shopper", "builder", apps="shop")
    for verb, args in (("alerts.set", {"receivers": ""}), ("alerts.test", {})):
        assert house.ask(f"v1 {verb}", Body(args=args), key="shopper").error == "alert.host"
    rounds(house, 0, 30)
    seen = house.ask("v1 alerts.get", Body(), key="shopper").result
    assert (seen["alerts"], seen["receivers"], seen["waiting"]) == ([], [], 0)
    assert Path(house.paths.alerts).exists()


def test_a_host_that_tells_nobody_does_not_look(house: House) -> None:
    assert house.local("recover").returncode == 0
    assert not house.paths.alert_state.exists()
    assert house.ask("v1 alerts.test", Body()).error == "alert.nobody"


def test_the_team_is_told_how_a_deployment_ended(house: House, hook: Hook) -> None:
    told(house, hook.url, lang="fr")
    house.deploy()
    alerts.look(house.paths, NOW)
    with Journal(house.paths) as journal:
        for name, status, error in (
            ("a", "HEALTHY", None),
            ("b", "ROLLED_BACK", {"step": "health", "message": "web fell"}),
        ):
            operation = Operation(name, "deploy.apply", SHOP, "ci", "builder", body_hash=name)
            journal.create(operation, {})
            steps = [{"name": "health", "status": "done"}]
            result = {"status": status, "release": "r-0a1b2c3d4e5f", "steps": steps, "error": error}
            journal.finish(operation.id, status, result)
    assert rounds(house, 10, 20) == 2
    assert hook.titles() == ["shop r-0a1b2c3d4e5f : HEALTHY", "shop r-0a1b2c3d4e5f : ROLLED_BACK"]
    assert "web fell" in hook.got[1][1]["message"]
    alerting.store(house.paths, hook.url, "fr", deployments=False)
    house.deploy()
    assert rounds(house, 30) == 1  # the engine that does not answer, and nothing else
