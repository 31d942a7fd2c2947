"""``alerts.test``: send a message that says nothing is wrong, now, and say who took it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.capabilities.index import Capability
from agent.model.errors import Misuse

if TYPE_CHECKING:
    from agent.capabilities.call import Call

CAPABILITY = Capability(
    "alerts.test",
    role="operator",
    changes=False,
    module=__name__,
    summary_en="Send a test to everybody who is told of alerts, and say who took it.",
    summary_fr="Envoyer un essai à tous ceux que préviennent les alertes, et dire qui l'a reçu.",
    needs_target=False,
    writes=True,
    additive=True,
)


@dataclass(frozen=True)
class Result:
    """Who was told. ``ok`` when everybody took it."""

    ok: bool
    receivers: list[dict[str, Any]]


def run(call: Call) -> dict[str, Any]:
    """Send the test. Raises ``Misuse`` (``alert.host``, ``alert.nobody``)."""
    import time

    from agent.host import alerting
    from agent.operations import alerts

    if not call.grant.everything:
        raise Misuse("alert.host", key=call.key)
    if not alerting.receivers(call.paths):
        raise Misuse("alert.nobody")
    from agent.host import notify

    told = alerts.test(call.paths, time.time(), notify.send)
    return {"ok": all(took for _, took in told), "receivers": [one.to_json() | {"sent": took} for one, took in told]}
