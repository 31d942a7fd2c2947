"""Which host keys are trusted, from the texts people have."""

from pathlib import Path
from typing import Any

import paramiko
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paramiko.hostkeys import HostKeys

from agent.model.errors import Misuse
from bridge.remote.hostkeys import lookup_name, pins


def public_line() -> str:
    key = Ed25519PrivateKey.generate().public_key()
    return key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()


A, B = public_line(), public_line()


def blobs(keys: tuple[Any, ...]) -> list[str]:
    return [f"{key.get_name()} {key.get_base64()}" for key in keys]


def test_a_host_on_another_port_than_22_is_written_in_brackets() -> None:
    assert lookup_name("vps", 22) == "vps"
    assert lookup_name("vps", 2222) == "[vps]:2222"


def test_only_the_lines_of_this_host_and_port_count() -> None:
    text = f"# ours\nvps {A}\n[vps]:2222 {B}\nother {B}\n"
    assert blobs(pins("vps", 22, text).keys) == [A]
    assert blobs(pins("vps", 2222, text).keys) == [B]
    assert pins("vps", 23, text).keys == ()


def test_one_line_may_name_several_hosts() -> None:
    assert blobs(pins("10.0.0.1", 22, f"vps,10.0.0.1 {A}\n").keys) == [A]


def test_a_hashed_line_is_recognised() -> None:
    text = f"{HostKeys.hash_host('vps')} {A}\n{HostKeys.hash_host('other')} {B}\n"
    assert blobs(pins("vps", 22, text).keys) == [A]


def test_a_revoked_key_is_not_trusted_even_where_it_is_listed() -> None:
    assert blobs(pins("vps", 22, f"vps {A}\nvps {B}\n@revoked vps {A}\n").keys) == [B]


def test_damaged_lines_and_markers_are_passed_over() -> None:
    text = f"vps ssh-ed25519 not!base64\nvps\n@cert-authority vps {B}\n|1|broken {B}\nvps {A}\n"
    assert blobs(pins("vps", 22, text).keys) == [A]


@pytest.mark.parametrize("form", ["{}", "vps {}", "{} root@vps", "other,name {} comment"])
def test_a_pinned_key_counts_for_this_host_in_whatever_form_it_is_given(form: str) -> None:
    assert blobs(pins("vps", 22, f"vps {B}", form.format(A)).keys) == [A]


def test_a_pinned_key_that_is_none_is_refused() -> None:
    with pytest.raises(Misuse) as raised:
        pins("vps", 22, "", "hello")
    assert raised.value.id == "remote.host_key_invalid"


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misuse) as raised:
        pins("vps", 22, tmp_path / "absent")
    assert raised.value.id == "remote.known_hosts_missing"
    assert "absent" in raised.value.message("en")


def test_whoever_never_used_ssh_trusts_nobody_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    found = pins("vps", 22, Path("~/.ssh/known_hosts"))
    assert (found.keys, found.source) == ((), "~/.ssh/known_hosts")


def test_of_two_keys_of_one_type_the_first_is_compared_and_both_are_trusted() -> None:
    found = pins("vps", 22, f"vps {A}\nvps {B}\n")
    assert found.host_keys().lookup("vps")["ssh-ed25519"] == found.keys[0]
    assert all(found.trusts(key) for key in found.keys)
    assert not found.only(found.keys[0]).trusts(found.keys[1])


def test_fingerprints_are_those_of_openssh() -> None:
    key = pins("vps", 22, f"vps {A}").keys[0]
    assert isinstance(key, paramiko.PKey)
    assert pins("vps", 22, f"vps {A}").fingerprints() == f"{key.fingerprint} (ssh-ed25519)"
    assert key.fingerprint.startswith("SHA256:")
