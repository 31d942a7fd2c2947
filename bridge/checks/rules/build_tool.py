"""IKB103: the build needs a devDependency that the install leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bridge.checks import production
from bridge.checks.model import Finding, Rule, Severity
from bridge.workspace import shell
from bridge.workspace.builds import Image
from bridge.workspace.layers import Run
from bridge.workspace.manifests import Manifest

if TYPE_CHECKING:
    from bridge.checks.facts import Facts

ID = "IKB103"

_BINARIES = {
    "tsc": "typescript",
    "nest": "@nestjs/cli",
    "ng": "@angular/cli",
    "remix": "@remix-run/dev",
    "react-router": "@react-router/dev",
    "svelte-kit": "@sveltejs/kit",
    "babel": "@babel/cli",
    "swc": "@swc/cli",
    "tailwindcss": "@tailwindcss/cli",
    "run-p": "npm-run-all",
    "run-s": "npm-run-all",
}
_STEPS = {"run", "exec", "dlx", "workspace", "workspaces", "foreach", "-r", "x"}


def check(facts: Facts) -> Iterable[Finding]:
    for image in facts.images:
        for stage in sorted(image.reached):
            runs = _history(image, stage)
            installs = [run for run in runs if shell.is_install(run.command)]
            if installs and all(production.leaves_out(image, run) for run in installs):
                yield from _stage(facts, image, [run for run in runs if run.stage == stage], installs[-1])


def _history(image: Image, stage: int) -> list[Run]:
    """The commands that shaped a stage: its own and those of the stages that it starts from or copies modules of."""
    parents, pending = set[int](), [stage]
    while pending:
        if (index := pending.pop()) not in parents:
            parents.add(index)
            layer = image.walk.layers[index]
            pending += [layer.parent] if layer.parent is not None else []
            pending += [source for source, path in layer.pulls if _holds_modules(image, source, path)]
    return [run for run in image.runs if run.stage in parents]


def _holds_modules(image: Image, stage: int, path: str) -> bool:
    if "node_modules" in path:
        return True
    folders = {run.folder.strip("/") for run in image.installs if run.stage == stage}
    return any(folder == path or path in ("", ".") for folder in folders)


def _stage(facts: Facts, image: Image, runs: list[Run], install: Run) -> Iterator[Finding]:
    seen: set[str] = set()
    for run in runs:
        for manifest, program in _programs(image, run):
            package = _BINARIES.get(program, program)
            home = _only_dev(image, manifest, package)
            if home is not None and package not in seen:
                seen.add(package)
                yield _finding(facts, image, run, install, home, package)


def _programs(image: Image, run: Run) -> Iterator[tuple[Manifest, str]]:
    """Yield the programs that a build command starts, with the manifest whose script names them."""
    command = run.command
    here = _here(image, run)
    if command.program not in shell.MANAGERS:
        if command.program not in ("cd", "rm", "cp", "mv", "echo", "apk", "apt-get"):
            yield here, command.program
        if command.program == "turbo" and command.words[:1] != ("prune",):
            yield from _tasks(image, [word for word in command.plain if word != "run"])
        return
    if shell.is_install(command) or command.has("-g", "--global"):
        return
    names = [word for word in command.plain if word not in _STEPS]
    wanted = [image.repo.by_name[n] for n in (*(f.text.strip(".^") for f in shell.filters(command)), *names)
              if n in image.repo.by_name] or [here]  # fmt: skip
    for manifest in wanted:
        yield from _script(image, manifest, names[:1] if names[0:1] and names[0] in manifest.scripts else names, set())


def _here(image: Image, run: Run) -> Manifest:
    path = run.files.get(f"{run.folder.rstrip('/')}/package.json", "")
    folder = f"{image.prefix}{path}".rpartition("/")[0] or "."
    member = image.repo.members.get(folder)
    if member is not None or len(image.apps) != 1:
        return member or image.repo.root
    app = image.repo.by_name[next(iter(image.apps))]
    return app if run.folder.endswith("/" + app.folder) else image.repo.root


def _script(
    image: Image, manifest: Manifest, names: list[str], seen: set[tuple[str, str]]
) -> Iterator[tuple[Manifest, str]]:
    for name in names:
        if (manifest.folder, name) in seen or name not in manifest.scripts:
            continue
        seen.add((manifest.folder, name))
        for command in shell.commands(manifest.scripts[name]):
            if command.program == "turbo" and command.words[:1] != ("prune",):
                yield manifest, "turbo"
                yield from _tasks(image, [word for word in command.plain if word != "run"])
            elif command.program in shell.MANAGERS:
                yield from _script(image, manifest, [word for word in command.plain if word not in _STEPS], seen)
            else:
                yield manifest, command.program


def _tasks(image: Image, names: list[str]) -> Iterator[tuple[Manifest, str]]:
    for member in sorted(image.members):
        yield from _script(image, image.repo.by_name[member], names, set())


def _only_dev(image: Image, manifest: Manifest, package: str) -> Manifest | None:
    """Return the manifest that has ``package`` as a devDependency, when none above has it as a dependency."""
    homes = [manifest] if manifest is image.repo.root else [manifest, image.repo.root]
    hoists = image.repo.manager.linker == "hoisted"
    within = list(image.repo.members.values()) if hoists else homes
    if any(package in home.sections[s] for home in within for s in ("dependencies", "optionalDependencies")):
        return None
    return next((home for home in homes if package in home.sections["devDependencies"]), None)


def _finding(facts: Facts, image: Image, run: Run, install: Run, home: Manifest, package: str) -> Finding:
    why = production.leaves_out(image, install)
    line, column = facts.line_of(image.build.path, install.command.program, install.line, install.end)
    message = (
        f"{package} is a devDependency of {home.path}, {why} makes this install leave it out, and line {run.line} "
        f"needs it to build."
    )
    flag = {"pnpm": "--prod=false", "npm": "--include=dev", "yarn": "--production=false"}.get(
        install.command.program, ""
    )
    fix = (
        f"Install with {flag} in the stage that builds, and without devDependencies in the one that runs."
        if flag
        else ""
    )
    return Finding(ID, Severity.ERROR, image.build.path, line, column, message, package, image.name,
                   image.members | {image.name}, fix)  # fmt: skip


RULE = Rule(
    ID,
    "build-tool-left-out",
    Severity.ERROR,
    "D4",
    "Build tools such as tsup, typescript or turbo are devDependencies. An install with --prod or --omit=dev leaves "
    "them out, and so does NODE_ENV=production with npm, yarn 1 and pnpm up to 9, but not with pnpm 10 and later, "
    "yarn 2 and later, or bun: the version that packageManager pins decides. The rule follows stages and scripts "
    "from the install to the command that builds.",
    check,
)
