"""``bridge init``: write the contract from what the repository shows."""

from __future__ import annotations

from bridge.commands.edge import console
from bridge.commands.options import shared
from bridge.pipeline.settings import Flags


@shared("repo", "app")
def init(flags: Flags) -> None:
    """Write ikoma.release.json from what is found, and say why each thing was guessed.

    An existing contract is never touched.

    \b
    Examples:
      python -m bridge init
      python -m bridge init --repo ../shop --app shop
    """
    from bridge.workspace import guess

    speaker = console()
    found = guess.propose(flags.repo, flags.app)
    path = guess.write(flags.repo, found)
    said = [speaker.text("say.wrote", path=path), *(f"  {line}" for line in found.lines(speaker.lang))]
    report = {"file": str(path), "contract": found.contract, "reasons": found.lines(speaker.machine_lang)}
    speaker.answer(report, "\n".join(said))
