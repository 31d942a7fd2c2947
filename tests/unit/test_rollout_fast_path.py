"""What a call that finds nothing to do may import."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("pydantic", "psycopg", "invoke", "tenacity", "ruamel", "fabric", "paramiko")
FAST = (
    "agent.capabilities.deploy_apply", "agent.capabilities.status_get", "agent.capabilities.apps_status",
    "agent.capabilities.apps_health", "agent.releases.unchanged", "agent.releases.records", "agent.releases.status",
)  # fmt: skip


def test_the_way_to_nothing_to_do_imports_the_standard_library_alone() -> None:
    code = (
        f"import sys, {', '.join(FAST)}; print(*[name for name in sys.modules if name.partition('.')[0] in {HEAVY!r}])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_look_at_the_schema_costs_the_driver_and_nothing_else() -> None:
    heavy = tuple(name for name in HEAVY if name != "psycopg")
    code = (
        "import sys, agent.database.drift;"
        f" print(*[name for name in sys.modules if name.partition('.')[0] in {heavy!r}])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
