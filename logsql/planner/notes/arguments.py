"""Arguments that never do what they stand for: a text where a length stands, a pattern of another tool.

What a function takes is said by its row (functions.md); these are the places at which people expect a conversion, or
another meaning of ``*``, ``%`` and backslashes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_network

from logsql.diagnostics.codes import define, text
from logsql.language.tree import Binary, Call, Expr, Field, Literal, canonical
from logsql.planner.calls import FunctionCall, Lowering
from logsql.planner.duties import Plain, Takes
from logsql.planner.function_spec import FUNCTIONS, FunctionSpec
from logsql.planner.notes import given
from logsql.planner.notes.elements import looked_for
from logsql.planner.notes.words import WRITE, kind_word, number_text, settled_kind
from logsql.values.types import Kind
from logsql.values.values import Typed

WRONG_TYPE = define(
    "N1320",
    "argument-of-another-type",
    (
        "a function is given a value of a type that it does not take: the result is null",
        "함수가 받지 않는 타입의 값을 줍니다. 결과는 null입니다",
    ),
)
WHOLE = WRONG_TYPE.says(
    (
        "{function}() takes a whole number there, and {value} is {kind}: the result is always null",
        "{function}()의 이 자리에는 정수를 줍니다. {value}은(는) {kind}이므로 결과가 늘 null입니다",
    )
)
BYTES = WRONG_TYPE.says(
    (
        "{function}() takes bytes, and {value} is {kind}: the result is always null",
        "{function}()에는 바이트를 줍니다. {value}은(는) {kind}이므로 결과가 늘 null입니다",
    )
)
ITEMS = WRONG_TYPE.says(
    (
        "{function}() takes a list, and {value} is {kind}: the result is always null",
        "{function}()에는 리스트를 줍니다. {value}은(는) {kind}이므로 결과가 늘 null입니다",
    )
)
NUMBER = WRONG_TYPE.says(
    (
        "{function}() takes a number there, and {value} is {kind}: the result is always null",
        "{function}()의 이 자리에는 숫자를 줍니다. {value}은(는) {kind}이므로 결과가 늘 null입니다",
    )
)
NOTHING_FOR = define(
    "N1329",
    "constant-gives-null",
    (
        "a function has no result for a constant that it is given: the result is null",
        "함수에 준 상수로는 결과가 나오지 않습니다. 결과는 null입니다",
    ),
    (
        "{function}() has no result for {value} there: it is always null",
        "{function}()의 이 자리에 {value}을(를) 주면 결과가 늘 null입니다",
    ),
)
FOREIGN_PATTERN = define(
    "N1220",
    "text-is-no-pattern",
    (
        "a text that is a pattern in other tools is looked for as it is written",
        "다른 도구에서는 패턴인 텍스트를 적힌 그대로 찾습니다",
    ),
    (
        "{text} is no pattern here: its characters are looked for as they are",
        "{text}은(는) 여기서 패턴이 아닙니다. 글자를 적힌 그대로 찾습니다",
    ),
)
WHOLE_LINE = FOREIGN_PATTERN.says(
    (
        '"{text}" is compared with the whole line, and stands inside of lines',
        '"{text}"을(를) 줄 전체와 비교합니다. 이 텍스트는 줄 안에 들어 있습니다',
    )
)
NETWORK_TEXT = define(
    "N1224",
    "network-as-text",
    ("an address is compared with the text of a network", "IP 주소를 네트워크 표기와 비교합니다"),
    (
        "{text} is compared as a text, and not as a network that an address may be in",
        "{text}은(는) 주소가 속한 네트워크가 아니라 텍스트로 비교합니다",
    ),
    ("write {better}", "{better}(으)로 쓰세요"),
)
_NETWORK = re.compile(r"(\d{1,3}(?:\.\d{1,3}){3})/([12]?\d|3[012])")
_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
#: What a text has that is a pattern of SQL or a regular expression, and hardly stands in values.
_ELSEWHERE = re.compile(r"[%?]|^\^|\$$|\.[*+]|\\[dwsDWSb]|\][*+{]|\w\|\w|\(\?|^[1-9]\d*(?:[xX]+|\.\.+)$")
#: ``5xx``, ``50?``: digits, and letters or marks that stand for one digit each.
_ANY_DIGIT = re.compile(r"([1-9]\d*)([xX]+|\?+|\.\.+)")
#: ``k?m*``: marks of a glob, and nothing of a regular expression.
_GLOB = re.compile(r"[\w /:@.,*?-]*\?[\w /:@.,*?-]*")
_ALTERNATIVES = re.compile(r"\w+(?:\|\w+)+")
FRACTION = text("a number with a fraction", "실수")
#: ``*.exe``, ``*Failed*``: a star that stands for other characters, and not the one of ``SELECT *`` or ``**``.
_STARRED = re.compile(r"\*+(?=[\w.])([^*]*\w)\**")
#: A text that is a regular expression as a whole: ``\s+``, ``\|``, ``[,;]``, ``.*x.*``.
_REGEX = re.compile(r"(\\[sdwSDWbt|.]|\[[^\]\[\w\s]{2,}\]|\[\^?\w-\w.*\])[+*]?")
_DOTTED = re.compile(r"\.\*(\w.*\w|\w)\.\*")
#: Candidates that a person writes.
_WRITTEN = 100
_PERCENT = re.compile(r"%(\w[^%*]*\w)%")


#: Names between percent signs that Windows puts values for.
_VARIABLES = frozenset(
    {
        "allusersprofile", "appdata", "commonprogramfiles", "computername", "comspec", "homedrive", "homepath",
        "localappdata", "path", "programdata", "programfiles", "programw6432", "public", "systemdrive", "systemroot",
        "temp", "tmp", "userdomain", "username", "userprofile", "windir",
    }
)  # fmt: skip
_SAID = {Takes.WHOLE: WHOLE, Takes.BYTES: BYTES, Takes.TEXT_BYTES: BYTES, Takes.LIST: ITEMS}
_KINDS = {Takes.BYTES: Kind.BINARY, Takes.TEXT_BYTES: Kind.BINARY, Takes.LIST: Kind.LIST}


def told(call: FunctionCall, spec: FunctionSpec) -> None:
    """Tell of arguments of a type that the function never takes, and of patterns that it takes as plain text."""
    for taken in Takes:
        places = [place for place, type_ in spec.takes if type_ is taken and place < len(call.nodes)]
        if places:
            _typed(call, spec, taken, places)
    for place in range(min(spec.numbers, len(call.nodes))):
        _number(call, spec, place)
    for place, nothing in spec.never:
        if call.is_constant(place) and nothing(call, call.constant(place)):
            value = canonical(call.nodes[place])
            call.note(NOTHING_FOR, place, covers=_loss_of(call, spec), function=spec.name, value=value)
    if spec.plain is not None and spec.plain.place < len(call.nodes):
        _as_written(call, spec.plain, spec.min_args, spec.searches)
        if spec.searches:
            given.sought(call, spec.name)


def _number(call: FunctionCall, spec: FunctionSpec, place: int) -> None:
    """Tell of a constant that is no number, or a fraction where only integers count; values of fields are counted."""
    node = call.nodes[place]
    if not call.is_constant(place):
        return
    value = call.arg(place)
    if not settled_kind(value.kind) or (value.type.integer if spec.integers else value.type.number):
        return
    said, kind = (WHOLE, FRACTION.fill()) if value.type.number else (NUMBER, kind_word(value.kind))
    written = str(node.value) if isinstance(node, Literal) and number_text(str(node.value)) else None
    help = None if written is None or value.type.number else _written(call, {place: written})
    call.note(said, place, help=help, function=spec.name, value=canonical(node), kind=kind)


def _loss_of(call: FunctionCall, spec: FunctionSpec) -> tuple[str, str] | None:
    """What the ledger would say of every value, which is no value's fault."""
    return None if spec.loss is None else (spec.loss.name, canonical(call.call))


def _typed(call: FunctionCall, spec: FunctionSpec, taken: Takes, places: list[int]) -> None:
    """Tell of each argument of a wrong type; the help is the call with all of them mended."""
    wrong: dict[int, tuple[str, str | None]] = {}
    whole = taken is Takes.WHOLE
    for place in places:
        node = call.nodes[place]
        if whole and isinstance(node, Literal) and node.kind == "int":
            continue
        value = call.arg(place)
        fits = value.type.integer if whole else value.kind is _KINDS[taken]
        if not fits and settled_kind(value.kind):
            fraction = whole and value.type.number
            wrong[place] = (FRACTION.fill() if fraction else kind_word(value.kind), _mended(taken, node, value))
    better = {place: mended for place, (_, mended) in wrong.items() if mended is not None}
    help = _written(call, better) if better and len(better) == len(wrong) else None
    for place, (kind, _) in wrong.items():
        value_of = canonical(call.nodes[place])
        call.note(
            _SAID[taken], place, help=help, covers=_loss_of(call, spec), function=spec.name, value=value_of, kind=kind
        )


def _mended(taken: Takes, node: Expr, value: Typed) -> str | None:
    """The argument as it is probably meant; None where nothing is near."""
    plain = canonical(node)
    if taken is Takes.BYTES:
        return f"binary({plain})" if value.kind is Kind.STRING else None
    if taken is not Takes.WHOLE:  # decode(binary(a)) is a again
        return None
    if isinstance(node, Literal):
        return str(node.value) if re.fullmatch(r"\d+", str(node.value)) else None
    if not (value.type.number or value.kind is Kind.STRING):
        return None
    return f"int{plain}" if isinstance(node, Binary) else f"int({plain})"


def _written(call: FunctionCall, better: dict[int, str]) -> str:
    """The call with some of its arguments replaced."""
    written = [better.get(place, canonical(node)) for place, node in enumerate(call.call.args)]
    return WRITE.fill(better=f"{call.spec.name}({', '.join(written)})")


def _as_written(call: FunctionCall, plain: Plain, fewest: int, searches: bool) -> None:
    """Tell of a constant text that is a pattern elsewhere. ``fewest``: arguments that the function needs."""
    node = call.nodes[plain.place]
    if not isinstance(node, Literal) or node.kind != "string" or len(call.nodes) > plain.most:
        return
    written, help = str(node.value), None
    if searches and (better := _needle(call, plain, written)) is not None:
        call.note(FOREIGN_PATTERN, plain.place, help=WRITE.fill(better=better), text=canonical(node))
        return
    starred = _STARRED.fullmatch(written) or _DOTTED.fullmatch(written)
    if starred is not None and plain.stars:
        if searches and call.arg(0).kind is Kind.LIST:  # its items are compared as wholes: the text of the list is not
            help = WRITE.fill(better=looked_for(call.nodes[0], node))
        elif plain.bare:
            help = _written(call, {plain.place: canonical(Literal(starred[1], "string"))})
    elif _REGEX.fullmatch(written) is None:
        return
    elif not plain.stars and re.fullmatch(r"\\[|.]", written):
        help = _written(call, {plain.place: f'"{written[1]}"'})
    elif plain.pattern is not None and len(call.nodes) == fewest:
        help = WRITE.fill(better=plain.pattern.format(*map(canonical, call.call.args)))
    call.note(FOREIGN_PATTERN, plain.place, help=help, text=canonical(node))


def _meant(field: str, pattern: str, values: Sequence[str]) -> str | None:
    """The condition that a text means which is a pattern of SQL or a regular expression; None where one of the values
    at hand is written so, or none has what the pattern says.

    >>> at_hand = ["GET /a", "POST /b"]
    >>> _meant("x", "get%", at_hand), _meant("x", "GET.*", at_hand), _meant("x", "^GET", at_hand)
    ('lower(x) == "get*"', 'x == "GET*"', 'x == "GET*"')
    >>> _meant("x", "GET|POST", at_hand), _meant("x", r"/\\w+$", at_hand)
    ('x == "*GET*" or x == "*POST*"', 'match(x, "/\\\\w+$")')
    >>> _meant("x", "/a.*", at_hand), _meant("x", "/a$", at_hand)
    ('x == "*/a*"', 'x == "*/a"')
    >>> _meant("x", "G?T /*", at_hand), _meant("x", "2xx", ["200", "404"]), _meant("x", "5??", ["200", "1000"])
    ('match(x, "^G.T /.*$")', 'x == "2*"', 'match(x, "^5[0-9][0-9]$")')
    >>> _meant("x", "50%", ["50%", "500"]), _meant("x", "^GET", ["x"]), _meant("x", "GET%", [])
    (None, None, None)
    """
    here = re.compile(".*".join(map(re.escape, pattern.split("*"))), re.IGNORECASE | re.DOTALL)
    if any(here.fullmatch(value) for value in values):
        return None
    if (digits := _ANY_DIGIT.fullmatch(pattern)) is not None and values:
        return _digits(field, digits[1], len(digits[2]), values)
    if "?" in pattern and _GLOB.fullmatch(pattern) is not None:
        glob = "^" + re.escape(pattern).replace("\\?", ".").replace("\\*", ".*").replace("\\ ", " ") + "$"
        found = any(re.search(glob, value, re.DOTALL) for value in values)
        return f"match({field}, {canonical(Literal(glob, 'string'))})" if found else None
    if "%" in pattern and "*" not in pattern:
        like = re.compile(".*".join(map(re.escape, pattern.split("%"))), re.DOTALL)
        lower = re.compile(like.pattern.lower(), re.DOTALL)
        starred = pattern.replace("%", "*")
        if any(map(like.fullmatch, values)):
            return f"{field} == {canonical(Literal(starred, 'string'))}"
        if any(lower.fullmatch(value.lower()) for value in values):
            return f"lower({field}) == {canonical(Literal(starred.lower(), 'string'))}"
        return None
    try:
        regex = re.compile(pattern)
    except re.error:
        return None
    if not any(map(regex.search, values)):
        return None
    if words := _ALTERNATIVES.fullmatch(pattern):
        each = words[0].split("|")
        return " or ".join(f"{field} == {canonical(Literal(f'*{word}*', 'string'))}" for word in each)
    plain = re.fullmatch(r"(\^|\.\*)?([\w /:@-]+)(\$|\.\*)?", pattern)
    if plain is None:
        return f"match({field}, {canonical(Literal(pattern, 'string'))})"
    inside = plain[1] is None and not any(value.startswith(plain[2]) for value in values)
    before = "*" if plain[1] == ".*" or inside or (plain[1] is None and plain[3] == "$") else ""
    behind = "*" if plain[3] == ".*" or (plain[3] is None and plain[1] is not None) else ""
    return f"{field} == {canonical(Literal(before + plain[2] + behind, 'string'))}"


def _digits(field: str, head: str, more: int, values: Sequence[str]) -> str | None:
    """The condition that ``5xx`` means where the values are numbers; None where they are anything else."""
    numbers = [value for value in values if value]
    if not numbers or not all(value.isascii() and value.isdigit() for value in numbers):
        return None
    if all(len(value) == len(head) + more for value in numbers):
        return f'{field} == "{head}*"'
    return f'match({field}, "^{head}{"[0-9]" * more}$")'


def candidate_patterns(cx: Lowering, node: Expr, nodes: Sequence[Expr]) -> bool:
    """Tell of ``in(user, "ki%")``: in ``in()`` too ``*`` alone stands for other characters; whether it was told."""
    texts = [str(n.value) if isinstance(n, Literal) and n.kind == "string" else "" for n in nodes]
    if not isinstance(node, Field) or len(texts) > _WRITTEN or not any(map(_ELSEWHERE.search, texts)):
        return False
    field, first = canonical(node), None
    plain: list[str] = []
    others: list[str] = []
    for written, sought in zip(nodes, texts, strict=True):
        form = _meant(field, sought, cx.sample(node.name)) if _ELSEWHERE.search(sought) else None
        if form is None:
            plain.append(canonical(written))
            continue
        first = first or written
        same = re.fullmatch(re.escape(field) + r' == ("(?:[^"\\]|\\.)*")', form)
        plain += [same[1]] if same else []
        others += [] if same else [form]
    if first is None:
        return False
    forms = [f"in({field}, {', '.join(plain)})"] if plain else []
    cx.note(FOREIGN_PATTERN, first.span, help=WRITE.fill(better=" or ".join([*forms, *others])), text=canonical(first))
    return True


def _needle(call: FunctionCall, plain: Plain, written: str) -> str | None:
    """The call that a needle means which is a pattern elsewhere: ``contains(user, "ki%")``, ``contains(user, "k*")``.
    None where one of the values at hand holds it as it is written, or none has what the pattern says."""
    node = call.nodes[0]
    values = call.cx.sample(node.name) if isinstance(node, Field) else ()
    field = canonical(node)
    if any(written in value for value in values):
        return None
    if re.fullmatch(r"\w(?:[\w .-]*\w)?\*", written):
        if call.arg(0).kind is Kind.LIST:
            return looked_for(node, Literal(written, "string"))
        starred = written
    elif "*" in written or not _ELSEWHERE.search(written):
        return None
    else:
        meant = _meant(field, written, values)
        starred = written.replace("%", "*") if meant is None and "%" in written and not values else ""
        if meant is not None and plain.pattern is not None:
            return meant
        if not starred:
            return None
    if plain.pattern is None:  # a place in the text, and not whether there is one
        return f"{call.call.name}({field}, {canonical(Literal(starred.strip('*'), 'string'))})"
    return f"{field} == {canonical(Literal(starred, 'string'))}"


def compared_text(cx: Lowering, expr: Binary, pattern: str) -> None:
    """Tell of ``line == "%Failed%"`` and ``line == ".*Failed.*"``: here ``*`` alone stands for other characters."""
    found = _PERCENT.fullmatch(pattern) or _DOTTED.fullmatch(pattern)
    if found is not None and not isinstance(expr.left, Literal) and found[1].lower() not in _VARIABLES:
        better = WRITE.fill(better=f"{canonical(expr.left)} {expr.op} {canonical(Literal(f'*{found[1]}*', 'string'))}")
        cx.note(FOREIGN_PATTERN, expr.right.span, help=better, text=canonical(expr.right))
    elif isinstance(expr.left, Field) and _ELSEWHERE.search(pattern):
        meant = _meant(canonical(expr.left), pattern, cx.sample(expr.left.name))
        if meant is not None:
            better = WRITE.fill(better=meant if expr.op == "==" else f"not({meant})")
            cx.note(FOREIGN_PATTERN, expr.right.span, help=better, text=canonical(expr.right))
    elif isinstance(expr.left, Field) and expr.left.name == "line" and pattern and "*" not in pattern:
        values = cx.sample("line")
        if pattern not in values and any(pattern in value for value in values):
            starred = canonical(Literal(f"*{pattern}*", "string"))
            cx.note(WHOLE_LINE, expr.right.span, help=WRITE.fill(better=f"line {expr.op} {starred}"), text=pattern)
    network = _NETWORK.fullmatch(pattern)
    field = expr.left
    if isinstance(field, Call) and len(field.args) == 1 and isinstance(field.args[0], Field):
        spec = FUNCTIONS.get(field.name)
        field = field.args[0] if spec is not None and spec.returns == "ip" else field
    if network is not None and isinstance(field, Field):
        column = cx.rel.column(field.name) if cx.rel is not None else None
        address = field is not expr.left or (column is not None and column.type.kind is Kind.IP)
        found_at = () if address else cx.sample(field.name)
        if address or (found_at and all(_ADDRESS.fullmatch(value) for value in found_at if value)):
            try:
                first = ip_network(pattern, strict=False).network_address
            except ValueError:  # 300.0.0.0/8
                return
            within = f'network({field.name}, {network[2]}) {expr.op} "{first}"'
            cx.note(NETWORK_TEXT, expr.right.span, text=canonical(expr.right), better=within)
