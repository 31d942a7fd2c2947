"""What people see on GitHub: one comment, one check run, one deployment, one job summary a run.

Nothing here raises and nothing here is waited for before the end: a report never decides how a deployment ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, NotRequired, Protocol, TypedDict

from agent.model.errors import IkomaError
from agent.model.names import Target
from bridge.reports.model import DeploymentReport, ErrorReport, PlanReport
from bridge.reports.outbox import Outbox

if TYPE_CHECKING:
    from bridge.reports.console import Console

Kind = Literal["deploy", "rollback"]


class CheckReport(TypedDict):
    """What ``bridge check --format json`` prints; ``bridge.reports.findings.json.data`` makes it."""

    findings: list[dict[str, Any]]
    counts: dict[str, int]
    seconds: float
    files: int
    silenced: int
    silences: NotRequired[list[dict[str, Any]]]
    fixed: list[str]


@dataclass(frozen=True, slots=True)
class Start:
    """A deployment or a rollback that begins.

    Attributes:
        operation: its id, the key by which GitHub's deployment is found again.
        release: the release's id, where it is known already.
        commit: what it was made from; empty: the commit of the run.
        tag: the release tag, if it has one.
    """

    operation: str
    kind: Kind = "deploy"
    release: str = ""
    commit: str = ""
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """The workflow run that reports; empty strings where there is none.

    Attributes:
        url: the run's page; ``id`` and ``attempt`` count up.
        commit: the commit that people look at: of a pull request its head.
        sources: the commit that is checked out: of a pull request its merge; ``ref`` names it.
    """

    server: str = "https://github.com"
    repository: str = ""
    url: str = ""
    id: int = 0
    attempt: int = 1
    actor: str = ""
    event: str = ""
    ref: str = ""
    commit: str = ""
    sources: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """All that this run knows of one target; every face is rendered from it. ``sarif`` is for code scanning."""

    target: Target
    run: Run = Run()
    check: CheckReport | None = None
    strict: bool = False
    plan: PlanReport | None = None
    plan_error: ErrorReport | None = None
    start: Start | None = None
    end: DeploymentReport | None = None
    sarif: str = ""


class Platform(Protocol):
    """Where a story is published. Each method may raise, and may be called again with the same or a newer story."""

    def comment(self, story: Story) -> None:
        """Write the one comment of this target on the pull request, if there is one."""

    def check(self, story: Story) -> None:
        """Write the check run of this target on the commit."""

    def scanning(self, story: Story) -> None:
        """Hand the findings to code scanning."""

    def deployment(self, story: Story) -> None:
        """Create GitHub's deployment, or move it to the state of the story."""

    def summary(self, story: Story) -> None:
        """Write the summary of the job."""


@dataclass
class Reporter:
    """Takes each result as it comes and publishes it. No method raises; only ``close`` waits.

    Args:
        platform: where to publish; None: nowhere (the story is still told in full by ``story``).
        console: where an outage of GitHub is mentioned, as a warning.
        hopeless: says of a fault that asking again is of no use.
    """

    story: Story
    platform: Platform | None
    console: Console
    hopeless: Callable[[BaseException], bool] = lambda _: False
    _outbox: Outbox = field(init=False)

    def __post_init__(self) -> None:
        self._outbox = Outbox(self._complain, self.hopeless)

    def findings(self, report: CheckReport, *, strict: bool = False, sarif: str = "") -> None:
        """The check has ended; ``strict``: its warnings fail too; ``sarif``: code scanning is told as well."""
        self.story = replace(self.story, check=report, strict=strict, sarif=sarif)
        self._publish("check", "comment", *(["scanning"] if sarif else []))

    def planned(self, plan: PlanReport | None, error: ErrorReport | None = None) -> None:
        """The plan is made, or (``error``) could not be made."""
        self.story = replace(self.story, plan=plan, plan_error=error)
        self._publish("check", "comment")

    def started(self, start: Start) -> None:
        """A deployment or rollback goes to the host now."""
        self.story = replace(self.story, start=start)
        self._publish("deployment", "comment")

    def finished(self, end: DeploymentReport) -> None:
        """It ended, whatever the ending; ``RUNNING`` means that we lost sight of it."""
        self.story = replace(self.story, end=end)
        self._publish("deployment", "comment")

    @property
    def refused(self) -> frozenset[str]:
        """The faces that GitHub will not take from this run."""
        return frozenset(self._outbox.refused)

    def close(self, seconds: float = 90.0) -> list[str]:
        """Write the summary, wait for what is under way, retry what failed; return the faces that are missing.

        Args:
            seconds: how long to wait altogether.
        """
        missing = [*self._summary(), *self._outbox.close(seconds)]
        for face in missing:
            self.console.say(self.console.text("github.missing", face=self.console.text(f"github.face.{face}")))
        return missing

    def _summary(self) -> list[str]:
        """Write the summary at once: it needs no network, so it does not queue behind what waits for one."""
        if self.platform is None:
            return []
        try:
            self.platform.summary(self.story)
        except Exception as fault:
            self._complain("summary", fault)
            return ["summary"]
        return []

    def _publish(self, *faces: str) -> None:
        story, platform = self.story, self.platform
        if platform is None:
            return
        for face in faces:
            self._outbox.put(face, _job(getattr(platform, face), story))

    def _complain(self, face: str, fault: BaseException) -> None:
        if isinstance(fault, IkomaError) and fault.remedy():
            self.console.fault(fault)
            return
        name = self.console.text(f"github.face.{face}")
        said = "github.denied" if self.hopeless(fault) else "github.outage"
        self.console.say(self.console.text(said, face=name, reason=_reason(fault, self.console.lang)))


def _job(publish: Callable[[Story], None], story: Story) -> Callable[[], None]:
    return lambda: publish(story)


def _reason(fault: BaseException, lang: str) -> str:
    return fault.message(lang) if isinstance(fault, IkomaError) else str(fault) or type(fault).__name__
