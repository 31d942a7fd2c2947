"""What the measurement of roll-outs counts, and which releases it makes."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.bench.rollout import seen
from tests.bench.rollout.measure import BAD, HANGS, series
from tests.rig.state import CHECKOUT

SAMPLES = [
    [0.0, 0.010, "asked, kept", 200, "website=1 api=1", ""],
    [1.0, 0.020, "posted, closed", 200, "website=2 api=1", ""],
    [2.0, 2.100, "slow, closed", 200, "website=1 api=1", ""],
    [3.0, 0.030, "asked, closed", 502, "", ""],
    [4.0, 30.00, "asked, kept", 0, "", "no answer within 30 s"],
    [0.5, 9.000, "websocket", 101, "2", "EOFError"],
]


def test_every_kind_of_bad_release_occurs_and_a_seed_gives_the_same_series_again() -> None:
    turns = series(20, 7)
    assert turns == series(20, 7)
    assert {turn.behaviour for turn in turns} == {*BAD, HANGS, "good"}
    assert len(turns) == 20


def test_whatever_is_not_answered_with_200_has_failed_and_a_websocket_is_no_request() -> None:
    found = seen.summary(SAMPLES, {"website=2"})
    assert (found["requests"], found["failed"], found["answered_by_bad"], found["websockets"]) == (5, 2, 1, 1)
    assert found["failures"] == {"asked, closed: 502": 1, "asked, kept: no answer within 30 s": 1}
    assert found["milliseconds"]["max"] == 20.0
    assert found["slow_milliseconds"]["max"] == 2100.0


def test_it_is_known_when_a_release_began_to_answer_and_when_the_one_before_was_last_asked() -> None:
    assert seen.first_by(SAMPLES, "website=2") == pytest.approx(1.02)
    assert seen.last_asked(SAMPLES, "website=1") == 2.0
    assert seen.longest_silence(SAMPLES) == pytest.approx(4.1 - 1.02)


class Site(http.server.BaseHTTPRequestHandler):
    """Answers GET, refuses POST, and closes no connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(200)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(503)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.send_header("X-Served-By", "website=1")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


def test_users_ask_at_their_rate_and_tell_who_answered_what(tmp_path: Path) -> None:
    file = tmp_path / "seen.json"
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        words = ["127.0.0.1", str(server.server_port), "localhost", "50", str(file)]
        argv = [sys.executable, "-m", "tests.bench.rollout.load", *words]
        with subprocess.Popen(argv, cwd=CHECKOUT, stdin=subprocess.PIPE) as users:
            time.sleep(1.5)
            assert users.stdin is not None
            users.stdin.close()
            assert users.wait(60) == 0
        server.shutdown()
    samples, _ = seen.read(file)
    asked = [sample for sample in samples if sample[seen.KIND] != seen.WEBSOCKET]
    assert {sample[seen.STATUS] for sample in asked if sample[seen.KIND].startswith("asked")} == {200}
    assert {sample[seen.STATUS] for sample in asked if sample[seen.KIND].startswith("posted")} == {503}
    assert {sample[seen.SERVED] for sample in asked} == {"website=1"}
    assert len({json.dumps(sample[seen.AT]) for sample in asked}) == len(asked)
