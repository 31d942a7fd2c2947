"""What looks like a secret: by its shape, or by the name it goes by. Pure; values are never repeated in a message."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Final

_SHAPES: Final = re.compile(
    r"AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{50,}|xox[abprs]-[\w-]{10,}|sk_live_\w{16,}|rk_live_\w{16,}|"
    r"-----BEGIN [A-Z ]*PRIVATE KEY|AIza[0-9A-Za-z_-]{35}|glpat-[\w-]{20}|npm_[A-Za-z0-9]{36}|"
    r"(?<![\w-])sk-(?:ant-[\w-]{20,}|[\w-]{32,})|whsec_[A-Za-z0-9]{24,}|SG\.[\w-]{16,}\.[\w-]{16,}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"
)
_NAMES: Final = re.compile(
    r"(?:^|_)(?:SECRET|PASSWORD|PASSWD|PWD|TOKEN|PRIVATE_KEY|CREDENTIALS?|API_?KEY|ACCESS_?KEY|SERVICE_ROLE(?:_KEY)?|"
    r"ENCRYPTION_KEY|SIGNING_KEY|AUTH_KEY|SALT|PASSPHRASE)(?:_|$)",
    re.IGNORECASE,
)
_HARMLESS: Final = re.compile(
    r"(?:^|_)(?:FILE|PATH|URL|URI|HOST|PORT|NAME|ID|EXPIR\w*|TTL|ENABLED|DISABLED|PUBLIC|TYPE|LENGTH|ISSUER|HEADER|"
    r"ALGORITHM|ENDPOINT|SITE_?KEY|LIMIT|AGE|COUNT|REGION|DIR|TIMEOUT|PUBLISHABLE\w*|ANON\w*)(?:_|$)",
    re.IGNORECASE,
)
_PLACEHOLDER: Final = re.compile(
    r"^$|\$|^<.*>$|^\{\{|change|example|placeholder|dummy|your|xxx|todo|replace|secret|password|postgres|test|fake|build|"
    r"^(?:true|false|null|none|0|1|-)$|^(.)\1*$",
    re.IGNORECASE,
)


_REFERENCE: Final = re.compile(r"\$\{[^}]*\}")
_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]*://([^\s:/?#@]*):([^\s/?#@]+)@[^\s@]", re.IGNORECASE)


def has_shape(value: str) -> bool:
    """Return whether ``value`` has the shape of a key that some service gives out."""
    return _SHAPES.search(value) is not None


def is_name(name: str) -> bool:
    """Return whether a variable of this name usually holds a secret."""
    return _NAMES.search(name) is not None and _HARMLESS.search(name) is None


def is_value(value: str) -> bool:
    """Return whether ``value`` may be a real one: no reference, no placeholder, long and mixed enough."""
    text = value.strip("\"'")
    return len(text) >= 8 and _PLACEHOLDER.search(text) is None and _entropy(text) >= 2.5


def has_password(value: str) -> bool:
    """Return whether ``value`` holds an address with a password that may be a real one."""
    found = _ADDRESS.findall(_REFERENCE.sub("$", value))
    return any(password != user and is_value(password) for user, password in found)


def is_secret(name: str, value: str) -> bool:
    """Return whether a variable holds what looks like a secret: by shape, by name, or inside an address."""
    return has_shape(value) or has_password(value) or (is_name(name) and is_value(value))


def _entropy(text: str) -> float:
    counts = Counter(text)
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())
