"""Values of directory attributes and search filters, against ldap3, uuid and the grammar of RFC 4515."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logsql.commands.network._filter import BadFilter, checked, escaped
from logsql.connectors import ldapvalues as v

pytest.importorskip("ldap3", reason="package not installed: ldap3 (extra ldap)")

from ldap3.operation.search import compile_filter, parse_filter
from ldap3.protocol.formatters.formatters import format_sid, format_time, format_uuid_le
from ldap3.utils.asn1 import encode


@given(st.binary(min_size=16, max_size=16))
def test_a_guid_is_what_uuid_and_ldap3_say(data: bytes) -> None:
    assert v.guid(data) == str(uuid.UUID(bytes_le=data)) == str(format_uuid_le(data)).strip("{}")


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 2**32 - 1), max_size=15))
def test_a_sid_is_what_ldap3_says(authority: int, parts: list[int]) -> None:
    data = bytes([1, len(parts)]) + authority.to_bytes(6, "big") + b"".join(p.to_bytes(4, "little") for p in parts)
    assert v.sid(data) == "-".join(["S-1", str(authority), *map(str, parts)]) == format_sid(data)


def test_the_authority_of_a_sid_beyond_32_bits_is_hexadecimal() -> None:
    """MS-DTYP 2.4.2.1: an identifier authority of 2^32 or more is written in hexadecimal."""
    assert v.sid(bytes.fromhex("0101" + "123456789abc" + "20000000")) == "S-1-0x123456789ABC-32"


@given(st.binary(max_size=80))
def test_bytes_that_are_no_sid_are_none(data: bytes) -> None:
    whole = len(data) >= 8 and data[0] == 1 and len(data) == 8 + 4 * data[1]
    assert (v.sid(data) is not None) == whole


@given(st.datetimes(dt.datetime(1601, 1, 1), dt.datetime(9998, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_a_generalized_time_is_the_instant_that_was_written(moment: dt.datetime, offset: int) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    sign, minutes = "-" if offset < 0 else "+", abs(offset)
    zone = f"{sign}{minutes // 60:02d}{minutes % 60:02d}" if offset else "Z"
    written = f"{moment:%Y%m%d%H%M%S}.{moment.microsecond // 1000:03d}{zone}".rjust(18, "0")
    expected = (moment - dt.timedelta(minutes=offset)).replace(tzinfo=dt.UTC)
    assert v.generalized_time(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("20260301090807Z", dt.datetime(2026, 3, 1, 9, 8, 7, tzinfo=dt.UTC)),
        ("16010101000000.0Z", dt.datetime(1601, 1, 1, tzinfo=dt.UTC)),
        ("2026030109Z", dt.datetime(2026, 3, 1, 9, tzinfo=dt.UTC)),
        ("2026030109.5Z", dt.datetime(2026, 3, 1, 9, 30, tzinfo=dt.UTC)),
        ("202603010908,25Z", dt.datetime(2026, 3, 1, 9, 8, 15, tzinfo=dt.UTC)),
        ("20260301090807.1234567Z", dt.datetime(2026, 3, 1, 9, 8, 7, 123456, tzinfo=dt.UTC)),
        ("20260301090807+09", dt.datetime(2026, 3, 1, 0, 8, 7, tzinfo=dt.UTC)),
        ("20261231235960Z", dt.datetime(2027, 1, 1, tzinfo=dt.UTC)),
        ("20260301090807", None),
        ("20260230090807Z", None),
        ("20260301250807Z", None),
        ("00000101000000Z", None),
        ("99991231235959-0100", None),
        ("2026030109080\u0667Z", None),
        ("", None),
    ],
)
def test_forms_of_generalized_time(written: str, expected: dt.datetime | None) -> None:
    """RFC 4517, 3.3.13."""
    assert v.generalized_time(written) == expected


@given(st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2900, 1, 1)))
def test_a_generalized_time_is_what_ldap3_says(moment: dt.datetime) -> None:
    written = f"{moment:%Y%m%d%H%M%SZ}"
    assert v.generalized_time(written) == format_time(written.encode())


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("cn", [b"a"], "a"),
        ("cn", [b"a", b"b"], ["a", "b"]),
        ("objectClass", [b"top"], ["top"]),
        ("MEMBEROF", [b"cn=x"], ["cn=x"]),
        ("description", [b"one"], ["one"]),
        ("description;lang-ko", ["하나".encode()], ["하나"]),
        ("jpegPhoto", [b"\xff\xd8"], b"\xff\xd8"),
        ("jpegPhoto", [b"\xff\xd8", b"text"], [b"\xff\xd8", b"text"]),
        ("userCertificate;binary", [b"0abc"], [b"0abc"]),
        ("objectGUID", [bytes(16)], "00000000-0000-0000-0000-000000000000"),
        ("objectGUID", [b"\x01\x02"], "0102"),
        ("sIDHistory", [bytes([1, 0]) + bytes(6)] * 2, ["S-1-0", "S-1-0"]),
        ("lastLogon", [b"132444736001234567"], "132444736001234567"),
        ("whenCreated", [b"20260301090807.0Z"], dt.datetime(2026, 3, 1, 9, 8, 7, tzinfo=dt.UTC)),
        ("pwdChangedTime", [b"20260301090807Z"], "20260301090807Z"),
    ],
)
def test_the_value_of_an_attribute(name: str, values: list[bytes], expected: object) -> None:
    assert v.value(name, values, {"description"}, lambda *_: pytest.fail("nothing is lost")) == expected


def test_a_time_that_is_none_is_null_and_told() -> None:
    told: list[tuple[str, int, str | None]] = []
    assert v.value("whenCreated", [b"yesterday"], (), lambda *entry: told.append(entry)) is None
    assert v.value("member", [b"cn=\xff"], (), lambda *entry: told.append(entry)) == ["cn=\ufffd"]
    assert told == [("time-unreadable", 1, "yesterday"), ("attribute-undecodable", 1, "cn=\ufffd")]


# --- filters --------------------------------------------------------------------------------------------------------

_NAMES = st.sampled_from(["cn", "mail", "sAMAccountName", "1.2.840.113556.1.4.221", "displayName;lang-ko"])
_VALUES = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
_ITEMS = st.builds(lambda n, op, x: f"({n}{op}{escaped(x)})", _NAMES, st.sampled_from(["=", ">=", "<=", "~="]), _VALUES)
_PIECES = st.builds(
    lambda n, xs: f"({n}={'*'.join(map(escaped, xs))})", _NAMES, st.lists(_VALUES.filter(bool), min_size=2, max_size=4)
)
_FILTERS = st.recursive(
    _ITEMS | _PIECES | st.builds(lambda n: f"({n}=*)", _NAMES),
    lambda inner: (
        st.builds(lambda s, xs: f"({s}{''.join(xs)})", st.sampled_from("&|"), st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda x: f"(!{x})", inner)
    ),
    max_leaves=6,
)


def wire(text: str) -> bytes:
    """The bytes that ldap3 makes of a filter."""
    return bytes(encode(compile_filter(parse_filter(text, None, False, False, None, False).elements[0])))


@given(_FILTERS)
def test_a_filter_and_its_canonical_form_are_the_same_to_the_server(text: str) -> None:
    assert checked(text) == text
    assert wire(checked(text)) == wire(text)


@given(_NAMES, _VALUES)
def test_an_escaped_value_is_sent_as_it_is(name: str, value: str) -> None:
    r"""RFC 4515: what ``*``, ``(``, ``)``, ``\`` and NUL would mean, they do not mean when they are escaped."""
    made = checked(f"({name}={escaped(value)})")
    sent = wire(made)
    assert sent.endswith(value.encode())
    assert sent[0] == 0xA3


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("(&(userPrincipalName=*))", "(&(userPrincipalName=*))"),
        (" ( | ( cn = a ) (!(mail=*@x.*)) ) ", r"(|(cn=\20a\20)(!(mail=*@x.*)))"),
        ("(cn=홍길동)", r"(cn=\ed\99\8d\ea\b8\b8\eb\8f\99)"),
        (r"(cn=a\2Ab)", r"(cn=a\2ab)"),
        (r"(objectGUID=\00\ff)", r"(objectGUID=\00\ff)"),
        ("(cn=)", "(cn=)"),
        ("(cn=a**b)", "(cn=a*b)"),
        ("(cn:dn:2.4.6.8.10:=x)", "(cn:dn:2.4.6.8.10:=x)"),
        ("(:caseExactMatch:=x)", "(:caseExactMatch:=x)"),
        ("(userAccountControl:1.2.840.113556.1.4.803:=2)", "(userAccountControl:1.2.840.113556.1.4.803:=2)"),
    ],
)
def test_filters_that_are_right(text: str, canonical: str) -> None:
    assert checked(text) == canonical


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("cn=a", 0),
        ("(cn=a", 0),
        ("(&(cn=a)", 0),
        ("(cn=a))", 6),
        ("(cn=a)(cn=b)", 6),
        ("(cn a)", 1),
        ("(=a)", 1),
        ("(&(cn=a)cn=b)", 8),
        (r"(cn=a\zz)", 5),
        (r"(cn=a\2)", 5),
        ("(cn=a(b)", 5),
        ("(cn>=a*)", 6),
        ("(!(a=b)(c=d))", 7),
        ("(!)", 2),
        ("(:=x)", 1),
        ("(" * 500, 1),
        ("(&" * 500 + ")" * 500, 202),
    ],
)
def test_filters_that_are_wrong_say_where(text: str, position: int) -> None:
    with pytest.raises(BadFilter) as caught:
        checked(text)
    assert caught.value.position == position


@given(st.text("()&|!=*\\<>~:a1; \u00e9", max_size=30))
def test_any_text_is_a_filter_or_says_where_not(text: str) -> None:
    try:
        made, position = checked(text), 0
    except BadFilter as problem:
        made, position = "", problem.position
    assert not made or checked(made) == made
    assert 0 <= position <= len(text)
