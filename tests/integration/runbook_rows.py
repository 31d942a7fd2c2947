"""What operators of the systems before typed, row by row: each command as it stood, and what its row says it answers.

``{image}`` and ``{dsn}`` are the only words that a machine fills in. ``PHASES`` is typed in this order, on one host.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

ROWS: Final = frozenset({
    *(f"A{number}" for number in range(1, 9)), *(f"B{number}" for number in range(1, 23)),
    "C2", *(f"C{number}" for number in range(5, 12)), "D12",
})  # fmt: skip


@dataclass(frozen=True)
class Typed:
    """One command, the rows that it serves, and whether what it said is what they state."""

    rows: str
    command: str
    shows: Callable[[str], object] = bool


def _result(said: str) -> Any:
    return json.loads(said)["result"]


def _http(capability: str, role: str, body: str) -> str:
    return (
        f'curl -X POST http://localhost:3000/execute/{capability} -H "X-Api-Key: $API_KEY" -H "X-Role: {role}"'
        f" -H \"Content-Type: application/json\" -d '{body}'"
    )


def http(
    rows: str, capability: str, role: str, shows: Callable[[Any], object], more: str = "", app: str = "myapp"
) -> Typed:
    """Return a call as row-set B types it; ``shows`` judges what stands under ``.result``."""
    body = f'{{"appName":"{app}"{more}}}' if app else "{}"
    return Typed(rows, _http(capability, role, body), lambda said: shows(_result(said)))


def refused(rows: str, capability: str, role: str, body: str, status: int) -> Typed:
    """Return a call that must be refused, without a result."""

    def shows(said: str) -> bool:
        told = json.loads(said)
        return told["status"] == status and "result" not in told and bool(told["remedy"])

    return Typed(rows, _http(capability, role, body), shows)


def quiet(rows: str, command: str) -> Typed:
    """Return what an operator prepares; it says nothing."""
    return Typed(rows, command, lambda said: True)


def has(*words: str) -> Callable[[str], bool]:
    """Return whether all the words were said."""
    return lambda said: all(word in said for word in words)


COMPOSE: Final = r"""cat > /srv/apps/myapp/docker-compose.yml <<'EOF'
services:
  web:
    image: {image}
    command: ["/bin/sh", "-c", "echo $$GREETING; exec httpd -f -p 8080 -h /www"]
    environment: {GREETING: "${GREETING:?what it says}", DATABASE_URL: "${DATABASE_URL}"}
    volumes: ["./config:/www:ro"]
    expose: ["8080"]
    healthcheck:
      test: ["CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/"]
      interval: 1s
      start_period: 5s
      start_interval: 200ms
    init: true
EOF
echo hello > /srv/apps/myapp/config/index.html
echo '{"app": "myapp", "health": {"window": "1s"}}' > /srv/apps/myapp/ikoma.release.json"""

CONFLICT: Final = r"""ikoma call apps.init app=broken > /dev/null
cat > /srv/apps/broken/docker-compose.yml <<'EOF'
services:
  web: {image: "{image}", ports: ["3000:80"], environment: {KEY: "${NEEDED:?a key}"}}
EOF"""

SEARCH: Final = (
    "grep -rlF -e 'se#cret' -e 'se%23cret' --exclude=agent.env /var/lib/ikoma /var/log /etc /srv/apps || echo nowhere"
)
"""Looks for the password of the connection, as it is and as a URL spells it, outside of the agent's own file."""

PHASES: Final[dict[str, list[Typed]]] = {
    "IKOMA deployer: the first release": [
        Typed(
            "A1 A2",
            "ikoma supabase migrate --app ikomaposte --repo /opt/ikomaposte",
            has("Application de 0001_comptes.sql", "Application de 0002_lettres.sql", "Migration Supabase terminée"),
        ),
        Typed(
            "A1",
            "ikoma supabase migrate --app ikomaposte --repo /opt/ikomaposte",
            lambda said: "Application de" not in said and "Migration Supabase terminée" in said,
        ),
        Typed(
            "A3 A4 A5",
            "ikoma deploy up --app ikomaposte --ref main",
            has("HEALTHY", "Déploiement validé par healthcheck"),
        ),
        Typed("A4 A7", "ikoma status ikomaposte", has("HEALTHY")),
        Typed("A7", "ikoma history --app ikomaposte --json", lambda said: json.loads(said)[0]["id"]),
    ],
    "phase 1: the host and the app's folder": [
        http(
            "B14",
            "platform.check",
            "observer",
            lambda found: (
                found["healthy"]
                and found["checks"].items() >= {"docker": True, "postgres": True, "appsRoot": True}.items()
            ),
            app="",
        ),
        http("B1", "apps.init", "builder", lambda done: done["folder"] == "/srv/apps/myapp"),
        Typed("B1", "ls /srv/apps/myapp", has("config", "docker-compose.yml", "migrations", "seeds")),
        quiet("B1", COMPOSE),
        http("B2", "apps.env.example", "observer", lambda text: "GREETING=" in text and "what it says" in text),
        http("B6 B20", "apps.validate", "observer", lambda found: found["checks"]["environment"] is False),
        quiet("B2", "echo GREETING=bonjour > /srv/apps/myapp/app.env"),
    ],
    "phase 2: the database": [
        http("B3", "db.create", "builder", lambda done: done["status"] == "DONE"),
        http(
            "B4",
            "db.migrate",
            "builder",
            lambda done: len(done["migrations"]["applied"]) == 1,
            more=',"sql":"CREATE TABLE notes (id int PRIMARY KEY, text text);"',
        ),
        http(
            "B5",
            "db.status",
            "observer",
            lambda found: found["reachable"] and found["bytes"] and len(found["migrations"]["applied"]) == 1,
        ),
    ],
    "phase 3: before anything starts": [
        http("B6", "apps.validate", "observer", lambda found: found["valid"] and all(found["checks"].values())),
    ],
    "phase 4: start": [
        http("B7 B21", "deploy.up", "operator", lambda done: done["status"] == "HEALTHY"),
    ],
    "phase 5: is it what was released, and well?": [
        http("B8", "apps.status", "observer", lambda found: found["dockerRunning"] is True and found["release"]),
        http("B9 B21", "artifact.verify_release", "observer", lambda found: found["verified"] is True),
        http("B10 B21", "apps.health", "observer", lambda found: found["health"] == "healthy"),
        http("B5 B21", "db.status", "observer", lambda found: found["migrations"]["pending"] == []),
        http("B21", "db.list_backups", "observer", lambda found: found["folder"] == "/var/backups/ikoma/myapp"),
        http("B21", "alerts.get", "observer", lambda found: found["receivers"] == [] and "alerts" in found, app=""),
    ],
    "operations": [
        http("B11", "deploy.restart", "operator", lambda done: done["status"] == "HEALTHY"),
        http("B11", "deploy.down", "operator", lambda done: done["status"] == "DONE"),
        http("B8", "apps.status", "observer", lambda found: found["dockerRunning"] is False),
        http("B7 B11", "deploy.up", "operator", lambda done: done["status"] == "HEALTHY"),
        http(
            "B12 A8 C6",
            "db.backup",
            "operator",
            lambda done: done["backup"]["name"] == "myapp-20260101.sql",
            more=',"backupName":"myapp-20260101.sql"',
        ),
        Typed("B12", "ls /var/backups/ikoma/myapp/", has("myapp-20260101.sql")),
        http("B19", "apps.logs", "observer", lambda found: found["lines"][-1]["line"] == "bonjour", more=',"tail":5'),
    ],
    "troubleshooting": [
        quiet("B20", CONFLICT),
        http(
            "B20 B6",
            "apps.validate",
            "observer",
            lambda found: (
                {item["check"] for item in found["problems"]} == {"environment", "ports"}
                and all(item["remedy"] for item in found["problems"])
            ),
            app="broken",
        ),
        refused("B20 B7", "deploy.up", "operator", '{"appName":"broken"}', 409),
        quiet("B20", "echo 'SUPABASE_DB_DSN=postgresql://nobody:x@127.0.0.1:1/nothing' > /srv/apps/broken/agent.env"),
        http(
            "B20 B5",
            "db.status",
            "observer",
            lambda found: not found["reachable"] and found["problems"][0]["remedy"],
            app="broken",
        ),
    ],
    "roles, keys and the history": [
        refused("B16", "deploy.down", "observer", '{"appName":"myapp"}', 403),
        Typed(
            "B16 B17",
            "jq -c 'select(.result == \"refused\") | {capability, appName}' /var/log/ikoma/audit.jsonl",
            has('{"capability":"deploy.down","appName":"myapp"}'),
        ),
        Typed("B17", "jq 'select(.result == \"error\")' /var/log/ikoma/audit.jsonl", has('"appName": "broken"')),
        Typed("B17", 'grep \'"appName":"myapp"\' /var/log/ikoma/audit.jsonl', has('"capability":"deploy.up"')),
        Typed(
            "B15",
            'grep -c "$(printf %s "$API_KEY" | sha256sum | cut -d" " -f1)" /var/lib/ikoma/api-keys.json',
            lambda said: int(said) >= 1,
        ),
        Typed("B15", 'grep -rlF "$API_KEY" /etc/ikoma /var/lib/ikoma /var/log/ikoma || echo nowhere', has("nowhere")),
    ],
    "IKOMA deployer: a release later, and back in an emergency": [
        quiet("A3", "git -C /opt/ikomaposte -c safe.directory=* checkout -q -B main next"),
        Typed("A3 A4", "ikoma deploy up --app ikomaposte --ref main", has("Déploiement validé par healthcheck")),
        http(
            "B18 A8",
            "deploy.rollback",
            "operator",
            lambda done: done["status"] == "HEALTHY" and done["restored"],
            more=',"restore_database":true',
            app="ikomaposte",
        ),
        http("B18", "artifact.verify_release", "observer", lambda found: found["verified"] is True, app="ikomaposte"),
        http("B18", "apps.health", "observer", lambda found: found["health"] == "healthy", app="ikomaposte"),
        http(
            "B18",
            "db.status",
            "observer",
            lambda found: found["migrations"]["applied"] == ["0001_comptes", "0002_lettres"],
            app="ikomaposte",
        ),
    ],
    "clean-up": [
        Typed("A2", SEARCH, lambda said: said.strip() == "nowhere"),
        Typed("A6", "ikoma clean --app ikomaposte", lambda said: True),
        Typed("A6", "ls /srv/apps /var/lib/ikoma/repositories", lambda said: "ikomaposte" not in said),
        http(
            "B13",
            "apps.remove",
            "builder",
            lambda done: done["removed"]["containers"] == 1,
            more=',"confirm":"myapp","volumes":true,"database":true',
        ),
        http("B13", "apps.list", "observer", lambda found: "myapp" not in str(found["apps"]), app=""),
    ],
}
"""Each phase: what is typed one after the other."""

ELSEWHERE: Final[dict[str, list[str]]] = {
    "A8": ["tests/integration/test_apps.py"],
    "B15": ["tests/integration/test_runbook_commands.py"],
    "B16": ["tests/integration/test_role_matrix.py"],
    "B18": ["tests/faults/test_restore.py"],
    "B19": ["tests/integration/test_apps.py"],
    "B20": ["tests/faults/test_full_disk.py"],
    "B21": ["tests/integration/test_alerts.py"],
    "B22": ["tests/unit/test_runbook_languages.py"],
    "C2": ["tests/integration/test_runbook_commands.py"],
    "C5": ["tests/github/test_deployments.py", "tests/unit/test_registry.py", "tests/integration/test_alerts.py"],
    "C6": ["tests/integration/test_backup_sets.py", "tests/faults/test_host_lost.py"],
    "C7": ["tests/integration/test_http_door.py"],
    "C8": ["tests/integration/test_mcp_door.py"],
    "C9": ["tests/unit/test_policies.py"],
    "C10": ["tests/integration/test_host_install.py"],
    "C11": ["tests/unit/test_runbook_languages.py"],
    "D12": ["tests/integration/test_environments.py", "tests/unit/test_cli_env.py"],
}
"""Rows that are shown, or shown further, by another file."""
