"""Host keys: which ones are trusted for a host, from a known_hosts text or a pinned key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from paramiko import HostKeys, SSHException
from paramiko import hostkeys as lines

from agent.model.errors import Misuse

USUAL: Final = Path("~/.ssh/known_hosts")
"""Where OpenSSH keeps the hosts of a person; it need not exist."""


@dataclass(frozen=True)
class Pins:
    """The keys trusted for one host. ``source`` names where they come from, for messages."""

    name: str
    keys: tuple[Any, ...]
    source: str

    def fingerprints(self) -> str:
        """Return the SHA-256 fingerprints of the trusted keys, for a message."""
        return ", ".join(f"{key.fingerprint} ({key.get_name()})" for key in self.keys)

    def trusts(self, key: Any) -> bool:
        """Say whether ``key`` is one of the trusted keys."""
        return any(key == mine for mine in self.keys)

    def only(self, key: Any) -> Pins:
        """Return the same pins reduced to one key."""
        return Pins(self.name, (key,), self.source)

    def host_keys(self) -> HostKeys:
        """Return them in the form paramiko looks keys up in."""
        table = HostKeys()
        for key in reversed(self.keys):  # of several keys of one type the first is the one compared
            table.add(self.name, key.get_name(), key)
        return table


def lookup_name(host: str, port: int) -> str:
    """Return how known_hosts writes this host: ``host``, or ``[host]:port`` for another port than 22."""
    return host if port == 22 else f"[{host}]:{port}"


def pins(host: str, port: int, known_hosts: str | Path = "", host_key: str = "") -> Pins:
    """Return the keys trusted for ``host``.

    Args:
        known_hosts: text in the format of known_hosts, or the path of such a file.
        host_key: one pinned key, ``ssh-ed25519 AAAA…``; counts for this host whatever its name.

    Raises:
        Misuse: ``remote.known_hosts_missing`` or ``remote.host_key_invalid``.
    """
    name = lookup_name(host, port)
    if host_key:
        return Pins(name, (_pinned(host_key),), "the pinned host key")
    text, source = _read(known_hosts)
    return Pins(name, _matching(text, name), source)


def _read(known_hosts: str | Path) -> tuple[str, str]:
    if isinstance(known_hosts, str):
        return known_hosts, "known_hosts"
    path = known_hosts.expanduser()
    if path == USUAL.expanduser() and not path.exists():
        return "", str(known_hosts)  # whoever never used ssh trusts nobody yet, and is shown the key
    try:
        return path.read_text(errors="replace"), str(known_hosts)
    except OSError as error:
        raise Misuse("remote.known_hosts_missing", file=known_hosts, reason=error.strerror or error) from None


def _pinned(host_key: str) -> Any:
    words = host_key.split()
    start = next((index for index, word in enumerate(words) if word.startswith(("ssh-", "ecdsa-"))), 0)
    entry = _entry(" ".join(["pinned", *words[start : start + 2]]))
    if entry is None:
        raise Misuse("remote.host_key_invalid", value=host_key[:60])
    return entry.key


def _matching(text: str, name: str) -> tuple[Any, ...]:
    trusted, revoked = [], []
    for line in text.splitlines():
        marker, _, rest = line.strip().partition(" ")
        if marker == "@revoked":
            revoked += _keys_for(rest, name)
        elif not marker.startswith(("#", "@")):
            trusted += _keys_for(line, name)
    return tuple(key for key in trusted if not any(key == bad for bad in revoked))


def _keys_for(line: str, name: str) -> list[Any]:
    entry = _entry(line)
    return [entry.key] if entry is not None and any(_names(host, name) for host in entry.hostnames) else []


def _names(written: str, name: str) -> bool:
    if not written.startswith("|1|"):
        return bool(written == name)
    try:
        return bool(HostKeys.hash_host(name, written) == written)
    except (ValueError, AssertionError):
        return False


def _entry(line: str) -> Any:
    """Parse one line; None for anything that is no key (a comment, damage, a type not known here)."""
    try:
        entry = lines.HostKeyEntry.from_line(line.strip())
    except (lines.InvalidHostKey, SSHException, ValueError):
        return None
    return entry if entry is not None and entry.key is not None else None
