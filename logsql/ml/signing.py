"""Signatures of exported models: another machine can tell who made a file, and that nothing in it was changed.

Contract
- An export is signed with an Ed25519 key of this user (``sign.key`` beside the key that seals models; made when it is
  first needed). The signature covers the description, which holds the hash of the forest.
- The file carries the public key. Its fingerprint, ``SHA256:...``, is what people compare: who imports writes the
  fingerprint that the exporting side has shown, and any other file is refused.
- Needs the package ``cryptography`` (extra ``crypto``); without it exports are unsigned, and that is told.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from logsql.store.files import Files

DOMAIN = b"logsql model export 1\n"


def possible() -> bool:
    """Whether the package that signs is installed."""
    return find_spec("cryptography") is not None


def fingerprint(public: bytes) -> str:
    """What people compare of a public key."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(public).digest()).decode().rstrip("=")


@dataclass(frozen=True)
class Signed:
    """A signature as it stands in an exported file."""

    public: bytes
    signature: bytes

    @property
    def signer(self) -> str:
        return fingerprint(self.public)

    def to_bytes(self) -> bytes:
        return json.dumps({"public": self.public.hex(), "signature": self.signature.hex()}).encode()

    @staticmethod
    def from_bytes(data: bytes) -> Signed:
        """Raises ValueError, KeyError or TypeError on anything that ``to_bytes`` does not write."""
        found = json.loads(data)
        return Signed(bytes.fromhex(found["public"]), bytes.fromhex(found["signature"]))

    def fits(self, description: bytes) -> bool:
        """Whether the description is the one that was signed."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(self.signature, DOMAIN + description)
        except (InvalidSignature, ValueError):
            return False
        return True


def signed(description: bytes, key_file: Path) -> Signed:
    """The signature of a description with the user's key, which is made when there is none. Raises OSError."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    files = Files()
    with files.lock(key_file.parent):
        if not files.has(key_file):
            files.write(key_file, Ed25519PrivateKey.generate().private_bytes_raw(), private=True)
        key = Ed25519PrivateKey.from_private_bytes(files.read(key_file))
    return Signed(key.public_key().public_bytes_raw(), key.sign(DOMAIN + description))
