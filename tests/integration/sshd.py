"""A private sshd on a loopback port, in a root and in namespaces of its own; nothing of the machine's is touched."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.model.secret import Secret
from bridge.remote.connection import Destination
from tests.rig import rootfs
from tests.rig.commands import wait_until

_CONFIG = """\
ListenAddress 127.0.0.1
Port {port}
HostKey /shared/host_key
AuthorizedKeysFile /shared/authorized_keys
PidFile none
PasswordAuthentication no
UsePAM no
MaxStartups 100
PerSourcePenalties no
Subsystem sftp internal-sftp
"""

# In namespaces of its own: mounts vanish with the processes, and all processes die with the first.
_BOOT = """\
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs {work}
mkdir {work}/upper {work}/work {work}/root
mount -t overlay overlay -o lowerdir={lower},upperdir={work}/upper,workdir={work}/work {work}/root
mount -t proc proc {work}/root/proc
mount --rbind /dev {work}/root/dev
mkdir -p {work}/root/shared {work}/root/run/sshd
mount --bind {shared} {work}/root/shared
cp {shared}/sshd_config {work}/root/etc/ssh/sshd_config
exec chroot {work}/root /usr/sbin/sshd -D -e
"""


class Sshd:
    """A running sshd: log in as root with ``key``; the command of its line in authorized_keys is ``command``."""

    def __init__(self, folder: Path, work: Path) -> None:
        self.folder, self._work = folder, work
        self.port = free_port()
        self.key, public = key_pair()
        self.public = public
        self.renew_host_key()
        self.let_in('restrict,command="exec /usr/bin/python3 -I /shared/speaker.py"')
        shutil.copy(Path(__file__).parent / "speaker.py", folder / "speaker.py")
        (folder / "sshd_config").write_text(_CONFIG.format(port=self.port))
        self._process: subprocess.Popen[bytes] | None = None

    def renew_host_key(self) -> None:
        """Give the host another key; ``known_hosts`` follows."""
        private, public = key_pair()
        path = self.folder / "host_key"
        path.touch(mode=0o600)
        path.write_text(private.reveal())
        self.host_key = public
        self.known_hosts = f"[127.0.0.1]:{self.port} {public}\n"

    def let_in(self, options: str) -> None:
        """Write authorized_keys: our key with these options."""
        path = self.folder / "authorized_keys"
        path.touch(mode=0o600)
        path.write_text(f"{options} {self.public}\n")

    def destination(self, **other: object) -> Destination:
        """Where to connect; other values than the right ones may be given."""
        values = {"user": "root", "key": self.key, "known_hosts": self.known_hosts} | other
        return Destination("127.0.0.1", self.port, **values)  # type: ignore[arg-type]

    def start(self) -> None:
        """Start it and wait until it answers."""
        lower = rootfs.ensure(rootfs.BOX)
        boot = _BOOT.format(work=self._work, lower=lower, shared=self.folder)
        words = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", boot]
        with (self.folder / "sshd.log").open("ab") as log:
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until("the private sshd", self._answers)

    def stop(self) -> None:
        """Kill it and everything it started."""
        if self._process is not None:
            for pid in children(self._process.pid):
                os.kill(pid, signal.SIGKILL)
            self._process.wait(timeout=10)
            self._process = None

    def cut(self) -> int:
        """Kill the processes that hold connections, not the listening one; return how many there were."""
        assert self._process is not None
        listening = children(self._process.pid)
        sessions = [pid for parent in listening for pid in children(parent) if _is_session(pid)]
        for pid in sessions:
            os.kill(pid, signal.SIGKILL)
        return len(sessions)

    def calls(self) -> list[str]:
        """Return the command lines that arrived."""
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "sshd.log").read_text()
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", self.port)):
                return False
            return probe.recv(8).startswith(b"SSH-")


def children(pid: int) -> list[int]:
    """Return the children of a process."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def _is_session(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().startswith("sshd")
    except FileNotFoundError:
        return False


def key_pair() -> tuple[Secret, str]:
    """Return a private key and its public line."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return Secret(private.decode()), public.decode()


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    """A private sshd whose root user may only run the speaker."""
    folder = tmp_path / "shared"
    folder.mkdir(mode=0o755)
    with tempfile.TemporaryDirectory(prefix="sshd-") as work:
        server = Sshd(folder, Path(work))
        server.start()
        try:
            yield server
        finally:
            server.stop()
