"""Certificates for tests: authorities, server and client certificates, good ones and bad ones."""

from __future__ import annotations

import datetime
import ipaddress
import itertools
import ssl
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_RSA_KEYS_MAX = 4  # Generation is slow; tests care about certificates, not about fresh keys.
_rsa_keys: list[rsa.RSAPrivateKey] = []
_rsa_turn = itertools.count()
_rsa_lock = threading.Lock()


def new_key(kind: str = "ec"):
    """A private key: `ec` (P-256), `p384`, `rsa` (2048, from a small pool) or `rsa1024`."""
    if kind == "ec":
        return ec.generate_private_key(ec.SECP256R1())
    if kind == "p384":
        return ec.generate_private_key(ec.SECP384R1())
    if kind == "rsa1024":
        return rsa.generate_private_key(public_exponent=65537, key_size=1024)
    with _rsa_lock:
        if len(_rsa_keys) < _RSA_KEYS_MAX:
            _rsa_keys.append(rsa.generate_private_key(public_exponent=65537, key_size=2048))
            return _rsa_keys[-1]
        return _rsa_keys[next(_rsa_turn) % _RSA_KEYS_MAX]


def key_pem(key, form: str = "pkcs8", password: bytes | None = None) -> str:
    formats = {
        "pkcs8": serialization.PrivateFormat.PKCS8,
        "traditional": serialization.PrivateFormat.TraditionalOpenSSL,
    }
    encryption = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    return key.private_bytes(serialization.Encoding.PEM, formats[form], encryption).decode()


@dataclass
class Issued:
    """A certificate with its key. `chain` holds the issuing certificates that a server sends."""

    certificate: x509.Certificate
    key: object
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def leaf_pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def chain_pem(self) -> str:
        pems = [c.public_bytes(serialization.Encoding.PEM).decode() for c in self.chain]
        return self.leaf_pem + "".join(pems)

    @property
    def key_pem(self) -> str:
        return key_pem(self.key)

    @property
    def serial(self) -> int:
        return self.certificate.serial_number

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def write(self, directory: Path) -> tuple[Path, Path]:
        """Writes `<serial>.crt` and `<serial>.key`; returns both paths."""
        directory.mkdir(parents=True, exist_ok=True)
        crt, key = directory / f"{self.serial:x}.crt", directory / f"{self.serial:x}.key"
        crt.write_text(self.chain_pem)
        key.write_text(self.key_pem)
        return crt, key

    def load_into(self, context: ssl.SSLContext) -> ssl.SSLContext:
        """Makes `context` present this certificate."""
        with tempfile.TemporaryDirectory() as directory:
            crt, key = self.write(Path(directory))
            context.load_cert_chain(crt, key)
        return context


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "ELB"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _alternative_names(names: tuple[str, ...]) -> x509.SubjectAlternativeName:
    entries: list[x509.GeneralName] = []
    for name in names:
        try:
            entries.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            entries.append(x509.DNSName(name))
    return x509.SubjectAlternativeName(entries)


def _builder(subject, issuer, public_key, days) -> x509.CertificateBuilder:
    now = datetime.datetime.utcnow().replace(microsecond=0)
    first, last = days
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer if isinstance(issuer, x509.Name) else _name(issuer))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=first))
        .not_valid_after(now + datetime.timedelta(days=last))
    )


class Authority:
    """Issues certificates. `parent` makes it an intermediate one."""

    def __init__(self, name: str = "Test CA", parent: "Authority | None" = None):
        self.key = new_key("ec")
        issuer, issuer_key = (parent.name, parent.key) if parent else (name, self.key)
        builder = _builder(name, issuer, self.key.public_key(), (-1, 3650)).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.certificate = builder.sign(issuer_key, hashes.SHA256())
        self.name = self.certificate.subject
        self.chain = (self.certificate, *parent.chain) if parent else ()

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, *names: str, key: str = "ec", days=(-1, 365), usage: str = "server") -> Issued:
        """A certificate for `names` (the first is the common name), valid from and to `days`."""
        private = new_key(key)
        usages = {
            "server": [ExtendedKeyUsageOID.SERVER_AUTH],
            "client": [ExtendedKeyUsageOID.CLIENT_AUTH],
            "none": [],
        }[usage]
        builder = _builder(names[0], self.name, private.public_key(), days)
        builder = builder.add_extension(_alternative_names(names), critical=False)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        return Issued(builder.sign(self.key, hashes.SHA256()), private, self.chain)


def self_signed(*names: str, key: str = "ec", days=(-1, 365)) -> Issued:
    private = new_key(key)
    builder = _builder(names[0], names[0], private.public_key(), days)
    builder = builder.add_extension(_alternative_names(names), critical=False)
    return Issued(builder.sign(private, hashes.SHA256()), private)


def expired(*names: str, key: str = "ec") -> Issued:
    return self_signed(*names, key=key, days=(-30, -1))


def server_context(issued: Issued, alpn: list[str] | None = None) -> ssl.SSLContext:
    """A context for a TLS member; accepts TLS 1.2 and 1.3."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if alpn:
        context.set_alpn_protocols(alpn)
    return issued.load_into(context)
