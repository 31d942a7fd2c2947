"""What the builder leaves in the registry beside an image: a cache of every stage, and what it attests."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from bridge.images import names
from bridge.images.build import BuiltImage
from bridge.images.registry import Client
from tests.integration.test_build import Shop, logins, shop

__all__ = ["logins", "shop"]

STAGES = """\
ARG BASE
FROM ${BASE} AS tools
RUN head -c 16 /dev/urandom >/stamp
FROM ${BASE}
COPY web/index.html /srv/
COPY --from=tools /stamp /stamp
"""
# As BuildKit calls a scanner: it lists what lies in one folder and writes a statement into another.
SCANNER = r"""
FROM BASE
COPY <<"SCAN" /scan
#!/bin/sh
files=$(ls $BUILDKIT_SCAN_SOURCE | sed 's/.*/"&"/' | paste -sd,)
echo '{"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document",' \
  '"predicate": {"SPDXID": "SPDXRef-DOCUMENT", "files": ['"$files"']}}' >"$BUILDKIT_SCAN_DESTINATION/list.spdx.json"
SCAN
RUN chmod +x /scan
CMD ["/bin/sh", "/scan"]
"""


class Registry:
    """Reads what stands in the registry, by the bridge's own client."""

    def __init__(self, shop: Shop) -> None:
        self.client: Client = shop.images().client

    def manifest(self, image: str, digest: str = "") -> dict[str, Any]:
        """Return the manifest of an image, or another of its repository."""
        reference = names.parse(f"{image.partition('@')[0]}@{digest}" if digest else image)
        read: dict[str, Any] = json.loads(self.client._ask(reference, "GET").data)
        return read

    def image(self, built: BuiltImage) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the manifest of the image itself and that of what is attested of it."""
        listed = self.manifest(built.ref)["manifests"]
        attested = [item for item in listed if item["platform"]["architecture"] == "unknown"]
        [real] = [item for item in listed if item not in attested]
        [about] = attested
        assert about["annotations"]["vnd.docker.reference.digest"] == real["digest"]
        return self.manifest(built.ref, real["digest"]), self.manifest(built.ref, about["digest"])

    def statements(self, built: BuiltImage) -> dict[str, Any]:
        """Return what is attested, by kind."""
        _, about = self.image(built)
        reference = names.parse(built.ref)
        base = f"{self.client._base(reference)}/v2/{reference.repository}/blobs"
        login = self.client._authorization(reference)
        urls = [f"{base}/{layer['digest']}" for layer in about["layers"]]
        blobs = [self.client._request(reference.registry, "GET", url, login).data for url in urls]
        return {said["predicateType"]: said["predicate"] for said in map(json.loads, blobs)}


def docker(shop: Shop, *words: str, given: str = "") -> None:
    subprocess.run(["docker", *words], check=True, capture_output=True, text=True, input=given, env=shop.environ)


def test_a_builder_that_knows_nothing_takes_every_stage_from_the_registry(shop: Shop) -> None:
    """The stage in the middle is needed again, on another layer; made anew, it would hold another stamp."""
    (shop.root / "web/Dockerfile").write_text(STAGES)
    registry = Registry(shop)
    first, _ = registry.image(shop.build()["web"])
    docker(shop, "buildx", "prune", "--all", "--force")
    (shop.root / "web/index.html").write_text("changed")
    second, _ = registry.image(shop.build()["web"])
    assert first["layers"][-2] != second["layers"][-2], "the file that changed"
    assert first["layers"][-1] == second["layers"][-1], "the stamp"


def test_an_image_says_how_it_was_built_and_on_demand_what_it_holds(shop: Shop, tmp_path: Path) -> None:
    scanner = f"{shop.access.address}/{shop.images().project.app}/scanner:1"
    folder = tmp_path / "scanner"
    folder.mkdir()
    (folder / "Dockerfile").write_text(SCANNER.replace("BASE", shop.environ["RIG_BUSYBOX_IMAGE"]))
    login = ("login", "--username", shop.access.username, "--password-stdin", shop.access.address.partition("/")[0])
    shop.environ["DOCKER_CONFIG"] = str(tmp_path / "docker")
    docker(shop, *login, given=shop.access.token.reveal())
    docker(shop, "buildx", "build", "--push", "--provenance=false", "--tag", scanner, str(folder))
    shop.environ["BRIDGE_SBOM"] = scanner
    built = shop.build()
    said = Registry(shop).statements(built["api"])
    provenance = said["https://slsa.dev/provenance/v0.2"]
    assert "main.sh" in json.dumps(provenance["buildConfig"]), "mode=max: the steps are in it"
    assert shop.access.token.reveal() not in json.dumps(provenance)
    assert "main.sh" in said["https://spdx.dev/Document"]["files"]
