"""A small agent for tests of the connection: run by a private sshd as a forced command, it speaks the protocol.

Stands alone (standard library): it lives in ``/shared`` of the file system that sshd runs in. An operation of
``demo.run`` is a process of its own that writes ``args.events`` events, one every ``args.pause`` seconds, into a
file; callers follow the file. ``demo.echo`` answers what it was sent.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

SHARED = Path("/shared")


def say(value: dict[str, Any]) -> None:
    """Print one line; the process ends when nobody reads it any more."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Answer one call."""
    words = os.environ.get("SSH_ORIGINAL_COMMAND", "").split()
    with (SHARED / "calls").open("a") as calls:
        calls.write(" ".join(words) + "\n")
    if (SHARED / "drop").exists() and words[1:2] == ["demo.run"]:
        (SHARED / "drop").unlink()
        os.kill(os.getppid(), signal.SIGKILL)  # the connection dies before anything of the request was seen
        time.sleep(60)
    print("Welcome to a host that greets everybody.", flush=True)
    say({"t": "hello", "protocol": [1, 1], "version": "0", "role": "builder", "key": "demo", "capabilities": []})
    if words[1] == "attach":
        attach(words[2], int(words[3].removeprefix("after=")))
    elif words[1] == "demo.echo":
        say({"t": "result", "result": body()})
    elif words[1] == "demo.run":
        request = body()
        start(words[2], request)
        attach(words[2], 0)
    elif words[1] == "demo.refuse":
        refuse("wire.forbidden", "No.")


def body() -> dict[str, Any]:
    """Return the request, with what its bundle really was."""
    stream = sys.stdin.buffer
    request: dict[str, Any] = json.loads(stream.read(int(stream.readline())))
    bundle = stream.read(request["bundle_length"])
    if hashlib.sha256(bundle).hexdigest() != request["bundle_sha256"] and bundle:
        refuse("wire.body", "damaged")
    return {**request, "received": len(bundle)}


def refuse(error: str, message: str) -> NoReturn:
    """Answer with an error and end."""
    say({"t": "error", "error": {"id": error, "step": None, "message": message, "remedy": "", "params": {}}})
    sys.exit(77)


def start(operation: str, request: dict[str, Any]) -> None:
    """Let the operation run in a process that survives this one; an id that is known starts nothing."""
    try:
        (SHARED / operation).open("x").close()
    except FileExistsError:
        return
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    for number in range(3):
        os.dup2(os.open(os.devnull, os.O_RDWR), number)
    work(operation, request["args"]["events"], request["args"]["pause"])
    os._exit(0)


def work(operation: str, count: int, pause: float) -> None:
    """Write the events, then the end."""
    with (SHARED / operation).open("a") as journal:
        for number in range(1, count + 1):
            last = number == count
            data = (
                {"status": "DONE", "result": {"status": "DONE", "count": count}} if last else {"text": f"step {number}"}
            )
            event = {"op": operation, "seq": number, "ts": "", "kind": "end" if last else "progress", "data": data}
            journal.write(json.dumps({"t": "end" if last else "event", **event}) + "\n")
            journal.flush()
            time.sleep(pause)


def attach(operation: str, after: int) -> None:
    """Print the events from the one after ``after``, as they come, until the end."""
    path = SHARED / operation
    if not path.exists():
        refuse("wire.unknown_operation", "unknown")
    with path.open() as journal:
        rest = ""
        while True:
            rest += journal.readline()
            if not rest.endswith("\n"):
                time.sleep(0.005)
                continue
            event, rest = json.loads(rest), ""
            if event["seq"] > after:
                say(event)
            if event["t"] == "end":
                return


main()
