"""Base images: made of the distribution's packages, pushed to the rig's registry, kept as its stored files."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from tests.rig import engine, keys, rootfs
from tests.rig import state as states
from tests.rig.commands import RigError, run, say
from tests.rig.rootfs import Recipe
from tests.rig.state import Box, State

PNPM = "10.34.9"
PNPM_SHA512 = (
    "f49b5a8ea0fdedb44bb3c0c1d6575092a53c2950d95b7ad15df11f17974877a2"
    "de3a01c07e934e9b28ce716e51c09a94962c7306d09be2e1e4b18a8c8762fd32"
)
ADD_USER_NODE = """
echo node:x:1000:1000::/home/node:/bin/bash >>/etc/passwd
echo node:x:1000: >>/etc/group
cp -R /etc/skel /home/node
chown -R 1000:1000 /home/node
"""
EMPTY = ("--exclude=./dev/*", "--exclude=./proc/*", "--exclude=./sys/*")
CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True)
class Base:
    """One base image: what its files are made of and the settings that `docker import` gives it."""

    name: str
    recipe: Recipe
    version: tuple[str, ...]  # the command inside that prints its version
    settings: list[str] = field(default_factory=list)
    only: tuple[str, ...] = (".",)  # the part of the file system that enters the image


def bases() -> list[Base]:
    """Every base image of the rig."""
    return [_node(), _caddy(), _busybox()]


def stored() -> Path:
    """The cached storage of a registry that holds every base image."""
    text = json.dumps([[base.recipe.digest(), base.settings] for base in bases()])
    return states.cache() / f"registry-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def catalogue() -> dict[str, dict[str, str]]:
    """Name → repository, tag and digest of every base image."""
    known: dict[str, dict[str, str]] = json.loads((stored() / "images.json").read_text())
    return known


def reference(state: State, name: str, *, pinned: bool = False) -> str:
    """A base image's name in the rig's registry, by tag or by digest."""
    entry = catalogue()[name]
    end = f"@{entry['digest']}" if pinned else f":{entry['tag']}"
    return f"{state.registry}/{entry['repository']}{end}"


def ensure(state: State, builder: Box, storage: Path, login: dict[str, str]) -> None:
    """Make, push and cache the base images, unless the cache (and so the registry) has them.

    ``storage`` is the registry's storage; ``login`` holds the user and secret that may push.
    """
    if stored().exists():
        return
    with tempfile.TemporaryDirectory(prefix="rig-push-") as config:
        states.write_private(Path(config) / "config.json", _docker_config(state, login))
        environment = {**os.environ, "DOCKER_HOST": engine.url(builder), "DOCKER_CONFIG": config}
        entries = {base.name: _push(state, base, environment) for base in bases()}
    fresh = stored().with_name(f".{stored().name}.new")
    run(["rm", "-rf", fresh])
    run(["cp", "-a", storage, fresh])
    (fresh / "images.json").write_text(json.dumps(entries, indent=1))
    fresh.rename(stored())


def _push(state: State, base: Base, environment: dict[str, str]) -> dict[str, str]:
    files = rootfs.ensure(base.recipe, _furnish)
    repository, tag = f"base/{base.name}", _major(run(["chroot", files, *base.version]))
    name = f"{state.registry}/{repository}:{tag}"
    say(f"pushing the base image {name}")
    _import(base, files, name, environment)
    run(["docker", "push", "--quiet", name], env=environment)
    digests = run(["docker", "image", "inspect", "--format", '{{join .RepoDigests "\\n"}}', name], env=environment)
    return {"repository": repository, "tag": tag, "digest": digests.split("@")[1].split()[0]}


def _import(base: Base, files: Path, name: str, environment: dict[str, str]) -> None:
    changes = [word for setting in base.settings for word in ("--change", setting)]
    pack = ["tar", "--create", "--numeric-owner", *EMPTY, "--directory", str(files), *base.only]
    with subprocess.Popen(pack, stdout=subprocess.PIPE) as tar:
        command = ["docker", "import", *changes, "-", name]
        done = subprocess.run(command, stdin=tar.stdout, capture_output=True, text=True, env=environment, check=False)
    if done.returncode or tar.returncode:
        raise RigError(f"docker import of {name} failed:\n{done.stderr[-800:]}")


def _major(version: str) -> str:
    """The major number in what a program prints as its version."""
    found = re.search(r"\d+", version)
    if found is None:
        raise RigError(f"no version in {version!r}")
    return found.group()


def _docker_config(state: State, login: dict[str, str]) -> str:
    secret = base64.b64encode(f"{login['user']}:{login['token']}".encode()).decode()
    return json.dumps({"auths": {state.registry: {"auth": secret}}})


def _node() -> Base:
    """Node.js and pnpm; npm's registry and the machine's authorities are set, so that installs in a build just work."""
    registry = run(["npm", "config", "get", "registry"]).strip()
    recipe = Recipe(
        name="node",
        packages=("nodejs", "ca-certificates", "curl"),
        finish=ADD_USER_NODE,
        extra=f"pnpm {PNPM} {_machine_authorities()}",
    )
    settings = [
        "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        f"ENV NODE_EXTRA_CA_CERTS={CA_BUNDLE} SSL_CERT_FILE={CA_BUNDLE} npm_config_registry={registry}",
        'CMD ["node"]',
    ]
    return Base("node", recipe, ("node", "--version"), settings)


def _caddy() -> Base:
    recipe = Recipe(name="caddy", packages=("caddy", "ca-certificates"))
    settings = [
        "ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data",
        "EXPOSE 80 443",
        'CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]',
    ]
    return Base("caddy", recipe, ("caddy", "version"), settings)


def _busybox() -> Base:
    """A shell and the usual small tools: the whole image is one static program and its names."""
    finish = """
        mkdir -p /small/bin /small/tmp /small/etc
        chmod 1777 /small/tmp
        echo root:x:0:0::/:/bin/sh >/small/etc/passwd
        cp /usr/bin/busybox /small/bin/
        for tool in $(busybox --list); do [ "$tool" = busybox ] || ln -s busybox "/small/bin/$tool"; done
    """
    recipe = Recipe(name="busybox", packages=("busybox-static",), finish=finish)
    return Base("busybox", recipe, ("busybox",), ['CMD ["sh"]'], only=("--transform=s,^small,.,", "small"))


def _furnish(files: Path) -> None:
    """Give an image the machine's authorities and, if it has Node.js, pnpm."""
    bundle = files / CA_BUNDLE.lstrip("/")
    if bundle.exists() and keys.MACHINE_BUNDLE.exists():
        bundle.write_text(keys.MACHINE_BUNDLE.read_text())
    if (files / "usr/bin/node").exists():
        _install_pnpm(files)


def _install_pnpm(files: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="rig-pnpm-") as folder:
        run(["npm", "pack", "--silent", f"--pack-destination={folder}", f"pnpm@{PNPM}"])
        package = Path(folder) / f"pnpm-{PNPM}.tgz"
        if hashlib.sha512(package.read_bytes()).hexdigest() != PNPM_SHA512:
            raise RigError(f"pnpm {PNPM} from the npm registry is not the package we pinned")
        target = files / "usr/local/lib/pnpm"
        target.mkdir(parents=True)
        with tarfile.open(package) as archive:
            archive.extractall(target, filter="data")
    for name, script in (("pnpm", "pnpm.cjs"), ("pnpx", "pnpx.cjs")):
        (target / "package/bin" / script).chmod(0o755)
        (files / "usr/local/bin" / name).symlink_to(f"../lib/pnpm/package/bin/{script}")


def _machine_authorities() -> str:
    bundle = keys.MACHINE_BUNDLE
    return hashlib.sha256(bundle.read_bytes()).hexdigest()[:12] if bundle.exists() else ""
