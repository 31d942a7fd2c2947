"""The connection and the agent's client against a real sshd, through wrong keys, refusals and cut connections."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent import protocol
from agent.model.errors import Exit, IkomaError, Misuse
from agent.model.names import new_operation
from agent.protocol import Body, Event
from bridge.remote.client import Agent
from bridge.remote.connection import Destination, connect
from tests.integration.sshd import Sshd, free_port, key_pair, sshd

__all__ = ["sshd"]


def fails(destination: Destination) -> IkomaError:
    with pytest.raises(IkomaError) as raised:
        connect(destination)
    return raised.value


def demo(events: int, pause: float) -> Body:
    return Body(app="suite", args={"events": events, "pause": pause})


def test_a_known_host_is_reached_with_a_key_in_memory(sshd: Sshd) -> None:
    with Agent(sshd.destination()) as agent:
        hello = agent.hello()
    assert (hello.key, hello.role) == ("demo", "builder")
    assert sshd.calls() == ["v1 hello"]


def test_a_known_host_is_reached_with_files_or_a_pinned_key(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(sshd.key.reveal())
    (tmp_path / "known_hosts").write_text(sshd.known_hosts)
    for trust in ({"known_hosts": tmp_path / "known_hosts"}, {"known_hosts": "", "host_key": sshd.host_key}):
        connect(sshd.destination(key=tmp_path / "key", **trust)).close()


def test_an_unknown_host_key_is_refused_with_its_fingerprint_and_the_line_to_add(sshd: Sshd) -> None:
    error = fails(sshd.destination(known_hosts=""))
    assert error.id == "remote.host_key_unknown"
    assert "SHA256:" in error.message("en")
    assert sshd.known_hosts.strip() in error.remedy("en")
    assert sshd.calls() == []


def test_a_changed_host_key_is_refused_with_both_fingerprints(sshd: Sshd) -> None:
    trusted = sshd.known_hosts
    sshd.stop()
    sshd.renew_host_key()
    sshd.start()
    error = fails(sshd.destination(known_hosts=trusted))
    assert error.id == "remote.host_key_changed"
    assert error.message("en").count("SHA256:") == 2
    assert "remote" not in error.message("fr")
    assert sshd.calls() == []


def test_while_a_host_changes_its_key_both_are_accepted(sshd: Sshd) -> None:
    other = f"[127.0.0.1]:{sshd.port} {key_pair()[1]}\n"
    for known_hosts in (other + sshd.known_hosts, sshd.known_hosts + other):
        connect(sshd.destination(known_hosts=known_hosts)).close()


def test_a_refused_key_is_named_by_its_fingerprint(sshd: Sshd) -> None:
    error = fails(sshd.destination(key=key_pair()[0]))
    assert error.id == "remote.auth_refused"
    assert "SHA256:" in error.message("en")
    assert "root@127.0.0.1" in error.message("en")


def test_a_closed_port_and_an_unknown_name_are_told_apart() -> None:
    nowhere = Destination("127.0.0.1", free_port(), key=key_pair()[0], known_hosts="")
    assert fails(nowhere).id == "remote.refused"
    assert fails(Destination("host.invalid", key=key_pair()[0])).id == "remote.dns"
    assert fails(Destination("bad..name", key=key_pair()[0])).id in ("remote.dns", "remote.unreachable")


@contextmanager
def listening(banner: bytes) -> Iterator[int]:
    """Something on a port that says ``banner`` to the first caller and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            caller, _ = server.accept()
            with caller:
                caller.sendall(banner)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(timeout=5)


def test_a_port_of_something_else_is_no_ssh() -> None:
    with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert fails(Destination("127.0.0.1", port, key=key_pair()[0])).id == "remote.no_ssh"


def test_a_restricted_key_opens_no_shell_no_sftp_and_no_forwarding(sshd: Sshd) -> None:
    connection = connect(sshd.destination())
    try:
        channel = connection.transport.open_session(timeout=10)
        channel.exec_command("id; cat /etc/shadow")
        assert b"uid=" not in channel.makefile("rb").read()
        with pytest.raises(Exception, match=r"(?i)administratively prohibited"):
            connection.transport.open_channel("direct-tcpip", ("127.0.0.1", 22), ("127.0.0.1", 1), timeout=10)
        with pytest.raises(Exception, match=r"Garbage packet|EOF|Channel closed"):
            connection.sftp()
    finally:
        connection.close()


def test_a_host_without_an_agent_is_said_to_have_none(sshd: Sshd) -> None:
    sshd.let_in('restrict,command="echo This account is closed.; exit 1"')
    with Agent(sshd.destination()) as agent, pytest.raises(IkomaError) as raised:
        agent.hello()
    assert raised.value.id == "remote.no_agent"
    assert "This account is closed." in raised.value.message("en")


def test_a_reading_call_returns_its_result_over_the_same_connection(sshd: Sshd) -> None:
    with Agent(sshd.destination()) as agent:
        for number in range(3):
            assert agent.read("demo.echo", Body(app="suite", args={"n": number}))["args"] == {"n": number}


def test_a_refusal_is_the_agents_own(sshd: Sshd) -> None:
    with Agent(sshd.destination()) as agent, pytest.raises(IkomaError) as raised:
        agent.perform("demo.refuse", Body(app="suite"), None, new_operation(), lambda event: None)
    assert raised.value.id == "wire.forbidden"


def test_a_large_bundle_arrives_whole(sshd: Sshd, tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    path.write_bytes(os.urandom(20_000_000))
    body = Body(app="suite", args={"events": 1, "pause": 0})
    with Agent(sshd.destination()) as agent:
        result = agent.perform("demo.run", body, path, new_operation(), lambda event: None)
    assert result["status"] == "DONE"
    assert body.bundle_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def numbers_of(events: list[Event]) -> list[int]:
    return [event.seq for event in events]


def test_every_event_comes_once_and_in_order_through_many_cuts(sshd: Sshd) -> None:
    events: list[Event] = []
    stop, cuts, chance = threading.Event(), [0], random.Random(2)

    def cut() -> None:
        while not stop.wait(chance.uniform(0.2, 0.8)):
            cuts[0] += bool(sshd.cut())

    cutter = threading.Thread(target=cut)
    cutter.start()
    try:
        with Agent(sshd.destination()) as agent:
            result = agent.perform("demo.run", demo(200, 0.03), b"bundle", new_operation(), events.append)
    finally:
        stop.set()
        cutter.join()
    assert (result["status"], result["count"]) == ("DONE", 200)
    assert numbers_of(events) == list(range(1, 201))
    assert cuts[0] >= 3
    assert sum(call.startswith("v1 demo.run") for call in sshd.calls()) <= 2


def test_a_request_that_never_arrived_is_sent_again(sshd: Sshd) -> None:
    (sshd.folder / "drop").touch()
    events: list[Event] = []
    operation = new_operation()
    with Agent(sshd.destination()) as agent:
        agent.perform("demo.run", demo(5, 0), b"bundle", operation, events.append)
    assert numbers_of(events) == [1, 2, 3, 4, 5]
    kinds = [call.split()[1] for call in sshd.calls()]
    assert kinds == ["demo.run", "attach", "demo.run"]


def test_a_host_that_stays_away_is_left_with_exit_code_3_and_the_command_to_attach(sshd: Sshd) -> None:
    operation, events = new_operation(), list[Event]()

    def on_event(event: Event) -> None:
        events.append(event)
        if event.seq == 3:
            sshd.stop()

    with Agent(sshd.destination(), give_up=2) as agent, pytest.raises(IkomaError) as raised:
        agent.perform("demo.run", demo(1000, 0.02), None, operation, on_event)
    assert raised.value.id == "remote.detached"
    assert raised.value.exit_code == Exit.DETACHED
    assert f"python -m bridge attach {operation}" in raised.value.remedy("en")


def test_ctrl_c_leaves_the_operation_running_and_attach_sees_the_rest(sshd: Sshd) -> None:
    operation, seen = new_operation(), list[Event]()

    def on_event(event: Event) -> None:
        seen.append(event)
        if event.seq == 5:
            os.kill(os.getpid(), signal.SIGINT)

    with Agent(sshd.destination()) as agent, pytest.raises(IkomaError) as raised:
        agent.perform("demo.run", demo(40, 0.02), None, operation, on_event)
    assert (raised.value.id, raised.value.exit_code) == ("remote.interrupted", Exit.DETACHED)
    with Agent(sshd.destination()) as agent:
        result = agent.attach(operation, seen[-1].seq, seen.append)
    assert result["status"] == "DONE"
    assert numbers_of(seen) == list(range(1, 41))


def test_attaching_to_an_unknown_operation_is_an_error_at_once(sshd: Sshd) -> None:
    with Agent(sshd.destination()) as agent, pytest.raises(IkomaError) as raised:
        agent.attach(new_operation(), 0, lambda event: None)
    assert raised.value.id == "wire.unknown_operation"


def test_a_host_that_cannot_be_reached_at_first_is_said_at_once() -> None:
    agent = Agent(Destination("127.0.0.1", free_port(), key=key_pair()[0]), give_up=60)
    began = time.monotonic()
    for call in (
        lambda: agent.hello(),
        lambda: agent.attach(new_operation(), 0, lambda event: None),
        lambda: agent.perform("demo.run", demo(1, 0), None, new_operation(), lambda event: None),
    ):
        with pytest.raises(IkomaError) as raised:
            call()
        assert raised.value.id == "remote.refused"
    assert time.monotonic() - began < 30, "it waited as if an operation were at stake"


def test_a_protocol_of_another_age_is_refused_before_anything_is_sent(sshd: Sshd) -> None:
    speaker = sshd.folder / "speaker.py"
    speaker.write_text(speaker.read_text().replace('"protocol": [1, 1]', '"protocol": [7, 9]'))
    with Agent(sshd.destination()) as agent, pytest.raises(Misuse) as raised:
        agent.hello()
    assert raised.value.id == "wire.version"
    assert "7-9" in raised.value.message("en")


def test_an_agent_one_version_older_is_worked_with_as_it_is(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "PROTOCOL", (1, 2))  # this bridge has learnt a second protocol, the agent has not
    speaker = sshd.folder / "speaker.py"
    speaker.write_text(speaker.read_text().replace(', "capabilities": []', ""))
    with Agent(sshd.destination()) as agent:
        assert (agent.hello().protocol, agent.hello().capabilities) == ((1, 1), ())
        assert agent.read("demo.echo", Body(app="suite", args={"n": 1}))["args"] == {"n": 1}
        assert agent.perform("demo.run", demo(3, 0), None, new_operation(), lambda event: None)["status"] == "DONE"
    assert {call.split()[0] for call in sshd.calls()} == {"v1"}
