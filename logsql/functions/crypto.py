"""hash, encrypt, decrypt, randbytes, guid (functions.md > crypto).

A wrong key or value gives null, a wrong name is refused.
"""

from __future__ import annotations

from collections.abc import Callable

from logsql.diagnostics.codes import Pair, define, text
from logsql.diagnostics.losses import NOT_CONVERTED
from logsql.functions.lowering import constant_text, example, null
from logsql.language.tree import canonical
from logsql.planner import results
from logsql.planner.calls import FunctionCall
from logsql.planner.duties import PARTLY, PYTHON, VOLATILE, VOLATILE_PYTHON, Takes
from logsql.planner.function_spec import FunctionSpec, register
from logsql.planner.notes.arguments import NOTHING_FOR
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import BINARY, STRING, Kind
from logsql.values.values import Typed

ALGORITHM = text("the algorithm", "알고리즘")
UNSUPPORTED_HASH = define(
    "90692",
    "unsupported-hash",
    ("a hash algorithm that hash() does not know", "hash()가 지원하지 않는 알고리즘입니다"),
    (
        'hash(): unsupported algorithm "{algorithm}"; known are {known}',
        'hash(): 지원하지 않는 알고리즘입니다: "{algorithm}". 지원: {known}',
    ),
)
UNSUPPORTED_CIPHER = define(
    "90693",
    "unsupported-{function}-algorithm",
    ("an algorithm that encrypt() or decrypt() does not know", "encrypt()나 decrypt()가 지원하지 않는 알고리즘입니다"),
    ("{function}(): {reason}", "{function}(): {reason}"),
)
RANDBYTES_LENGTH = define(
    "90755",
    "invalid-randbytes-length",
    ("the length of randbytes() is out of range", "randbytes()의 길이가 범위를 벗어났습니다"),
    (
        "the length of randbytes() must be an integer in the range 1 to 10240, got {length}",
        "randbytes()의 길이는 1부터 10240까지의 정수여야 합니다: {length}",
    ),
)


_NATIVE = ("md5", "sha1", "sha256")
_DIGESTS = (*_NATIVE, "sha384", "sha512")
#: Bytes of a digest.
_SIZES = {"md5": 16, "sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}


def _hash(call: FunctionCall) -> Typed:
    name = constant_text(call, 0, UNSUPPORTED_HASH, ALGORITHM)
    algorithm = name.lower().replace("-", "")
    if algorithm not in _DIGESTS:
        call.fail(UNSUPPORTED_HASH, 0, algorithm=name, known=", ".join(_DIGESTS))
    node = values.binary_sql(call.arg(1))
    if node is None:
        return null(BINARY)
    if algorithm in _NATIVE:
        return Typed(sql.func("unhex", sql.func(algorithm, node)), BINARY)
    return Typed(call.udf("lq_hash", node, sql.string(algorithm)), BINARY)


def _hash_of(call: FunctionCall) -> Typed:
    """The digest; values of a field of several types that are no bytes are counted."""
    result = _hash(call)
    return call.lost(NOT_CONVERTED, result, call.arg(1)) if call.arg(1).kind is Kind.ANY else result


def _cipher(call: FunctionCall) -> Typed:
    from udfs.crypto import CryptoError, fits, transformation  # for cost: pyarrow.compute

    name = call.spec.name
    call.needs_extra(f"{name}()", "cryptography", "crypto", "cryptography.hazmat.primitives")
    algorithm = constant_text(call, 0, UNSUPPORTED_CIPHER, ALGORITHM)
    try:
        how = transformation(algorithm)
    except CryptoError as problem:
        call.fail(UNSUPPORTED_CIPHER, 0, function=name, reason=problem)
    key = call.constant(1) if call.is_constant(1) else None
    fitting = not isinstance(key, bytes) or fits(how, key)
    if not fitting:  # no key of the algorithm has this size
        call.note(NOTHING_FOR, 1, function=name, value=canonical(call.nodes[1]))
    nodes: list[Sql] = []
    for i in range(1, len(call)):
        node = values.binary_sql(call.arg(i))
        if node is None:
            return null(BINARY)
        nodes.append(node)
    made = Typed(call.udf(f"lq_{name}", sql.string(algorithm), *nodes), BINARY)
    return call.lost(NOT_CONVERTED, made, call.arg(2)) if fitting else made


def _randbytes(call: FunctionCall) -> Typed:
    length = call.constant(0)
    if isinstance(length, bool) or not isinstance(length, int) or not 1 <= length <= 10240:
        call.fail(RANDBYTES_LENGTH, 0, length=length)
    # random() gives the function a value per row: a call of constants alone may be made once for all rows.
    return Typed(call.udf("lq_randbytes", sql.func("random"), sql.integer(length)), BINARY)


def _guid(call: FunctionCall) -> Typed:
    return Typed(sql.cast(sql.func("uuid"), "VARCHAR"), STRING)


def _cipher_row(
    name: str, summary: Pair, lower: Callable[[FunctionCall], Typed], expression: str, result: object
) -> FunctionSpec:
    return FunctionSpec(
        name, "crypto", f"{name}(algorithm[/mode/padding], key, data, [iv])", summary, lower, 3, 4, "binary", PYTHON,
        (example(expression, result), example(f'{name}("AES", binary("short"), binary("x"))', None)),
        constant=(0,),
        takes=((1, Takes.BYTES), (2, Takes.BYTES)),
        notes=(("AES alone means AES/ECB/PKCS5Padding", "AES라고만 쓰면 AES/ECB/PKCS5Padding입니다"),
            ("a wrong key size, bad data or anything but binary gives null",
             "키 길이가 다르거나, 데이터가 잘못되었거나, 바이너리가 아니면 null입니다")),
    )  # fmt: skip


_KEY = 'frombase64("mRcOlK9V47rjVL/RBYQYRw==")'

register(
    FunctionSpec(
        "hash", "crypto", "hash(algorithm, binary)",
        ("Digest of the bytes: md5, sha1, sha256, sha384 or sha512.",
         "바이너리의 해시 값을 계산합니다. 알고리즘은 md5, sha1, sha256, sha384, sha512입니다."),
        _hash_of,
        2, 2, "binary", PARTLY,
        (
            example('hash("md5", binary("hello, world!"))', "3adbbad1791fbae3ec908894c4963870"),
            example('hash("md5", "text")', None),
        ),
        constant=(0,),
        takes=((1, Takes.BYTES),), gives=results.digest(_SIZES),
    ),
    _cipher_row("encrypt",
        ("Encrypts bytes as Java's Cipher does.", "바이너리를 자바의 Cipher와 같은 방식으로 암호화합니다."),
        _cipher,
    f'tobase64(encrypt("AES", {_KEY}, binary("helloworld")))', "2W3kHbN95/HUSTE/bJt/8g=="),
    _cipher_row("decrypt",
        ("Decrypts bytes as Java's Cipher does.", "바이너리를 자바의 Cipher와 같은 방식으로 복호화합니다."),
        _cipher,
    f'decode(decrypt("AES", {_KEY}, frombase64("2W3kHbN95/HUSTE/bJt/8g==")))', "helloworld"),
    FunctionSpec(
        "randbytes", "crypto", "randbytes(length)",
        ("Random bytes from the operating system, 1 to 10240.",
         "운영체제의 난수로 1~10240바이트의 바이너리를 만듭니다."),
        _randbytes,
        1, 1, "binary", VOLATILE_PYTHON,
        (example("len(tohex(randbytes(32)))", 64),),
        constant=(0,),
    ),
    FunctionSpec(
        "guid", "string", "guid()",
        ("A random UUID, new for every row.", "행마다 새로운 임의의 UUID를 생성합니다."),
        _guid, 0, 0, "string", VOLATILE,
        (example("len(guid())", 36),),
        gives=results.always(case="lower", shortest=36, longest=36, characters="[0-9a-f-]"),
    ),
)  # fmt: skip
