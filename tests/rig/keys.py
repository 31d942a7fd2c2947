"""The rig's own certificate authority, its certificates and its SSH keys."""

from __future__ import annotations

import datetime
import ipaddress
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.rig import state as states
from tests.rig.state import write_private

MACHINE_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


def folder() -> Path:
    """Where the rig's keys lie."""
    return states.home() / "keys"


def authority() -> Path:
    """The certificate of the rig's authority; made with its key when there is none."""
    path = folder() / "ca.crt"
    if not path.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        certificate = _certificate("IKOMA rig CA", key, key, issuer="IKOMA rig CA", address=None)
        write_private(folder() / "ca.key", _pem(key))
        path.write_text(certificate)
    return path


def bundle() -> Path:
    """The machine's authorities and the rig's in one file, for programs that take SSL_CERT_FILE."""
    path = states.home() / "ca-bundle.crt"
    own = os.environ.get("SSL_CERT_FILE")
    machine = Path(own) if own and not Path(own).is_relative_to(states.all_rigs()) else MACHINE_BUNDLE
    trusted = machine.read_text() if machine.exists() else ""
    text = trusted.rstrip("\n") + "\n" + authority().read_text()
    if not path.exists() or path.read_text() != text:
        write_private(path, text)
    return path


def server(name: str, address: str) -> tuple[Path, Path]:
    """Certificate and key for a TLS server at an IP address, signed by the authority."""
    certificate, key_file = folder() / f"{name}.crt", folder() / f"{name}.key"
    if not certificate.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        write_private(key_file, _pem(key))
        certificate.write_text(_certificate(name, key, _authority_key(), issuer="IKOMA rig CA", address=address))
    return certificate, key_file


def ssh(name: str) -> Path:
    """An Ed25519 key pair in OpenSSH's format; the path of the private half (``.pub`` beside it)."""
    path = folder() / name
    if not path.exists():
        key = ed25519.Ed25519PrivateKey.generate()
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(f"{name}.pub").write_text(f"{public.decode()} rig-{name}\n")
        write_private(path, private.decode())
    return path


def _authority_key() -> rsa.RSAPrivateKey:
    authority()
    key = serialization.load_pem_private_key((folder() / "ca.key").read_bytes(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def _pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()


def _certificate(
    subject: str, key: rsa.RSAPrivateKey, signer: rsa.RSAPrivateKey, *, issuer: str, address: str | None
) -> str:
    now = datetime.datetime.now(datetime.UTC)
    is_authority = address is None
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(_usage(is_authority), critical=True)
    )
    if address is not None:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        builder = builder.add_extension(names, critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def _usage(is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=not is_authority,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
