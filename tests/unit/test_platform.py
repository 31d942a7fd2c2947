"""Facts about a host, read from the kernel's own tables."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from agent.host import platform

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def row(address: str, port: int, state: str, inode: int) -> str:
    return f"   0: {address}:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 0 0 {inode} 1\n"


def test_only_listening_sockets_that_others_can_reach_are_told() -> None:
    table = HEADER + row("00000000", 80, "0A", 11) + row("0100007F", 81, "0A", 12) + row("00000000", 82, "01", 13)
    table += row("0" * 32, 443, "0A", 14) + row("0" * 24 + "01000000", 444, "0A", 15)
    assert platform.listening(table) == {"11": 80, "14": 443}


def test_the_program_that_holds_a_port_is_named() -> None:
    with socket.socket() as held:
        held.bind(("0.0.0.0", 0))
        held.listen()
        listener = platform.listeners()[held.getsockname()[1]]
    assert listener.pid == os.getpid()
    assert str(os.getpid()) in str(listener)


def test_free_space_of_a_folder_that_is_not_there_yet_is_that_of_its_parent(tmp_path: Path) -> None:
    assert abs(platform.free_mb(tmp_path / "a/b/c") - platform.free_mb(tmp_path)) < 100


def test_a_folder_is_writable_only_if_it_is_there(tmp_path: Path) -> None:
    assert platform.writable(tmp_path)
    assert not platform.writable(tmp_path / "missing")
