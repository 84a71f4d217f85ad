"""Completion as a pure function: ``complete(text, cursor, catalog)`` gives the words that fit at the cursor.

Two steps, each testable alone: ``expected`` says what belongs at the cursor (a command, an option of a command, a
field, an aggregate, a table ...) from the text and the declarations; ``complete`` asks the :class:`Catalog` for such
words and ranks those that match what is typed: same start first, then same letters in another case, then words that
contain it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from logsql.planner.duties import Argument
from logsql.planner.duties import Kind as Argued
from logsql.planner.spec import CommandSpec, OptionKind
from logsql.shell.lines import Kind, classify

Words = Mapping[str, str]


class Catalog(Protocol):
    """What completion may ask. All maps are word -> one line of explanation."""

    def commands(self) -> Words: ...
    def sources(self) -> Words: ...
    def options(self, command: str) -> Words: ...
    def choices(self, command: str, option: str) -> Sequence[str]: ...
    def functions(self) -> Words: ...
    def aggregates(self) -> Words: ...
    def tables(self) -> Sequence[str]: ...
    def fields(self, query: str) -> Sequence[str]: ...
    def files(self, prefix: str) -> Sequence[str]: ...
    def models(self) -> Sequence[str]: ...
    def parsers(self) -> Words: ...
    def inputs(self) -> Sequence[str]: ...
    def params(self) -> Sequence[str]: ...
    def metas(self) -> Words: ...
    def ml_commands(self) -> Words: ...
    def ml_usage(self, name: str) -> str: ...
    def lookups(self) -> Sequence[str]: ...
    def saved(self) -> Sequence[str]: ...
    def results(self) -> Sequence[str]: ...
    def declared(self, command: str) -> CommandSpec | None: ...


class Want(Enum):
    """What belongs at the cursor."""

    NOTHING = "nothing"
    COMMAND = "command"
    SOURCE = "source"
    OPTION = "option"
    CHOICE = "choice"
    EXPRESSION = "expression"
    AGGREGATE = "aggregate"
    FIELD = "field"
    TABLE = "table"
    LOOKUP = "lookup"
    SAVED = "saved"
    RESULT = "result"
    PATH = "path"
    MODEL = "model"
    PARSER = "parser"
    INPUT = "input"
    PARAM = "param"
    META = "meta"
    ML = "ml"
    TOPIC = "topic"
    SQL = "sql"


@dataclass(frozen=True)
class Place:
    """The cursor's place: what may stand there, the word typed so far, and the query in front of this command."""

    wants: tuple[Want, ...]
    word: str = ""
    command: str = ""
    option: str = ""
    before: str = ""


@dataclass(frozen=True)
class Suggestion:
    """One word that fits. ``start`` is the offset in the text where it replaces what is typed."""

    text: str
    start: int
    kind: str
    help: str = ""


_WORD_END = re.compile(r"[^\s,()\[\]|=<>!+*/\"]*$")
_PARAM = re.compile(r'\$\(\s*"([^"]*)$')
_OPTION = re.compile(r"^([\w-]+)=(\S*)$")
_SQL_WORD = re.compile(r"[\w.\"]*$")


def expected(text: str, catalog: Catalog) -> Place:
    """What belongs at the end of ``text`` (the input up to the cursor)."""
    kind = classify(text, catalog.commands())
    if kind is Kind.META:
        return _meta(text)
    if kind is Kind.HELP:
        word = text.rsplit(None, 1)[-1] if text.split()[1:] or text[-1:].isspace() else ""
        return Place((Want.TOPIC,), "" if text[-1:].isspace() else word)
    if kind is Kind.ML:
        return _ml(text, catalog)
    if kind is Kind.SQL and " " in text.lstrip():
        typed = _SQL_WORD.search(text)
        return Place((Want.SQL,), typed[0] if typed else "")
    return _pipe(text, catalog)


def _meta(text: str) -> Place:
    words = text.split()
    if len(words) < 2 and not text[-1:].isspace():
        return Place((Want.META,), words[0])
    tail = "" if text[-1:].isspace() else words[-1]
    if words[0] == "\\profile":  # what may stand here depends on the words before
        return Place((Want.CHOICE,), tail, words[0], " ".join(words[1:] if not tail else words[1:-1]))
    wants = {"\\d": Want.TABLE, "\\i": Want.PATH, "\\plan": Want.COMMAND, "\\format": Want.CHOICE}
    return Place((wants.get(words[0], Want.NOTHING),), tail, words[0])


#: What the words of an ml command's usage stand for.
_ML_WORDS = {"MODEL": Want.MODEL, "INPUT": Want.INPUT, "NAME": Want.INPUT, "FILE": Want.PATH}


def _ml(text: str, catalog: Catalog) -> Place:
    words = text.split()
    fresh = text[-1:].isspace()
    if len(words) < 2 and not fresh:
        return Place((Want.ML,), words[0])
    position = len(words) - (0 if fresh else 1)
    usage = catalog.ml_usage(words[0]).split()
    want = _ML_WORDS.get(usage[position - 1], Want.NOTHING) if position <= len(usage) else Want.NOTHING
    return Place((want,), "" if fresh else words[-1])


def _pipe(text: str, catalog: Catalog) -> Place:
    start, opened, quoted = _segment(text)
    segment = text[start:].lstrip()
    before = text[:start].rstrip().removesuffix("|").rstrip() if not opened else ""
    param = _PARAM.search(text)
    if param is not None:
        return Place((Want.PARAM,), param[1])
    if re.match(r"#(\s|$)", segment):
        return Place((Want.NOTHING,))
    if quoted is not None:
        return _in_quotes(text[:quoted], text[quoted:], catalog)
    found = re.match(r"(\S+)\s", segment)
    if found is None:
        source = start == 0 or opened
        return Place((Want.SOURCE, Want.COMMAND) if source else (Want.COMMAND,), segment, before=before)
    return _argument(found[1], catalog.declared(found[1]), segment[found.end() :], before)


def _in_quotes(before: str, word: str, catalog: Catalog) -> Place:
    """Inside a quote that is open: a name, where one may stand (decision 32) and in ``field("``; else text."""
    if before.endswith("field("):
        wanted = True
    else:
        place = _pipe(before, catalog) if before[-1:] in " \t,-+" else None
        wanted = place is not None and Want.FIELD in place.wants
    start = _segment(before)[0]
    return Place(
        (Want.FIELD if wanted else Want.NOTHING,), word, before=before[:start].rstrip().removesuffix("|").rstrip()
    )


def _segment(text: str) -> tuple[int, bool, int | None]:
    """(start of the command at the end of text, whether it begins a subquery, where the string at the end begins)."""
    starts: list[tuple[int, bool]] = [(0, False)]
    position = 0
    quoted: int | None = None
    while position < len(text):
        char = text[position]
        position += 1
        if quoted is not None:
            if char == "\\":
                position += 1
            quoted = None if char == '"' else quoted
        elif char == '"':
            quoted = position - 1
        elif char == "|":
            starts[-1] = (position, False)
        elif char == "[":
            starts.append((position, True))
        elif char == "]" and len(starts) > 1:
            starts.pop()
    return (*starts[-1], quoted)


#: What may stand where an argument or the value of an option of a kind is expected.
_WANTS: Mapping[Argued, tuple[Want, ...]] = {
    Argued.FIELDS: (Want.FIELD,),
    Argued.NEW_FIELDS: (),
    Argued.ASSIGNMENTS: (Want.EXPRESSION,),
    Argued.AGGREGATES: (Want.AGGREGATE,),
    Argued.EXPRESSION: (Want.EXPRESSION,),
    Argued.PATH: (Want.PATH,),
    Argued.TABLE: (Want.TABLE,),
    Argued.LOOKUP: (Want.LOOKUP,),
    Argued.MODEL: (Want.MODEL,),
    Argued.PARSER: (Want.PARSER,),
    Argued.QUERY: (),
    Argued.NUMBER: (),
    Argued.TEXT: (),
}
_OPTION_WANTS: Mapping[OptionKind, Want] = {
    OptionKind.FIELD: Want.FIELD,
    OptionKind.MODEL: Want.MODEL,
    OptionKind.PATH: Want.PATH,
    OptionKind.TABLE: Want.TABLE,
}


#: Commands whose argument is a result by its name or number.
_RESULTS: Mapping[str, tuple[Want, ...]] = {"load": (Want.SAVED,), "result": (Want.RESULT,)}


def _argument(name: str, spec: CommandSpec | None, rest: str, before: str) -> Place:
    typed = _WORD_END.search(rest)
    word = typed[0] if typed else ""
    words = rest.split()
    last = "" if rest[-1:].isspace() or not words else words[-1]
    leading = all(_OPTION.match(w) for w in (words if rest[-1:].isspace() else words[:-1]))
    option = _OPTION.match(last)
    kinds = {o.name: o.kind for o in spec.options} if spec is not None else {}
    if spec is not None and option is not None and option[1] not in kinds:  # eval x=le
        option = None
    if option is not None and (leading or (spec is not None and spec.options_anywhere)):
        want = _OPTION_WANTS.get(kinds.get(option[1], OptionKind.TEXT), Want.CHOICE)
        return Place((want,), option[2], name, option[1], before)
    wants: tuple[Want, ...] = (Want.OPTION,) if leading and "=" not in last else ()
    if spec is None:
        return Place((*wants, Want.EXPRESSION), word, name, before=before)
    arguments = _due(spec.arguments, rest)
    if not words[:-1] and any(o.kind is OptionKind.MODEL for o in spec.options):
        wants += (Want.MODEL,)
    for argument in arguments:
        inside = argument.kind is Argued.AGGREGATES and rest.count("(") > rest.count(")")
        wants += (Want.EXPRESSION,) if inside else _WANTS[argument.kind]
    wants += _RESULTS.get(name, ())
    if Want.FIELD in wants:
        word = word.lstrip("-+")
    if Want.TABLE in wants or Want.PARSER in wants:  # their names have dots and hyphens
        word = last
    return Place(tuple(dict.fromkeys(wants)), word, name, before=before)


def _due(arguments: Sequence[Argument], rest: str) -> list[Argument]:
    """The arguments that may stand at the end of ``rest``: those of the last introducing word, else the first ones."""
    found: tuple[int, list[Argument]] = (-1, [a for a in arguments if not a.after])
    for argument in arguments:
        for word in argument.after:
            places = [m.end() for m in re.finditer(rf"(?<![\w(]){re.escape(word)}\s", rest)]
            if places and places[-1] > found[0] and rest.count("(", places[-1]) <= rest.count(")", places[-1]):
                found = (places[-1], [argument])
    return found[1]


def complete(text: str, cursor: int, catalog: Catalog) -> list[Suggestion]:
    """Words that fit at ``cursor``, best first; ``text`` is the whole input."""
    typed = text[:cursor]
    place = expected(typed, catalog)
    out: dict[str, Suggestion] = {}
    for want in place.wants:
        found, word = _words(want, place, catalog, typed)
        opened = want is Want.FIELD and word.startswith('"')
        for name in ranked(word[1:] if opened else word, found):
            start = len(typed) - len(word)
            shown = written(name, want, opened) if want in (Want.FIELD, Want.EXPRESSION) else name
            out.setdefault(shown, Suggestion(shown, start, want.value, dict(found).get(name, "")))
    return list(out.values())


_PLAIN_NAME = re.compile(r"[^\s\"()\[\],=+\-*/<>!|]+\(?")


def written(name: str, want: Want, quoted: bool = False) -> str:
    """A field as it is written where a name stands, or in an expression: quoted where it needs to be (decision 32), or
    always with ``quoted``.

    >>> written("Event ID", Want.FIELD), written("Event ID", Want.EXPRESSION), written("a", Want.FIELD)
    ('"Event ID"', 'field("Event ID")', 'a')
    """
    if not quoted and _PLAIN_NAME.fullmatch(name):
        return name
    text = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return text if want is Want.FIELD else f"field({text})"


def ranked(word: str, names: Iterable[tuple[str, str]]) -> list[str]:
    """Names that match ``word``: same start, same start in another case, then containing it; each group in order.

    >>> ranked("co", [("discount", ""), ("Code", ""), ("count", "")])
    ['count', 'Code', 'discount']
    """
    lower = word.lower()
    groups: tuple[list[str], list[str], list[str]] = ([], [], [])
    for name, _ in names:
        if name.startswith(word):
            groups[0].append(name)
        elif name.lower().startswith(lower):
            groups[1].append(name)
        elif len(lower) > 1 and lower in name.lower():
            groups[2].append(name)
    return [name for group in groups for name in group if name != word]


def _words(want: Want, place: Place, catalog: Catalog, typed: str) -> tuple[list[tuple[str, str]], str]:
    """Candidates of one kind, and the word they are matched with."""
    word = place.word
    if want is Want.PATH:
        path = typed[len(typed.rstrip()) :] if not word else re.split(r"\s", typed)[-1]
        path = "" if path.isspace() else path.lstrip('"')
        if place.option:
            path = word
        return [(name, "") for name in catalog.files(path)], path
    if want is Want.EXPRESSION:
        fields = [(name, "") for name in catalog.fields(place.before)]
        return fields + [(f"{name}(", text) for name, text in catalog.functions().items()], word
    if want is Want.AGGREGATE:
        return [*catalog.aggregates().items(), *_introducing(catalog.declared(place.command))], word
    if want is Want.OPTION:
        return [(f"{name}=", text) for name, text in catalog.options(place.command).items()], word
    if want is Want.TOPIC:
        return [*catalog.commands().items(), *catalog.functions().items(), *catalog.aggregates().items()], word
    return _simple(want, place, catalog), word


def _introducing(spec: CommandSpec | None) -> list[tuple[str, str]]:
    """The words that introduce further arguments."""
    return [(argument.after[0], "") for argument in (spec.arguments if spec is not None else ()) if argument.after]


def _simple(want: Want, place: Place, catalog: Catalog) -> list[tuple[str, str]]:
    maps = {
        Want.COMMAND: catalog.commands,
        Want.SOURCE: catalog.sources,
        Want.META: catalog.metas,
        Want.ML: catalog.ml_commands,
        Want.PARSER: catalog.parsers,
    }
    if want is Want.COMMAND and Want.SOURCE not in place.wants and not place.command.startswith("\\"):
        starts = catalog.sources()  # behind rows a source is refused
        return [(name, text) for name, text in catalog.commands().items() if name not in starts]
    if want in maps:
        return list(maps[want]().items())
    if want is Want.CHOICE:
        return [(name, "") for name in catalog.choices(place.command, place.option)]
    if want is Want.FIELD:
        return [(name, "") for name in catalog.fields(place.before)]
    lists = {
        Want.TABLE: catalog.tables,
        Want.SQL: catalog.tables,
        Want.LOOKUP: catalog.lookups,
        Want.SAVED: catalog.saved,
        Want.RESULT: catalog.results,
        Want.MODEL: catalog.models,
        Want.INPUT: catalog.inputs,
        Want.PARAM: catalog.params,
    }
    return [(name, "") for name in lists[want]()] if want in lists else []
