"""Which connections a stop cuts, as the kernel's tables tell them."""

from __future__ import annotations

from agent.releases.drain import connections

HEAD = "  sl  local_address rem_address   st\n"
LISTENS = "   0: 00000000:0BB8 00000000:0000 0A\n"
CALLER = "   1: 1400A8C0:0BB8 0500A8C0:C001 01\n"
PROBE = "   2: 0100007F:0BB8 0100007F:C002 01\n"
OUTGOING = "   3: 1400A8C0:D431 0700A8C0:1538 01\n"
CLOSING = "   4: 1400A8C0:0BB8 0500A8C0:C003 06\n"
V6_CALLER = "   5: 0000000000000000FFFF00001400A8C0:0BB8 0000000000000000FFFF00000500A8C0:C004 01\n"
V6_PROBE = "   6: 00000000000000000000000001000000:0BB8 00000000000000000000000001000000:C005 01\n"
V6_MAPPED_PROBE = "   7: 0000000000000000FFFF00000100007F:0BB8 0000000000000000FFFF00000100007F:C005 01\n"


def test_callers_count_and_health_checks_and_outgoing_connections_do_not() -> None:
    v4, v6 = HEAD + LISTENS + CALLER + PROBE + OUTGOING + CLOSING, HEAD + V6_CALLER + V6_PROBE + V6_MAPPED_PROBE
    assert connections([v4, v6]) == 2


def test_a_server_that_drains_listens_no_more_and_its_callers_still_count() -> None:
    assert connections([HEAD + CALLER + OUTGOING]) == 1


def test_nobody_connected_is_nobody_cut() -> None:
    assert connections([HEAD + LISTENS, HEAD]) == 0
    assert connections([]) == 0
