"""Patches, and what pnpm leaves out: the lock file notes both, and a frozen install compares them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from bridge.checks import drift
from tests.unit.test_check_locks import WEB, repository, root, write

PATCHED = """patchedDependencies:
  left-pad@1.3.0:
    hash: {digest}
    path: {path}

importers:
"""


@pytest.mark.parametrize(
    ("path", "digest", "drifted"),
    [
        ("patches/x.patch", hashlib.sha256(b"a\nb\n").hexdigest(), []),
        ("patches/x.patch", "0" * 64, ["left-pad@1.3.0"]),
        ("patches/old.patch", hashlib.sha256(b"a\nb\n").hexdigest(), ["left-pad@1.3.0"]),
        ("patches/x.patch", "ysu2rvhf5w3zxe7qmbzz5hrbgq", []),  # the sum of an older pnpm, of another sort
    ],
)
def test_a_patch_is_compared_by_path_and_content(path: str, digest: str, drifted: list[str], tmp_path: Path) -> None:
    repository(tmp_path, "pnpm 9")
    write(tmp_path / "patches/x.patch", "a\r\nb\n")
    lock_file = tmp_path / "pnpm-lock.yaml"
    write(lock_file, lock_file.read_text().replace("importers:\n", PATCHED.format(path=path, digest=digest)))
    facts = root(tmp_path, pnpm={"patchedDependencies": {"left-pad@1.3.0": "patches/x.patch"}})
    assert facts.main is not None
    assert [item.name for item in drift.drifts(facts.main)] == drifted


@pytest.mark.parametrize(("locked", "drifted"), [("[fsevents]", []), ("[]", ["fsevents"]), ("[a, fsevents]", ["a"])])
def test_what_pnpm_leaves_out_belongs_to_the_lock_file(locked: str, drifted: list[str], tmp_path: Path) -> None:
    repository(tmp_path, "pnpm 9", {**WEB, "optionalDependencies": {"fsevents": "^2.3.0"}})
    lock_file = tmp_path / "pnpm-lock.yaml"
    said = f"ignoredOptionalDependencies: {locked}\n\nimporters:\n"
    write(lock_file, lock_file.read_text().replace("importers:\n", said, 1))
    facts = root(tmp_path, pnpm={"ignoredOptionalDependencies": ["fsevents"]})
    assert facts.main is not None
    assert [item.name for item in drift.drifts(facts.main)] == drifted
