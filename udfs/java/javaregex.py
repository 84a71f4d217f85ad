"""Java regular expressions over Arrow columns, and their RE2 form for DuckDB.

:func:`classify` translates a Java pattern once. When RE2 can say the same (almost every pattern of practice), the
caller puts ``Regex.re2`` into SQL; else the vectorised functions here run the ``regex`` package with Java's
meaning, bounded in time. Rules: Java ``find`` semantics; ``\\d \\w \\s \\b`` are ASCII; ``(?i)`` folds ASCII
letters only, exactly (``(?i)k`` becomes ``[Kk]`` because RE2's own flag would also match U+212A); ``.`` excludes
``\\n \\r U+0085 U+2028 U+2029``; ``$`` also holds before a final line terminator. ``\\b`` follows ``\\w`` as the
Java documentation (and Java 19+) says; Java 8 to 18 count every Unicode letter as a word character there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa
import regex

from udfs.columns import as_list, map_distinct
from udfs.failures import EndsQuery
from udfs.java import codepoints as cps
from udfs.java.javaregex_emit import NotRE2, group_facts, nullable, references, to_python, to_re2
from udfs.java.javaregex_parser import Char, Group, Klass, Node, RegexSyntaxError, Repeat, Seq, parse
from udfs.java.javaregex_size import check_size

__all__ = [
    "LiteralCut",
    "Regex",
    "RegexSyntaxError",
    "RegexTimeout",
    "ReplacementError",
    "classify",
    "groups",
    "java_replacement_to_re2",
    "literal_fast_path",
    "matches",
    "replace_all",
    "rex_extract",
    "rex_type",
]

DEFAULT_TIMEOUT = 5.0


class RegexTimeout(EndsQuery):
    """One search took longer than allowed (catastrophic backtracking); the message names the pattern."""

    def __init__(self, pattern: str, seconds: float) -> None:
        super().__init__(f'regular expression "{pattern}" ran longer than {seconds:g} seconds on one value')
        self.pattern = pattern


class ReplacementError(ValueError):
    """A Java replacement text that is malformed or names a group that does not exist."""


@dataclass(frozen=True)
class Regex:
    """A translated Java pattern.

    ``names[i]`` is captured by group ``group_index[i]`` of both ``re2`` and ``python`` (1-based; unnamed groups
    count only when ``named_only`` was false or a back-reference reads them); names may repeat, then the last group
    that took part wins. ``re2`` has the same matches and captures; ``re2_match`` answers only "is there a match"
    (no captures) and exists more often; ``re2_extent`` says that the whole match is Java's too, which replacing
    needs. ``why`` tells why ``re2`` is None. ``always[i]`` / ``may_be_empty[i]``: the group of ``names[i]`` takes
    part in every match / can capture "".
    """

    pattern: str
    named_only: bool
    names: tuple[str, ...]
    group_index: tuple[int, ...]
    group_count: int
    re2: str | None
    re2_match: str | None
    re2_extent: bool
    why: str | None
    python: str
    always: tuple[bool, ...]
    may_be_empty: tuple[bool, ...]
    nullable: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """Distinct names in order of appearance."""
        return tuple(dict.fromkeys(self.names))


@lru_cache(maxsize=512)
def classify(pattern: str, named_only: bool = True) -> Regex:
    """Translate a Java pattern; raises :class:`RegexSyntaxError` when Java would refuse it.

    ``named_only`` is the ``rex`` command: only ``(?<name>..)`` captures. Otherwise groups are numbered as in Java.

    >>> spec = classify(r"(?i)user-agent: (?<user_agent>[^\\n]+)")
    >>> spec.re2, spec.names, spec.group_index
    ('[Uu][Ss][Ee][Rr]-[Aa][Gg][Ee][Nn][Tt]: ([^\\\\n]+)', ('user_agent',), (1,))
    >>> classify(r"foo(?!bar)").re2 is None, classify(r"foo(?!bar)").why
    (True, 'look-around')
    """
    parsed = parse(pattern)
    check_size(parsed.root)
    wanted = set(range(1, parsed.groups + 1))
    if named_only:
        wanted &= {number for _, number in parsed.names} | references(parsed.root)
    numbers = {java: ours for ours, java in enumerate(sorted(wanted), start=1)}
    re2: str | None = None
    re2_match: str | None = None
    why: str | None = None
    extent = False
    try:
        re2, extent = to_re2(parsed.root, numbers, boolean=False)
        # RE2's global replace skips an empty match that touches the match before it, Java does not.
        extent = extent and not nullable(parsed.root)
    except NotRE2 as reason:
        why = str(reason)
    try:
        re2_match, _ = to_re2(parsed.root, numbers, boolean=True)
    except NotRE2:
        re2_match = None
    facts = group_facts(parsed.root)
    python = to_python(parsed.root, numbers)
    _compiled(python, pattern)
    return Regex(
        pattern=pattern,
        named_only=named_only,
        names=tuple(name for name, _ in parsed.names),
        group_index=tuple(numbers[number] for _, number in parsed.names),
        group_count=len(numbers),
        re2=re2,
        re2_match=re2_match,
        re2_extent=extent,
        why=why,
        python=python,
        always=tuple(facts[number][0] for _, number in parsed.names),
        may_be_empty=tuple(facts[number][1] for _, number in parsed.names),
        nullable=nullable(parsed.root),
    )


@lru_cache(maxsize=512)
def _compiled(python: str, pattern: str) -> Any:
    try:
        return regex.compile(python)
    except (regex.error, RecursionError, OverflowError, ValueError) as reason:
        raise RegexSyntaxError(f'cannot compile "{pattern}": {reason}', 0) from None


def _search(spec: Regex, compiled: Any, text: str, timeout: float, start: int = 0) -> Any:
    try:
        return compiled.search(text, start, timeout=timeout)
    except TimeoutError:
        raise RegexTimeout(spec.pattern, timeout) from None


def _finds(spec: Regex, compiled: Any, text: str, timeout: float) -> Iterator[Any]:
    """Matches of successive Java ``find()`` calls: after an empty match the search goes on one character later."""
    start = 0
    while start <= len(text):
        found = _search(spec, compiled, text, timeout, start)
        if found is None:
            return
        yield found
        start = found.end() + (found.end() == found.start())


# --- vectorised ---------------------------------------------------------------------------------------------


def rex_type(spec: Regex) -> pa.DataType:
    """Arrow type of :func:`rex_extract`: struct of ``matched`` (bool) and one string per name, ``g1``, ``g2``, ..

    Fields are numbered, not named, because struct fields ignore case in DuckDB and capture names do not.
    """
    fields = [pa.field(f"g{i}", pa.string()) for i in range(1, len(spec.columns) + 1)]
    return pa.struct([pa.field("matched", pa.bool_()), *fields])


def rex_extract(values: pa.Array | pa.ChunkedArray, spec: Regex, timeout: float = DEFAULT_TIMEOUT) -> pa.StructArray:
    """First match of every text: struct ``matched``, ``g1``.. (one per ``spec.columns``; null when the group took no
    part).

    Null text does not match. Raises :class:`RegexTimeout`.

    >>> rex_extract(pa.array(["k=1 k=2", "x", None]), classify(r"k=(?<k>\\d)")).to_pylist()
    [{'matched': True, 'g1': '1'}, {'matched': False, 'g1': None}, {'matched': False, 'g1': None}]
    """
    compiled = _compiled(spec.python, spec.pattern)
    places = [[i for n, i in zip(spec.names, spec.group_index, strict=True) if n == name] for name in spec.columns]
    single = all(len(place) == 1 for place in places)
    indexes = [place[0] for place in places]
    matched: list[bool] = []
    columns: list[list[str | None]] = [[] for _ in places]
    for text in as_list(values):
        found = None if text is None else _search(spec, compiled, text, timeout)
        matched.append(found is not None)
        if found is None:
            captures: Sequence[str | None] = [None] * len(places)
        elif single:
            captures = [found.group(i) for i in indexes]
        else:  # a repeated name: the last group that took part wins
            captures = [next((found.group(i) for i in reversed(p) if found.group(i) is not None), None) for p in places]
        for column, capture in zip(columns, captures, strict=True):
            column.append(capture)
    arrays = [pa.array(matched, pa.bool_()), *(pa.array(column, pa.string()) for column in columns)]
    return pa.StructArray.from_arrays(arrays, fields=list(rex_type(spec)))


def matches(values: pa.Array | pa.ChunkedArray, spec: Regex, timeout: float = DEFAULT_TIMEOUT) -> pa.BooleanArray:
    """Whether the pattern is found in every text; null gives false. Raises :class:`RegexTimeout`.

    >>> matches(pa.array(["foobar", "foo", None]), classify("foo(?!bar)", named_only=False)).to_pylist()
    [False, True, False]
    """
    compiled = _compiled(spec.python, spec.pattern)
    found = map_distinct(values, lambda text: _search(spec, compiled, text, timeout) is not None, pa.bool_())
    return found.fill_null(False)


def groups(values: pa.Array | pa.ChunkedArray, spec: Regex, timeout: float = DEFAULT_TIMEOUT) -> pa.ListArray:
    """Groups 1..n of every successive match, concatenated; null when nothing matches. Raises :class:`RegexTimeout`.

    ``spec`` must come from ``classify(pattern, named_only=False)``.

    >>> groups(pa.array(["a1b2", "--"]), classify("([a-z])([0-9])", named_only=False)).to_pylist()
    [['a', '1', 'b', '2'], None]
    """
    compiled = _compiled(spec.python, spec.pattern)

    def every(text: str) -> list[str | None] | None:
        found = [m.groups() for m in _finds(spec, compiled, text, timeout)]
        return [g for captures in found for g in captures] if found else None

    return map_distinct(values, every, pa.list_(pa.string()))


def replace_all(
    values: pa.Array | pa.ChunkedArray, spec: Regex, java_replacement: str, timeout: float = DEFAULT_TIMEOUT
) -> pa.StringArray:
    """Java ``replaceAll``: ``$1``, ``${name}``, ``\\$``; a group that took no part inserts nothing; null stays null.

    ``spec`` must come from ``classify(pattern, named_only=False)``. Raises :class:`ReplacementError`,
    :class:`RegexTimeout`.

    >>> spec = classify("(\\\\d+)-(\\\\d+)", named_only=False)
    >>> replace_all(pa.array(["1-2", None]), spec, "$2/$1").to_pylist()
    ['2/1', None]
    """
    compiled = _compiled(spec.python, spec.pattern)
    parts = _replacement(java_replacement, spec.group_count, dict(zip(spec.names, spec.group_index, strict=True)))

    def replaced(text: str) -> str:
        out: list[str] = []
        at = 0
        for found in _finds(spec, compiled, text, timeout):
            out.append(text[at : found.start()])
            out.extend(part if isinstance(part, str) else found.group(part) or "" for part in parts)
            at = found.end()
        return "".join(out) + text[at:] if out else text

    return map_distinct(values, replaced, pa.string())


# --- replacement texts --------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _parse_replacement(text: str) -> tuple[str, ...]:
    """Tokens: plain text, ``"$" + digits`` or ``"${" + name``."""
    tokens: list[str] = []
    for found in regex.finditer(r"\\(.)|\$\{(\p{L}[\w]*)\}|(\$[0-9]+)|([^\\$]+)|(.)", text, regex.DOTALL):
        escaped, name, number, plain, bad = found.groups()
        if bad is not None:
            what = "character to be escaped is missing" if bad == "\\" else "illegal group reference"
            raise ReplacementError(f'replacement "{text}": {what}')
        tokens.append("${" + name if name else number or "=" + (escaped if escaped is not None else plain))
    return tuple(tokens)


def _replacement(text: str, count: int, names: dict[str, int]) -> list[str | int]:
    """Plain text and group numbers; ``$12`` is group 12 when there are so many, else group 1 and a 2."""
    out: list[str | int] = []
    for token in _parse_replacement(text):
        if token.startswith("="):
            out.append(token[1:])
        elif token.startswith("${"):
            if token[2:] not in names:
                raise ReplacementError(f'replacement "{text}": no group with name {{{token[2:]}}}')
            out.append(names[token[2:]])
        else:
            digits = token[1:]
            used = 1
            while used < len(digits) and int(digits[: used + 1]) <= count:
                used += 1
            if int(digits[:used]) > count:
                raise ReplacementError(f'replacement "{text}": no group {digits[:used]}')
            out.append(int(digits[:used]))
            out.append(digits[used:])
    return [part for part in out if part != ""]


def java_replacement_to_re2(repl: str, ngroups: int, names: dict[str, int] | None = None) -> str | None:
    """The replacement for DuckDB ``regexp_replace(.., 'g')``, or None when a group above 9 is used.

    ``names`` maps group names to numbers. Raises :class:`ReplacementError` as :func:`replace_all`.

    >>> java_replacement_to_re2("$1 \\\\$1 a\\\\\\\\b", 2)
    '\\\\1 $1 a\\\\\\\\b'
    """
    out = []
    for part in _replacement(repl, ngroups, names or {}):
        if isinstance(part, str):
            out.append(part.replace("\\", "\\\\"))
        elif part > 9:
            return None
        else:
            out.append(f"\\{part}")
    return "".join(out)


# --- shapes that plain string functions can answer ----------------------------------------------------------


@dataclass(frozen=True)
class LiteralCut:
    """``LITERAL(?<name>[^stop]+)`` or ``LITERAL(?<name>\\d+)``: text after a literal up to a stop character.

    ``literal`` is lower case when ``case_insensitive`` (ASCII letters only). Exactly one of ``stop`` (the run ends
    before one of these) and ``keep`` (the run consists of these) is set. ``min_len`` 1 means: an occurrence of the
    literal that is followed by an empty run is no match, and the next occurrence counts.
    """

    literal: str
    case_insensitive: bool
    stop: str
    keep: str
    min_len: int
    name: str


@lru_cache(maxsize=512)
def literal_fast_path(pattern: str) -> LiteralCut | None:
    """Recognise ``(?i)LITERAL(?<n>[^c]+)`` and its relatives; None for every other (or invalid) pattern.

    >>> literal_fast_path(r"(?i)host: (?<host>[^\\n]+)")
    LiteralCut(literal='host: ', case_insensitive=True, stop='\\n', keep='', min_len=1, name='host')
    """
    try:
        parsed = parse(pattern)
    except RegexSyntaxError:
        return None
    root = parsed.root
    if not isinstance(root, Seq) or len(root.items) < 2 or not isinstance(root.items[-1], Group):
        return None
    group = root.items[-1]
    run = group.body
    if group.name is None or not isinstance(run, Repeat) or not isinstance(run.body, Klass):
        return None
    if run.mode != "" or run.maximum is not None or run.minimum > 1:
        return None
    ranges = cps.resolve(run.body.chars)
    stop, keep = _few(cps.negate(ranges)), _few(ranges)
    literal = _literal(root.items[:-1])
    if literal is None or (stop is None) == (keep is None):
        return None
    text, insensitive = literal
    return LiteralCut(text, insensitive, stop or "", keep or "", run.minimum, group.name)


def _few(ranges: cps.Ranges) -> str | None:
    size = sum(high - low + 1 for low, high in ranges)
    return "".join(chr(cp) for low, high in ranges for cp in range(low, high + 1)) if 0 < size <= 64 else None


def _literal(items: tuple[Node, ...]) -> tuple[str, bool] | None:
    text: list[str] = []
    exact: set[bool] = set()
    for item in items:
        if isinstance(item, Char):
            text.append(chr(item.cp))
            if chr(item.cp).isascii() and chr(item.cp).isalpha():
                exact.add(True)
        elif isinstance(item, Klass) and isinstance(item.chars, tuple) and len(item.chars) == 2:
            (up, up2), (low, low2) = item.chars
            if up != up2 or low != low2 or low != up + 32 or not chr(up).isalpha():
                return None
            text.append(chr(low))
            exact.add(False)
        else:
            return None
    return None if len(exact) > 1 else ("".join(text), exact == {False})
