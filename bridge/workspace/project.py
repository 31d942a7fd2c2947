"""A repository opened for one environment: its contract, its settings, where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from agent.model import contract as contracts
from agent.model.contract import FILE, Contract, Settings
from agent.model.errors import Misuse
from agent.model.names import PRODUCTION, Target
from agent.model.release import Provenance
from bridge.workspace import git


@dataclass(frozen=True)
class Project:
    """The folder that holds the contract, and what the contract says for ``environment``."""

    root: Path
    environment: str
    contract: Contract
    settings: Settings

    @classmethod
    def open(cls, repo: Path, environment: str = PRODUCTION) -> Project:
        """Open the project in the folder ``repo`` (a work tree, a folder inside one, or no work tree at all).

        Raises:
            Misuse: ``contract.missing``, ``contract.invalid``, ``contract.environment`` (the contract describes
                environments, and not this one), ``name.bad``.
        """
        root = repo.resolve()
        file = root / FILE
        if not file.is_file():
            raise Misuse("contract.missing", file=file, repo=repo)
        contract = contracts.load(file.read_text(encoding="utf-8"), str(file))
        Target(contract.app, environment)
        if environment != PRODUCTION and environment not in contract.environments:
            known = ", ".join(sorted({PRODUCTION, *contract.environments}))
            raise Misuse("contract.environment", file=file, environment=environment, known=known)
        return cls(root, environment, contract, contract.settings(environment))

    @property
    def app(self) -> str:
        return self.contract.app

    @property
    def target(self) -> Target:
        return Target(self.app, self.environment)

    @cached_property
    def git(self) -> git.Facts:
        """Where the work tree stands; asked once."""
        return git.facts(self.root)

    @property
    def contract_file(self) -> Path:
        return self.root / FILE

    @property
    def compose_file(self) -> Path:
        """The compose file. Raises ``Misuse("compose.missing")``."""
        path = self.root / self.settings.compose
        if not path.is_file():
            raise Misuse("compose.missing", file=path, contract=self.contract_file)
        return path

    @property
    def compose_folder(self) -> Path:
        """The folder to which the paths in the compose file are relative."""
        return self.compose_file.parent

    @property
    def migrations_folder(self) -> Path | None:
        """The folder of the migrations; None when the contract says there are none."""
        migrations = self.settings.migrations
        return self.root / migrations.folder if migrations is not False else None

    @property
    def provenance(self) -> Provenance:
        """What a release says about where it comes from."""
        facts = self.git
        return Provenance(commit=facts.commit, tag=facts.tag, author=facts.author, time=facts.time,
                          dirty=facts.dirty, repository=facts.repository)  # fmt: skip
