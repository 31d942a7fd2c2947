"""``alerts.set``: to whom alerts between deployments go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from agent.capabilities.index import Capability
from agent.model.errors import Misuse

if TYPE_CHECKING:
    from agent.capabilities.call import Call

CAPABILITY = Capability(
    "alerts.set",
    role="builder",
    changes=False,
    module=__name__,
    summary_en="Say who is told of alerts: addresses as Apprise writes them, a line each (receivers=@FILE lang=fr).",
    summary_fr="Dire qui reçoit les alertes : des adresses au format d'Apprise, une par ligne (receivers=@FICHIER).",
    needs_target=False,
    takes=("receivers", "lang", "deployments"),
    secret_args=("receivers",),
    writes=True,
)


@dataclass(frozen=True)
class Args:
    """The addresses, in place of those before; none turns alerts off. They are secrets and never shown again.

    ``deployments`` has the end of each deployment told as well.
    """

    receivers: str = ""
    lang: Literal["en", "fr"] | None = None
    deployments: bool = True


@dataclass(frozen=True)
class Result:
    """Who is told now: the sort of each address, and a mark that is the same for the same address."""

    receivers: list[dict[str, str]]
    lang: str


def run(call: Call) -> dict[str, Any]:
    """Keep the addresses. Raises ``Misuse`` (``alert.host``, ``alert.address``, ``alert.many``)."""
    from agent.host import alerting

    if not call.grant.everything:
        raise Misuse("alert.host", key=call.key)
    lang = str(call.args.get("lang") or call.lang)
    deployments = str(call.args.get("deployments", True)).lower() not in ("false", "no", "0")
    text = call.args.get("receivers", "")
    found = alerting.store(
        call.paths, text if isinstance(text, str) else "?", "fr" if lang == "fr" else "en", deployments
    )
    return {"receivers": [one.to_json() for one in found], "lang": lang}
