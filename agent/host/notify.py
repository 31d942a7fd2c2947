"""Sending one message to one address, by Apprise. Imported by what sends, and by nothing else: Apprise is large."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

import apprise

from agent.model.secret import Secret

_CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
_LOGGERS: Final = ("apprise", "requests", "urllib3")


def send(url: Secret, title: str, text: str) -> bool:
    """Send a message; say whether the other side took it. Raises nothing and logs nothing: an address is a secret.

    It takes at most some ten seconds: Apprise gives up on a server that does not answer after four.
    """
    for name in _LOGGERS:
        logging.getLogger(name).disabled = True
    if _CERTIFICATES.exists():
        os.environ.setdefault("REQUESTS_CA_BUNDLE", str(_CERTIFICATES))  # the host's own authorities count too
    try:
        sender = apprise.Apprise()
        return sender.add(url.reveal()) and bool(
            sender.notify(body=text, title=title, body_format=apprise.NotifyFormat.TEXT)
        )
    except Exception:  # foreign code, and its words may hold the address
        return False
