"""Java regular expressions to a syntax tree in which no flag is left.

Inline flags are resolved while parsing: every character, class, dot and anchor node already says what it means, so
that the emitters need no flags of the target engine. Grammar and error texts follow java.util.regex.Pattern of JDK
17, with these differences: group names may hold any letters, digits and ``_`` and may repeat (rule of the ``rex``
command), a quantifier on a ``{n}`` quantifier is refused, and ``\\b{g}`` is refused.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

from udfs.java import codepoints as cps
from udfs.java.codepoints import CharSet

MAX_COUNT = 2**31 - 1
_CONTROL = {"t": 9, "n": 10, "r": 13, "f": 12, "a": 7, "e": 27}
_BLANKS = " \t\n\x0b\f\r"
_LINE_ENDS = "\n\r\x85\u2028\u2029"


class RegexSyntaxError(ValueError):
    """Not a valid Java regular expression; ``message`` is Java's description, ``position`` a 0-based offset in the
    pattern.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} at position {position}")
        self.message = message
        self.position = position


@dataclass(frozen=True)
class Char:
    """One character."""

    cp: int


@dataclass(frozen=True)
class Klass:
    """One character out of a set."""

    chars: CharSet


@dataclass(frozen=True)
class Anchor:
    """Zero-width test: A z b B G; Z (end or before the last terminator), ^ $ of (?m); with d only ``\\n`` counts."""

    kind: str


@dataclass(frozen=True)
class Seq:
    items: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Alt:
    branches: tuple[Node, ...]


@dataclass(frozen=True)
class Repeat:
    """``maximum`` None is unbounded; ``mode`` is "" (greedy), "?" (lazy) or "+" (possessive)."""

    body: Node
    minimum: int
    maximum: int | None
    mode: str


@dataclass(frozen=True)
class Group:
    """Capture group with its Java number."""

    body: Node
    number: int
    name: str | None


@dataclass(frozen=True)
class Atomic:
    body: Node


@dataclass(frozen=True)
class Look:
    body: Node
    behind: bool
    negative: bool


@dataclass(frozen=True)
class BackRef:
    number: int
    fold: bool


@dataclass(frozen=True)
class Linebreak:
    """``\\R``"""


@dataclass(frozen=True)
class Grapheme:
    """``\\X``"""


Node = Char | Klass | Anchor | Seq | Alt | Repeat | Group | Atomic | Look | BackRef | Linebreak | Grapheme


@dataclass(frozen=True)
class Parsed:
    """A syntax tree with its groups: ``names`` holds (name, Java group number) in order of appearance."""

    root: Node
    groups: int
    names: tuple[tuple[str, int], ...]


@dataclass
class _State:
    flags: frozenset[str] = frozenset()
    groups: int = 0
    names: list[tuple[str, int]] = field(default_factory=list)


def _unquote(pattern: str) -> tuple[str, list[int]]:
    """Expand ``\\Q..\\E`` into escaped characters; returns the text and the original offset of each character."""
    out: list[str] = []
    at: list[int] = []
    i, quoted = 0, False
    while i < len(pattern):
        two = pattern[i : i + 2]
        if quoted:
            if two == "\\E":
                quoted, i = False, i + 2
                continue
            piece = pattern[i] if pattern[i].isalnum() or ord(pattern[i]) > 127 else "\\" + pattern[i]
        elif two == "\\Q":
            quoted, i = True, i + 2
            continue
        else:
            piece = two if two[0] == "\\" else pattern[i]
        out.append(piece)
        at.extend([i] * len(piece))
        i += len(piece) if not quoted else 1
    return "".join(out), at


class _Parser:
    def __init__(self, pattern: str) -> None:
        self.text, self.at = _unquote(pattern)
        self.at.append(len(pattern))
        self.i = 0
        self.state = _State()

    # -- helpers

    def fail(self, message: str, at: int | None = None) -> RegexSyntaxError:
        return RegexSyntaxError(message, self.at[min(self.i if at is None else at, len(self.at) - 1)])

    def raw(self, offset: int = 0) -> str:
        return self.text[self.i + offset : self.i + offset + 1]

    def peek(self) -> str:
        """Next character, after blanks and comments when ``(?x)`` is on; "" at the end."""
        if "x" in self.state.flags:
            while self.raw() and (self.raw() in _BLANKS or self.raw() == "#"):
                if self.raw() == "#":
                    while self.raw() and self.raw() not in _LINE_ENDS:
                        self.i += 1
                else:
                    self.i += 1
        return self.raw()

    def take(self) -> str:
        c = self.raw()
        self.i += 1
        return c

    def fold(self, ranges: cps.Ranges) -> cps.Ranges:
        if "i" not in self.state.flags:
            return ranges
        return cps.fold_unicode(ranges) if self.state.flags & {"u", "U"} else cps.fold_ascii(ranges)

    def literal(self, cp: int) -> Node:
        folded = self.fold(((cp, cp),))
        return Char(cp) if folded == ((cp, cp),) else Klass(folded)

    # -- structure

    def parse(self) -> Parsed:
        root = self.alternation()
        if self.peek() == ")":
            raise self.fail("Unmatched closing ')'")
        return Parsed(root, self.state.groups, tuple(self.state.names))

    def alternation(self) -> Node:
        branches = [self.sequence()]
        while self.peek() == "|":
            self.i += 1
            branches.append(self.sequence())
        return branches[0] if len(branches) == 1 else Alt(tuple(branches))

    def sequence(self) -> Node:
        items: list[Node] = []
        while (c := self.peek()) not in ("", "|", ")"):
            node = self.atom(c)
            if node is not None:
                items.append(self.quantified(node))
        return items[0] if len(items) == 1 else Seq(tuple(items))

    def atom(self, c: str) -> Node | None:
        """One atom; None for a group that only sets flags."""
        if c in "*+?":
            raise self.fail(f"Dangling meta character '{c}'")
        if c == "{":
            raise self.fail("Illegal repetition")
        self.i += 1
        if c == "(":
            return self.group()
        if c == "[":
            return Klass(self.char_class(consume=True))
        if c == "\\":
            return self.escape()
        if c == ".":
            return Klass(self.dot())
        if c in "^$":
            return self.line_anchor(c)
        return self.literal(ord(c))

    def dot(self) -> CharSet:
        if "s" in self.state.flags:
            return ((0, cps.MAX),)
        return cps.negate(cps.chars("\n" if "d" in self.state.flags else _LINE_ENDS))

    def line_anchor(self, c: str) -> Node:
        unix = "d" if "d" in self.state.flags else ""
        if "m" in self.state.flags:
            return Anchor(c + unix)
        return Anchor("A") if c == "^" else Anchor("Z" + unix)

    def quantified(self, node: Node) -> Node:
        c = self.peek()
        if c and c in "?*+":
            self.i += 1
            low, high = {"?": (0, 1), "*": (0, None), "+": (1, None)}[c]
        elif c == "{":
            low, high = self.counts()
        else:
            return node
        mode = self.peek()
        if mode and mode in "?+":
            self.i += 1
        else:
            mode = ""
        if self.peek() == "{":
            raise self.fail("Illegal repetition (put the inner repetition into a group)")
        return Repeat(node, low, high, mode)

    def counts(self) -> tuple[int, int | None]:
        start = self.i
        self.i += 1
        low = self.number()
        if low is None:
            raise self.fail("Illegal repetition", start)
        high: int | None = low
        if self.raw() == ",":
            self.i += 1
            high = self.number()
        if self.raw() != "}":
            raise self.fail("Unclosed counted closure")
        self.i += 1
        if low > MAX_COUNT or (high is not None and (high > MAX_COUNT or high < low)):
            raise self.fail("Illegal repetition range", start)
        return low, high

    def number(self) -> int | None:
        start = self.i
        while self.raw() and self.raw() in "0123456789":
            self.i += 1
        if self.i - start > 4_000:  # Python reads no number so long
            raise self.fail("Illegal repetition range", start)
        return int(self.text[start : self.i]) if self.i > start else None

    # -- groups

    def group(self) -> Node | None:
        saved = self.state.flags
        if self.peek() != "?":
            self.state.groups += 1
            number = self.state.groups
            return Group(self.closed(saved), number, None)
        self.i += 1
        c = self.take()
        if c == ":":
            return self.closed(saved)
        if c == ">":
            return Atomic(self.closed(saved))
        if c and c in "=!":
            return Look(self.closed(saved), behind=False, negative=c == "!")
        if c == "<":
            if self.raw() and self.raw() in "=!":
                c = self.take()
                return Look(self.closed(saved), behind=True, negative=c == "!")
            name = self.name()
            self.state.groups += 1
            number = self.state.groups
            self.state.names.append((name, number))
            return Group(self.closed(saved), number, name)
        self.i -= 1
        return self.flag_group(saved)

    def closed(self, saved: frozenset[str]) -> Node:
        body = self.alternation()
        if self.peek() != ")":
            raise self.fail("Unclosed group")
        self.i += 1
        self.state.flags = saved
        return body

    def name(self) -> str:
        start = self.i
        while self.raw().isalnum() or self.raw() == "_":
            self.i += 1
        name = self.text[start : self.i]
        if not name or name[0].isdigit():
            raise self.fail("capturing group name does not start with a letter", start)
        if self.raw() != ">":
            raise self.fail("named capturing group is missing trailing '>'")
        self.i += 1
        return name

    def flag_group(self, saved: frozenset[str]) -> Node | None:
        on = True
        flags = set(saved)
        while (c := self.take()) not in (":", ")"):
            if c == "-" and on:
                on = False
            elif c and c in "idmsuxU":
                (flags.add if on else flags.discard)(c)
                if c == "U":  # UNICODE_CHARACTER_CLASS implies UNICODE_CASE
                    (flags.add if on else flags.discard)("u")
            else:
                raise self.fail("Unknown inline modifier", self.i - 1)
        self.state.flags = frozenset(flags)
        return None if c == ")" else self.closed(saved)

    # -- escapes

    def escape(self) -> Node:
        c = self.raw()
        if c == "":
            raise self.fail("Unexpected end of the pattern after a backslash")
        if c in "AzG":
            self.i += 1
            return Anchor(c)
        if c == "Z":
            self.i += 1
            return Anchor("Zd" if "d" in self.state.flags else "Z")
        if c in "bB":
            self.i += 1
            if c == "b" and self.raw() == "{":
                raise self.fail("\\b{g} is not supported")
            return Anchor(c + ("U" if "U" in self.state.flags else ""))
        if c in "RX":
            self.i += 1
            return Linebreak() if c == "R" else Grapheme()
        if c == "k" or c in "123456789":
            return self.back_reference(c)
        found = self.class_escape()
        return Klass(found) if found is not None else self.literal(self.char_escape())

    def back_reference(self, c: str) -> Node:
        fold = "i" in self.state.flags
        self.i += 1
        if c == "k":
            if self.take() != "<":
                raise self.fail("\\k is not followed by '<' for named capturing group", self.i - 1)
            start = self.i
            name = self.name()
            numbers = [number for known, number in self.state.names if known == name]
            if not numbers:
                raise self.fail(f"named capturing group <{name}> does not exist", start)
            return BackRef(numbers[-1], fold)
        number = int(c)
        while self.raw() and self.raw() in "0123456789" and number * 10 + int(self.raw()) <= self.state.groups:
            number = number * 10 + int(self.take())
        return BackRef(number, fold)

    def class_escape(self) -> CharSet | None:
        """``\\d``-like sets and properties; None (nothing consumed) when the escape is a single character."""
        c = self.raw()
        wide = "U" in self.state.flags
        sets: dict[str, CharSet] = {
            "d": cps.UNICODE_DIGIT if wide else cps.DIGIT,
            "w": cps.UNICODE_WORD if wide else cps.WORD,
            "s": cps.UNICODE_SPACE if wide else cps.SPACE,
            "h": cps.HORIZONTAL,
            "v": cps.VERTICAL,
        }
        if c and c in "dwshv":
            self.i += 1
            return sets[c]
        if c and c in "DWSHV":
            self.i += 1
            body = sets[c.lower()]
            return cps.negate(body) if isinstance(body, tuple) else cps.Not(body)
        if c and c in "pP":
            self.i += 1
            body = self.property()
            return cps.Not(body) if c == "P" else body
        return None

    def property(self) -> CharSet:
        start = self.i
        if self.raw() == "{":
            end = self.text.find("}", self.i)
            if end < 0:
                raise self.fail("Unclosed character family")
            name = self.text[self.i + 1 : end]
            self.i = end + 1
        else:
            name = self.take()
        flags = self.state.flags
        found = cps.java_property(name, case_insensitive="i" in flags, unicode_classes="U" in flags)
        if found is None:
            raise self.fail(f"Unknown character property name {{{name}}}", start)
        return found

    def char_escape(self) -> int:
        start = self.i
        c = self.take()
        if c in _CONTROL:
            return _CONTROL[c]
        if c == "c":
            if not self.raw():
                raise self.fail("Illegal control escape sequence", start)
            return ord(self.take()) ^ 64
        if c == "0":
            return self.octal(start)
        if c == "x":
            return self.hexadecimal(start)
        if c == "u":
            return self.unicode(start)
        if c == "N":
            end = self.text.find("}", self.i)
            try:
                cp = ord(unicodedata.lookup(self.text[self.i + 1 : end]))
            except (KeyError, TypeError):
                raise self.fail("Unknown character name", start) from None
            self.i = end + 1
            return cp
        if c.isascii() and c.isalnum():
            raise self.fail("Illegal/unsupported escape sequence", start)
        return ord(c)

    def octal(self, start: int) -> int:
        digits = ""
        while len(digits) < 3 and self.raw() and self.raw() in "01234567" and int(digits + self.raw(), 8) <= 0o377:
            digits += self.take()
        if not digits:
            raise self.fail("Illegal octal escape sequence", start)
        return int(digits, 8)

    def hexadecimal(self, start: int) -> int:
        if self.raw() == "{":
            end = self.text.find("}", self.i)
            digits, after = self.text[self.i + 1 : end], end + 1
        else:
            digits, after = self.text[self.i : self.i + 2], self.i + 2
            if len(digits) < 2:
                raise self.fail("Illegal hexadecimal escape sequence", start)
        try:
            value = int(digits, 16)
        except ValueError:
            raise self.fail("Illegal hexadecimal escape sequence", start) from None
        if value > cps.MAX:
            raise self.fail("Hexadecimal codepoint is too big", start)
        self.i = after
        return value

    def unicode(self, start: int) -> int:
        value = self.four_digits(start)
        if 0xD800 <= value < 0xDC00 and self.raw() == "\\" and self.raw(1) == "u":
            mark = self.i
            self.i += 2
            low = self.four_digits(start)
            if 0xDC00 <= low < 0xE000:
                return 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00)
            self.i = mark
        return value

    def four_digits(self, start: int) -> int:
        digits = self.text[self.i : self.i + 4]
        if len(digits) < 4 or any(d not in "0123456789abcdefABCDEF" for d in digits):
            raise self.fail("Illegal Unicode escape sequence", start)
        self.i += 4
        return int(digits, 16)

    # -- character classes (the order of steps is Java's, because `&&` depends on it)

    def char_class(self, consume: bool) -> CharSet:
        negated = False
        if consume and self.peek() == "^":
            self.i += 1
            negated = True
        prev: CharSet | None = None
        while True:
            c = self.peek()
            if c == "":
                raise self.fail("Unclosed character class")
            if c == "[":
                self.i += 1
                prev = _join(prev, self.char_class(consume=True))
            elif c == "&" and self.raw(1) == "&":
                self.i += 2
                prev = self.intersection(prev)
            elif c == "]" and prev is not None:
                if consume:
                    self.i += 1
                return cps.Not(prev) if negated else prev
            else:
                prev = _join(prev, self.class_range())

    def intersection(self, prev: CharSet | None) -> CharSet:
        right: CharSet | None = None
        while (c := self.peek()) not in ("]", "&"):
            if c == "":
                raise self.fail("Unclosed character class")
            if c == "[":
                self.i += 1
                right = _join(right, self.char_class(consume=True))
            else:
                right = _join(right, self.char_class(consume=False))
        if right is None:
            if prev is None:
                raise self.fail("Bad class syntax")
            return prev
        return right if prev is None else cps.And(prev, right)

    def class_range(self) -> CharSet:
        if self.raw() == "\\":
            self.i += 1
            found = self.class_escape()
            if found is not None:
                return found
            low = self.char_escape()
        else:
            low = ord(self.take())
        if self.peek() == "-":
            mark = self.i
            self.i += 1
            after = self.peek()
            if after == "":
                raise self.fail("Illegal character range")
            if after not in "[]":
                self.i += 1
                high = self.char_escape_in_range() if after == "\\" else ord(after)
                if high < low:
                    raise self.fail("Illegal character range", self.i - 1)
                return self.fold(((low, high),))
            self.i = mark
        return self.fold(((low, low),))

    def char_escape_in_range(self) -> int:
        if self.raw() and self.raw() in "dDwWsShHvVpP":
            raise self.fail("Illegal character range")
        return self.char_escape()


def _join(left: CharSet | None, right: CharSet) -> CharSet:
    if left is None:
        return right
    if isinstance(left, tuple) and isinstance(right, tuple):
        return cps.normalize([*left, *right])
    parts = left.parts if isinstance(left, cps.Union) else (left,)
    return cps.Union((*parts, right))


def parse(pattern: str) -> Parsed:
    """Syntax tree of a Java regular expression; raises :class:`RegexSyntaxError`."""
    try:
        return _Parser(pattern).parse()
    except RecursionError:
        raise RegexSyntaxError("Pattern is nested too deeply", 0) from None
