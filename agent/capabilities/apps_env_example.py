"""``apps.env.example``: a template of the app's environment file, without any value that the host has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agent.capabilities.call import Call
from agent.host import envfile
from agent.model import messages
from agent.model.errors import Misuse
from agent.model.names import Target
from agent.releases import folder
from agent.releases.folder import Value
from agent.releases.site import Site

_DATABASE: Final = "DATABASE_URL"


def run(call: Call) -> str:
    """Return the text: what the compose file of the serving release (or of the app's folder) names, with its defaults.

    Raises:
        Misuse: ``apps.no_compose`` when there is neither.
    """
    site = Site.of(call, call.the_target)
    found = folder.look(site)
    if found is None:
        raise Misuse("apps.no_compose", target=call.the_target, folder=site.home.base)
    return "\n".join(_lines(call.the_target, found.source, folder.values(found), call.lang)) + "\n"


def _lines(target: Target, source: str, values: list[Value], lang: str) -> Iterator[str]:
    known = {"target": target, "source": source, "app": target.app, "environment": target.environment}
    yield "# " + messages.text("apps.env_head", known, lang)
    for value in values:
        yield ""
        for said in _said(value, lang):
            yield f"# {said}"
        yield f"{value.name}={envfile.quote(value.default or '')}"


def _said(value: Value, lang: str) -> Iterator[str]:
    if value.told:
        yield " ".join(value.told.split())
    elif value.required:
        database = value.name == _DATABASE
        yield messages.text("apps.env_database" if database else "apps.env_required", {}, lang)
