"""The history of calls: what was changed in it is found, and where."""

import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from agent.host import audit
from agent.host.audit import Entry
from agent.host.paths import Paths
from agent.model.names import fingerprint


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
    verdict = audit.verify(paths.audit)
    assert (verdict.ok, verdict.count, verdict.head) == (True, 3, heads[-1])
    assert audit.head(paths) == f"3:{heads[-1]}"
    assert [json.loads(line)["seq"] for line in lines(paths)] == [1, 2, 3]


def test_an_empty_history_has_no_head(paths: Paths) -> None:
    assert audit.head(paths) == ""


@pytest.mark.parametrize("number", [1, 2, 5])
def test_a_changed_line_is_found_where_it_is(paths: Paths, number: int) -> None:
    write(paths, 5)
    found = lines(paths)
    found[number - 1] = found[number - 1].replace('"builder"', '"observer"')
    paths.audit.write_text("".join(found))
    verdict = audit.verify(paths.audit)
    assert (verdict.ok, verdict.line) == (False, number)


def test_a_line_changed_together_with_its_hash_breaks_the_next(paths: Paths) -> None:
    write(paths, 3)
    found = lines(paths)
    forged = json.loads(found[1]) | {"role": "observer"}
    forged.pop("hash")
    forged["hash"] = fingerprint(forged)
    found[1] = json.dumps(forged) + "\n"
    paths.audit.write_text("".join(found))
    assert audit.verify(paths.audit).line == 3


@pytest.mark.parametrize("number", [1, 3, 4])
def test_a_line_taken_out_is_found(paths: Paths, number: int) -> None:
    write(paths, 5)
    found = lines(paths)
    del found[number - 1]
    paths.audit.write_text("".join(found))
    assert audit.verify(paths.audit).line == number


def test_two_lines_that_changed_places_are_found(paths: Paths) -> None:
    write(paths, 3)
    found = lines(paths)
    paths.audit.write_text(found[0] + found[2] + found[1])
    assert audit.verify(paths.audit).line == 2


def test_a_cut_end_is_found_by_whoever_saw_it(paths: Paths) -> None:
    write(paths, 5)
    seen = audit.head(paths)
    paths.audit.write_text("".join(lines(paths)[:3]))
    assert audit.verify(paths.audit).ok
    assert not audit.verify(paths.audit, seen).ok


def test_a_history_that_went_on_still_holds_what_was_seen(paths: Paths) -> None:
    write(paths, 2)
    seen = audit.head(paths)
    write(paths, 2)
    assert audit.verify(paths.audit, seen).ok


def test_a_line_torn_by_a_crash_is_cut_off_by_the_next(paths: Paths) -> None:
    write(paths, 2)
    with paths.audit.open("a") as torn:
        torn.write('{"ts": "2026-')
    write(paths, 1)
    assert audit.verify(paths.audit).count == 3


def test_writers_at_the_same_time_make_one_chain(paths: Paths) -> None:
    with ProcessPoolExecutor(4) as pool:
        list(pool.map(write, [paths] * 4, [10] * 4))
    verdict = audit.verify(paths.audit)
    assert (verdict.ok, verdict.count) == (True, 40)


def test_very_long_lines_are_continued(paths: Paths) -> None:
    audit.append(paths, Entry("ci", "builder", "ssh", "x", "ok", client={"k": "y" * 200_000}))
    write(paths, 1)
    assert audit.verify(paths.audit).count == 2


def test_a_damaged_last_line_stops_nobody_and_is_named(paths: Paths) -> None:
    write(paths, 2)
    paths.audit.write_text(lines(paths)[0] + "what was here?\n")
    write(paths, 1)
    verdict = audit.verify(paths.audit)
    assert (verdict.ok, verdict.line) == (False, 2)
