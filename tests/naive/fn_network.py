"""Addresses, binary values, digests and ciphers."""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import os
import re
import uuid
from collections.abc import Callable

from .errors import NaiveError
from .evaluate import Binder, Fn, Simple, check_arity
from .fn_text import charset
from .syntax import Call
from .values import Ctx, Ip, Long, Row, Value, is_int

_QUAD = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!$)|$)){4}")


def parse_ip(ctx: Ctx, v: Value) -> Ip | None:
    """Address of text; host names, short forms, leading zeros and ports have none."""
    if isinstance(v, Ip):
        return v
    if not isinstance(v, str):
        return None
    if _QUAD.fullmatch(v):
        return Ip(bytes(int(p) for p in v.split(".")))
    if ":" in v and re.fullmatch(r"[0-9a-fA-F:.]+", v):
        try:
            address = ipaddress.IPv6Address(v)
        except ValueError:
            return None
        if "." in v or address.ipv4_mapped:
            ctx.note("IPv4 address inside an IPv6 address")
        return Ip(address.packed)
    return None


def _ip(ctx: Ctx, v: Value) -> Ip | None:
    if is_int(v):
        if -(2**31) <= v < 2**32:
            return Ip((int(v) % 2**32).to_bytes(4, "big"))
        return None
    if isinstance(v, Ip):
        ctx.note("ip() of an address")
    return parse_ip(ctx, v)


def _quad(ctx: Ctx, v: Value) -> int | None:
    address = parse_ip(ctx, v)
    return None if address is None or address.version != 4 else int.from_bytes(address.packed, "big")


def _ip2long(ctx: Ctx, v: Value) -> Value:
    n = _quad(ctx, v)
    return None if n is None else Long(n)


def _ip2int(ctx: Ctx, v: Value) -> Value:
    n = _quad(ctx, v)
    return None if n is None else n - 2**32 if n >= 2**31 else n


def _long2ip(ctx: Ctx, v: Value) -> str | None:
    return str(Ip((int(v) % 2**32).to_bytes(4, "big"))) if is_int(v) else None


def _network(ctx: Ctx, v: Value, bits: Value) -> str | None:
    address = parse_ip(ctx, v)
    if address is None or not is_int(bits) or not 0 <= bits <= len(address.packed) * 8:
        return None
    size = len(address.packed) * 8
    mask = (2 ** int(bits) - 1) << (size - int(bits))
    return str(Ip((int.from_bytes(address.packed, "big") & mask).to_bytes(size // 8, "big")))


def _reverseip(ctx: Ctx, v: Value) -> str | None:
    address = parse_ip(ctx, v)
    return None if address is None or address.version != 4 else ".".join(reversed(str(address).split(".")))


def _codec(encode: bool) -> Callable[[Binder, Call], Fn]:
    def make(b: Binder, node: Call) -> Fn:
        check_arity(node, 1, 2)
        codec = charset(b.const(node.args[1], "charset"), node.name) if len(node.args) == 2 else "utf-8"
        x = b.bind(node.args[0])
        ctx = b.ctx

        def run(row: Row) -> Value:
            v = x(row)
            if encode:
                if not isinstance(v, str):
                    return None
                try:
                    return v.encode(codec)
                except UnicodeEncodeError:
                    ctx.note("text that the charset cannot hold")
                    return v.encode(codec, "replace")
            if not isinstance(v, bytes):
                return None
            try:
                return v.decode(codec)
            except UnicodeDecodeError:
                ctx.note("bytes that are no text in the charset")
                return v.decode(codec, "replace")

        return run

    return make


def _tobase64(ctx: Ctx, v: Value) -> str | None:
    return base64.b64encode(v).decode() if isinstance(v, bytes) else None


def _frombase64(ctx: Ctx, v: Value) -> bytes | None:
    if not isinstance(v, str):
        return None
    if not re.fullmatch(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", v):
        if re.fullmatch(r"[A-Za-z0-9+/=_\s-]+", v):
            ctx.note("base64 text without full padding")
        return None
    try:
        return base64.b64decode(v, validate=True)
    except binascii.Error:
        return None


def _tohex(ctx: Ctx, v: Value) -> str | None:
    return v.hex() if isinstance(v, bytes) else None


def _fromhex(ctx: Ctx, v: Value) -> bytes | None:
    if not isinstance(v, str) or not re.fullmatch(r"(?:[0-9a-fA-F]{2})*", v):
        return None
    return bytes.fromhex(v)


def _hash(b: Binder, node: Call) -> Fn:
    check_arity(node, 2, 2)
    algorithm = str(b.const(node.args[0], "hash algorithm")).lower()
    if algorithm not in ("md5", "sha1", "sha256", "sha384", "sha512"):
        raise NaiveError("90692", "unsupported-hash", f"hash: unsupported algorithm {algorithm}")
    x = b.bind(node.args[1])

    def run(row: Row) -> bytes | None:
        v = x(row)
        return hashlib.new(algorithm, v).digest() if isinstance(v, bytes) else None

    return run


def _cipher(encrypting: bool) -> Callable[[Binder, Call], Fn]:
    def make(b: Binder, node: Call) -> Fn:
        check_arity(node, 3, 4)
        parts = (str(b.const(node.args[0], "cipher algorithm")).upper() + "//").split("/")[:3]
        algorithm, mode, padding = parts[0], parts[1] or "ECB", parts[2] or "PKCS5PADDING"
        known = algorithm == "AES" and mode in ("ECB", "CBC") and padding in ("PKCS5PADDING", "NOPADDING")
        if not known:
            raise NaiveError("90693", "unsupported-cipher", f"{node.name}: unsupported cipher algorithm {parts}")
        fns = [b.bind(a) for a in node.args[1:]]

        def run(row: Row) -> bytes | None:
            values = [f(row) for f in fns]
            if not all(isinstance(v, bytes) for v in values):
                return None
            return _crypt(encrypting, mode, padding, values)

        return run

    return make


def _crypt(encrypting: bool, mode: str, padding: str, values: list[bytes]) -> bytes | None:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.padding import PKCS7

    key, data = values[0], values[1]
    try:
        chain = modes.ECB() if mode == "ECB" else modes.CBC(values[2])
        cipher = Cipher(algorithms.AES(key), chain)
        if encrypting:
            if padding == "PKCS5PADDING":
                padder = PKCS7(128).padder()
                data = padder.update(data) + padder.finalize()
            worker = cipher.encryptor()
            return worker.update(data) + worker.finalize()
        worker = cipher.decryptor()
        plain = worker.update(data) + worker.finalize()
        if padding == "PKCS5PADDING":
            unpadder = PKCS7(128).unpadder()
            plain = unpadder.update(plain) + unpadder.finalize()
        return plain
    except (ValueError, IndexError):
        return None


def _randbytes(b: Binder, node: Call) -> Fn:
    check_arity(node, 1, 1)
    n = b.const(node.args[0], "randbytes length")
    if not is_int(n) or not 1 <= n <= 10240:
        name = "invalid-randbytes-length"
        raise NaiveError("90755", name, "randbytes: the length must be an integer in the range 1..10240")
    b.ctx.note("randbytes")
    return lambda row: os.urandom(int(n))


def _guid(ctx: Ctx) -> str:
    ctx.note("guid")
    return str(uuid.uuid4())


SIMPLE: dict[str, Simple] = {
    "ip": (1, 1, _ip),
    "ip2long": (1, 1, _ip2long),
    "ip2int": (1, 1, _ip2int),
    "long2ip": (1, 1, _long2ip),
    "network": (2, 2, _network),
    "reverseip": (1, 1, _reverseip),
    "tobase64": (1, 1, _tobase64),
    "frombase64": (1, 1, _frombase64),
    "tohex": (1, 1, _tohex),
    "fromhex": (1, 1, _fromhex),
    "guid": (0, 0, _guid),
}
SPECIAL: dict[str, Callable[[Binder, Call], Fn]] = {
    "binary": _codec(True),
    "encode": _codec(True),
    "decode": _codec(False),
    "hash": _hash,
    "encrypt": _cipher(True),
    "decrypt": _cipher(False),
    "randbytes": _randbytes,
}
