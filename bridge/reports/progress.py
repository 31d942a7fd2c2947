"""Progress as it happens: plain grouped lines anywhere, and a line that moves on a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from agent.protocol import Event
from bridge.reports.console import Console
from bridge.reports.text import clean, headline, seconds

_MARKS = {"done": "✓", "skipped": "–", "failed": "✗", "undone": "↺"}


class Progress:
    """Plain lines, a heading a stage; in GitHub Actions each stage is a group that folds."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.stages: list[tuple[str, float]] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Show what happens inside as the stage ``name`` and note how long it took."""
        started = time.monotonic()
        self._open(name)
        try:
            yield
        finally:
            self.stages.append((name, round(time.monotonic() - started, 3)))
            self._close()

    def note(self, text: str) -> None:
        """Say something that happened inside the running stage."""
        self.console.say(f"  {text}")

    def busy(self, text: str) -> None:
        """Say what is being done now; on a terminal it is replaced by what comes next."""
        self.note(text)

    def event(self, event: Event) -> None:
        """Show one event of an operation."""
        if event.kind == "step" and event.data.get("status") == "started":
            self.started(str(event.data.get("step", "")))
        elif line := sentence(event, self.console):
            self.note(line)

    def started(self, step: str) -> None:
        """A step began. Plain lines only show how it ended."""

    def _open(self, name: str) -> None:
        if self.console.actions:
            self.console.command("group", name)
        else:
            self.console.say(name)

    def _close(self) -> None:
        self.console.command("endgroup")


class LiveProgress(Progress):
    """Finished lines scroll; the last line shows what runs, with its seconds."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        from rich.console import Console as Terminal
        from rich.live import Live

        self._doing, self._since = "", time.monotonic()  # Live asks for what it shows before it is shown
        self._terminal = Terminal(file=console.people, markup=False, highlight=False, emoji=False, soft_wrap=True)
        self._live = Live(console=self._terminal, refresh_per_second=10, transient=True, get_renderable=self._render)

    def note(self, text: str) -> None:
        from rich.text import Text

        self._terminal.print(Text(self.console.line(f"  {text}"), style=_style(text)))

    def busy(self, text: str) -> None:
        self.started(text)

    def started(self, step: str) -> None:
        self._doing, self._since = self.console.line(step), time.monotonic()

    def _open(self, name: str) -> None:
        from rich.text import Text

        self._terminal.print(Text(name, style="bold"))
        self.started(name)
        self._live.start()

    def _close(self) -> None:
        self._live.stop()

    def _render(self) -> Any:
        from rich.spinner import Spinner
        from rich.text import Text

        if not hasattr(self, "_spinner"):
            self._spinner = Spinner("dots", style="cyan")
        elapsed = time.monotonic() - self._since
        self._spinner.update(text=Text(f"{self._doing}  {seconds(elapsed)}", style="dim"))
        return self._spinner


def _style(line: str) -> str:
    return {"✗": "red", "✓": "green", "↺": "yellow"}.get(line.lstrip()[:1], "")


def progress(console: Console) -> Progress:
    """Return the face that fits where ``console`` speaks."""
    return LiveProgress(console) if console.lively else Progress(console)


def sentence(event: Event, console: Console) -> str:
    """Return the line that shows ``event``, or nothing when people need not see it."""
    data = event.data
    if event.kind == "step":
        return _step(data)
    if event.kind == "progress":
        return f"    {clean(data.get('text', ''))}"
    if event.kind == "log":
        return f"    {clean(data.get('service', ''))} | {clean(data.get('line', ''))}"
    if event.kind == "waiting":
        return console.text("say.waiting", holder=data.get("holder", ""), since=data.get("since", ""),
                            client=_client(data.get("client")))  # fmt: skip
    if event.kind == "warning":
        return console.text("say.warning", text=data.get("message", ""))
    return console.text("say.recovered") if event.kind == "recovered" else ""


def _step(data: dict[str, Any]) -> str:
    status = str(data.get("status", ""))
    took = seconds(float(data.get("seconds") or 0.0))
    head = f"{_MARKS.get(status, '·')} {clean(data.get('step', '')):<14} {took:>7}"
    return f"{head}  {headline(data.get('detail', ''))}".rstrip()


def _client(value: Any) -> str:
    """Return who holds a lock: ``anna, run https://…`` from what that client said of itself."""
    if not isinstance(value, dict):
        return clean(value or "?")
    return ", ".join(clean(value[key]) for key in ("actor", "repository", "run") if value.get(key)) or "?"
