"""An own certificate authority, and certificates that are right or wrong in one way each."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: Names and addresses that the right certificate is good for, names of the services that tests stand in for among them.
NAMES = ("localhost", "127.0.0.1", "::1", "www.virustotal.com", "dc1.example.com", "api.example.test", "*.lab.test")
NAMES += ("raw.githubusercontent.com", "logpresso.com", "api.abuseipdb.com")
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM files."""

    cert: Path
    key: Path


@dataclass(frozen=True)
class Authority:
    """The files of an own authority.

    ``right`` is good for ``localhost``, ``127.0.0.1`` and the other ``NAMES``; ``name_only`` for ``localhost`` and no
    address. ``expired`` ended yesterday, ``future`` begins tomorrow, ``other_name`` is for ``elsewhere.example.test``,
    ``self_signed`` is signed by nobody else, ``foreign`` by an authority that nobody trusts. ``client`` is a client's
    (common name ``client.lab.test``).
    """

    ca_file: Path
    right: Pair
    name_only: Pair
    expired: Pair
    future: Pair
    other_name: Pair
    self_signed: Pair
    foreign: Pair
    client: Pair

    def pair(self, name: str) -> Pair:
        """The pair of that name (``right``, ``expired`` ...)."""
        found = getattr(self, name)
        assert isinstance(found, Pair)
        return found

    def server_context(self, name: str = "right", client: bool = False) -> ssl.SSLContext:
        """What a server needs to speak TLS with that pair; ``client=True`` demands a client's certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        pair = self.pair(name)
        context.load_cert_chain(pair.cert, pair.key)
        if client:
            context.load_verify_locations(self.ca_file)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client_context(self) -> ssl.SSLContext:
        """What a client needs to trust this authority and no other."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.ca_file)
        return context


@dataclass(frozen=True)
class _Issuer:
    """Who signs: a name and a key."""

    name: x509.Name
    key: ec.EllipticCurvePrivateKey


def make_authority(folder: Path) -> Authority:
    """Make the authority and its certificates in a folder. Takes a tenth of a second: the keys are elliptic curves."""
    folder.mkdir(parents=True, exist_ok=True)
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    ca = _issuer(folder / "ca.pem", "logsql test authority", now)
    stranger = _issuer(folder / "stranger.pem", "another authority", now)

    def leaf(
        name: str, names: tuple[str, ...], start: dt.datetime, end: dt.datetime, issuer: _Issuer | None = ca
    ) -> Pair:
        return _leaf(folder / f"{name}.pem", folder / f"{name}.key", names, (start, end), issuer)

    span = (now - DAY, now + 30 * DAY)
    return Authority(
        ca_file=folder / "ca.pem",
        right=leaf("right", NAMES, *span),
        name_only=leaf("name_only", ("localhost",), *span),
        expired=leaf("expired", NAMES, now - 30 * DAY, now - DAY),
        future=leaf("future", NAMES, now + DAY, now + 30 * DAY),
        other_name=leaf("other_name", ("elsewhere.example.test",), *span),
        self_signed=leaf("self_signed", NAMES, *span, issuer=None),
        foreign=leaf("foreign", NAMES, *span, issuer=stranger),
        client=leaf("client", ("client.lab.test",), *span),
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _issuer(path: Path, name: str, now: dt.datetime) -> _Issuer:
    """An authority's own certificate, written to ``path``."""
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    made = (
        _builder(_name(name), _name(name), key, (now - DAY, now + 60 * DAY))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return _Issuer(_name(name), key)


def _leaf(
    cert: Path, key_file: Path, names: tuple[str, ...], span: tuple[dt.datetime, dt.datetime], issuer: _Issuer | None
) -> Pair:
    """A certificate for names and addresses; one without an issuer signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    signer = issuer or _Issuer(_name(names[0]), key)
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    made = (
        _builder(_name(names[0]), signer.name, key, span)
        .add_extension(x509.SubjectAlternativeName([_subject(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()), critical=False)
        .sign(signer.key, hashes.SHA256())
    )
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.touch(mode=0o600)
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return Pair(cert, key_file)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, span: tuple[dt.datetime, dt.datetime]
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(span[0])
        .not_valid_after(span[1])
    )


def _subject(name: str) -> x509.GeneralName:
    """A name, or an address where the text is one."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
