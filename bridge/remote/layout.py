"""Where things of ours lie on a host, and the texts of the files that bootstrap writes there. Pure."""

from __future__ import annotations

from typing import Any, Final

from agent.host.paths import Paths

USER: Final = "ikoma"
KEPT_VERSIONS: Final = 3

_PATHS: Final = Paths()
ETC: Final = str(_PATHS.etc)
SETTINGS: Final = str(_PATHS.settings)
KEYS: Final = str(_PATHS.keys)
AUTHORIZED: Final = str(_PATHS.etc / "authorized_keys")
STATE: Final = str(_PATHS.state)
LOCKS: Final = str(_PATHS.locks)
APPS: Final = str(_PATHS.apps)
BACKUPS: Final = str(_PATHS.backups)
LOG: Final = str(_PATHS.log)
OPT: Final = str(_PATHS.opt)
VERSIONS: Final = f"{OPT}/versions"
CURRENT: Final = f"{OPT}/current"
PREVIOUS: Final = f"{OPT}/previous"
PROGRAM: Final = f"{CURRENT}/bin/ikoma-agent"
COMMAND: Final = "/usr/local/bin/ikoma"
DROP_IN: Final = "/etc/ssh/sshd_config.d/50-ikoma.conf"
TIMER: Final = "ikoma-agent-recover.timer"
DOOR: Final = "ikoma-agent-http.service"
UNIT_FOLDER: Final = "/etc/systemd/system"

# Folder → owner, mode, and how to find what below it belonged to an agent that was here before: a glob for entries,
# or for a file in each of them (other people's folders may lie beside ours).
FOLDERS: Final = {
    ETC: ("root", 0o750, ""),
    STATE: (USER, 0o750, "*"),
    LOCKS: (USER, 0o750, ""),
    str(_PATHS.incoming): (USER, 0o700, ""),
    LOG: (USER, 0o750, "*"),
    BACKUPS: (USER, 0o700, "*"),
    APPS: (USER, 0o755, "*/*.env"),
    OPT: ("root", 0o755, ""),
    VERSIONS: ("root", 0o755, ""),
}

SSHD: Final = f"""\
# Written by `bridge host bootstrap`: the user {USER} may call the agent, and nothing else.
Match User {USER}
    AuthorizedKeysFile {AUTHORIZED}
    AuthorizedKeysCommand none
    AuthenticationMethods publickey
    PasswordAuthentication no
    KbdInteractiveAuthentication no
    PermitTTY no
    PermitUserRC no
    PermitTunnel no
    AllowTcpForwarding no
    AllowStreamLocalForwarding no
    AllowAgentForwarding no
    X11Forwarding no
    ClientAliveInterval 15
    ClientAliveCountMax 3
"""
SSHD_EXPECT: Final = (f"AuthorizedKeysFile {AUTHORIZED}", "PermitTTY no", "AllowTcpForwarding no")

# KillMode: a recovery goes on in a worker of its own after the unit's process has ended. The timer's unit wants the
# HTTP door, so that one which ended is back soon; where the host settings leave it off, it ends at once without fault.
UNITS: Final = {
    "ikoma-agent-recover.service": f"""\
[Unit]
Description=Finish or undo operations of the IKOMA agent whose worker is gone
After=docker.service network.target
Wants={DOOR}

[Service]
Type=oneshot
User={USER}
ExecStart={PROGRAM} recover
KillMode=process
""",
    DOOR: f"""\
[Unit]
Description=HTTP door of the IKOMA agent
After=docker.service network.target

[Service]
User={USER}
ExecStart={PROGRAM} http
KillMode=process
Restart=on-failure
RestartSec=2
""",
    TIMER: """\
[Unit]
Description=Look for interrupted operations of the IKOMA agent every 10 seconds

[Timer]
OnBootSec=10s
OnUnitInactiveSec=10s
AccuracySec=1s

[Install]
WantedBy=timers.target
""",
}

_FILES: Final = (SETTINGS, KEYS, AUTHORIZED, DROP_IN, *(f"{UNIT_FOLDER}/{name}" for name in UNITS))

QUESTIONS: Final[dict[str, Any]] = {
    "user": USER,
    "paths": [*FOLDERS, *_FILES, CURRENT, PREVIOUS, COMMAND],
    "texts": [KEYS, AUTHORIZED],
    "versions": VERSIONS,
    "timer": TIMER,
}


def version_folder(version: str) -> str:
    """Return where one version of the agent lies."""
    return f"{VERSIONS}/{version}"
