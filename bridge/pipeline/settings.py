"""Which target, host and registry: flags, then ``BRIDGE_*``, then context, then contract. Imports no SSH library."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from agent.model.errors import Misuse
from bridge.pipeline import contexts

if TYPE_CHECKING:
    from agent.model.contract import Contract
    from agent.model.names import Target
    from agent.model.secret import Secret
    from bridge.remote.connection import Destination

PRODUCTION: Final = "production"
CONTRACT: Final = "ikoma.release.json"
USER: Final = "ikoma"


@dataclass(frozen=True)
class Flags:
    """The options that commands share; an empty value means that it was not given."""

    repo: Path = Path()
    app: str = ""
    environment: str = ""
    host: str = ""
    port: str = ""
    user: str = ""
    key: str = ""
    known_hosts: str = ""
    host_key: str = ""
    registry: str = ""
    as_json: bool = False
    context: str = ""


class Address(NamedTuple):
    """Where the agent of a target is reached; ``key`` and ``known_hosts`` are paths or the contents themselves."""

    host: str
    port: int
    user: str
    key: Secret
    known_hosts: str
    host_key: str

    def destination(self) -> Destination:
        """Return it as the SSH connection wants it. Imports the SSH library."""
        from bridge.remote.connection import Destination
        from bridge.remote.keys import source

        trusted = self.known_hosts if _is_content(self.known_hosts) else Path(self.known_hosts).expanduser()
        return Destination(self.host, self.port, self.user, source(self.key.reveal()), trusted, self.host_key)


class RegistryAccess(NamedTuple):
    """Where images go, and who pushes and pulls them."""

    address: str
    username: str
    token: Secret


class Where:
    """Answers questions about one command's surroundings, each from the first source that knows.

    Args:
        flags: what was typed.
        environ: the variables of the process.
    """

    def __init__(self, flags: Flags, environ: Mapping[str, str] | None = None) -> None:
        self.flags = replace(flags, repo=_home(flags.repo))
        self.environ = contexts.overlaid(os.environ if environ is None else environ, flags.host, flags.context)
        self._contract: Contract | None = None
        self._looked = False

    @property
    def contract(self) -> Contract | None:
        """The contract in the repository, if it holds one. Raises ``Misuse`` when it is not valid."""
        if not self._looked:
            self._contract, self._looked = self._load(), True
        return self._contract

    def _load(self) -> Contract | None:
        path = self.flags.repo / CONTRACT
        if not path.is_file():
            return None
        from agent.model import contract

        return contract.load(path.read_text(encoding="utf-8"), str(path))

    @property
    def environment(self) -> str:
        return self.flags.environment or self.environ.get("BRIDGE_ENVIRONMENT") or PRODUCTION

    @property
    def target(self) -> Target:
        """The app and its environment. Raises ``Misuse("cli.no_app")`` when nothing names the app."""
        from agent.model.names import Target

        app = self.flags.app or self.environ.get("BRIDGE_APP") or (self.contract.app if self.contract else "")
        if not app:
            raise Misuse("cli.no_app", repo=self.flags.repo, file=CONTRACT)
        return Target(app, self.environment)

    @property
    def known_target(self) -> Target | None:
        """The target, or None where nothing names an app: some calls need none."""
        named = self.flags.app or self.environ.get("BRIDGE_APP") or self.contract
        return self.target if named else None

    @property
    def repository_target(self) -> Target:
        """The target for a command that reads the repository: its contract must be there and be this app's."""
        from agent.model.names import Target

        contract = self.contract
        if contract is None:
            raise Misuse("cli.no_app", repo=self.flags.repo, file=CONTRACT)
        if self.flags.app and self.flags.app != contract.app:
            raise Misuse("cli.other_app", repo=self.flags.repo, found=contract.app, asked=self.flags.app)
        return Target(contract.app, self.environment)

    def address(self, target: Target | None) -> Address:
        """Return where the agent is reached. Raises ``Misuse``: no host, no key, a bad port."""
        host = self._given_host or self._stated(target, "host")
        if not host:
            raise Misuse("cli.no_host", target=target or "this call")
        known_hosts, host_key = self._trust(target)
        return Address(host, self._port(target), self._user(target), self._key(host), known_hosts, host_key)

    def _stated(self, target: Target | None, name: str) -> str:
        """What the contract states for this environment; nothing for another app, or beside another host."""
        contract = self.contract
        if contract is None or target is None or contract.app != target.app:
            return ""
        stated = contract.environments.get(target.environment)
        if stated is None or (self._given_host or stated.host) != stated.host:
            return ""
        return str(getattr(stated, name))

    @property
    def early_address(self) -> Address | None:
        """The address, where options and variables alone say all of it: then nobody need read the contract first."""
        flags, env = self.flags, self.environ
        pinned = flags.known_hosts or flags.host_key or env.get("BRIDGE_KNOWN_HOSTS") or env.get("BRIDGE_HOST_KEY")
        key, port = flags.key or env.get("BRIDGE_SSH_KEY"), flags.port or env.get("BRIDGE_PORT")
        user = flags.user or env.get("BRIDGE_USER")
        return self.address(None) if self._given_host and port and user and key and pinned else None

    @property
    def _given_host(self) -> str:
        return self.flags.host or self.environ.get("BRIDGE_HOST", "")

    def _port(self, target: Target | None) -> int:
        for source, value in (("--port", self.flags.port), ("BRIDGE_PORT", self.environ.get("BRIDGE_PORT", ""))):
            if value:
                if not value.isdecimal() or not 0 < int(value) < 65536:
                    raise Misuse("cli.bad_port", value=value, source=source)
                return int(value)
        return int(self._stated(target, "port") or 22)

    def _user(self, target: Target | None) -> str:
        return self.flags.user or self.environ.get("BRIDGE_USER") or self._stated(target, "user") or USER

    def _key(self, host: str) -> Secret:
        from agent.model.secret import Secret

        value = self.flags.key or self.environ.get("BRIDGE_SSH_KEY", "")
        if value:
            return Secret(value)
        usual = Path("~/.ssh/id_ed25519").expanduser()
        if not usual.is_file():
            raise Misuse("cli.no_key", host=host)
        return Secret(str(usual))

    def _trust(self, target: Target | None) -> tuple[str, str]:
        """Return known_hosts (path or content) and the pinned key: the first source that names either decides."""
        env = self.environ
        for known_hosts, host_key in (
            (self.flags.known_hosts, self.flags.host_key),
            (env.get("BRIDGE_KNOWN_HOSTS", ""), env.get("BRIDGE_HOST_KEY", "")),
            ("", self._stated(target, "host_key")),
        ):
            if known_hosts or host_key:
                return known_hosts or "~/.ssh/known_hosts", host_key
        return "~/.ssh/known_hosts", ""

    @property
    def has_registry(self) -> bool:
        """Whether a registry is named at all."""
        return bool(self.flags.registry or self.environ.get("BRIDGE_REGISTRY"))

    def registry(self, target: Target) -> RegistryAccess:
        """Return the registry. Raises ``Misuse("cli.no_registry")``."""
        from agent.model.secret import Secret

        address = self.flags.registry or self.environ.get("BRIDGE_REGISTRY", "")
        if not address:
            raise Misuse("cli.no_registry", app=target.app)
        token = Secret(self.environ.get("BRIDGE_REGISTRY_TOKEN", ""))
        return RegistryAccess(address.rstrip("/"), self.environ.get("BRIDGE_REGISTRY_USER", ""), token)

    @property
    def give_up(self) -> float | None:
        """Seconds after which a host that stays away is left alone (``BRIDGE_GIVE_UP``); None: the usual time."""
        value = self.environ.get("BRIDGE_GIVE_UP", "")
        if value and not value.isdecimal():
            raise Misuse("cli.bad_give_up", value=value)
        return float(value) if value else None

    def client(self, commit: str = "") -> dict[str, str]:
        """Return who asks, for the audit and for "who holds the lock": actor, repository, run URL, commit."""
        env = self.environ
        run = ""
        if repository := env.get("GITHUB_REPOSITORY", ""):
            server = env.get("GITHUB_SERVER_URL", "https://github.com")
            run = f"{server}/{repository}/actions/runs/{env['GITHUB_RUN_ID']}" if env.get("GITHUB_RUN_ID") else ""
        actor = env.get("GITHUB_ACTOR") or env.get("USER") or env.get("LOGNAME") or ""
        said = {"actor": actor, "repository": repository, "run": run, "commit": commit or env.get("GITHUB_SHA", "")}
        return {key: value for key, value in said.items() if value}

    def operation(self, target: Target | None, capability: str) -> str:
        """Return the operation's id: derived from the run in Actions, so that a retry is no second one; else new."""
        from agent.model.names import derived_operation, new_operation

        names = ("GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_JOB")
        run = [self.environ.get(name, "") for name in names]
        if not all(run):
            return new_operation()
        what = [] if capability == "deploy.apply" else [capability]
        return derived_operation(*run, target.slug if target else "", *what)


def _home(repo: Path) -> Path:
    """Return the nearest folder that holds a contract: ``repo``, or one around it in the same work tree."""
    if (repo / CONTRACT).is_file():
        return repo
    from bridge.workspace.git import top

    root, here = top(repo), repo.resolve()
    around = [place for place in here.parents if root is not None and place.is_relative_to(root)]
    return next((place for place in around if (place / CONTRACT).is_file()), repo)


def _is_content(value: str) -> bool:
    """Known hosts given as text hold a space (host, type, key); a path in a variable does not hold a key type."""
    return "\n" in value or " ssh-" in value or " ecdsa-" in value
