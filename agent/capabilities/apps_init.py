"""``apps.init``: the folder of a new app, with a place for everything. What is there already stays as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from agent.host.files import write_atomic
from agent.operations.step import Context, Outcome, Step
from agent.releases.folder import STARTER

_FOLDERS: Final = ("config", "migrations", "seeds")


class Init(Step):
    """Makes what is missing."""

    name = "init"

    def apply(self, ctx: Context) -> Outcome:
        home = ctx.home.base
        wanted = [*(home / name for name in _FOLDERS), ctx.home.compose]
        missing = [path for path in wanted if not path.exists()]
        ctx.note(made=[path.name for path in missing], fresh=not home.exists())
        for path in missing:
            _make(path)
        created, kept = ([path.name for path in wanted if (path in missing) is new] for new in (True, False))
        return Outcome(
            "done" if created else "skipped", str(home), {"folder": str(home), "created": created, "kept": kept}
        )

    def undo(self, ctx: Context) -> str:
        """Take away what was made, as long as nobody has put anything into it."""
        noted, home = ctx.notes(), ctx.home.base
        for name in noted.get("made", ()):
            _unmake(home / name)
        if noted.get("fresh") and home.is_dir() and not any(home.iterdir()):
            home.rmdir()
        return ", ".join(noted.get("made", ()))


def _make(path: Path) -> None:
    if path.name in _FOLDERS:
        path.mkdir(parents=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, STARTER)


def _unmake(path: Path) -> None:
    if path.is_dir() and not any(path.iterdir()):
        path.rmdir()
    elif path.is_file() and path.read_text() == STARTER:
        path.unlink()


def steps(_ctx: Context) -> list[Step]:
    """Return the one step there is."""
    return [Init()]
