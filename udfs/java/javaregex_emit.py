"""A parsed Java regular expression as text for RE2 (DuckDB) and for the ``regex`` package.

Both forms are free of flags: classes, dots and anchors are written out with Java's meaning. What RE2 cannot say
raises :class:`NotRE2`. Two of Java's zero-width tests have no RE2 form but may *consume* a line terminator at the
edge of the pattern without changing any capture: ``$`` (before a final terminator) at the end and ``(?m)^`` at the
beginning; the result is then marked as having another extent than Java's match.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from udfs.java import codepoints as cps
from udfs.java.codepoints import CharSet, Prop, Ranges
from udfs.java.javaregex_parser import (
    Alt,
    Anchor,
    Atomic,
    BackRef,
    Char,
    Grapheme,
    Group,
    Klass,
    Linebreak,
    Look,
    Node,
    Repeat,
    Seq,
)

RE2_MAX_REPEAT = 1000
# RE2 refuses programs beyond its memory budget; one class range is about four instructions.
RE2_MAX_WEIGHT = 20_000

_NOTHING: Ranges = ()
_CR, _LF = 13, 10
_RE2_ENDS = r"[\n\r\x{85}\x{2028}\x{2029}]"
_PY_WORD = "[0-9A-Za-z_]"
_PY_UNICODE_WORD = f"[{cps.UNICODE_WORD.python}]"


class NotRE2(Exception):
    """RE2 has no form with Java's meaning; the text says why."""


# --- analysis -----------------------------------------------------------------------------------------------


def nullable(node: Node) -> bool:
    """Whether the node can match without consuming a character (a safe over-estimate for back-references)."""
    match node:
        case Char() | Klass() | Linebreak() | Grapheme():
            return False
        case Anchor() | Look() | BackRef():
            return True
        case Seq(items):
            return all(map(nullable, items))
        case Alt(branches):
            return any(map(nullable, branches))
        case Repeat(body, minimum):
            return minimum == 0 or nullable(body)
        case Group(body) | Atomic(body):
            return nullable(body)


def _edge_has(node: Node, cp: int, *, last: bool) -> bool:
    """Whether the first (``last``: last) character that the node consumes can be ``cp``; over-estimates."""
    match node:
        case Char(own):
            return own == cp
        case Klass(chars):
            return cps.contains(chars, cp)
        case Linebreak() | Grapheme() | BackRef():
            return True
        case Anchor() | Look():
            return False
        case Seq(items):
            return _edge_of_all(items, cp, last=last)
        case Alt(branches):
            return any(_edge_has(b, cp, last=last) for b in branches)
        case Repeat(body) | Group(body) | Atomic(body):
            return _edge_has(body, cp, last=last)


def _edge_of_all(items: tuple[Node, ...], cp: int, *, last: bool) -> bool:
    for item in reversed(items) if last else items:
        if _edge_has(item, cp, last=last):
            return True
        if not nullable(item):
            return False
    return False


def has(node: Node, kinds: type | tuple[type, ...]) -> bool:
    """Whether a node of one of the kinds occurs in the tree."""
    if isinstance(node, kinds):
        return True
    match node:
        case Seq(items) | Alt(items):
            return any(has(item, kinds) for item in items)
        case Repeat(body) | Group(body) | Atomic(body) | Look(body):
            return has(body, kinds)
    return False


def references(node: Node) -> frozenset[int]:
    """Group numbers that a back-reference reads."""
    match node:
        case BackRef(number):
            return frozenset((number,))
        case Seq(items) | Alt(items):
            return frozenset().union(*map(references, items))
        case Repeat(body) | Group(body) | Atomic(body) | Look(body):
            return references(body)
    return frozenset()


def group_facts(node: Node, certain: bool = True) -> dict[int, tuple[bool, bool]]:
    """Group number -> (takes part in every match, can capture the empty text)."""
    match node:
        case Group(body, number):
            return {number: (certain, nullable(body)), **group_facts(body, certain)}
        case Seq(items):
            return {k: v for item in items for k, v in group_facts(item, certain).items()}
        case Alt(branches):
            return {k: v for item in branches for k, v in group_facts(item, False).items()}
        case Repeat(body, minimum):
            return group_facts(body, certain and minimum > 0)
        case Atomic(body):
            return group_facts(body, certain)
        case Look(body, _, negative):
            return group_facts(body, certain and not negative)
    return {}


# --- class text ---------------------------------------------------------------------------------------------


def _leaves(expr: CharSet) -> list[Ranges | Prop | cps.Not] | None:
    """Parts of a union that can be written side by side in one class, or None."""
    if isinstance(expr, tuple | Prop):
        return [expr]
    if isinstance(expr, cps.Union):
        out: list[Ranges | Prop | cps.Not] = []
        for part in expr.parts:
            found = _leaves(part)
            if found is None:
                return None
            out.extend(found)
        return out
    if isinstance(expr, cps.Not) and isinstance(expr.body, Prop) and expr.body.python.count("\\p{") == 1:
        return [expr]
    return None


def _class_text(
    expr: CharSet, item: Callable[[int], str], name: Callable[[Prop, bool], str | None], nothing: str
) -> str:
    negated = isinstance(expr, cps.Not)
    body = expr.body if isinstance(expr, cps.Not) else expr
    leaves = _leaves(body)
    texts: list[str] = []
    for leaf in leaves or ():
        if isinstance(leaf, tuple):
            texts.append(_range_text(leaf, item))
            continue
        prop = leaf if isinstance(leaf, Prop) else leaf.body
        assert isinstance(prop, Prop)
        text = name(prop, isinstance(leaf, cps.Not))
        if text is None:
            leaves = None
            break
        texts.append(text)
    if leaves is None or all(isinstance(leaf, tuple) for leaf in leaves):
        ranges = cps.resolve(expr)
        if not ranges:
            return nothing
        negated = ranges[-1][1] == cps.MAX and ranges != ((0, cps.MAX),)
        texts = [_range_text(cps.negate(ranges) if negated else ranges, item)]
    return f"[{'^' if negated else ''}{''.join(texts)}]"


def _range_text(ranges: Ranges, item: Callable[[int], str]) -> str:
    return "".join(
        item(low) if low == high else item(low) + ("" if high == low + 1 else "-") + item(high) for low, high in ranges
    )


def _re2_char(cp: int) -> str:
    if cp in (9, 10, 13):
        return {9: r"\t", 10: r"\n", 13: r"\r"}[cp]
    if not chr(cp).isprintable():
        return f"\\x{{{cp:X}}}"
    return chr(cp) if cp > 127 or chr(cp).isalnum() or chr(cp) in " -_,:;/=<>!@#%&'\"`~" else "\\" + chr(cp)


def _re2_item(cp: int) -> str:
    return r"\-" if cp == 0x2D else _re2_char(cp)


def _py_char(cp: int) -> str:
    if cp > 0xFFFF:
        return f"\\U{cp:08X}"
    if not chr(cp).isprintable() or cp > 127:
        return f"\\u{cp:04X}"
    return chr(cp) if chr(cp).isalnum() else "\\" + chr(cp)


def _re2_name(prop: Prop, negated: bool) -> str | None:
    if prop.re2 is None:
        return None
    return prop.re2.replace("\\p{", "\\P{") if negated else prop.re2


def _py_name(prop: Prop, negated: bool) -> str | None:
    return prop.python.replace("\\p{", "\\P{") if negated else prop.python


@lru_cache(maxsize=1024)
def re2_class(expr: CharSet) -> str:
    """RE2 class of a set."""
    if expr == cps.DIGIT:
        return r"\d"
    if expr == cps.WORD:
        return r"\w"
    if expr == ((0, cps.MAX),):
        return "(?s:.)"
    return _class_text(expr, _re2_item, _re2_name, r"[^\x00-\x{10FFFF}]")


@lru_cache(maxsize=1024)
def python_class(expr: CharSet) -> str:
    """Class of a set for the ``regex`` package."""
    if expr == ((0, cps.MAX),):
        return "(?s:.)"
    return _class_text(expr, _py_char, _py_name, "(?!)")


def _counts(low: int, high: int | None) -> str:
    known = {(0, 1): "?", (0, None): "*", (1, None): "+"}
    if (low, high) in known:
        return known[low, high]
    if low == high:
        return f"{{{low}}}"
    return f"{{{low},{'' if high is None else high}}}"


# --- RE2 ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Place:
    """Where a node stands: at the ``head`` / ``tail`` of the whole pattern, what is consumed before / after it."""

    head: bool = True
    tail: bool = True
    before: tuple[Node, ...] = ()
    after: tuple[Node, ...] = ()
    times: int = 1

    def inner(self) -> _Place:
        return replace(self, head=False, tail=False)


class _RE2:
    def __init__(self, numbers: Mapping[int, int], boolean: bool) -> None:
        self.numbers = numbers
        self.boolean = boolean
        self.extent = True
        self.weight = 0

    def emit(self, node: Node, at: _Place) -> str:
        match node:
            case Char(cp):
                self.weigh(1, at)
                return re2_class(_NOTHING) if 0xD800 <= cp <= 0xDFFF else _re2_char(cp)
            case Klass(chars):
                return self.klass(chars, at)
            case Anchor(kind):
                return self.anchor(kind, at)
            case Seq(items):
                return self.sequence(items, at)
            case Alt(branches):
                starts = set(map(_starts_multiline, branches))
                if at.head and len(starts) > 1:
                    raise NotRE2("(?m)^ in only some of the alternatives")
                return "(?:" + "|".join(self.emit(b, at) for b in branches) + ")"
            case Repeat():
                return self.repeat(node, at)
            case Group(body, number):
                if self.boolean or number not in self.numbers:
                    return self.grouped(body, at)
                return "(" + self.bare(body, at.inner()) + ")"
            case Linebreak():
                return r"(?:\r\n|[\n\x0B\f\r\x{85}\x{2028}\x{2029}])"
            case Atomic():
                raise NotRE2("atomic group")
            case Look():
                raise NotRE2("look-around")
            case BackRef():
                raise NotRE2("back-reference")
            case Grapheme():
                raise NotRE2("\\X")

    def weigh(self, amount: int, at: _Place) -> None:
        self.weight += amount * at.times
        if self.weight > RE2_MAX_WEIGHT:
            raise NotRE2("too large for RE2")

    def klass(self, chars: CharSet, at: _Place) -> str:
        text = re2_class(chars)
        self.weigh(4 * len(chars) if isinstance(chars, tuple) else 4 * min(len(cps.resolve(chars)), 5000), at)
        return text

    def bare(self, node: Node, at: _Place) -> str:
        """Without the outer parentheses that an alternation needs inside a sequence."""
        if isinstance(node, Alt):
            return self.emit(node, at)[3:-1]
        return self.emit(node, at)

    def grouped(self, body: Node, at: _Place) -> str:
        return self.emit(body, at) if isinstance(body, Char | Klass | Alt) else f"(?:{self.emit(body, at)})"

    def sequence(self, items: tuple[Node, ...], at: _Place) -> str:
        out = []
        for i, item in enumerate(items):
            place = replace(
                at,
                head=at.head and i == 0,
                tail=at.tail and i == len(items) - 1,
                before=(*at.before, *items[:i]),
                after=(*items[i + 1 :], *at.after),
            )
            out.append(self.emit(item, place))
        return "".join(out)

    def repeat(self, node: Repeat, at: _Place) -> str:
        if node.mode == "+":
            raise NotRE2("possessive quantifier")
        top = node.minimum if node.maximum is None else node.maximum
        times = at.times * max(top, 1)
        if times > RE2_MAX_REPEAT:
            raise NotRE2("repeat above 1000")
        many = node.maximum is None or node.maximum > 1
        if many and isinstance(node.body, Linebreak):  # Java never splits a CR LF there: `\\R{2}` does not match one
            raise NotRE2("repeated \\R")
        if many and nullable(node.body) and not self.boolean:
            raise NotRE2("repetition of something that can be empty")
        # The body of a repetition is neither head nor tail: `(?:a$)*` must not consume.
        body = self.grouped(node.body, replace(at.inner(), times=times))
        if isinstance(node.body, Repeat | Anchor):
            body = body if body.startswith("(?:") else f"(?:{body})"
        return body + _counts(node.minimum, node.maximum) + node.mode

    # -- anchors

    def anchor(self, kind: str, at: _Place) -> str:
        simple = {"A": r"\A", "z": r"\z", "b": r"\b", "B": r"\B", "$d": "(?m:$)"}
        if kind in simple:
            return simple[kind]
        if kind == "^d":
            if all(map(nullable, at.after)):
                raise NotRE2("(?m)^ before something that can be empty")
            return "(?m:^)"
        if kind == "^":
            return self.line_start(at)
        if kind in ("Z", "Zd", "$"):
            return self.line_end(kind, at)
        raise NotRE2("\\G" if kind == "G" else "Unicode word boundary")

    def line_start(self, at: _Place) -> str:
        """Consume the terminator before the line; right when nothing can start earlier and no empty line matches."""
        if not at.head:
            raise NotRE2("(?m)^ inside the pattern")
        if all(map(nullable, at.after)) or _edge_of_all(at.after, _LF, last=False):
            raise NotRE2("(?m)^ before something that can be empty or a line feed")
        self.extent = False
        return rf"(?:\A|\r\n|{_RE2_ENDS})"

    def line_end(self, kind: str, at: _Place) -> str:
        if not at.tail:
            raise NotRE2("$ inside the pattern")
        if kind != "Zd" and self.may_split_crlf(kind, at.before):
            raise NotRE2("$ after something that can end between CR and LF")
        self.extent = False
        if kind == "Zd":
            return r"\n?\z"
        return rf"(?:\r\n|{_RE2_ENDS})?\z" if kind == "Z" else rf"(?:\z|{_RE2_ENDS})"

    @staticmethod
    def may_split_crlf(kind: str, before: tuple[Node, ...]) -> bool:
        """Java's ``$`` does not hold between CR and LF; RE2 cannot look back, so nothing before may stop there."""
        if before and kind == "Z":
            last = before[-1]
            while isinstance(last, Group):
                last = last.body
            greedy_all = isinstance(last, Repeat) and last.mode == "" and last.maximum is None
            chars = last.body.chars if isinstance(last, Repeat) and isinstance(last.body, Klass) else _NOTHING
            if greedy_all and cps.contains(chars, _CR) and cps.contains(chars, _LF):
                return False  # `[^,]+$`: takes the LF as well and reaches the very end first
        if _edge_of_all(before, _CR, last=True):
            return True
        # All of it can be empty: the match at the CR comes first, unless a zero-width test forbids it there.
        return all(map(nullable, before)) and any(has(n, (Anchor, Look, BackRef)) for n in before)


def _starts_multiline(node: Node) -> bool:
    while isinstance(node, Seq | Group):
        if isinstance(node, Seq):
            if not node.items:
                return False
            node = node.items[0]
        else:
            node = node.body
    return isinstance(node, Anchor) and node.kind == "^"


def to_re2(root: Node, numbers: Mapping[int, int], *, boolean: bool) -> tuple[str, bool]:
    """RE2 text and whether the whole match has Java's extent.

    ``numbers`` maps Java group numbers to the capture numbers wanted (others do not capture); ``boolean`` drops all
    captures and promises only that a match exists. Raises :class:`NotRE2`.
    """
    writer = _RE2(numbers, boolean)
    text = writer.bare(root, _Place())
    return text, writer.extent


# --- regex package ------------------------------------------------------------------------------------------

_PY_ANCHORS = {
    "A": r"\A",
    "z": r"\Z",
    "G": r"\G",
    "b": rf"(?:(?<={_PY_WORD})(?!{_PY_WORD})|(?<!{_PY_WORD})(?={_PY_WORD}))",
    "B": rf"(?:(?<={_PY_WORD})(?={_PY_WORD})|(?<!{_PY_WORD})(?!{_PY_WORD}))",
    "bU": rf"(?:(?<={_PY_UNICODE_WORD})(?!{_PY_UNICODE_WORD})|(?<!{_PY_UNICODE_WORD})(?={_PY_UNICODE_WORD}))",
    "BU": rf"(?:(?<={_PY_UNICODE_WORD})(?={_PY_UNICODE_WORD})|(?<!{_PY_UNICODE_WORD})(?!{_PY_UNICODE_WORD}))",
    "Z": r"(?:\Z|(?=(?:\r\n|[\r\u0085\u2028\u2029])\Z)|(?<!\r)(?=\n\Z))",
    "Zd": r"(?=\n?\Z)",
    "$": r"(?:\Z|(?=[\r\u0085\u2028\u2029])|(?<!\r)(?=\n))",
    "$d": r"(?=\n|\Z)",
    "^": r"(?:(?!\Z)(?:\A|(?<=[\n\u0085\u2028\u2029])|(?<=\r)(?!\n)))",
    "^d": r"(?:(?!\Z)(?:\A|(?<=\n)))",
}


class _Python:
    def __init__(self, numbers: Mapping[int, int]) -> None:
        self.numbers = numbers

    def emit(self, node: Node) -> str:
        match node:
            case Char(cp):
                return _py_char(cp)
            case Klass(chars):
                return python_class(chars)
            case Anchor(kind):
                return _PY_ANCHORS[kind]
            case Seq(items):
                return "".join(map(self.emit, items))
            case Alt(branches):
                return "(?:" + "|".join(map(self.emit, branches)) + ")"
            case Repeat(body, low, high, mode):
                text = self.emit(Atomic(body) if isinstance(body, Linebreak) else body)
                if not isinstance(body, Char | Klass | Group | Alt):
                    text = f"(?:{text})"
                return text + _counts(low, high) + mode
            case Group(body, number):
                return ("(" if number in self.numbers else "(?:") + self.emit(body) + ")"
            case Atomic(body):
                return f"(?>{self.emit(body)})"
            case Look(body, behind, negative):
                return f"(?{'<' if behind else ''}{'!' if negative else '='}{self.emit(body)})"
            case BackRef(number, fold):
                if number not in self.numbers:  # a group that does not exist never matches
                    return "(?!)"
                text = rf"(?:\g<{self.numbers[number]}>)"
                return f"(?i:{text})" if fold else text
            case Linebreak():
                return r"(?:\r\n|[\n-\r\u0085\u2028\u2029])"
            case Grapheme():
                return r"\X"


def to_python(root: Node, numbers: Mapping[int, int]) -> str:
    """Pattern for ``regex.compile`` without flags; ``numbers`` as in :func:`to_re2`."""
    return _Python(numbers).emit(root)
