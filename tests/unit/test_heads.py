"""What a bridge has seen of a host's history: the next answer must continue it."""

from pathlib import Path

import pytest

from agent.host.audit import Head, link
from bridge.remote import heads

HOST = "SHA256:host"
BODIES = tuple(f"{number:064x}" for number in range(20))


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BRIDGE_STATE", str(tmp_path / "state"))
    heads.doubts()
    return tmp_path / "state"


def head(seq: int) -> Head:
    digest = "0" * 64
    for body in BODIES[:seq]:
        digest = link(digest, body)
    return Head(seq, digest)


def said(seq: int, after: int | None = None, bodies: tuple[str, ...] | None = None) -> dict[str, object]:
    answer: dict[str, object] = {"head": str(head(seq))}
    if after is not None:
        answer |= {"after": after, "bodies": list(BODIES[after:seq] if bodies is None else bodies)}
    return answer


def take(before: Head | None, answer: dict[str, object]) -> Head | None:
    return heads.answered("vps", HOST, before, answer)


def test_the_first_head_is_believed_and_kept(state: Path) -> None:
    assert take(None, said(5)) == head(5)
    assert heads.kept(HOST) == head(5)
    assert (state / "heads.json").stat().st_mode & 0o777 == 0o600


def test_an_answer_that_continues_what_was_seen_is_proven_and_kept() -> None:
    heads.keep(HOST, head(5))
    assert take(head(5), said(9, after=5)) == head(9)
    assert heads.kept(HOST) == head(9)
    assert take(head(9), said(9, after=9)) == head(9)
    assert heads.doubts() == []


def test_a_long_way_is_gone_in_several_answers() -> None:
    assert take(head(5), said(9, after=5, bodies=BODIES[5:7])) == head(7)
    assert heads.doubts() == []


@pytest.mark.parametrize(
    "answer",
    [
        said(3, after=5),
        said(9, after=5, bodies=()),
        said(9, after=5, bodies=(BODIES[0], *BODIES[6:9])),
        said(9, after=4),
        said(9),
        {"head": f"5:{'a' * 64}", "after": 5, "bodies": []},
        {"head": str(head(9)), "after": "5", "bodies": "x"},
    ],
    ids=["cut", "no way", "rewritten", "from elsewhere", "no proof", "another line", "nonsense"],
)
def test_an_answer_that_does_not_continue_what_was_seen_is_a_doubt_and_changes_nothing(
    answer: dict[str, object],
) -> None:
    heads.keep(HOST, head(5))
    assert take(head(5), answer) is None
    assert heads.kept(HOST) == head(5)
    [doubt] = heads.doubts()
    assert doubt.id == "audit.not_extended"


def test_a_hello_that_lies_before_what_was_seen_is_a_doubt() -> None:
    heads.greeted("vps", head(5), str(head(4)))
    assert len(heads.doubts()) == 1
    heads.greeted("vps", head(5), "")
    assert len(heads.doubts()) == 1
    heads.greeted("vps", head(5), str(head(8)))
    heads.greeted("vps", None, "")
    assert heads.doubts() == []


def test_a_host_that_says_nothing_of_its_history_is_an_older_one() -> None:
    assert take(None, {}) is None
    assert heads.doubts() == []


def test_an_earlier_head_never_replaces_a_later_one() -> None:
    heads.keep(HOST, head(9))
    heads.keep(HOST, head(5))
    assert heads.kept(HOST) == head(9)
    heads.forget(HOST)
    assert heads.kept(HOST) is None


def test_a_state_folder_that_cannot_be_written_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_STATE", "/proc/nowhere")
    assert take(None, said(5)) == head(5)
    assert heads.kept(HOST) is None
