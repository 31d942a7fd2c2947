"""Bundles from outside: what is taken in, and what never is."""

import gzip
import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from agent.host.paths import Paths
from agent.model.errors import Misuse
from agent.operations import incoming
from agent.releases.incoming import load
from tests.fixtures.operations.house import tar


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    found = Paths(tmp_path)
    found.incoming.mkdir(parents=True)
    return found


def receive(paths: Paths, bundle: bytes) -> Path:
    return incoming.receive(io.BytesIO(bundle), paths, len(bundle), hashlib.sha256(bundle).hexdigest())


def odd(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def test_a_bundle_is_unpacked_and_given_to_its_operation(paths: Paths) -> None:
    content = {
        "release.json": b"{}",
        "migrations/0001_a.sql": b"select 1",
        "files/" + "a" * 64: b"\0\1",
        "seeds/demo/one.sql": b"",
    }
    private = receive(paths, tar(content, folder=odd("migrations", tarfile.DIRTYPE)))
    assert files_below(incoming.adopt(private, paths, "op")) == content
    assert [folder.name for folder in paths.incoming.iterdir()] == ["op"]


def test_what_an_earlier_lost_request_had_brought_is_replaced(paths: Paths) -> None:
    for text in (b"1", b"2"):
        incoming.adopt(receive(paths, tar({"release.json": text})), paths, "op")
    assert files_below(incoming.folder(paths, "op")) == {"release.json": b"2"}


@pytest.mark.parametrize(
    "name",
    ["../x", "/etc/passwd", "migrations/../../x", "other.json", "migrations/.hidden", "migrations/a/b.sql", "files/abc",
     "migrations/-rf", "migrations/a\nb.sql", "seeds/../../x", "seeds//x", "./release.json", "migrations/"],
)  # fmt: skip
def test_a_file_with_any_other_name_is_refused(paths: Paths, name: str) -> None:
    with pytest.raises(Misuse) as caught:
        receive(paths, tar({name: b"x"}))
    assert caught.value.id == "wire.body"
    assert list(paths.incoming.iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(paths: Paths, kind: bytes) -> None:
    with pytest.raises(Misuse):
        receive(paths, tar({}, odd=odd("release.json", kind, "/etc/passwd")))
    assert list(paths.incoming.iterdir()) == []


def test_the_same_file_twice_is_refused(paths: Paths) -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for _ in range(2):
            archive.addfile(tarfile.TarInfo("release.json"))
    with pytest.raises(Misuse):
        receive(paths, raw.getvalue())


def test_a_bomb_is_refused_before_it_fills_the_disk(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "MAX_TOTAL", 1000)
    with pytest.raises(Misuse):
        receive(paths, tar({"seeds/a": b"\0" * 600, "seeds/b": b"\0" * 600}))
    monkeypatch.setattr(incoming, "MAX_FILES", 2)
    with pytest.raises(Misuse):
        receive(paths, tar({f"seeds/{n}": b"" for n in range(3)}))
    assert list(paths.incoming.iterdir()) == []


@pytest.mark.parametrize(
    "bundle",
    [b"", b"no archive", tar({"release.json": b"x" * 9000})[:-40], b"\x1f\x8b" + b"\0" * 50],
    ids=["empty", "text", "cut", "zeros"],
)
def test_what_is_no_archive_is_refused(paths: Paths, bundle: bytes) -> None:
    with pytest.raises(Misuse):
        receive(paths, bundle)
    assert list(paths.incoming.iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_a_name_that_would_fill_the_memory_is_refused_unread(paths: Paths, kind: bytes) -> None:
    header = odd("name", kind)
    header.size = 1 << 40
    with pytest.raises(Misuse, match="larger than allowed"):
        receive(paths, gzip.compress(header.tobuf(tarfile.GNU_FORMAT)))


def test_only_old_leftovers_without_an_operation_are_swept(paths: Paths) -> None:
    for name, age in ((".old", 7200), (".new", 0), ("operation", 7200), ("lost", 7200)):
        folder = paths.incoming / name
        folder.mkdir()
        os.utime(folder, (folder.stat().st_mtime - age,) * 2)
    incoming.sweep(paths, lambda name: name == "operation")
    assert sorted(folder.name for folder in paths.incoming.iterdir()) == [".new", "operation"]


@pytest.mark.parametrize("text", ["[]", "5", "null", "{", "[" * 100_000, '"\\ud800"'])
def test_a_manifest_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "release.json").write_text(text)
    with pytest.raises(Misuse) as caught:
        load(tmp_path)
    assert caught.value.id in ("release.bundle", "release.invalid")
