"""Which installs leave devDependencies out: what the pinned package manager does with NODE_ENV and its flags. Pure."""

from __future__ import annotations

import re

from bridge.workspace.builds import Image
from bridge.workspace.layers import Run
from bridge.workspace.monorepo import Monorepo

_OFF = ("--prod=false", "--production=false", "--no-production", "--include=dev", "--dev", "-D", "--no-prod")


def leaves_out(image: Image, run: Run) -> str:
    """Return why an install leaves devDependencies out, as people would say it; empty when it does not."""
    command, repo = run.command, image.repo
    if command.has(*_OFF) or "dev" in command.options("--include"):
        return ""
    if "false" in command.options("--prod", "--production"):
        return ""
    for flag in ("--prod", "-P", "--production", "--only=production", "--only=prod", "--omit=dev", "--prod=true"):
        if command.has(flag):
            return flag
    if "dev" in command.options("--omit", "-omit") or "prod" in " ".join(command.options("--only")):
        return "--omit=dev"
    variable = _environment(run)
    return variable if variable and drops_by_environment(repo, image, command.program) else ""


def _environment(run: Run) -> str:
    if run.values.get("NPM_CONFIG_PRODUCTION", "").lower() == "true":
        return "NPM_CONFIG_PRODUCTION=true"
    return "NODE_ENV=production" if run.values.get("NODE_ENV") == "production" else ""


def drops_by_environment(repo: Monorepo, image: Image, program: str) -> bool:
    """Return whether ``program`` skips devDependencies for NODE_ENV=production: npm, yarn 1 and pnpm up to 9 do."""
    if program == "npm":
        return True
    major = repo.manager.major if repo.manager.name == program and repo.manager.pinned else installed(image, program)
    if program == "yarn":
        return (major or repo.manager.major or 1) < 2
    return program == "pnpm" and major is not None and major < 10


def installed(image: Image, program: str) -> int | None:
    """Return the major version of a package manager that the Dockerfile itself installs; None when it names none."""
    for run in image.runs:
        for word in run.command.words:
            if match := re.fullmatch(rf"{program}@[\^~]?v?(\d+)(?:\..*)?", word):
                return int(match[1])
    return None
