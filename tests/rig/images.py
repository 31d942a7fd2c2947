"""Base images: made of the distribution's packages, pushed to the rig's registry, kept as its stored files."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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
CATALOGUE = "images.json"
CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True)
class Base:
    """One base image: what its files are made of and the settings that `docker import` gives it."""

    name: str
    path: Path  # where the cache has (or will have) its files
    make: Callable[[], Path]  # makes them if need be
    version: tuple[str, ...]  # the command inside that prints its version
    settings: list[str]


def bases() -> list[Base]:
    """Every base image of the rig."""
    return [_node(), _caddy(), _busybox()]


def reference(state: State, name: str, *, pinned: bool = False) -> str:
    """A base image's name in the rig's registry, by tag or by digest."""
    if name not in state.images:
        raise RigError("the base images are not in the registry yet; run `scripts/rig up`")
    entry = state.images[name]
    end = f"@{entry['digest']}" if pinned else f":{entry['tag']}"
    return f"{state.registry}/base/{name}{end}"


def prepare() -> None:
    """Make, side by side, every file system that is not in the cache: the boxes' own and the images'."""
    wanted = [lambda: rootfs.ensure(rootfs.BOX)]
    if not _stored().exists():
        wanted += [base.make for base in bases()]
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(make) for make in wanted]:
            done.result()


def ensure(state: State, builder: Box, storage: Path, login: dict[str, str]) -> None:
    """See to it that the registry holds the base images: from the cache, or made and pushed now.

    ``storage`` is the registry's storage; ``login`` holds the user and secret that may push.
    """
    stored = rootfs.cached(_stored(), lambda folder: _fill(folder, state, builder, storage, login))
    catalogue = (stored / CATALOGUE).read_text()
    known = storage / CATALOGUE
    if not known.exists() or known.read_text() != catalogue:
        run(["cp", "-a", f"{stored}/.", storage])  # named by content, so it may be added while the registry runs
    state.images = json.loads(catalogue)


def _stored() -> Path:
    """The cached storage of a registry that holds every base image."""
    text = json.dumps([[base.path.name, base.settings] for base in bases()])
    return states.cache() / f"registry-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _fill(folder: Path, state: State, builder: Box, storage: Path, login: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory(prefix="rig-push-") as config:
        states.write_private(Path(config) / "config.json", _docker_config(state, login))
        environment = {**os.environ, "DOCKER_HOST": engine.url(builder), "DOCKER_CONFIG": config}
        entries = {base.name: _push(state, base, environment) for base in bases()}
    run(["cp", "-a", f"{storage}/.", folder])
    for repository in (folder / "docker/registry/v2/repositories").iterdir():
        if repository.name != "base":  # what someone else pushed there is not for the cache
            shutil.rmtree(repository)
    (folder / CATALOGUE).write_text(json.dumps(entries, indent=1))


def _push(state: State, base: Base, environment: dict[str, str]) -> dict[str, str]:
    files = base.make()
    tag = _major(run(["chroot", files, *base.version]))
    name = f"{state.registry}/base/{base.name}:{tag}"
    say(f"pushing the base image {name}")
    _import(base, files, name, environment)
    run(["docker", "push", "--quiet", name], env=environment)
    digests = run(["docker", "image", "inspect", "--format", '{{join .RepoDigests "\\n"}}', name], env=environment)
    return {"tag": tag, "digest": digests.split("@")[1].split()[0]}


def _import(base: Base, files: Path, name: str, environment: dict[str, str]) -> None:
    changes = [word for setting in base.settings for word in ("--change", setting)]
    pack = ["tar", "--create", "--numeric-owner", *EMPTY, "--directory", str(files), "."]
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
    recipe = Recipe(
        name="node",
        packages=("nodejs", "ca-certificates", "curl"),
        finish=ADD_USER_NODE,
        extra=f"pnpm {PNPM} {_machine_authorities()}",
    )
    settings = [
        "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        f"ENV NODE_EXTRA_CA_CERTS={CA_BUNDLE} SSL_CERT_FILE={CA_BUNDLE} npm_config_registry={_npm_registry()}",
        'CMD ["node"]',
    ]
    return _debian("node", recipe, ("node", "--version"), settings)


def _caddy() -> Base:
    recipe = Recipe(name="caddy", packages=("caddy", "ca-certificates"))
    settings = [
        "ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data",
        "EXPOSE 80 443",
        'CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]',
    ]
    return _debian("caddy", recipe, ("caddy", "version"), settings)


def _debian(name: str, recipe: Recipe, version: tuple[str, ...], settings: list[str]) -> Base:
    return Base(name, recipe.path(), lambda: rootfs.ensure(recipe, _furnish), version, settings)


def _busybox() -> Base:
    """A shell and the usual small tools: the whole image is one static program and its names."""
    path = states.cache() / f"busybox-{rootfs.BOX.digest()}"
    return Base("busybox", path, lambda: rootfs.cached(path, _fill_busybox), ("/bin/busybox",), ['CMD ["sh"]'])


def _fill_busybox(files: Path) -> None:
    for folder in ("bin", "etc", "tmp"):
        (files / folder).mkdir()
    (files / "tmp").chmod(0o1777)
    (files / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\n")
    program = files / "bin/busybox"
    shutil.copy(rootfs.ensure(rootfs.BOX) / "usr/bin/busybox", program)
    for tool in run([program, "--list"]).split():
        if tool != "busybox":
            (files / "bin" / tool).symlink_to("busybox")


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
        run(["tar", "--extract", "--no-same-owner", "--file", package, "--directory", target])
    for name, script in (("pnpm", "pnpm.cjs"), ("pnpx", "pnpx.cjs")):
        (target / "package/bin" / script).chmod(0o755)
        (files / "usr/local/bin" / name).symlink_to(f"../lib/pnpm/package/bin/{script}")


@functools.cache
def _npm_registry() -> str:
    return run(["npm", "config", "get", "registry"]).strip()


def _machine_authorities() -> str:
    bundle = keys.MACHINE_BUNDLE
    return hashlib.sha256(bundle.read_bytes()).hexdigest()[:12] if bundle.exists() else ""
