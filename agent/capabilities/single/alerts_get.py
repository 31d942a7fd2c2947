"""``alerts.get``: who is told of alerts, which ones stand, what could not be sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from agent.capabilities.index import Capability

if TYPE_CHECKING:
    from agent.capabilities.call import Call
    from agent.model.alerts import Watch

CAPABILITY = Capability(
    "alerts.get",
    role="observer",
    changes=False,
    module=__name__,
    summary_en="Which alerts stand, who is told of them, and who could not be reached.",
    summary_fr="Les alertes en cours, qui en est prévenu, et qui n'a pu être joint.",
    needs_target=False,
)


@dataclass(frozen=True)
class Result:
    """The alerts that the key may know of. Receivers are the host's, and shown to keys that are granted everything."""

    alerts: list[dict[str, Any]]
    receivers: list[dict[str, Any]]
    lang: str
    waiting: int


def run(call: Call) -> dict[str, Any]:
    """Return ``alerts``, ``receivers``, ``lang`` and how many messages wait to be sent."""
    from agent.host import alerting

    found = alerting.state(call.paths)
    known = alerting.receivers(call.paths) if call.grant.everything else []
    standing = {subject: one for subject, one in sorted(found.watches.items()) if one.raised and _may_know(call, one)}
    return {
        "alerts": [_shown(subject, one, call.lang) for subject, one in standing.items()],
        "receivers": [one.to_json() | {"failed": found.failures.get(one.mark)} for one in known],
        "lang": alerting.language(call.paths),
        "waiting": len(found.waiting) if call.grant.everything else 0,
    }


def _may_know(call: Call, one: Watch) -> bool:
    from agent.model.names import Target

    return call.grant.everything or (bool(one.slug) and call.grant.may_act_on(Target.from_slug(one.slug)))


def _shown(subject: str, one: Watch, lang: str) -> dict[str, Any]:
    from agent.model import messages

    since = datetime.fromtimestamp(one.bad_since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "subject": subject,
        "since": since,
        "id": one.fault,
        "message": messages.text(one.fault, one.params, lang),
        "remedy": messages.remedy(one.fault, one.params, lang),
    }
