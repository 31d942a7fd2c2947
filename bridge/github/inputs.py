"""What the Action takes and gives, in one list. ``action.yml`` and the docs are held to it by a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["text", "secret", "list", "flag", "number", "choice"]

PREFIX: Final = "IKOMA_INPUT_"
COMMANDS: Final = ("check", "plan", "deploy", "rollback", "report", "attach")
_HOSTED: Final = frozenset({"plan", "deploy", "rollback"})
_BUILT: Final = frozenset({"plan", "deploy"})
_SOURCES: Final = frozenset({"check", "plan", "deploy"})
_ALL: Final = frozenset(COMMANDS)


@dataclass(frozen=True, slots=True)
class Input:
    """One input.

    Attributes:
        name: as ``action.yml`` spells it.
        about: one sentence, for ``action.yml`` and the table in the docs.
        kind: a ``list`` is one value a line, a ``flag`` is true or false, a ``secret`` is masked before its first use.
        default: as ``action.yml`` states it; an expression is GitHub's to evaluate.
        commands: the commands that use it; given to another one it is a contradiction.
        required: the commands that cannot do without it.
        choices: the only values of a ``choice``.
    """

    name: str
    about: str
    kind: Kind = "text"
    default: str = ""
    commands: frozenset[str] = _ALL
    required: frozenset[str] = frozenset()
    choices: tuple[str, ...] = ()

    @property
    def variable(self) -> str:
        """The variable in which ``action.yml`` hands it over."""
        return PREFIX + self.name.upper().replace("-", "_")


@dataclass(frozen=True, slots=True)
class Output:
    """One output; its name and meaning never change."""

    name: str
    about: str


INPUTS: Final = (
    Input("command", "What to do: `check`, `plan` (with the check), `deploy`, `rollback`, `report` (publish what an "
          "earlier job without rights found), or `attach` (add a kept release to the GitHub release of the tag).",
          "choice", required=_ALL, choices=COMMANDS),
    Input("working-directory", "The app's folder, the one that holds `ikoma.release.json`.", default="."),
    Input("app", "The app, where no contract names it (a rollback needs no checkout)."),
    Input("environment", "The environment of the app.", default="production"),
    Input("host", "The host of the agent; otherwise the contract says it.", commands=_HOSTED),
    Input("port", "Its SSH port (22).", "number", commands=_HOSTED),
    Input("user", "Its user (`ikoma`).", commands=_HOSTED),
    Input("host-key", "The host's public key, as `type base64`; otherwise `known-hosts` or the contract pins it. "
          "Nothing is trusted on first use.", commands=_HOSTED),
    Input("known-hosts", "Lines of a known_hosts file, instead of `host-key`.", commands=_HOSTED),
    Input("ssh-key", "The private key that may call the agent: its text. It is never written to disk.", "secret",
          commands=_HOSTED, required=_HOSTED),
    Input("registry", "Where images go, such as `ghcr.io/you`.", commands=_HOSTED, required=_BUILT),
    Input("registry-user", "The registry's user.", default="${{ github.actor }}", commands=_HOSTED),
    Input("registry-token", "The registry's token; for `ghcr.io` the `github-token` when empty.", "secret",
          commands=_HOSTED),
    Input("only", "Services to build and deploy, one a line; the others stay as they are.", "list", commands=_BUILT),
    Input("accept", "Stateful services that may be replaced, one a line.", "list", commands=frozenset({"deploy"})),
    Input("build-values", "Public values for the build, `NAME=value` a line; they are part of the content tag.", "list",
          commands=_BUILT),
    Input("sbom", "Whether images carry a list of what they hold: `true` (BuildKit pulls Docker's scanner for that), "
          "or the image of another scanner.", commands=frozenset({"deploy"})),
    Input("env-file", "Values of the app for the host, `NAME=value` a line, sent before the deployment. Never for the "
          "agent's own values.", "secret", commands=frozenset({"deploy"})),
    Input("release", "A release that exists: the path of a kept one, or the commit whose release stands in the "
          "registry. `deploy` deploys it without building; `attach` takes a kept one.",
          commands=frozenset({"deploy", "attach"}), required=frozenset({"attach"})),
    Input("to", "The release to go back to, `r-` and 12 digits; empty: the one before.",
          commands=frozenset({"rollback"})),
    Input("if-busy", "What to do while another operation holds the app.", "choice", "wait",
          frozenset({"deploy"}), choices=("wait", "refuse")),
    Input("strict", "Whether warnings of the check fail too.", "flag", "false",
          frozenset({"check", "plan", "report"})),
    Input("sarif", "Whether code scanning gets the findings too; needs `security-events: write`.", "flag", "false",
          frozenset({"check", "plan"})),
    Input("report-file", "For `report`: the file that the earlier job kept.", commands=frozenset({"report"}),
          required=frozenset({"report"})),
    Input("give-up", "Seconds until a host that stays away is left alone with the operation (600).", "number",
          commands=_HOSTED),
    Input("language", "`en` or `fr`.", "choice", "en", choices=("en", "fr")),
    Input("cache", "Whether installed packages are kept between runs. `deploy` never uses the cache.", "flag", "true"),
    Input("github-token", "What reports are written with; without write access they go to the job's summary alone.",
          "secret", "${{ github.token }}"),
)  # fmt: skip

OUTPUTS: Final = (
    Output("status", "How it ended: `PASSED`, `REFUSED`, `PLANNED`, `HEALTHY`, `FAILED`, `ROLLED_BACK`, `INTERRUPTED`, "
           "`RUNNING` (lost sight of, still going on), `ATTACHED`, `SKIPPED` or `MISUSE`."),
    Output("release", "The release's id, where there is one."),
    Output("operation", "The operation's id on the host, where there is one."),
    Output("report", "The path of the whole report as JSON (docs/json.md)."),
    Output("findings", "How many errors and warnings the check found; empty where nothing was checked."),
)  # fmt: skip

NAMES: Final = {item.name: item for item in INPUTS}
