"""Which certificates are good, against servers with certificates that are wrong in one way each."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

import pytest

from logsql.connectors.tls import context, word_of
from logsql.diagnostics.errors import UsageError
from tests.servers.pki import Authority
from tests.servers.web import WebServer


def said(made: ssl.SSLContext, server: WebServer, name: str = "localhost") -> str | None:
    """The word for a handshake, None where it went well."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw:
        try:
            with made.wrap_socket(raw, server_hostname=name):
                return None
        except OSError as error:
            return word_of(error) or repr(error)


@pytest.mark.parametrize(
    ("variant", "word"),
    [
        ("right", None),
        ("expired", "tls-expired"),
        ("future", "tls-expired"),
        ("other_name", "tls-name-mismatch"),
        ("self_signed", "tls-untrusted"),
        ("foreign", "tls-untrusted"),
    ],
)
def test_a_certificate_that_is_wrong_has_its_word(
    web: Callable[[str], WebServer], tls: Authority, variant: str, word: str | None
) -> None:
    assert said(context([str(tls.ca_file)]), web(variant)) == word


def test_the_own_authority_is_added_and_a_stranger_is_not_trusted(https_server: WebServer, tls: Authority) -> None:
    assert said(context(), https_server) == "tls-untrusted"
    assert said(context([None, str(tls.ca_file), str(tls.ca_file)]), https_server) is None


def test_the_name_is_checked_also_when_it_is_an_address(web: Callable[[str], WebServer], tls: Authority) -> None:
    trusting = context([str(tls.ca_file)])
    assert said(trusting, web("right"), "127.0.0.1") is None
    assert said(trusting, web("name_only"), "127.0.0.1") == "tls-name-mismatch"


def test_another_name_is_checked_instead_of_the_host(web: Callable[[str], WebServer], tls: Authority) -> None:
    named = context([str(tls.ca_file)], certificate_name="elsewhere.example.test")
    assert said(named, web("other_name")) is None
    assert said(named, web("right")) == "tls-name-mismatch"


def test_nothing_older_than_tls_1_2_is_spoken() -> None:
    made = context()
    assert made.minimum_version == ssl.TLSVersion.TLSv1_2
    assert made.verify_mode == ssl.CERT_REQUIRED
    assert made.check_hostname


def test_a_file_that_holds_no_certificate_is_named(tls: Authority) -> None:
    with pytest.raises(UsageError, match=r"E3042.*nosuch\.pem"):
        context(["/nosuch.pem"])
    with pytest.raises(UsageError, match=r"E3042"):
        context(client_cert=str(tls.ca_file))


def test_the_reason_is_found_behind_other_exceptions() -> None:
    wrapped = OSError("x", ssl.SSLError(1, "y"))
    assert word_of(wrapped) == "tls-failed"
    assert word_of(OSError("plain")) is None
