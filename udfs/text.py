"""Charsets by Java name, URL encoding as java.net does it, and the ``signature`` of a log line.

A charset name is resolved once by :func:`charset`; unknown names raise :class:`LookupError` (the language refuses
the call). Bytes that are malformed in the charset become U+FFFD (how many of them for one bad sequence is the
codec's choice), characters without a code become ``?``. Source: java.nio.charset and java.net of JDK 17, functions
``decode``, ``encode``, ``binary``, ``urldecode``, ``urlencode``, ``signature`` of the language.
"""

from __future__ import annotations

import codecs
import re

import pyarrow as pa
import regex

from udfs.columns import as_array, map_distinct

# Java names whose Python spelling differs. MS949 is what Korean Windows writes, so CP949 means it too (Java: IBM-949).
_ALIASES = {
    "cp949": "cp949",
    "949": "cp949",
    "ms949": "cp949",
    "ms_949": "cp949",
    "windows-949": "cp949",
    "windows949": "cp949",
    "x-windows-949": "cp949",
    "uhc": "cp949",
    "5601": "euc_kr",
    "cseuckr": "euc_kr",
    "ksc_5601": "euc_kr",
    "ksc5601-1987": "euc_kr",
    "ksc5601_1987": "euc_kr",
    "ks_c_5601": "euc_kr",
    "x-johab": "johab",
    "ksc5601-1992": "johab",
    "windows-31j": "cp932",
    "windows-932": "cp932",
    "cswindows31j": "cp932",
    "ms932": "cp932",
    "x-sjis": "shift_jis",
    "x-euc-jp": "euc_jp",
    "x-eucjp": "euc_jp",
    "jis": "iso2022_jp",
    "windows-936": "gbk",
    "ms936": "gbk",
    "x-mswin-936": "gbk",
    "x-euc-cn": "gb2312",
    "windows-950": "cp950",
    "ms950": "cp950",
    "x-windows-950": "cp950",
    "big5hk": "big5hkscs",
    "x-windows-874": "cp874",
    "tis620.2533": "tis_620",
    "koi8": "koi8_r",
    "default": "ascii",
    "ascii7": "ascii",
    "unicode-1-1-utf-8": "utf_8",
    "iso-10646-ucs-2": "utf_16_be",
    "x-utf-16be": "utf_16_be",
    "x-utf-16le": "utf_16_le",
    "unicode": "utf-16",
    "unicodebig": "utf-16",
    "utf_16": "utf-16",
    "utf16": "utf-16",
    "x-utf-16le-bom": "utf-16le-bom",
    "unicodelittle": "utf-16le-bom",
    "utf_32": "utf-32",
    "utf32": "utf-32",
    "x-utf-32be": "utf_32_be",
    "x-utf-32le": "utf_32_le",
    "cpibm37": "cp037",
    "x-maccentraleurope": "mac_latin2",
}
_PATTERNS = (
    (re.compile(r"(?:x-)?ibm-?0*(\d{3,})|cp0+(\d{3,})|ccsid0*(\d{3,})"), "cp{}"),
    (re.compile(r"8859_(\d+)"), "iso8859-{}"),
    (re.compile(r"ibm-?(819)"), "iso8859-1"),
    (re.compile(r"x-mac(\w+)"), "mac-{}"),
    (re.compile(r"x-(iso-8859-11)"), "{}"),
)
# Codecs of Python that are no charset of Java.
_NOT_CHARSETS = frozenset(
    (
        "idna",
        "punycode",
        "raw-unicode-escape",
        "unicode-escape",
        "undefined",
        "utf-7",
        "utf-8-sig",
        "mbcs",
        "oem",
        "palmos",
    )
)
# Python spells a syllable outside KS X 1001 with eight bytes of letters; Java has no code for it.
_SYLLABLE = re.compile("[가-힣]")
_BYTE_ORDERED = {
    "utf-16": ("utf_16_be", b"\xfe\xff"),
    "utf-16le-bom": ("utf_16_le", b"\xff\xfe"),
    "utf-32": ("utf_32_be", b""),
}
_BYTE_ORDER_MARKS = {
    "utf-16": ((b"\xfe\xff", "utf_16_be"), (b"\xff\xfe", "utf_16_le")),
    "utf-16le-bom": ((b"\xff\xfe", "utf_16_le"), (b"\xfe\xff", "utf_16_be")),
    "utf-32": ((b"\x00\x00\xfe\xff", "utf_32_be"), (b"\xff\xfe\x00\x00", "utf_32_le")),
}


def charset(name: str) -> str:
    """Codec name for a Java charset name, letter case ignored; for :func:`decode_bytes` and :func:`encode_text`.

    Raises :class:`LookupError` for an unknown charset. The result is a Python codec except for ``utf-16``,
    ``utf-32`` and ``utf-16le-bom``, whose byte order marks follow Java (``UTF-16`` writes big-endian with a mark).

    >>> charset("MS949"), charset("EUC-KR"), charset("x-windows-949"), charset("UTF-16")
    ('cp949', 'euc_kr', 'cp949', 'utf-16')
    """
    key = name.lower()
    found = _ALIASES.get(key, key)
    if found in _BYTE_ORDERED:
        return found
    for pattern, target in _PATTERNS:
        match = pattern.fullmatch(found)
        if match is not None:
            found = target.format(next(group for group in match.groups() if group))
            break
    try:
        info = codecs.lookup(found)
        "".encode(info.name)  # bytes-to-bytes codecs such as `hex` are refused here
    except (LookupError, ValueError, UnicodeError):
        raise LookupError(f'unknown charset "{name}"') from None
    if info.name in _NOT_CHARSETS:
        raise LookupError(f'unknown charset "{name}"')
    return info.name


def decode_bytes(data: bytes, codec: str) -> str:
    """Text of bytes; ``codec`` from :func:`charset`. Malformed parts become U+FFFD.

    >>> decode_bytes(bytes.fromhex("b7ceb1d7"), charset("EUC-KR")), decode_bytes(b"a\\xff", "utf-8")
    ('로그', 'a\\ufffd')
    """
    for mark, actual in _BYTE_ORDER_MARKS.get(codec, ()):
        if data.startswith(mark):
            return data[len(mark) :].decode(actual, "replace")
    return data.decode(_BYTE_ORDERED[codec][0] if codec in _BYTE_ORDERED else codec, "replace")


def encode_text(text: str, codec: str) -> bytes:
    """Bytes of text; ``codec`` from :func:`charset`. Characters without a code become ``?``.

    >>> encode_text("A", charset("UTF-16")).hex(), encode_text("한", charset("US-ASCII"))
    ('feff0041', b'?')
    """
    if codec in _BYTE_ORDERED:
        actual, mark = _BYTE_ORDERED[codec]
        return (mark if text else b"") + text.encode(actual, "replace")
    if codec == "euc_kr":
        text = _SYLLABLE.sub(lambda found: found.group() if len(found.group().encode(codec)) == 2 else "?", text)
    return text.encode(codec, "replace")


def stream_codec(codec: str) -> tuple[str, bytes]:
    """Python codec and byte order mark for text that is encoded part by part; ``codec`` from :func:`charset`.

    The mark, often empty, stands once before the first part.

    >>> stream_codec(charset("UTF-16")), stream_codec(charset("MS949"))
    (('utf_16_be', b'\\xfe\\xff'), ('cp949', b''))
    """
    return _BYTE_ORDERED.get(codec, (codec, b""))


def decode_array(values: pa.Array | pa.ChunkedArray, codec: str) -> pa.StringArray:
    """A binary column as text; null stays null. ``codec`` from :func:`charset`.

    >>> decode_array(pa.array([b"A\\x00", None]), charset("UTF-16LE")).to_pylist()
    ['A', None]
    """
    flat = as_array(values)
    if codec == "utf-8":
        try:
            return flat.cast(pa.string())
        except pa.ArrowInvalid:  # malformed bytes somewhere: decode value by value
            pass
    return map_distinct(flat, lambda data: decode_bytes(data, codec), pa.string())


def encode_array(values: pa.Array | pa.ChunkedArray, codec: str) -> pa.BinaryArray:
    """A text column as bytes; null stays null. ``codec`` from :func:`charset`.

    >>> encode_array(pa.array(["한글", None]), charset("EUC-KR")).to_pylist()
    [b'\\xc7\\xd1\\xb1\\xdb', None]
    """
    flat = as_array(values)
    if codec == "utf-8":
        return flat.cast(pa.binary())
    return map_distinct(flat, lambda text: encode_text(text, codec), pa.binary())


# --- URL encoding ------------------------------------------------------------------------------------------

# Integer.parseInt reads "+f" as 15, so java.net.URLDecoder takes `%+f` for a byte; it refuses `%-1`.
_ESCAPES = re.compile(r"(?:%(?:[0-9A-Fa-f]{2}|\+[0-9A-Fa-f]))+")
_UNSAFE = re.compile(r"[^a-zA-Z0-9.\-*_ ]+")


def urldecode(text: str, codec: str = "utf-8") -> str:
    """java.net.URLDecoder: ``%XX`` in the charset, ``+`` is a blank; text with a broken escape is returned unchanged.

    >>> urldecode("a+b%20%ED%95%9C"), urldecode("100%"), urldecode("%b7%ce", charset("EUC-KR"))
    ('a b 한', '100%', '로')
    """
    if "%" not in text:
        return text.replace("+", " ")
    out: list[str] = []
    at = 0
    for found in _ESCAPES.finditer(text):
        plain = text[at : found.start()]
        if "%" in plain:
            return text
        out.append(plain.replace("+", " "))
        data = bytes(int(pair, 16) for pair in found.group().split("%")[1:])
        out.append(decode_bytes(data, codec))
        at = found.end()
    rest = text[at:]
    return text if "%" in rest else "".join(out) + rest.replace("+", " ")


def urlencode(text: str, codec: str = "utf-8") -> str:
    """java.net.URLEncoder: letters, digits and ``.-*_`` stay, a blank becomes ``+``, the rest ``%XX`` in the charset.

    >>> urlencode("a/b c~한"), urlencode("한", charset("EUC-KR"))
    ('a%2Fb+c%7E%ED%95%9C', '%C7%D1')
    """

    def escaped(run: re.Match[str]) -> str:
        return "".join(f"%{byte:02X}" for byte in encode_text(run.group(), codec))

    return _UNSAFE.sub(escaped, text).replace(" ", "+")


def urldecode_array(values: pa.Array | pa.ChunkedArray, codec: str = "utf-8") -> pa.StringArray:
    """:func:`urldecode` of a text column; null stays null.

    >>> urldecode_array(pa.array(["a%2Bb", None])).to_pylist()
    ['a+b', None]
    """
    return map_distinct(values, lambda text: urldecode(text, codec), pa.string())


def urlencode_array(values: pa.Array | pa.ChunkedArray, codec: str = "utf-8") -> pa.StringArray:
    """:func:`urlencode` of a text column; null stays null.

    >>> urlencode_array(pa.array(["a/b", None])).to_pylist()
    ['a%2Fb', None]
    """
    return map_distinct(values, lambda text: urlencode(text, codec), pa.string())


# --- signature ---------------------------------------------------------------------------------------------

_SIGNATURE = regex.compile(r'"[^"]*(?:(")|\Z)|[\p{L}\p{Nd}]+')


def signature(text: str) -> str:
    """The text without letters and digits and without quoted text; of each quoted part only the closing quote stays.

    >>> signature("GET /a/b 200"), signature('k="v 1" x')
    (' // ', '=" ')
    """
    return str(_SIGNATURE.sub(lambda found: found.group(1) or "", text))


def signature_array(values: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """:func:`signature` of a text column; null stays null.

    >>> signature_array(pa.array(["a-b", None])).to_pylist()
    ['-', None]
    """
    return map_distinct(values, signature, pa.string())
