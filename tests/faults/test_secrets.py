"""Sentinel secrets, with every odd character, are searched in everything a deployment leaves or shows."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from agent.model.secret import Redactor
from tests.faults.app import App
from tests.faults.lab import Lab

APP_SECRET = "Sentinel-app %40 @x 'single' \"double\" $HOME #hash \\back"
DSN_PASSWORD = "Sentinel-dsn%2F@: 'q' \"d\"&?#"
BELONGS = ("app.env", "agent.env")
"""The two files (and their copies in a release's record) that exist to hold values, 0600."""


class Seen(threading.Thread):
    """Collects every command line that any process of this machine, hosts in boxes included, shows."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: set[bytes] = set()
        self._stop_now = threading.Event()

    def run(self) -> None:
        while not self._stop_now.wait(0.02):
            for entry in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.lines.add(entry.read_bytes())
                except OSError:
                    continue

    def stop(self) -> None:
        self._stop_now.set()
        self.join()


@contextmanager
def command_lines() -> Iterator[Seen]:
    seen = Seen()
    seen.start()
    try:
        yield seen
    finally:
        seen.stop()


def leaks(text: str, secrets: dict[str, str]) -> list[str]:
    """Return the names of the secrets that stand in the text, in any usual spelling."""
    return [name for name, value in secrets.items() if Redactor([value])(text) != text]


def test_no_secret_stands_where_it_does_not_belong(lab: Lab, tmp_path: Path) -> None:
    app = App(tmp_path, "sentinel", {"0001_init": "create table t (id int);"})
    app.write("one")
    key = Path(lab.env["BRIDGE_SSH_KEY"]).read_text()
    secrets = {"app": APP_SECRET, "dsn": DSN_PASSWORD, "token": lab.env["BRIDGE_REGISTRY_TOKEN"], "key": key}
    said: dict[str, str] = {}

    def run(what: str, *words: str, code: int = 0, **extra: str) -> None:
        ran = lab.bridge(*words, timeout=180, **extra)
        said[what] = ran.stdout + ran.stderr
        assert ran.code == code, ran

    with command_lines() as seen:
        run("first", "pipeline", "run", "--repo", str(app.repo))
        give_odd_password(lab, app)
        run("values", "env", "push", "--app", app.name, "--from-env", "APP_SECRET", APP_SECRET=APP_SECRET)
        app.migrations["0002_more"] = "create table u (id int);"
        app.write("two")
        run("second", "pipeline", "run", "--repo", str(app.repo), "--json")
        app.write("three", "crash")
        run("crashing", "pipeline", "run", "--repo", str(app.repo), code=1)
        app.migrations["0003_bad"] = "select broken"
        app.write("four")
        run("broken sql", "pipeline", "run", "--repo", str(app.repo), code=1)
        run("status", "status", "--app", app.name)
        run("logs", "logs", "--app", app.name)
        run("keys", "call", "env.keys", "--app", app.name)
        run("denied", "pipeline", "run", "--repo", str(app.repo), code=1, BRIDGE_REGISTRY_TOKEN="Sentinel-wrong")
    operation, _ = json.JSONDecoder().raw_decode(said["second"])
    run("attached", "attach", operation["operation"], "--events")
    found = {what: names for what, text in said.items() if (names := leaks(text, secrets))}
    assert found == {}
    lines = b"\n".join(seen.lines).replace(b"\0", b" ").decode(errors="replace")
    assert len(seen.lines) > 20, "the command lines were not watched"
    assert leaks(lines, secrets) == []
    assert files_with(lab, secrets) == []
    assert containers_with(lab, app, secrets) == {"web": ["app"]}


def give_odd_password(lab: Lab, app: App) -> None:
    """Give the migrator a password of sentinels, as an administrator would."""
    role = f"{app.name}_migrator"
    with psycopg.connect(lab.env["RIG_DSN"].rsplit("/", 1)[0] + "/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(DSN_PASSWORD)))
    from urllib.parse import quote

    dsn = f"postgresql://{role}:{quote(DSN_PASSWORD, safe='')}@127.0.0.1:5432/{app.name}"
    pushed = lab.bridge("env", "push", "--app", app.name, "--scope", "agent", "--from-env", "SUPABASE_DB_DSN",
                        SUPABASE_DB_DSN=dsn)  # fmt: skip
    assert pushed.code == 0, pushed


def files_with(lab: Lab, secrets: dict[str, str]) -> list[str]:
    """Return the files of the agent, of the apps and of /tmp and /run on the host that hold a secret."""
    words = [value for name, value in secrets.items() if name != "key"] + secrets["key"].splitlines()[1:-1]
    places = ["/var/lib/ikoma", "/var/log/ikoma", "/etc/ikoma", "/srv/apps", "/tmp", "/run/lock", "/home", "/root"]
    listed = lab.inside("grep", "-rlaF", "-f", "-", *places, check=False, text="\n".join(words) + "\n")
    return [line for line in listed.splitlines() if Path(line).name not in BELONGS]


def containers_with(lab: Lab, app: App, secrets: dict[str, str]) -> dict[str, list[str]]:
    """Return service → the secrets its container's configuration shows."""
    found: dict[str, list[str]] = {}
    for identity, service in lab.containers(app.name).items():
        config = json.loads(lab.inside("docker", "inspect", identity))
        text = "\n".join(config[0]["Config"]["Env"] or []) + json.dumps(config[0]["Config"]["Labels"])
        if names := leaks(text, secrets):
            found[service] = names
    return found
