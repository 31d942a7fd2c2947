"""The commands of ``scripts/rig``."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
import time
from collections.abc import Sequence

from tests.rig import box as boxes
from tests.rig import network, rig
from tests.rig import state as states
from tests.rig.commands import RigError, say

EPILOG = "IKOMA_RIG=anything works on a second rig of this checkout, apart from the first."
SHARED = ("builder", "registry")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    options = _parser().parse_args(arguments)
    try:
        if os.geteuid() != 0:
            raise RigError("the rig makes namespaces, mounts and network devices: run it as root")
        return int(options.run(options) or 0)
    except (RigError, OSError) as error:
        print(f"rig: {error}", file=sys.stderr)
        return 1


def _up(options: argparse.Namespace) -> None:
    if options.name in SHARED or not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", options.name):
        raise RigError(f"{options.name!r} cannot name a host: use small letters, digits, dashes; not {SHARED}")
    began = time.monotonic()
    with states.locked() as state:
        box = rig.up(state, options.name, options.disk)
    say(f"{box.name} is up at {state.address(box.octet)} ({time.monotonic() - began:.1f} s); "
        'next: eval "$(scripts/rig env)"')  # fmt: skip


def _down(options: argparse.Namespace) -> None:
    with states.locked() as state:
        rig.down(state, options.name)
    what = f"{options.name} is" if options.name else "all is"
    say(f"{what} gone; only the download cache stays, in {states.cache()}")


def _status(options: argparse.Namespace) -> int:
    state = states.load()
    if not state.boxes:
        print("The rig is down. Start it with `scripts/rig up`.")
        return 1
    print(f"{'NAME':<12} {'ROLE':<9} {'ADDRESS':<16} {'LINK':<10} {'PID':<8} STATE")
    for box in state.boxes.values():
        alive = "up" if boxes.is_running(box) else "down"
        link = network.outer_link(state, box)
        print(f"{box.name:<12} {box.role:<9} {state.address(box.octet):<16} {link:<10} {box.pid or '-':<8} {alive}")
    return 0 if all(boxes.is_running(box) for box in state.boxes.values()) else 1


def _env(options: argparse.Namespace) -> None:
    for name, value in rig.environment(states.load(), options.name, options.app).items():
        print(f"export {name}={shlex.quote(value)}")


def _exec(options: argparse.Namespace) -> int:
    words = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not words:
        raise RigError("nothing to run: scripts/rig exec [--name N] -- COMMAND …")
    command = boxes.inside(rig.find(states.load(), options.name), words)
    sys.stdout.flush()
    os.execvp(command[0], command)  # the exit code is the command's own


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/rig", description=__doc__, epilog=EPILOG)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    host = argparse.ArgumentParser(add_help=False)
    host.add_argument("--name", default=rig.DEFAULT_HOST, help="which box (default: %(default)s)")

    up = commands.add_parser("up", parents=[host], help="start what is not running; ends with `host bootstrap`")
    up.add_argument("--disk", metavar="SIZE", help="give a new host a disk of this size, such as 600M")
    up.set_defaults(run=_up)
    down = commands.add_parser("down", help="remove one host, or everything")
    down.add_argument("--name", help="only this host")
    down.set_defaults(run=_down)
    status = commands.add_parser("status", help="show the boxes; exit 1 when one is down")
    status.set_defaults(run=_status)
    env = commands.add_parser("env", parents=[host], help='print exports: eval "$(scripts/rig env)"')
    env.add_argument("--app", default="suite", help="whose database RIG_DSN names (default: %(default)s)")
    env.set_defaults(run=_env)
    execute = commands.add_parser("exec", parents=[host], help="run a command inside a box")
    execute.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND …")
    execute.set_defaults(run=_exec)
    return parser
