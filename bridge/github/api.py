"""PyGithub, with our own patience: it never repeats a request by itself and never slows one down."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from agent.model.secret import Secret
from bridge import __version__
from bridge.github.context import Context
from bridge.github.retry import Policy

if TYPE_CHECKING:
    from github import Github
    from github.Repository import Repository

PER_PAGE: Final = 100
_TIMEOUT_S: Final = 15
_ACTIONS: Final = "github-actions[bot]"


@dataclass
class Api:
    """The repository of the run. The library takes a second to import, so that happens at the first use."""

    context: Context
    token: Secret
    policy: Policy = field(default_factory=Policy)

    @cached_property
    def client(self) -> Github:
        """The library's client. Its own repetition would send a POST twice; its own pauses take a second a write."""
        from github import Auth, Github

        return Github(
            base_url=self.context.api,
            auth=Auth.Token(self.token.reveal()),
            user_agent=f"ikoma-bridge/{__version__}",
            per_page=PER_PAGE,
            timeout=_TIMEOUT_S,
            retry=0,
            seconds_between_requests=None,
            seconds_between_writes=None,
            verify=str(self.context.bundle) if self.context.bundle else True,
            lazy=True,
        )

    @cached_property
    def repo(self) -> Repository:
        """The repository, without asking for it."""
        return self.client.get_repo(self.context.run.repository)

    @cached_property
    def author(self) -> str:
        """The login under which this token writes.

        A token of an app (``ghs_…``) may not ask. What it wrote tells; before that, GitHub's own app is likely.
        """
        if self.token.reveal().startswith("ghs_"):
            return _ACTIONS
        return self.policy.call(lambda: self.client.get_user().login)

    def wrote(self, login: object) -> None:
        """Believe GitHub's answer to something that this token has just created: ``login`` is its name."""
        if isinstance(login, str) and login:
            self.author = login
