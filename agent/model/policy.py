"""What a release's compose file may ask of a host. Pure: judges the normalised JSON of ``docker compose config``.

An allow-list: a key that is not named here is refused, so that a new feature of compose is no new hole. The
administrator may allow exceptions in the host settings (``allow``): ``<key>:<service>``, ``bind:<path>``,
``network:<name>``, ``volume:<name>``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from agent.model.errors import IkomaError

Resolve = Callable[[str], str]

TOP: Final = frozenset({"name", "services", "networks", "volumes", "configs", "secrets"})
SERVICE: Final = frozenset(
    """blkio_config cap_drop command configs cpu_count cpu_percent cpu_period cpu_quota cpu_rt_period
    cpu_rt_runtime cpu_shares cpus cpuset depends_on deploy dns dns_opt dns_search domainname entrypoint environment
    expose extra_hosts group_add healthcheck hostname image init labels links logging mac_address mem_limit
    mem_reservation mem_swappiness memswap_limit networks oom_score_adj pids_limit platform ports profiles
    pull_policy read_only restart scale secrets shm_size stdin_open stop_grace_period stop_signal tmpfs tty ulimits
    user volumes working_dir""".split()  # noqa: SIM905
)
NETWORK: Final = frozenset({"name", "driver", "ipam", "internal", "attachable", "enable_ipv6", "labels"})
VOLUME: Final = frozenset({"name", "driver", "labels"})
FILE: Final = frozenset({"name", "file", "content", "environment", "labels"})
DEPLOY: Final = frozenset({"mode", "replicas", "resources", "restart_policy", "labels", "update_config",
                           "rollback_config", "endpoint_mode", "placement"})  # fmt: skip
SAFE_VALUES: Final[dict[str, frozenset[str]]] = {
    "network_mode": frozenset({"none"}),
    "ipc": frozenset({"", "private", "none"}),
    "pid": frozenset({""}),
    "cgroup": frozenset({"", "private"}),
    "userns_mode": frozenset({""}),
    "uts": frozenset({""}),
    "privileged": frozenset({"False"}),
    "security_opt": frozenset({"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"}),
}
LOG_DRIVERS: Final = frozenset({"json-file", "local", "journald", "none"})
RESERVED: Final = ("com.docker.compose.", "ikoma.")
LIVE: Final = ".live"
"""Names that end so are the reverse proxy's upstreams; the Engine's DNS hands out host names as well."""

READERS: Final = frozenset({"extends", "label_file", "profiles"})
"""What a finished compose file has no use for. Compose would read another file with the agent's rights, or leave a
service out of what is judged."""

_ANY_PRIVATE: Final = "10.0.0.0/8"
_PRIVATE: Final = tuple(map(ipaddress.ip_network, (_ANY_PRIVATE, "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))
_OWN_FILE: Final = re.compile(r"app\.env|\./files/[0-9a-f]{64}(-x)?")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is refused: where it stands and why (an id of the catalogue)."""

    id: str
    service: str
    key: str
    value: str = ""

    def error(self) -> IkomaError:
        return IkomaError(self.id, service=self.service or "–", key=self.key, value=self.value)


def unread(document: dict[str, Any], allow: Sequence[str], resolve: Resolve) -> list[Finding]:
    """Return what would make compose read files of others, before it is given the file: it reads them as the agent.

    Args:
        document: the compose file as the agent renders it.
        allow: the administrator's exceptions; ``bind:<path>`` counts for an environment file as well.
    """
    found = [Finding("policy.key", "", key) for key in ("include",) if document.get(key)]
    for name, service in (document.get("services") or {}).items():
        found += [Finding("policy.key", name, key) for key in sorted(READERS & service.keys()) if service[key]]
        for item in service.get("env_file") or []:
            path = str(item["path"] if isinstance(item, dict) else item)
            allowed = f"bind:{path}" in allow and resolve(path) == path
            if not allowed and not _OWN_FILE.fullmatch(path):
                found.append(Finding("policy.bind", name, "env_file", path))
    return found


def judge(
    document: dict[str, Any], slug: str, folders: Sequence[str], allow: Sequence[str], resolve: Resolve,
    written: Sequence[str] = (), others: Sequence[str] = (),
) -> list[Finding]:  # fmt: skip
    """Return everything in a compose file that this host refuses.

    Args:
        document: ``docker compose config --format json``, interpolated.
        slug: the target; names of networks and volumes must be its own.
        folders: absolute folders inside which a bind mount's source must lie.
        allow: the administrator's exceptions.
        resolve: gives the real path of a path, symbolic links followed.
        written: folders of this host that the target's running containers may write to.
        others: the slugs of this host's other targets: ``shop`` has no ``shop_staging_data`` beside ``shop_staging``.
    """
    judgement = _Judgement(slug, tuple(PurePosixPath(folder) for folder in folders), frozenset(allow), resolve)
    return [*judgement.document(document), *judgement.nested(document, written), *judgement.others(document, others)]


def held(document: dict[str, Any], slug: str, allow: Sequence[str], owners: Mapping[str, str]) -> list[Finding]:
    """Return the volumes and networks that exist already and belong to another project. Pure.

    Args:
        owners: ``volume:<name>`` or ``network:<name>`` of what exists on the host → its compose project (empty: none).
    """
    return [
        Finding("policy.foreign", "", f"{kind}s.{key}", name)
        for kind, key, name in named(document)
        if (owners.get(f"{kind}:{name}") or slug) != slug and {f"{kind}:{name}", f"{kind}:{key}"}.isdisjoint(allow)
    ]


def named(document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield kind (``volume``, ``network``), key and real name of what a normalised compose file shares."""
    for kind in ("volume", "network"):
        for key, entry in (document.get(f"{kind}s") or {}).items():
            yield kind, key, str((entry or {}).get("name", ""))


@dataclass(frozen=True, slots=True)
class _Judgement:
    slug: str
    folders: tuple[PurePosixPath, ...]
    allow: frozenset[str]
    resolve: Resolve

    def document(self, document: dict[str, Any]) -> Iterator[Finding]:
        for key in document:
            if key not in TOP and not key.startswith("x-"):
                yield Finding("policy.key", "", key)
        if document.get("name") != self.slug:
            yield Finding("policy.name", "", "name", str(document.get("name")))
        for name, service in (document.get("services") or {}).items():
            yield from self._service(name, service)
        for kind, known in (("networks", NETWORK), ("volumes", VOLUME), ("configs", FILE), ("secrets", FILE)):
            for name, entry in (document.get(kind) or {}).items():
                yield from self._shared(kind, name, entry or {}, known)

    def nested(self, document: dict[str, Any], written: Sequence[str]) -> Iterator[Finding]:
        """Find mounts of what lies inside a folder that a container writes to.

        It could put a link in that place, and the Engine would follow it out of the target's folder at the next start.
        """
        binds = [
            (name, str(mount.get("source", "")), not mount.get("read_only"))
            for name, service in (document.get("services") or {}).items()
            for mount in service.get("volumes") or []
            if mount.get("type") == "bind"
        ]
        files = [
            (f"{kind}.{name}", str(entry["file"]))
            for kind in ("configs", "secrets")
            for name, entry in (document.get(kind) or {}).items()
            if (entry or {}).get("file")
        ]
        open_folders = {self._real(source) for _, source, writes in binds if writes} | set(map(self._real, written))
        for name, key, source in [(n, "volumes", s) for n, s, _ in binds] + [("", where, s) for where, s in files]:
            if f"bind:{source}" not in self.allow and not open_folders.isdisjoint(self._real(source).parents):
                yield Finding("policy.nested", name, key, source)

    def others(self, document: dict[str, Any], slugs: Sequence[str]) -> Iterator[Finding]:
        """Find names that are also names of another target, whose slug goes on where ours ends."""
        for kind, key, name in named(document):
            mine = any(f"{kind}:{allowed}" in self.allow for allowed in (name, key))
            if not mine and any(name.startswith(f"{slug}_") for slug in slugs if slug.startswith(f"{self.slug}_")):
                yield Finding("policy.foreign", "", f"{kind}s.{key}", name)

    def _real(self, path: str) -> PurePosixPath:
        return PurePosixPath(self.resolve(path))

    def _service(self, name: str, service: dict[str, Any]) -> Iterator[Finding]:
        for key, value in service.items():
            if f"{key}:{name}" not in self.allow:
                yield from self._key(name, key, value)

    def _key(self, name: str, key: str, value: Any) -> Iterator[Finding]:
        if key in SAFE_VALUES:
            values = value if isinstance(value, list) else [value]
            yield from (Finding("policy.value", name, key, str(v)) for v in values if str(v) not in SAFE_VALUES[key])
        elif key == "sysctls":
            wrong = [item for item in value if not item.startswith("net.")]
            yield from (Finding("policy.value", name, key, item) for item in wrong)
        elif key not in SERVICE and not key.startswith("x-"):
            if value not in (None, [], {}, "", False):
                yield Finding("policy.key", name, key)
        elif (check := getattr(self, f"_{key}", None)) is not None:
            yield from check(name, value or {})

    def _volumes(self, name: str, mounts: list[dict[str, Any]]) -> Iterator[Finding]:
        for mount in mounts:
            kind, source = mount.get("type"), str(mount.get("source", ""))
            if kind == "bind":
                yield from self._bind(name, "volumes", source)
                if (mount.get("bind") or {}).get("propagation", "rprivate") not in ("rprivate", "private"):
                    yield Finding("policy.value", name, "volumes.bind.propagation", mount["bind"]["propagation"])
            elif kind not in ("volume", "tmpfs"):
                yield Finding("policy.value", name, "volumes.type", str(kind))

    def _bind(self, service: str, key: str, source: str) -> Iterator[Finding]:
        real = PurePosixPath(self.resolve(source))
        allowed = f"bind:{source}" in self.allow and real == PurePosixPath(source)
        if not allowed and not any(real.is_relative_to(folder) for folder in self.folders):
            yield Finding("policy.bind", service, key, source)

    def _hostname(self, name: str, hostname: str) -> Iterator[Finding]:
        if str(hostname).lower().rstrip(".").endswith(LIVE):
            yield Finding("policy.value", name, "hostname", str(hostname))

    def _labels(self, name: str, labels: dict[str, str]) -> Iterator[Finding]:
        yield from (Finding("policy.label", name, "labels", key) for key in labels if key.startswith(RESERVED))

    def _logging(self, name: str, logging: dict[str, Any]) -> Iterator[Finding]:
        if (driver := logging.get("driver") or "json-file") not in LOG_DRIVERS:
            yield Finding("policy.value", name, "logging.driver", driver)

    def _deploy(self, name: str, deploy: dict[str, Any]) -> Iterator[Finding]:
        yield from (Finding("policy.key", name, f"deploy.{key}") for key in deploy if key not in DEPLOY)
        reserved = ((deploy.get("resources") or {}).get("reservations") or {}).get("devices")
        if reserved:
            yield Finding("policy.key", name, "deploy.resources.reservations.devices")
        if deploy.get("mode", "replicated") != "replicated":
            yield Finding("policy.value", name, "deploy.mode", deploy["mode"])

    def _oom_score_adj(self, name: str, value: Any) -> Iterator[Finding]:
        if value and int(value) < 0:
            yield Finding("policy.value", name, "oom_score_adj", str(value))

    def _shared(self, kind: str, name: str, entry: dict[str, Any], known: frozenset[str]) -> Iterator[Finding]:
        where = f"{kind}.{name}"
        singular = kind.removesuffix("s")
        called = str(entry.get("name", ""))
        if f"{singular}:{called}" in self.allow or f"{singular}:{name}" in self.allow:
            return
        for key, value in entry.items():
            if key not in known and not key.startswith("x-") and value not in (None, {}, [], False):
                yield Finding("policy.key", "", f"{where}.{key}")
        if called and not called.startswith(f"{self.slug}_"):
            yield Finding("policy.foreign", "", where, called)
        if entry.get("driver") not in (None, "", "bridge" if kind == "networks" else "local"):
            yield Finding("policy.value", "", f"{where}.driver", entry["driver"])
        for block in (entry.get("ipam") or {}).get("config") or []:
            if not _is_private(str(block.get("subnet") or _ANY_PRIVATE)):
                yield Finding("policy.value", "", f"{where}.ipam.config.subnet", str(block["subnet"]))
        if (entry.get("ipam") or {}).get("driver") not in (None, "", "default"):
            yield Finding("policy.value", "", f"{where}.ipam.driver", str(entry["ipam"]["driver"]))
        if "file" in entry:
            yield from self._bind("", where, str(entry["file"]))
        yield from self._labels("", entry.get("labels") or {})


def _is_private(subnet: str) -> bool:
    """Whether nobody outside has these addresses: the host would send what is meant for them into the network."""
    try:
        found = ipaddress.ip_network(subnet, strict=False)
    except ValueError:
        return False
    return any(found.version == known.version and found.subnet_of(known) for known in _PRIVATE)  # type: ignore[arg-type]
