"""What an install leaves out, by the package manager that is pinned, and where imports of a package lead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.checks import production
from bridge.checks.facts import Facts


def built(root: Path, manager: str, command: str, environment: str = "NODE_ENV=production") -> str:
    """Why the install of an image with this command leaves devDependencies out; empty when it does not."""
    (root / "package.json").write_text(json.dumps({"name": "app", "packageManager": manager}), encoding="utf-8")
    variable = f"ENV {environment}\n" if environment else ""
    (root / "Dockerfile").write_text(f"FROM node:22\n{variable}COPY . .\nRUN {command}\n", encoding="utf-8")
    (image,) = Facts(root).images
    return production.leaves_out(image, image.installs[0])


@pytest.mark.parametrize(
    ("manager", "command", "out"),
    [
        ("pnpm@8.15.9", "pnpm install --frozen-lockfile", True),
        ("pnpm@9.15.9", "pnpm install --frozen-lockfile", True),
        ("pnpm@10.34.9", "pnpm install --frozen-lockfile", False),
        ("pnpm@11.2.0", "pnpm install --frozen-lockfile", False),
        ("npm@11.0.0", "npm ci", True),
        ("yarn@1.22.22", "yarn install --frozen-lockfile", True),
        ("yarn@4.5.0", "yarn install --immutable", False),
        ("bun@1.3.0", "bun install --frozen-lockfile", False),
        ("npm@11.0.0", "npm ci --include=dev", False),
        ("pnpm@9.15.9", "pnpm install --prod=false", False),
    ],
)
def test_node_env_leaves_devdependencies_out_with_some_package_managers(
    manager: str, command: str, out: bool, tmp_path: Path
) -> None:
    assert bool(built(tmp_path, manager, command)) is out


@pytest.mark.parametrize(
    ("manager", "command"),
    [
        ("pnpm@11.2.0", "pnpm install --prod"),
        ("npm@11.0.0", "npm ci --omit=dev"),
        ("npm@11.0.0", "npm ci --omit dev"),
        ("yarn@1.22.22", "yarn install --production"),
        ("bun@1.3.0", "bun install --production"),
    ],
)
def test_a_flag_leaves_them_out_whatever_the_version(manager: str, command: str, tmp_path: Path) -> None:
    assert built(tmp_path, manager, command, environment="")


def test_exports_and_imports_of_a_package_lead_to_its_sources(tmp_path: Path) -> None:
    entries = {
        "name": "@x/kit",
        "exports": {
            ".": {"types": "./dist/index.d.ts", "import": "./dist/index.js"},
            "./ui/*": "./dist/ui/*.js",
            "./hidden": None,
        },
        "imports": {"#own/*": "./src/*.ts"},
    }
    for name in ("src/index.ts", "src/ui/button.ts", "src/secret.ts"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("export {};\n", encoding="utf-8")
    (tmp_path / "package.json").write_text(json.dumps(entries), encoding="utf-8")
    facts = Facts(tmp_path)
    kit = facts.manifests["."]
    assert facts.graph.entries(kit, "@x/kit") == ("src/index.ts",)
    assert facts.graph.entries(kit, "@x/kit/ui/button") == ("src/ui/button.ts",)
    assert facts.graph.entries(kit, "@x/kit/secret") == ()
    assert facts.graph.entries(kit, "@x/kit/hidden") == ()
    assert facts.graph.local("#own/secret", "src/index.ts") == "src/secret.ts"
