"""Secrets: passwords and keys, which are named where they are needed and read when they are used.

A :class:`Secret` never shows its value: its text, its representation and its place in a plan are the reference. What
:meth:`Secret.value` gives is masked in whatever the process says from then on (:mod:`logsql.diagnostics.redaction`).
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote, quote_plus

from logsql.diagnostics.configuration import (
    SECRET_LOCKED,
    SECRET_MISSING,
    SECRET_NO_TEXT,
    SECRET_NOT_READ,
    SECRET_NOT_SET,
    SECRET_TOO_LARGE,
)
from logsql.diagnostics.errors import UsageError, diagnostic
from logsql.diagnostics.extras import PACKAGE_MISSING
from logsql.diagnostics.redaction import SECRETS
from logsql.store.files import Files

SCHEMES = ("env:", "file:", "keyring:")
#: Bytes that the file of one secret may have.
MOST_BYTES = 65536
_PACKAGE = "keyring"


class Keyring(Protocol):
    """The package keyring, as far as it is used."""

    def get_password(self, service_name: str, username: str, /) -> str | None: ...
    def set_password(self, service_name: str, username: str, password: str, /) -> None: ...


@dataclass(frozen=True)
class Secret:
    """``reference``: ``env:NAME``, ``file:PATH``, ``keyring:SERVICE/USER``, or the secret itself. ``folder``: where a
    relative PATH begins, that of the configuration.

    >>> str(Secret("env:VT_KEY")), str(Secret("hunter2"))
    ('env:VT_KEY', '***')
    >>> Secret("hunter2")
    Secret(***)
    """

    reference: str
    folder: str = field(default="", compare=False)

    @property
    def literal(self) -> bool:
        """Whether the configuration holds the secret itself."""
        return not self.reference.startswith(SCHEMES)

    def __str__(self) -> str:
        return "***" if self.literal else self.reference

    def __repr__(self) -> str:
        return f"Secret({self})"

    def value(self) -> str:
        """The secret, read now: call it where the value goes to its server, and keep it no longer.

        The file of ``file:PATH`` is named by the user's own configuration, as the configuration itself is by
        ``--config``: no query can name it or see it, so it is read in safe mode too. Raises UsageError, which names the
        reference, for a secret that is missing.
        """
        scheme, _, rest = self.reference.partition(":")
        if self.literal:
            found = self.reference
        elif scheme == "env":
            if rest not in os.environ:
                raise UsageError(diagnostic(SECRET_NOT_SET, reference=self))
            found = os.environ[rest]
        elif scheme == "file":
            found = self._of_file(os.path.join(self.folder, os.path.expanduser(rest)))
        else:
            found = self._of_keyring(rest)
        remember(found)
        return found

    def store(self, value: str) -> None:
        """Put a value where a reference ``keyring:SERVICE/USER`` leads. Raises UsageError."""
        service, user = entry(self.reference.partition(":")[2])
        keyring = self._keyring()
        try:
            keyring.set_password(service, user, value)
        except Exception:  # each keyring has errors of its own, and their text may hold what was stored
            raise UsageError(diagnostic(SECRET_LOCKED, reference=self)) from None

    def _of_file(self, path: str) -> str:
        """The content of a file without the line break at its end."""
        try:
            data = Files().read(path, MOST_BYTES)
        except OSError as problem:
            raise UsageError(diagnostic(SECRET_NOT_READ, reference=self, reason=problem.strerror)) from None
        except ValueError:
            raise UsageError(diagnostic(SECRET_TOO_LARGE, reference=self, most=MOST_BYTES)) from None
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise UsageError(diagnostic(SECRET_NO_TEXT, reference=self)) from None
        return text.removesuffix("\n").removesuffix("\r")

    def _of_keyring(self, rest: str) -> str:
        keyring = self._keyring()
        try:
            found = keyring.get_password(*entry(rest))
        except Exception:  # each keyring has errors of its own
            raise UsageError(diagnostic(SECRET_LOCKED, reference=self)) from None
        if found is None:
            raise UsageError(diagnostic(SECRET_MISSING, reference=self))
        return found

    def _keyring(self) -> Keyring:
        try:
            import keyring  # an extra: only references to it need it
        except ImportError:
            missing = diagnostic(PACKAGE_MISSING, what=self, package=_PACKAGE, extra=_PACKAGE)
            raise UsageError(missing) from None
        return keyring


def entry(rest: str) -> tuple[str, str]:
    """``SERVICE/USER`` taken apart at the last slash: the name of a service may be a URL.

    >>> entry("https://a.example/kim")
    ('https://a.example', 'kim')
    """
    service, _, user = rest.rpartition("/")
    return service, user


def remember(secret: str) -> None:
    """Mask a secret in what the process says from now on, also as it stands in URLs, JSON, representations and Basic
    authentication. For secrets that are made of others (a token that a server gave for a password)."""
    forms = {
        secret,
        quote(secret, safe="", errors="replace"),
        quote(secret, errors="replace"),
        quote_plus(secret, errors="replace"),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        repr(secret.encode(errors="surrogateescape"))[2:-1],
        base64.b64encode(secret.encode(errors="surrogateescape")).decode(),
    }
    SECRETS.add(forms)
