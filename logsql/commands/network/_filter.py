"""Search filters of directories (RFC 4515): checked before anything is sent, with the place of the mistake.

A filter is written anew in its canonical form, in which every special character of a value, every blank and all that
is no printable ASCII is an escape: what the server is sent is what was understood here.

>>> checked("( & (cn=a*b) (!(mail=홍*)) )")
'(&(cn=a*b)(!(mail=\\\\ed\\\\99\\\\8d*)))'
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from logsql.diagnostics.messages import Text, text

#: Nested filters; Active Directory allows fewer (MaxTermCountInQuery aside), OpenLDAP about as many.
MAX_DEPTH = 100
_OID = r"(?:[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)*)"
ATTRIBUTE = re.compile(rf"{_OID}(?:;[A-Za-z0-9-]+)*")
_EXTENDED = re.compile(rf"((?:{ATTRIBUTE.pattern})?)(:dn)?(:{_OID})?:=", re.IGNORECASE)
_COMPARED = re.compile(rf"({ATTRIBUTE.pattern})\s*(=|>=|<=|~=)")
_ESCAPE = re.compile(r"\\([0-9A-Fa-f]{2})?")
_BLANK = re.compile(r"\s*")

EMPTY = text("it is empty", "비어 있습니다")
NO_PARENTHESIS = text('a "(" is missing', '"("가 없습니다')
NOT_CLOSED = text('this "(" is never closed', '이 "("가 닫히지 않았습니다')
BEHIND = text("nothing may stand behind the last parenthesis", "마지막 괄호 뒤에는 아무것도 올 수 없습니다")
NO_COMPARISON = text(
    "an attribute and =, >=, <= or ~= must stand here", "속성 이름과 =, >=, <=, ~= 중 하나가 와야 합니다"
)
NO_ESCAPE = text(
    "a backslash is followed by two hexadecimal digits: \\5c is a backslash itself",
    "백슬래시 뒤에는 16진수 두 자리가 옵니다. 백슬래시 자체는 \\5c입니다",
)
NO_OPEN = text('"(" in a value is written \\28', '값 안의 "("는 \\28로 씁니다')
NO_STAR = text(
    "* in a value stands with = only; the character itself is \\2a", "값의 *는 =에만 쓰며, 문자 *는 \\2a입니다"
)
ONE_NEGATED = text("! takes one filter", "!에는 필터가 하나만 옵니다")
TOO_DEEP = text("it is nested too deeply", "너무 깊이 중첩되었습니다")
NO_RULE = text("an extensible filter names an attribute or a rule", "확장 필터에는 속성이나 규칙이 있어야 합니다")


TWO_EQUALS = text(
    "one = compares; the second one is part of the value here", "= 하나로 비교합니다. 두 번째 =는 값의 일부가 됩니다"
)
WORD_AND = text(
    "{word} inside a value is text here; filters are joined by a sign in front of them",
    "값 안의 {word}은(는) 텍스트일 뿐이며, 필터는 앞에 둔 기호로 묶습니다",
)
_DOUBLED = re.compile(rf"\(\s*({ATTRIBUTE.pattern})\s*==\s*([^()]*)\)")
_SIDE = rf"{ATTRIBUTE.pattern}\s*[<>~]?=[^()]*"
_JOINED = re.compile(rf"\(\s*({_SIDE}?)\s+(AND|OR|&&?|\|\|?)\s+({_SIDE})\)", re.IGNORECASE)


@dataclass(frozen=True)
class Slip:
    """What is a filter, but hardly the one that was meant: where (from 0), what it does, and what was meant."""

    position: int
    problem: Text
    word: str
    meant: str


def slips(written: str) -> list[Slip]:
    """Comparisons as other languages write them. A filter that a backslash escapes is meant as it is.

    >>> [one.meant for one in slips("(|(cn==x)(cn=a AND sn=b))")]
    ['(cn=x)', '(&(cn=a)(sn=b))']
    """
    found = [Slip(one.start(), TWO_EQUALS, "==", f"({one[1]}={one[2]})") for one in _DOUBLED.finditer(written)]
    for one in _JOINED.finditer(written):
        sign = "&" if one[2].upper()[0] in "A&" else "|"
        found.append(Slip(one.start(), WORD_AND, one[2], f"({sign}({one[1].strip()})({one[3].strip()}))"))
    return sorted(found, key=lambda slip: slip.position)


class BadFilter(Exception):
    """A text that is no filter: what is wrong, and at which character of it (from 0)."""

    def __init__(self, position: int, problem: Text) -> None:
        super().__init__(f"{position}: {problem.fill()}")
        self.position = position
        self.problem = problem


def checked(written: str) -> str:
    """The canonical form of a filter. Raises :class:`BadFilter`."""
    reader = _Reader(written)
    start = reader.blank(0)
    if start == len(written):
        raise BadFilter(0, EMPTY)
    made, end = reader.filter(start, 0)
    if reader.blank(end) != len(written):
        raise BadFilter(reader.blank(end), BEHIND)
    return made


def escaped(value: str) -> str:
    r"""A text as a value of a filter (RFC 4515, 3): it means itself, whatever it holds.

    >>> escaped("a*(b)\\ 홍")
    'a\\2a\\28b\\29\\5c\\20\\ed\\99\\8d'
    """
    return "".join(_written(byte) for byte in value.encode("utf-8", "surrogatepass"))


def _written(byte: int) -> str:
    """A byte of a value; a blank is an escape too, as ldap3 takes blanks off the ends of a value."""
    char = chr(byte)
    return char if 0x20 < byte < 0x7F and char not in "*()\\" else f"\\{byte:02x}"


class _Reader:
    """Reads one text; each method returns what it read in canonical form, and the position behind it."""

    def __init__(self, written: str) -> None:
        self.written = written

    def blank(self, pos: int) -> int:
        found = _BLANK.match(self.written, pos)
        return found.end() if found else pos

    def filter(self, pos: int, depth: int) -> tuple[str, int]:
        if depth > MAX_DEPTH:
            raise BadFilter(pos, TOO_DEEP)
        if not self.written.startswith("(", pos):
            raise BadFilter(min(pos, max(len(self.written) - 1, 0)), NO_PARENTHESIS)
        inside = self.blank(pos + 1)
        sign = self.written[inside : inside + 1]
        if not sign:
            raise BadFilter(pos, NOT_CLOSED)
        made, end = self._several(sign, inside, pos, depth) if sign in "&|!" else self._item(inside, pos)
        if not self.written.startswith(")", end):
            raise BadFilter(pos, NOT_CLOSED)
        return f"({made})", end + 1

    def _several(self, sign: str, at: int, opened: int, depth: int) -> tuple[str, int]:
        parts, pos = [sign], self.blank(at + 1)
        while not self.written.startswith(")", pos):
            if pos == len(self.written):
                raise BadFilter(opened, NOT_CLOSED)
            if sign == "!" and len(parts) == 2:
                raise BadFilter(pos, ONE_NEGATED)
            part, pos = self.filter(pos, depth + 1)
            parts.append(part)
            pos = self.blank(pos)
        if sign == "!" and len(parts) == 1:
            raise BadFilter(pos, ONE_NEGATED)
        return "".join(parts), pos

    def _item(self, pos: int, opened: int) -> tuple[str, int]:
        if (found := _EXTENDED.match(self.written, pos)) is not None:
            if not found[1] and not found[3]:
                raise BadFilter(pos, NO_RULE)
            value, end = self._value(found.end(), opened, stars=False)
            return f"{found[0]}{value}", end
        compared = _COMPARED.match(self.written, pos)
        if compared is None:
            raise BadFilter(pos, NO_COMPARISON)
        value, end = self._value(compared.end(), opened, stars=compared[2] == "=")
        return f"{compared[1]}{compared[2]}{value}", end

    def _value(self, pos: int, opened: int, stars: bool) -> tuple[str, int]:
        made: list[str] = []
        while pos < len(self.written):
            char = self.written[pos]
            if char == ")":
                return "".join(made), pos
            if char == "(":
                raise BadFilter(pos, NO_OPEN)
            if char == "*":
                if not stars:
                    raise BadFilter(pos, NO_STAR)
                if not made or made[-1] != "*":  # a run of stars is one
                    made.append(char)
            elif char == "\\":
                escape = _ESCAPE.match(self.written, pos)
                if escape is None or escape[1] is None:
                    raise BadFilter(pos, NO_ESCAPE)
                made.append(_written(int(escape[1], 16)))
                pos += 2
            else:
                made.append(escaped(char))
            pos += 1
        raise BadFilter(opened, NOT_CLOSED)
