"""The history of calls: what was changed in it is found, and where."""

import json
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from agent.host import audit, history
from agent.host.audit import Entry, Head
from agent.host.paths import Paths


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    found = Paths(tmp_path)
    found.log.mkdir(parents=True)
    found.locks.mkdir(parents=True)
    return found


def entry(number: int) -> Entry:
    return Entry(
        "ci", "builder", "ssh", "deploy.apply", "ok", "shop", "production", f"op-{number}", client={"run": "1"}
    )


def write(paths: Paths, count: int) -> list[str]:
    return [audit.append(paths, entry(number)) for number in range(count)]


def lines(paths: Paths) -> list[str]:
    return paths.audit.read_text().splitlines(keepends=True)


def test_each_line_continues_the_one_before_it(paths: Paths) -> None:
    heads = write(paths, 3)
    verdict = history.verify(paths)
    assert (verdict.ok, verdict.count, verdict.head) == (True, 3, heads[-1])
    assert audit.head(paths) == heads[-1]
    assert [json.loads(line)["seq"] for line in lines(paths)] == [1, 2, 3]


def test_an_empty_history_has_no_head_and_is_whole(paths: Paths) -> None:
    assert audit.head(paths) == ""
    assert history.verify(paths).ok


@pytest.mark.parametrize("number", [1, 2, 5])
def test_a_changed_line_is_found_where_it_is(paths: Paths, number: int) -> None:
    write(paths, 5)
    found = lines(paths)
    found[number - 1] = found[number - 1].replace('"builder"', '"observer"')
    paths.audit.write_text("".join(found))
    verdict = history.verify(paths)
    assert (verdict.ok, verdict.kind, verdict.seq, verdict.line) == (False, "changed", number, number)


def test_a_line_changed_together_with_its_hash_breaks_the_next_and_is_named(paths: Paths) -> None:
    write(paths, 3)
    found = lines(paths)
    forged = json.loads(found[1]) | {"role": "observer"}
    forged["hash"] = audit.link(forged["prev"], audit.body(forged))
    found[1] = json.dumps(forged) + "\n"
    paths.audit.write_text("".join(found))
    verdict = history.verify(paths)
    assert (verdict.kind, verdict.seq, verdict.line) == ("changed", 2, 3)


@pytest.mark.parametrize("number", [1, 3, 4])
def test_a_line_taken_out_is_found(paths: Paths, number: int) -> None:
    write(paths, 5)
    found = lines(paths)
    del found[number - 1]
    paths.audit.write_text("".join(found))
    verdict = history.verify(paths)
    assert (verdict.kind, verdict.seq, verdict.until) == ("removed", 1 if number == 1 else number, number)


def test_a_line_put_in_is_found(paths: Paths) -> None:
    write(paths, 3)
    found = lines(paths)
    paths.audit.write_text("".join([*found[:2], found[1].replace("op-1", "op-x"), found[2]]))
    verdict = history.verify(paths)
    assert (verdict.kind, verdict.seq, verdict.line) == ("inserted", 2, 3)


def test_two_lines_that_changed_places_are_found(paths: Paths) -> None:
    write(paths, 3)
    found = lines(paths)
    paths.audit.write_text(found[0] + found[2] + found[1])
    verdict = history.verify(paths)
    assert (verdict.kind, verdict.seq, verdict.line) == ("removed", 2, 2)


@pytest.mark.parametrize("left", [0, 1, 3])
def test_a_cut_end_is_found_by_what_was_noted_elsewhere(paths: Paths, left: int) -> None:
    write(paths, 5)
    paths.audit.write_text("".join(lines(paths)[:left]))
    verdict = history.verify(paths)
    assert (verdict.kind, verdict.seq, verdict.until) == ("truncated", left + 1, 5)


def test_a_cut_end_leaves_a_hole_for_good_when_the_history_goes_on(paths: Paths) -> None:
    write(paths, 5)
    paths.audit.write_text("".join(lines(paths)[:3]))
    write(paths, 2)
    verdict = history.verify(paths)
    assert (verdict.kind, verdict.seq, verdict.until, verdict.line) == ("removed", 4, 5, 4)


def test_a_history_cut_with_the_note_beside_it_is_found_by_whoever_saw_it(paths: Paths) -> None:
    write(paths, 5)
    seen = audit.head(paths)
    paths.audit.write_text("".join(lines(paths)[:3]))
    paths.audit_head.unlink()
    assert history.verify(paths).ok
    assert history.verify(paths, seen).kind == "truncated"
    write(paths, 4)
    verdict = history.verify(paths, seen)
    assert (verdict.kind, verdict.seq) == ("changed", 5)


def test_a_history_rewritten_to_its_old_length_is_found_by_whoever_saw_it(paths: Paths) -> None:
    """The note beside it names the same number then, with the hash of the forgery."""
    write(paths, 5)
    seen = audit.head(paths)
    paths.audit.write_text("".join(lines(paths)[:3]))
    paths.audit_head.unlink()
    write(paths, 2)
    assert history.verify(paths).ok
    verdict = history.verify(paths, seen)
    assert (verdict.kind, verdict.seq) == ("changed", 5)


def test_a_history_that_went_on_still_holds_what_was_seen(paths: Paths) -> None:
    write(paths, 2)
    seen = audit.head(paths)
    write(paths, 2)
    assert history.verify(paths, seen).ok


def test_who_kept_a_head_can_compute_the_next_ones_without_reading_a_line(paths: Paths) -> None:
    kept = Head.parse(write(paths, 2)[-1])
    heads = write(paths, 3)
    assert kept is not None
    bodies, computed = history.proof(paths, kept.seq), kept.hash
    for body in bodies:
        computed = audit.link(computed, body)
    assert f"{kept.seq + len(bodies)}:{computed}" == heads[-1]


def test_a_line_torn_by_a_crash_is_cut_off_by_the_next(paths: Paths) -> None:
    write(paths, 2)
    with paths.audit.open("a") as torn:
        torn.write('{"ts": "2026-')
    write(paths, 1)
    assert history.verify(paths).count == 3


def test_a_kill_between_the_line_and_its_note_is_no_fault(paths: Paths) -> None:
    write(paths, 2)
    before = paths.audit_head.read_bytes()
    write(paths, 1)
    paths.audit_head.write_bytes(before)
    assert history.verify(paths).ok
    write(paths, 1)
    assert history.verify(paths).count == 4


def test_writers_at_the_same_time_make_one_chain(paths: Paths) -> None:
    with ProcessPoolExecutor(4) as pool:
        list(pool.map(write, [paths] * 4, [10] * 4))
    verdict = history.verify(paths)
    assert (verdict.ok, verdict.count) == (True, 40)


def test_very_long_lines_are_continued(paths: Paths) -> None:
    audit.append(paths, Entry("ci", "builder", "ssh", "x", "ok", client={"k": "y" * 200_000}))
    write(paths, 1)
    assert history.verify(paths).count == 2
    assert [line["seq"] for line in history.query(paths, lambda line: True, 10)] == [2, 1]


def test_a_damaged_last_line_stops_nobody_and_is_named(paths: Paths) -> None:
    write(paths, 2)
    paths.audit.write_text(lines(paths)[0] + "what was here?\n")
    write(paths, 1)
    verdict = history.verify(paths)
    assert (verdict.kind, verdict.seq, verdict.line) == ("unreadable", 2, 2)


def test_the_chain_goes_on_through_files_that_were_put_away(paths: Paths) -> None:
    write(paths, 3)
    first = audit.rotate(paths, 0)
    assert audit.head(paths).startswith("3:")
    write(paths, 2)
    assert audit.rotate(paths, 0) is not None
    history.compress(paths)
    assert first is not None
    assert not first.exists()
    write(paths, 1)
    assert [file.name for file in history.files(paths)] == [
        "audit-000000000003.jsonl.gz", "audit-000000000005.jsonl.gz", "audit.jsonl",
    ]  # fmt: skip
    verdict = history.verify(paths)
    assert (verdict.ok, verdict.count) == (True, 6)
    assert [line["seq"] for line in history.query(paths, lambda line: True, 4)] == [6, 5, 4, 3]


def test_a_file_that_somebody_else_took_away_is_missing(paths: Paths) -> None:
    write(paths, 3)
    first = audit.rotate(paths, 0)
    write(paths, 2)
    assert first is not None
    first.unlink()
    verdict = history.verify(paths)
    assert (verdict.kind, verdict.seq, verdict.until) == ("removed", 1, 3)


def test_what_retention_takes_away_the_history_itself_accounts_for(paths: Paths) -> None:
    write(paths, 3)
    old = audit.rotate(paths, 0)
    write(paths, 2)
    assert old is not None
    os.utime(old, (0, 0))
    assert history.retire(paths, days=30) == [old.name]
    verdict = history.verify(paths)
    assert (verdict.ok, verdict.first, verdict.count) == (True, 4, 3)
    assert history.retire(paths, days=30) == []


def test_on_a_disk_without_room_for_the_note_the_line_is_written_once(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Paths, "audit_head", paths.root / "no such folder/head")
    write(paths, 2)
    assert len(lines(paths)) == 2
