"""A small client of the Docker Engine's API over its socket.

Only the standard library: listing a target's containers is on the path of every call that finds nothing to do,
where importing an SDK would cost more than the whole answer.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from agent.model.errors import IkomaError

API: Final = "/v1.41"
TIMEOUT: Final = 15.0
PROJECT: Final = "com.docker.compose.project"
SERVICE: Final = "com.docker.compose.service"
ONE_OFF: Final = "com.docker.compose.oneoff"


class EngineError(IkomaError):
    """The Engine refused a request. ``status`` is its HTTP status, ``reason`` its own words."""

    def __init__(self, status: int, reason: str, what: str) -> None:
        super().__init__("engine.refused", what=what, status=status, reason=reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Auth:
    """Credentials for one pull; they travel in a header to the local socket and stay nowhere."""

    registry: str
    username: str
    password: str

    def header(self) -> str:
        raw = json.dumps({"username": self.username, "password": self.password, "serveraddress": self.registry})
        return base64.urlsafe_b64encode(raw.encode()).decode()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("docker", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = self.raw = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Engine:
    """The Engine behind one socket. Every method raises ``engine.absent``, ``engine.silent`` or ``EngineError``."""

    def __init__(self, socket_path: str | Path, timeout: float = TIMEOUT) -> None:
        self.socket_path = str(socket_path)
        self.timeout = timeout

    # -- transport ---------------------------------------------------------------------------------------------

    def _open(
        self, method: str, path: str, body: Any = None, *, timeout: float | None = None, auth: Auth | None = None
    ) -> tuple[_UnixConnection, http.client.HTTPResponse]:
        connection = _UnixConnection(self.socket_path, self.timeout if timeout is None else timeout)
        headers = {"Content-Type": "application/json"} | ({"X-Registry-Auth": auth.header()} if auth else {})
        if isinstance(body, Iterator):
            headers = {"Content-Type": "application/x-tar", "Transfer-Encoding": "chunked"}
        try:
            connection.request(method, API + path, _sent(body), headers, encode_chunked=isinstance(body, Iterator))
            response = connection.getresponse()
        except TimeoutError:
            connection.close()
            raise IkomaError("engine.silent", socket=self.socket_path) from None
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise IkomaError("engine.absent", socket=self.socket_path, reason=str(error)) from None
        if response.status >= 400:
            reason = _reason(response)
            connection.close()
            raise EngineError(response.status, reason, f"{method} {path.partition('?')[0]}")
        return connection, response

    def call(self, method: str, path: str, body: Any = None, *, timeout: float | None = None) -> Any:
        """Return the decoded answer of one request (None when it has no body)."""
        connection, response = self._open(method, path, body, timeout=timeout)
        try:
            raw = response.read()
        except TimeoutError:
            raise IkomaError("engine.silent", socket=self.socket_path) from None
        finally:
            connection.close()
        return json.loads(raw) if raw.strip() else None

    # -- facts -------------------------------------------------------------------------------------------------

    def info(self) -> dict[str, Any]:
        """Return what the Engine says of itself (version, architecture, storage)."""
        return dict(self.call("GET", "/info"))

    def containers(self, project: str, *, one_off: bool = False) -> list[dict[str, Any]]:
        """Return all containers of a compose project, stopped ones too, by one call."""
        filters = {"label": [f"{PROJECT}={project}"]}
        found = self.call("GET", "/containers/json?" + urlencode({"all": "1", "filters": json.dumps(filters)}))
        return [item for item in found if one_off or item["Labels"].get(ONE_OFF) != "True"]

    def all_containers(self) -> list[dict[str, Any]]:
        """Return every container of the host, stopped ones too."""
        return list(self.call("GET", "/containers/json?all=1"))

    def container(self, container: str) -> dict[str, Any] | None:
        """Return everything known of one container, or None when there is none."""
        return self._found(f"/containers/{quote(container)}/json")

    def network(self, network: str) -> dict[str, Any] | None:
        """Return one network with its members, or None."""
        return self._found(f"/networks/{quote(network)}")

    def networks(self) -> list[dict[str, Any]]:
        """Return all networks (without members)."""
        return list(self.call("GET", "/networks"))

    def remove_image(self, reference: str) -> bool:
        """Remove an image that no container uses (one that is used is a fault); return whether it was there."""
        try:
            self.call("DELETE", f"/images/{quote(reference, safe='/:@')}", timeout=60)
        except EngineError as error:
            if error.status != 404:
                raise
            return False
        return True

    def volume(self, volume: str) -> dict[str, Any] | None:
        """Return one volume, or None."""
        return self._found(f"/volumes/{quote(volume)}")

    def volumes(self) -> list[dict[str, Any]]:
        """Return all volumes."""
        return list(self.call("GET", "/volumes")["Volumes"] or [])

    def remove_volume(self, volume: str) -> None:
        """Remove a volume; one that is gone is fine, one that is used is a fault."""
        try:
            self.call("DELETE", f"/volumes/{quote(volume)}")
        except EngineError as error:
            if error.status != 404:
                raise

    def images(self) -> list[dict[str, Any]]:
        """Return all images."""
        return list(self.call("GET", "/images/json"))

    def image(self, reference: str) -> dict[str, Any] | None:
        """Return an image that is present on this host, or None."""
        return self._found(f"/images/{quote(reference, safe='/:@')}/json")

    def _found(self, path: str) -> dict[str, Any] | None:
        try:
            return dict(self.call("GET", path))
        except EngineError as error:
            if error.status == 404:
                return None
            raise

    # -- containers --------------------------------------------------------------------------------------------

    def create(self, name: str, definition: dict[str, Any]) -> str:
        """Create a container and return its id."""
        return str(self.call("POST", f"/containers/create?name={quote(name)}", definition)["Id"])

    def start(self, container: str) -> None:
        """Start a container; one that runs already is fine."""
        self.call("POST", f"/containers/{container}/start", timeout=60)

    def stop(self, container: str, grace: float) -> None:
        """Send the stop signal and, ``grace`` seconds later, SIGKILL. One that is gone or stopped is fine."""
        try:
            self.call("POST", f"/containers/{container}/stop?t={int(grace)}", timeout=grace + 30)
        except EngineError as error:
            if error.status != 404:
                raise

    def restart(self, container: str, grace: float) -> None:
        """Stop and start a container."""
        self.call("POST", f"/containers/{container}/restart?t={int(grace)}", timeout=grace + 60)

    def update(self, container: str, changes: dict[str, Any]) -> None:
        """Change what can be changed of a container while it runs: its restart policy, its limits."""
        self.call("POST", f"/containers/{container}/update", changes)

    def remove(self, container: str, *, volumes: bool = True) -> None:
        """Remove a container, running or not, with its *anonymous* volumes. One that is gone is fine."""
        try:
            self.call("DELETE", f"/containers/{container}?force=1&v={int(volumes)}", timeout=60)
        except EngineError as error:
            if error.status not in (404, 409) or (error.status == 409 and "in progress" not in error.reason):
                raise

    def wait(self, container: str, timeout: float) -> int:
        """Wait until a container has ended and return its exit code. Raises ``engine.silent`` at the timeout."""
        return int(self.call("POST", f"/containers/{container}/wait", timeout=timeout)["StatusCode"])

    def logs(self, container: str, tail: int = 10, *, timestamps: bool = False, since: str = "") -> list[str]:
        """Return the last lines a container wrote (since a time in seconds), stdout and stderr together."""
        words = {"stdout": 1, "stderr": 1, "tail": tail, "timestamps": int(timestamps)}
        query = urlencode(words | ({"since": since} if since else {}))
        connection, response = self._open("GET", f"/containers/{container}/logs?{query}")
        try:
            raw = response.read()
        finally:
            connection.close()
        return _demultiplex(raw).decode(errors="replace").splitlines()[-tail:]

    # -- networks ----------------------------------------------------------------------------------------------

    def create_network(self, name: str, definition: dict[str, Any]) -> None:
        """Create a network; one of that name is left as it is."""
        try:
            self.call("POST", "/networks/create", {"Name": name, "CheckDuplicate": True, **definition})
        except EngineError as error:
            if error.status != 409:
                raise

    def remove_network(self, network: str) -> None:
        """Remove a network; one that is gone or still used is left alone."""
        try:
            self.call("DELETE", f"/networks/{quote(network)}")
        except EngineError as error:
            if error.status not in (403, 404, 409):
                raise

    def connect(self, network: str, container: str, *, aliases: list[str], address: str | None = None) -> None:
        """Connect a container to a network under ``aliases`` (none: it is reachable by address alone)."""
        endpoint: dict[str, Any] = {"Aliases": aliases}
        if address:
            endpoint["IPAMConfig"] = {"IPv4Address": address}
        self.call("POST", f"/networks/{quote(network)}/connect", {"Container": container, "EndpointConfig": endpoint})

    def disconnect(self, network: str, container: str) -> None:
        """Take a container off a network; one that is not on it is fine."""
        try:
            self.call("POST", f"/networks/{quote(network)}/disconnect", {"Container": container, "Force": True})
        except EngineError as error:
            if error.status != 404 and "is not connected" not in error.reason:
                raise

    # -- images ------------------------------------------------------------------------------------------------

    def load(self, archive: Iterator[bytes], silence: float) -> None:
        """Hand an archive of images to the Engine, piece by piece.

        Args:
            silence: seconds without a word after which the Engine counts as silent (``engine.silent``).

        Raises:
            EngineError: with the Engine's own words when it did not take it.
        """
        connection, response = self._open("POST", "/images/load?quiet=1", archive, timeout=silence)
        try:
            for line in _json_lines(response):
                if "error" in line:
                    raise EngineError(500, str(line["error"]), "load")
        except TimeoutError:
            raise IkomaError("engine.silent", socket=self.socket_path) from None
        finally:
            connection.close()

    def pull(
        self,
        reference: str,
        platform: str,
        auth: Auth | None,
        silence: float,
        on_line: Callable[[dict[str, Any]], None],
    ) -> None:
        """Pull an image by digest.

        Args:
            silence: seconds until the first layer, and between two words about layers, after which the registry
                counts as unreachable (``engine.silent``). The Engine itself would wait longer.
            on_line: called with each progress object of the Engine.

        Raises:
            EngineError: with the Engine's own words when the pull failed.
        """
        query = urlencode({"fromImage": reference, "platform": platform})
        began, moving = time.monotonic(), False
        connection, response = self._open("POST", f"/images/create?{query}", timeout=silence, auth=auth)
        try:
            connection.raw.settimeout(max(0.1, silence - (time.monotonic() - began)))
            for line in _json_lines(response):
                if "error" in line:
                    raise EngineError(500, str(line["error"]), "pull")
                moving = moving or "progressDetail" in line
                left = silence if moving else silence - (time.monotonic() - began)
                connection.raw.settimeout(max(0.1, left))
                on_line(line)
        except TimeoutError:
            raise IkomaError("engine.silent", socket=self.socket_path) from None
        finally:
            connection.close()


def _sent(body: Any) -> Any:
    """Return a request's body as it goes out: JSON, or a stream as it is."""
    return body if body is None or isinstance(body, Iterator) else json.dumps(body)


def _json_lines(response: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    while raw := response.readline():
        if raw.strip():
            yield json.loads(raw)


def _reason(response: http.client.HTTPResponse) -> str:
    raw = response.read(65536)
    try:
        return str(json.loads(raw)["message"])
    except (ValueError, KeyError, TypeError):
        return raw.decode(errors="replace")[:300]


def _demultiplex(raw: bytes) -> bytes:
    """Return the text of a log stream; without a terminal each piece has a header of eight bytes."""
    parts, rest = [], raw
    while len(rest) >= 8 and rest[0] in (0, 1, 2) and rest[1:4] == b"\0\0\0":
        length = int.from_bytes(rest[4:8], "big")
        parts.append(rest[8 : 8 + length])
        rest = rest[8 + length :]
    return b"".join(parts) + rest
