"""Private keys from files and from memory, public keys from files."""

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from agent.model.errors import Misuse
from agent.model.secret import Secret
from bridge.remote.keys import parse_public, private_key, public_key, source, tidy

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

KEYS: dict[str, PrivateKey] = {
    "ssh-ed25519": ed25519.Ed25519PrivateKey.generate(),
    "ecdsa-sha2-nistp256": ec.generate_private_key(ec.SECP256R1()),
    "ssh-rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
}


def pem(key: PrivateKey, passphrase: str = "") -> str:
    lock = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, lock).decode()


def line(key: PrivateKey) -> str:
    return key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()


@pytest.mark.parametrize("kind", KEYS)
def test_every_usual_kind_of_key_is_read_from_memory(kind: str) -> None:
    read = private_key(Secret(pem(KEYS[kind])))
    assert f"{read.get_name()} {read.get_base64()}" == line(KEYS[kind])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.strip(),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.strip().replace("\n", "\\n"),
        lambda text: "\n\n  " + text.replace("\n", "\n  "),
    ],
    ids=["no last line end", "Windows line ends", "line ends as two characters", "indented"],
)
def test_a_key_that_went_through_a_form_field_is_read(spoil: "object") -> None:
    assert callable(spoil)
    assert private_key(Secret(spoil(pem(KEYS["ssh-ed25519"])))).get_name() == "ssh-ed25519"


def test_a_key_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(pem(KEYS["ssh-ed25519"]))
    assert private_key(path).get_name() == "ssh-ed25519"


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_with_a_passphrase_is_refused_with_that_reason(kind: str) -> None:
    with pytest.raises(Misuse) as raised:
        private_key(Secret(pem(KEYS[kind], "secret")))
    assert raised.value.id == "remote.key_passphrase"


@pytest.mark.parametrize(
    "text", ["", "hello", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----"]
)
def test_what_is_no_key_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(Misuse) as raised:
        private_key(Secret(text))
    assert raised.value.id == "remote.key_invalid"
    assert "hello" not in raised.value.message("en")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misuse) as raised:
        private_key(tmp_path / "absent")
    assert raised.value.id == "remote.key_missing"
    assert "absent" in raised.value.message("en")


def test_an_option_holds_a_path_or_the_key_itself() -> None:
    assert source("/keys/deploy") == Path("/keys/deploy")
    assert source("\n-----BEGIN OPENSSH PRIVATE KEY-----") == Secret("\n-----BEGIN OPENSSH PRIVATE KEY-----")
    assert tidy("a\\nb") == "a\nb\n"


@pytest.mark.parametrize("kind", KEYS)
def test_a_public_key_has_the_fingerprint_that_ssh_keygen_shows(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "key.pub"
    path.write_text(line(KEYS[kind]) + " someone@somewhere\n")
    shown = subprocess.run(["ssh-keygen", "-lf", path], capture_output=True, text=True, check=True).stdout
    assert public_key(path).fingerprint == shown.split()[1]
    assert public_key(path).line == line(KEYS[kind])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 ????",
        "ssh-ed25519 aGVsbG8=",
        pytest.param(f'command="id" {line(KEYS["ssh-ed25519"])}', id="with options"),
        pytest.param(f"{line(KEYS['ssh-ed25519'])}\n{line(KEYS['ssh-rsa'])}", id="two"),
        pytest.param(line(KEYS["ssh-rsa"]).replace("ssh-rsa", "ssh-ed25519"), id="another kind"),
    ],
)
def test_anything_but_one_plain_public_key_is_refused(text: str) -> None:
    with pytest.raises(Misuse) as raised:
        parse_public(text, "file.pub")
    assert raised.value.id == "remote.public_key_invalid"
