"""Images that come with their release: only whole ones, each part what its digest says, and nothing else."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.host import imageparts
from agent.host.paths import Paths
from agent.model.errors import IkomaError, Misuse
from agent.operations import incoming
from agent.releases import carried

AMD, ARM = "linux/amd64", "linux/arm64"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / imageparts.FOLDER).mkdir()
    return tmp_path


def put(bundle: Path, content: object) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    name = hashlib.sha256(raw).hexdigest()
    (bundle / imageparts.FOLDER / name).write_bytes(raw)
    return f"sha256:{name}"


def image(bundle: Path, *platforms: str) -> str:
    """Return the reference of an image for these platforms that shares one layer."""
    shared, entries = put(bundle, b"a layer"), []
    for platform in platforms:
        system, _, machine = platform.partition("/")
        config = put(bundle, {"architecture": machine})
        manifest = put(bundle, {"config": {"digest": config}, "layers": [{"digest": shared}, {"digest": shared}]})
        entries.append({"digest": manifest, "platform": {"os": system, "architecture": machine}})
    return f"registry.example/shop/web@{put(bundle, {'manifests': entries})}"


def test_an_image_needs_its_index_one_manifest_its_configuration_and_each_layer_once(bundle: Path) -> None:
    found = imageparts.parts(bundle, image(bundle, ARM, AMD), AMD)
    assert len(found) == 4
    assert json.loads(found[0].read_bytes())["manifests"]
    assert found[3].read_bytes() == b"a layer"


def spoil(bundle: Path, reference: str) -> None:
    imageparts.parts(bundle, reference, AMD)[3].write_bytes(b"another layer")


def lose(bundle: Path, reference: str) -> None:
    imageparts.parts(bundle, reference, AMD)[3].unlink()


def lose_the_root(bundle: Path, reference: str) -> None:
    imageparts.parts(bundle, reference, AMD)[0].unlink()


@pytest.mark.parametrize("harm", [spoil, lose, lose_the_root])
def test_an_image_that_is_not_whole_counts_for_nothing(bundle: Path, harm: Callable[[Path, str], None]) -> None:
    reference = image(bundle, AMD)
    harm(bundle, reference)
    with pytest.raises(IkomaError, match="missing or altered"):
        imageparts.parts(bundle, reference, AMD)


@pytest.mark.parametrize("digest", ["sha256:../../etc/shadow", "sha256:" + "A" * 64, "md5:" + "a" * 32, ""])
def test_a_manifest_cannot_lead_out_of_the_bundle(bundle: Path, digest: str) -> None:
    root = put(bundle, {"config": {"digest": digest}, "layers": []})
    with pytest.raises(IkomaError, match="no image"):
        imageparts.parts(bundle, f"registry.example/x@{root}", AMD)


def test_what_is_no_manifest_is_no_image(bundle: Path) -> None:
    with pytest.raises(IkomaError, match="no image"):
        imageparts.parts(bundle, f"registry.example/x@{put(bundle, b'text')}", AMD)


def test_the_engine_gets_a_layout_that_names_the_image_by_its_digest(bundle: Path) -> None:
    reference = image(bundle, AMD)
    blobs = imageparts.parts(bundle, reference, AMD)
    with tarfile.open(fileobj=io.BytesIO(b"".join(carried.archive(reference, blobs)))) as archive:
        index = json.loads((archive.extractfile("index.json") or io.BytesIO()).read())
        names = archive.getnames()
    (entry,) = index["manifests"]
    assert f"registry.example/shop/web@{entry['digest']}" == reference
    assert entry["annotations"] == {carried.NAME: reference}
    assert set(names) == {"oci-layout", "index.json", *(f"blobs/sha256/{blob.name}" for blob in blobs)}


def packed(file: Path, members: dict[str, int]) -> None:
    with tarfile.open(file, "w:gz") as archive:
        for name, size in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = size
            archive.addfile(entry, io.BytesIO(bytes(size)))


def test_parts_of_images_cannot_grow_while_they_are_unpacked(tmp_path: Path) -> None:
    packed(tmp_path / "bundle.tar.gz", {f"blobs/{'a' * 64}": 5_000_000})
    with pytest.raises(Misuse, match="larger than allowed"):
        incoming.unpack(tmp_path / "bundle.tar.gz", tmp_path)


def test_a_bundle_beyond_what_the_host_takes_is_refused_before_it_is_read(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.state.mkdir(parents=True)
    incoming.check_room(paths, 200 << 20, most_mb=0, spare_mb=0)
    incoming.check_room(paths, 257 << 20, most_mb=300, spare_mb=0)
    with pytest.raises(Misuse, match="257 MB; this host takes 256 MB"):
        incoming.check_room(paths, 257 << 20, most_mb=256, spare_mb=0)
    with pytest.raises(IkomaError, match="MiB"):
        incoming.check_room(paths, 257 << 20, most_mb=300, spare_mb=1 << 30)


@pytest.mark.parametrize(
    ("status", "keeps"),
    [
        ([["driver-type", "io.containerd.snapshotter.v1"]], True),
        ([["Backing Filesystem", "extfs"]], False),
        (None, False),
    ],
)
def test_only_containerds_store_keeps_the_digest_of_what_is_loaded(status: object, keeps: bool) -> None:
    assert carried.keeps_names({"DriverStatus": status}) is keeps
