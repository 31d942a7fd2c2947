"""An app's environment file on this side: read, written as a template, compared by name. Pure."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from agent.host import envfile
from agent.model.errors import Misuse
from bridge.workspace import words

_BARE: Final = re.compile(r"(?:export\s+)?[\w.-]+\s*=\s*(#.*)?")
_WITH_DEFAULT: Final = re.compile(r"(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*):?-([^{}$]*)\}")

_IN_CODE: Final = re.compile(
    r"""\b(?:process\.env|import\.meta\.env)(?:\.([A-Z][A-Z0-9_]*)|\[\s*["']([A-Z][A-Z0-9_]*)["']\s*\])"""
    r"""|\bos\.(?:environ(?:\.get\(|\[)|getenv\()\s*["']([A-Z][A-Z0-9_]*)["']"""
)
_EVERYWHERE: Final = frozenset({"CI", "HOME", "HOST", "HOSTNAME", "LANG", "NODE_ENV", "PATH", "PORT", "TZ", "USER"})

# A KEY alone may be anybody's (API_KEY): only one that says that it is the app's own secret is made up.
_SECRET: Final = re.compile(
    r"((^|_)(SECRET|SECRET_KEY|TOKEN|PASSWORD|PASSWD|PASSPHRASE|SALT|PEPPER)|^(SESSION|JWT)_(\w+_)?KEY)(_BASE|_BASE64)?$"
)
# A random value would only look right: these are handed out by somebody else, or are meant for everybody.
_FOREIGN: Final = re.compile(
    r"PUBLIC|PRIVATE_KEY|ACCESS_KEY|API_KEY|(^|_)(AWS|S3|R2|MINIO|STRIPE|OPENAI|ANTHROPIC|MISTRAL|GITHUB|GITLAB|GOOGLE|AZURE|SENTRY|RESEND"
    r"|SENDGRID|MAILGUN|POSTMARK|BREVO|TWILIO|SLACK|SMTP|SUPABASE|CLOUDFLARE|CLOUDINARY|CLERK|NPM|TURBO)_"
)
# Read by code alone, or empty by default: what may hold a stranger's name is not made up, a person is asked for it.
_CREDENTIAL: Final = re.compile(r"(^|_)(API|ACCESS|PRIVATE)_KEY$")
_SURELY_OWN: Final = re.compile(
    r"(^|_)(SESSION|COOKIE|JWT|CSRF|XSRF|NEXTAUTH)_(\w+_)?(SECRET|KEY|SALT)(_BASE|_BASE64)?$"
)
_OWN_WORDS: Final = frozenset({
    "ACCESS", "ADMIN", "API", "APP", "AUTH", "BACKEND", "BASE", "BASE64", "BETTER", "COOKIE", "CRON", "CSRF",
    "DJANGO", "DRAFT", "ENCRYPTION", "FLASK", "HASH", "HMAC", "INTERNAL", "INVITE", "JWT", "KEY", "LINK", "METRICS",
    "NEXTAUTH", "PASSPHRASE", "PASSWD", "PASSWORD", "PAYLOAD", "PEPPER", "PREVIEW", "RAILS", "REFRESH", "RESET",
    "REVALIDATE", "REVALIDATION", "SALT", "SECRET", "SERVER", "SESSION", "SIGNING", "STATE", "TOKEN", "VERIFICATION",
    "WEB", "XSRF",
})  # fmt: skip
_ANYBODYS: Final = re.compile(r"(API_)?((ACCESS|REFRESH)_)?TOKEN|API_SECRET(_KEY)?")
# What a compose file says of a value without saying anything about it.
_NO_HINT: Final = re.compile(
    r"([\w.-]+ )?((is|are|be) )?(must be (set|given|provided|defined)\b.*|(please )?(set|define|provide)( [\w.-]+)?"
    r"|required|mandatory|missing|not set|unset|empty)?( in \S+)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A value that the app asks for.

    Attributes:
        default: None when the app cannot start without a value.
        told: what its author says about it: then only a person can give the right value.
    """

    name: str
    default: str | None = None
    told: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """What ``env init`` writes, and what it did with each name."""

    text: str
    generated: tuple[str, ...]
    to_fill: tuple[str, ...]
    kept: tuple[str, ...]


def parse(text: str, name: str) -> dict[str, str | None]:
    """Return key → value as docker compose would read them; a bare ``KEY=`` is still to be filled in: None.

    Raises:
        Misuse: ``cli.env_line`` with the line's number; its content is not shown.
    """
    found: dict[str, str | None] = {}
    line = 1
    for entry in envfile.parse(text.removeprefix("\ufeff")):
        stripped = entry.raw.strip()
        if entry.key:
            found[entry.key] = None if _BARE.fullmatch(stripped) else entry.value
        elif stripped and not stripped.startswith("#"):
            raise Misuse("cli.env_line", file=name, line=line)
        line += entry.raw.count("\n")
    return found


def wanted(required: Iterable[str], texts: Iterable[str], code: Iterable[str] = ()) -> list[Wanted]:
    """Return what an app asks for: ``required`` names, then those with a default, then what only its code reads.

    Args:
        texts: every text of the services' definitions, without what only the build uses.
        code: names that the sources read from the environment.
    """
    needed, texts = sorted(set(required)), list(texts)
    told = {name: said for text in texts for name, why in words.demands(text).items() if (said := hint(why))}
    defaults = dict.fromkeys(sorted(set(code)), "")
    defaults |= {match[1]: match[2] for text in texts for match in _WITH_DEFAULT.finditer(text)}
    asked = [Wanted(name, told=told.get(name, "")) for name in needed]
    return [*asked, *(Wanted(name, value) for name, value in defaults.items() if name not in needed)]


def hint(why: str) -> str:
    """Return what ``why`` of ``${NAME:?why}`` says about a value, on one line; empty for “must be set” and the like."""
    said = " ".join(why.split())
    return "" if _NO_HINT.fullmatch(said.rstrip(" .!…")) else said


def names_in_code(source: str) -> set[str]:
    """Return the names of environment variables that a source file reads, in the usual spellings."""
    return {next(filter(None, match.groups())) for match in _IN_CODE.finditer(source)} - _EVERYWHERE


def looks_secret(name: str) -> bool:
    """Say whether a random value is a good one for ``name``: a secret that is the app's own."""
    return bool(_SECRET.search(name)) and not _FOREIGN.search(name)


def is_surely_own(name: str) -> bool:
    """Say whether ``name`` is a secret that nobody else can have handed out, though nothing insists on it."""
    own = _SURELY_OWN.search(name) or _OWN_WORDS.issuperset(name.split("_"))
    return looks_secret(name) and bool(own) and not _ANYBODYS.fullmatch(name)


def _fate(want: Wanted) -> Literal["made", "asked", "noted"]:
    """Say what becomes of a value: made up, asked of a person, or noted as one that may be given."""
    if want.default is None:
        return "made" if looks_secret(want.name) and not want.told else "asked"
    credential = _SECRET.search(want.name) or _CREDENTIAL.search(want.name)
    if want.default or not credential or "PUBLIC" in want.name:
        return "noted"
    return "made" if is_surely_own(want.name) else "asked"


def template(
    existing: str,
    asked: Iterable[Wanted],
    *,
    name: str = "app.env",
    comment: str = "",
    hints: Mapping[str, str] = {},
    generate: Callable[[], str] = lambda: secrets.token_hex(32),
) -> Template:
    """Return ``existing`` with what it lacks added; a value that is there is never touched.

    Args:
        comment: the first lines of a new file, without ``#``.
        hints: name → what to say above a value that is to be filled in, after what its author says.
        generate: makes a secret; by default 64 hex digits from the system's generator.

    Raises:
        Misuse: ``cli.env_line`` when ``existing`` is damaged.
    """
    have = parse(existing, name)
    asked = list(asked)
    lines = existing.splitlines() if existing else [f"# {line}".rstrip() for line in comment.splitlines()]
    made: list[str] = []
    open_: list[str] = []
    for want in asked:
        if have.get(want.name) is not None:
            continue
        fate = _fate(want)
        if want.default is not None and (fate == "noted" or want.name not in have) and _mentioned(want.name, lines):
            continue  # commented out, or left empty, by somebody who knew that it may be
        if fate == "noted":
            lines += ["", f"#{want.name}={want.default}"]
        elif fate == "made":
            lines, made = _put(lines, want.name, generate()), [*made, want.name]
        else:
            said = " ".join(filter(None, (want.told, hints.get(want.name))))
            lines, open_ = _put(lines, want.name, "", said), [*open_, want.name]
    kept = tuple(name for name, value in have.items() if value is not None)
    return Template("\n".join(lines).strip("\n") + "\n", tuple(made), tuple(open_), kept)


def _mentioned(name: str, lines: list[str]) -> bool:
    pattern = re.compile(rf"\s*#?\s*(export\s+)?{name}\s*=")
    return any(pattern.match(line) for line in lines)


def _put(lines: list[str], name: str, value: str, hint: str = "") -> list[str]:
    """Fill in the bare line ``NAME=``, or add one."""
    bare = re.compile(rf"[ \t]*(?:export[ \t]+)?{name}[ \t]*=[ \t]*(#.*)?")
    for index, line in enumerate(lines):
        if bare.fullmatch(line):
            return [*lines[:index], f"{name}={value}", *lines[index + 1 :]]
    return [*lines, "", *([f"# {hint}"] if hint else []), f"{name}={value}"]


def compare(here: Iterable[str], there: Iterable[str], needed: Iterable[str]) -> list[tuple[str, str]]:
    """Return (name, where): ``both``, ``only_here``, ``only_host``, or ``missing`` for what is needed and nowhere."""
    ours, theirs = set(here), set(there)
    both = dict.fromkeys(ours & theirs, "both")
    alone = dict.fromkeys(ours - theirs, "only_here") | dict.fromkeys(theirs - ours, "only_host")
    missing = dict.fromkeys(set(needed) - ours - theirs, "missing")
    return sorted((both | alone | missing).items())
