"""What all results of a call have in common, known from its constants alone: ``lower(x)`` has no capital letter."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from logsql.language.tree import Expr, Literal, Unary


@dataclass(frozen=True)
class Results:
    """What is known of results; a text is compared with the text form of a value (language.md 3.3).

    ``case``: ``"lower"`` or ``"upper"``, no ASCII letter is of the other; ``shortest`` and ``longest``: characters;
    ``trimmed``: no blank at the ends; ``words``: all there are; ``characters``: the class of a regular expression that
    each is of; ``low`` and ``high``: of numbers; ``given``: a value is there even where the argument is null.
    """

    case: str = ""
    shortest: int = 0
    longest: int | None = None
    trimmed: bool = False
    words: tuple[str, ...] = ()
    characters: str = ""
    low: float | None = None
    high: float | None = None
    given: bool = False


#: Nothing is known.
ANYTHING = Results()
#: The results of a call, from those of its first argument and the arguments as they are written.
Gives = Callable[[Results, Sequence[Expr]], Results]
#: Texts and patterns in which letter case counts; ``a*b`` ignores it (language.md 4).
_CASE_COUNTS = re.compile(r"\*?[^*]+\*?")
_BLANK = re.compile(r"[\x00-\x20]")


def whole(node: Expr | None) -> int | None:
    """The whole number that an argument is, None for anything else."""
    if isinstance(node, Unary) and (number := whole(node.operand)) is not None:
        return -number
    value = node.value if isinstance(node, Literal) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def in_case(case: str) -> Gives:
    """``lower(x)``, ``upper(x)``; of ``lower(left(x, 2))`` the length too."""
    return lambda inner, nodes: Results(case, inner.shortest, inner.longest, inner.trimmed)


def trimmed(inner: Results, nodes: Sequence[Expr]) -> Results:
    return Results(inner.case, 0, inner.longest, True, (), inner.characters)


def cut(inner: Results, longest: int | None) -> Results:
    """A piece of so many characters of the first argument."""
    lengths = [length for length in (longest, inner.longest) if length is not None]
    return Results(inner.case, 0, min(lengths, default=None), characters=inner.characters)


def side(inner: Results, nodes: Sequence[Expr]) -> Results:
    """``left(x, 2)``, ``right(x, 2)``."""
    return cut(inner, whole(nodes[1]) if len(nodes) > 1 else None)


def slice_(inner: Results, nodes: Sequence[Expr]) -> Results:
    """``substr(x, 2, 4)``, ``substr(x, -3)``."""
    begin, end = (whole(node) for node in (*nodes, None, None)[1:3])
    if begin is None or (len(nodes) > 2 and end is None):
        return cut(inner, None)
    if end is None:
        return cut(inner, -begin if begin < 0 else None)
    return cut(inner, end - begin if (begin < 0) == (end < 0) and end > begin else None)


def padded(inner: Results, nodes: Sequence[Expr]) -> Results:
    """``lpad(x, 5, "0")``: padded and cut to one length."""
    size = whole(nodes[1]) if len(nodes) > 1 else None
    return ANYTHING if size is None or size < 0 else Results(shortest=size, longest=size)


def always(**facts: object) -> Gives:
    """The same results whatever the arguments are: ``always(low=0)``."""
    known = replace(ANYTHING, **facts)  # type: ignore[arg-type]
    return lambda inner, nodes: known


def digest(sizes: dict[str, int]) -> Gives:
    """Bytes, whose text form is lower-case hex; ``sizes``: how many there are by the first argument."""

    def gives(inner: Results, nodes: Sequence[Expr]) -> Results:
        name = nodes[0].value if nodes and isinstance(nodes[0], Literal) else None
        size = sizes.get(name) if isinstance(name, str) else None
        return Results("lower", 2 * (size or 0), None if size is None else 2 * size, characters="[0-9a-f]")

    return gives


def hexadecimal(inner: Results, nodes: Sequence[Expr]) -> Results:
    """``tohex(x)``; of bytes of a known number its length too."""
    known = inner.characters == "[0-9a-f]"
    return Results("lower", inner.shortest if known else 0, inner.longest if known else None, characters="[0-9a-f]")


def remainder(inner: Results, nodes: Sequence[Expr]) -> Results:
    """``mod(x, 5)``: from -4 to 4, the sign is that of x."""
    by = whole(nodes[1]) if len(nodes) > 1 else None
    return ANYTHING if not by else Results(low=1 - abs(by), high=abs(by) - 1)


def below(inner: Results, nodes: Sequence[Expr]) -> Results:
    """``rand(10)``: from 0 to 9."""
    bound = whole(nodes[0]) if nodes else None
    return Results(low=0, high=None if bound is None or bound < 1 else bound - 1)


def part_of(ranges: dict[str, tuple[float, float]]) -> Gives:
    """``datepart(x, "hour")``: the range of the part."""

    def gives(inner: Results, nodes: Sequence[Expr]) -> Results:
        name = nodes[1].value if len(nodes) > 1 and isinstance(nodes[1], Literal) else None
        low, high = ranges.get(str(name), (None, None))
        return Results(low=low, high=high)

    return gives


def missed(known: Results, text: str) -> str | None:
    """Which fact of the results a text with ``*`` cannot meet (the name of its field); None where it may.

    >>> missed(Results("lower"), "aBc"), missed(Results("lower"), "A*c"), missed(Results(longest=2), "a*bc")
    ('case', None, 'longest')
    >>> missed(Results(words=("int", "string")), "integer"), missed(Results(words=("int", "string")), "i*")
    ('words', None)
    >>> missed(Results(trimmed=True), "a "), missed(Results(trimmed=True), "a *"), missed(Results(shortest=3), "a*")
    ('trimmed', None, None)
    """
    pieces = text.split("*")
    bare = "".join(pieces)
    if known.words:
        here = re.compile(".*".join(map(re.escape, pieces)), re.DOTALL)
        return None if any(map(here.fullmatch, known.words)) else "words"
    if known.case and _CASE_COUNTS.fullmatch(text) and re.search("[A-Z]" if known.case == "lower" else "[a-z]", bare):
        return "case"
    if known.trimmed and (_BLANK.match(pieces[0][:1]) or _BLANK.match(pieces[-1][-1:])):
        return "trimmed"
    if known.longest is not None and len(bare) > known.longest:
        return "longest"
    if len(pieces) == 1 and len(bare) < known.shortest:
        return "shortest"
    if known.characters and not all(map(re.compile(known.characters).match, bare)):
        return "characters"
    return None


def held(known: Results, op: str, number: float) -> bool | None:
    """Whether a comparison of the results with a number is true of all of them, or of none; None where it depends.

    >>> held(Results(low=0), "<", 0), held(Results(low=0), ">=", 0), held(Results(low=0, high=9), "==", 10)
    (False, True, False)
    >>> held(Results(low=0), ">", 0) is None, held(Results(low=0, high=9), "<=", 9), held(Results(), "<", 0) is None
    (True, True, True)
    """
    low = float("-inf") if known.low is None else known.low
    high = float("inf") if known.high is None else known.high
    if op in ("==", "!="):
        return None if low <= number <= high else op == "!="
    if op in (">", ">="):
        sides = (low > number, high <= number) if op == ">" else (low >= number, high < number)
    else:
        sides = (high < number, low >= number) if op == "<" else (high <= number, low > number)
    return True if sides[0] else False if sides[1] else None
