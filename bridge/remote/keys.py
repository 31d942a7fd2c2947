"""SSH keys of people and of CI: private ones from a file or from memory, public ones from a file."""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from paramiko import ECDSAKey, Ed25519Key, PasswordRequiredException, RSAKey, SSHException

from agent.model.errors import Misuse
from agent.model.secret import Secret

_KINDS: Final = (Ed25519Key, ECDSAKey, RSAKey)
_PUBLIC_TYPES: Final = ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-", "sk-ssh-ed25519@", "sk-ecdsa-sha2-")


def private_key(source: Secret | Path) -> Any:
    """Return a paramiko key from a file's path or from the key's own text (never written to disk).

    Raises:
        Misuse: ``remote.key_missing``, ``remote.key_passphrase`` or ``remote.key_invalid``.
    """
    text, name = (_file(source), str(source)) if isinstance(source, Path) else (source.reveal(), "the key given")
    for kind in _KINDS:
        try:
            return kind.from_private_key(io.StringIO(tidy(text)))
        except PasswordRequiredException:
            raise Misuse("remote.key_passphrase", key=name) from None
        except (SSHException, ValueError, IndexError, UnicodeError):
            continue  # another kind of key, or no key at all
    raise Misuse("remote.key_invalid", key=name) from None


def tidy(text: str) -> str:
    r"""Return a key as it was before it went through a form field: real line ends, one at the end.

    CI variables often carry ``\n`` as two characters, Windows line ends, or no last line end.
    """
    if "\n" not in text.strip():
        text = text.replace("\\n", "\n")
    lines = [line.strip() for line in text.strip().splitlines()]
    return "\n".join(lines) + "\n"


def source(value: str) -> Secret | Path:
    """Return what an option or variable means: the key itself when it looks like one, else the path of its file."""
    return Secret(value) if value.lstrip().startswith("-----BEGIN") else Path(value).expanduser()


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One public key as authorized_keys holds it, without its comment."""

    kind: str
    blob: str

    @property
    def line(self) -> str:
        return f"{self.kind} {self.blob}"

    @property
    def fingerprint(self) -> str:
        """``SHA256:…`` as OpenSSH prints it."""
        digest = hashlib.sha256(base64.b64decode(self.blob)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def public_key(path: Path) -> PublicKey:
    """Return the key in a ``.pub`` file. Raises ``Misuse``: ``remote.key_missing`` or ``remote.public_key_invalid``."""
    return parse_public(_file(path), str(path))


def parse_public(text: str, name: str) -> PublicKey:
    """Return the key in one line of text; options before it are refused, a comment after it is dropped."""
    words = text.split()
    if len(text.strip().splitlines()) != 1 or len(words) < 2 or not words[0].startswith(_PUBLIC_TYPES):
        raise Misuse("remote.public_key_invalid", key=name)
    try:
        raw = base64.b64decode(words[1], validate=True)
    except ValueError:
        raise Misuse("remote.public_key_invalid", key=name) from None
    if raw[4 : 4 + len(words[0])] != words[0].encode():
        raise Misuse("remote.public_key_invalid", key=name)
    return PublicKey(words[0], words[1])


def _file(path: Path) -> str:
    try:
        return path.expanduser().read_text()
    except (OSError, UnicodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        raise Misuse("remote.key_missing", key=path, reason=reason) from None
