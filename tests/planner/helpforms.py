"""A query, a note or error about it, and its help line: the queries that the help asks for.

A help line holds a form (``write lower(a) == "x"``, ``compute it first: eval x = a + 1 | stats ... x``). It is put in
place of what it mends: the place that is pointed at, the condition or call around it, or the command.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from logsql.language.tree import Span
from logsql.registry import COMMANDS

_LEADS = re.compile(
    r"^(?:write|use|or|compare it:|compute it first:|give the name before:|make a field of it:|make a list of it:"
    r"|search the rows before:|search the result behind:|leave out [^:]*:|a command of its own:"
    r"|names are no patterns: write|begin that line with a pipe:|aggregates are separated by commas:"
    r"|begin with a value:|put the year in front:|give it with [^:]*:|the file holds [^:]*:"
    r"|(?:a|the) [^:]*?:|[^:\"]*?: write) ",
)
_TAILS = re.compile(
    r" to keep the fields of the row$| \([a-z]+, [a-z]+, \.\.\.\)$|,? \(?or read with .*$"
    r"| \(\"[^\"]*\" where .*\)$|, which .*$|, or (?:set|\").*$"
)
#: What stands for something of the user's.
_PLACES = {"DEFAULT": "1", "NAME": "syslog"}
_OPENS, _CLOSES = "([{", ")]}"


def forms(help: str) -> list[str]:
    """The forms that a help line holds.

    >>> forms("write double(a) > 1, or read with csvfile types=t")
    ['double(a) > 1', 'csvfile types=t']
    >>> forms('did you mean "label"?'), forms("there are a, b")
    (['label'], [])
    """
    if named := re.fullmatch(r'did you mean (".*?")(?: or (".*?"))?\?', help):
        return [name.strip('"') for name in named.groups() if name]
    if re.match(r"there (is|are) ", help):
        return []
    found = re.findall(r"or read with (\S+ \S+)", help)
    bare = _TAILS.sub("", help)
    lead = _LEADS.match(bare)
    form = bare[lead.end() :] if lead else bare
    for place, value in _PLACES.items():
        form = re.sub(rf"\b{place}\b", value, form)
    either = form.split(" or ") if re.fullmatch(r"\w+=\w+( or \w+=\w+)+", form) else [form]
    return [*either, *found]


def commands(query: str) -> list[tuple[int, int]]:
    """Begin and end of each command of the outer pipe."""
    places, depth, quoted, begin, at = [], 0, False, 0, 0
    while at < len(query):
        mark = query[at]
        if quoted and mark == "\\":
            at += 1
        elif mark == '"':
            quoted = not quoted
        elif not quoted and mark in "[":
            depth += 1
        elif not quoted and mark in "]":
            depth -= 1
        elif mark == "|" and not quoted and depth == 0:
            places.append((begin, at))
            begin = at + 1
        at += 1
    return [*places, (begin, len(query))]


def _outer(query: str, span: Span, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The place, and what stands around it in its command: calls and conditions, from the inner to the outer."""
    yield span.start, span.end
    for start in range(span.start, begin - 1, -1):
        if not (query[start].isalpha() or query[start] in "$_") or (
            start and (query[start - 1].isalnum() or query[start - 1] in "_.")
        ):
            continue
        for stop in range(span.end, end + 1):
            piece = query[start:stop]
            if (
                query[start:stop].count('"') % 2 == 0
                and all(piece.count(o) == piece.count(c) for o, c in zip(_OPENS, _CLOSES, strict=True))
                and (stop == end or not (query[stop].isalnum() or query[stop] in '_."'))
            ):
                yield start, stop


def mended(query: str, span: Span | None, help: str) -> Iterator[str]:
    """The queries that a help line may ask for, the likeliest first."""
    if read := re.fullmatch(r"read the document before: (.*); then the field is (.*)", help):
        begin = next(b for b, e in reversed(commands(query)) if span is None or b <= span.start)
        for start, stop in _outer(query, span, begin, len(query)) if span else ():
            yield query[:begin] + f" {read[1]} |" + query[begin:start] + read[2] + query[stop:]
        return
    places = commands(query)
    at = span.start if span is not None else 0
    begin, end = next(((b, e) for b, e in places if b <= at < max(e, b + 1)), places[-1])
    whole = query[begin:end]
    pad = len(whole) - len(whole.lstrip())
    for form in forms(help):
        words = form.lstrip("[ |").split()
        if not words:
            continue
        head = words[0]
        if form.startswith("| "):
            form = form[2:]
        if option := re.fullmatch(rf"{re.escape(head)} (.*) \.\.\.", form):
            for first, _ in places:
                rest = query[first:]
                if rest.split()[0] == head:
                    yield query[:first] + rest.replace(head, f"{head} {option[1]}", 1)
        if span is not None and form.startswith("\\"):
            yield query[: span.start] + query[span.start : span.end].replace("\\" + form, form) + query[span.end :]
        if "..." in form or (" | " in form and head in COMMANDS):
            yield from _commands(query, span, begin + pad, end, form)
        if (head in COMMANDS and len(words) > 1) or (
            head in COMMANDS and span is not None and query[span.start : span.end] == whole.strip()
        ):
            yield query[: begin + pad] + form + " " + query[end:]
            source = next((b, e) for b, e in places)
            if head == query[source[0] :].split()[0]:  # an option of the source
                first = query[source[0] : source[1]]
                yield query[: source[0]] + form.replace(" ...", "") + first.lstrip()[len(head) :] + query[source[1] :]
            yield query[:at] + query[at:].replace(query[at : span.end] if span else "", form, 1)
        if span is not None:
            for start, stop in _outer(query, span, begin + pad, end):
                yield query[:start] + form + query[stop:]


def _commands(query: str, span: Span | None, begin: int, end: int, form: str) -> Iterator[str]:
    """Forms with dots: ``eval x = a + 1 | stats ... x``, ``eval k = 1 | join ...``, ``[ ... | eval k = 1 ]``."""
    original = query[begin:end]
    head = original.split()[0]
    if inside := re.fullmatch(r"\[ \.\.\. \| (.*) \]", form):
        close = query.rindex("]", begin, end)
        yield query[:close] + "| " + inside[1] + " " + query[close:]
    before, _, last = form.rpartition(" | ")
    if before.endswith(" ..."):  # textfile ... | parse syslog
        yield query[:begin] + before.removesuffix("...") + original[len(head) :] + " | " + last + query[end:]
    if last == f"{head} ..." and before:
        yield query[:begin] + before + " | " + query[begin:]
    if span is not None and (named := re.fullmatch(rf"{re.escape(head)} \.\.\. (.*)", last)):
        for start, stop in _outer(query, span, begin, end):
            yield query[:begin] + (before + " | " if before else "") + query[begin:start] + named[1] + query[stop:]
    if span is not None:
        for start, stop in _outer(query, span, begin, end):
            behind = query[begin + len(head) : start].rstrip().removesuffix(" as")
            yield query[:begin] + form.replace(f"{head} ...", head + behind).replace(" ...", "") + query[stop:]
