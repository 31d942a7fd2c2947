"""Monorepos of chosen sizes, made up, so that one can see how the time of a check grows with the files.

They look like real ones: packages of fifty files of some 150 lines, that import their neighbours, a package of the
workspace and one of the registry, a lock file that fits, and an image per app.
"""

from __future__ import annotations

import json
from pathlib import Path

FILES = 50
_LINES = "export const line{0} = (value: number) => value + {0}; // what a line of a source looks like\n"
_BODY = "".join(_LINES.format(number) for number in range(150))
_DOCKERFILE = """FROM node:22-bookworm-slim
WORKDIR /app
COPY . .
RUN pnpm install --frozen-lockfile && pnpm --filter @made/{0} build
CMD ["node", "apps/{0}/dist/f0.js"]
"""


def make(root: Path, files: int) -> None:
    """Write a pnpm workspace with about ``files`` sources into the empty folder ``root``."""
    count = max(files // FILES, 2)
    names = [f"p{number}" for number in range(count)]
    importers = ["  .: {}\n"]
    for number, name in enumerate(names):
        kind = "apps" if number % 10 == 0 else "packages"
        needs = {"left-pad": "^1.3.0"} | ({f"@made/{names[number + 1]}": "workspace:*"} if number + 1 < count else {})
        _package(root / kind / name, name, needs)
        importers.append(_importer(f"{kind}/{name}", needs, number + 1))
    head = "lockfileVersion: '9.0'\n\nsettings:\n  autoInstallPeers: true\n\nimporters:\n\n"
    packages = "\npackages:\n\n  left-pad@1.3.0:\n    resolution: {integrity: sha512-aaa}\n"
    _write(root / "pnpm-lock.yaml", head + "\n".join(importers) + packages)
    _write(root / "pnpm-workspace.yaml", "packages:\n  - apps/*\n  - packages/*\n")
    _write(root / "package.json", json.dumps({"name": "made", "private": True, "packageManager": "pnpm@10.0.0"}))
    _write(root / ".dockerignore", "**/node_modules\n**/.git\n**/dist\n**/.env*\n**/._*\n**/.DS_Store\n")


def _package(folder: Path, name: str, needs: dict[str, str]) -> None:
    data = {"name": f"@made/{name}", "private": True, "main": "src/f0.ts", "scripts": {"build": "tsc"},
            "dependencies": needs}  # fmt: skip
    _write(folder / "package.json", json.dumps(data, indent=2) + "\n")
    imports = [f'import "{need}";\n' for need in needs]
    for number in range(FILES):
        near = f'import {{ line1 as other }} from "./f{number + 1}";\nother(1);\n' if number + 1 < FILES else ""
        _write(folder / "src" / f"f{number}.ts", "".join(imports) + near + _BODY)
    if folder.parent.name == "apps":
        _write(folder / "Dockerfile", _DOCKERFILE.format(name))


def _importer(folder: str, needs: dict[str, str], following: int) -> str:
    lines = [f"  {folder}:", "    dependencies:"]
    for name, specifier in needs.items():
        kind = "apps" if following % 10 == 0 else "packages"
        version = "1.3.0" if name == "left-pad" else f"link:../../{kind}/p{following}"
        lines += [f"      '{name}':", f"        specifier: {specifier}", f"        version: {version}"]
    return "\n".join(lines) + "\n"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
