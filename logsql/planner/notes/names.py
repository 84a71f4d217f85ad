"""Names in the arguments of commands: fields that no row has, and what else is written where a name stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace

from logsql.diagnostics.codes import define, syntax
from logsql.diagnostics.errors import QueryError
from logsql.language.expressions import parse_expression
from logsql.language.tree import Binary, Call, Command, Expr, Field, Name, SortKey, Span, Unary, canonical
from logsql.planner.duties import WHOLE_FIELDS, Kind
from logsql.planner.notes import documents
from logsql.planner.notes.clauses import tell_key
from logsql.planner.notes.fields import TAKEN, UNKNOWN_FIELD, Say, absent, near
from logsql.planner.notes.lists import ASSIGNED, SEVERAL_NAMES, computed, takes_signs, tell_list, tell_path
from logsql.planner.notes.words import field_name
from logsql.planner.options import OptionKind
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Group

SPLIT_NAME = define(
    "N1004",
    "blank-in-name",
    (
        "a name with blanks is read as several names, and the row has a field of that very name",
        "공백이 든 이름을 여러 이름으로 읽는데 행에 바로 그 이름의 필드가 있습니다",
    ),
    (
        "{name} is read as {count} names, and there is a field of that name",
        "{name}을(를) 이름 {count}개로 읽는데 그 이름의 필드가 있습니다",
    ),
    help=syntax('"{name}"'),
)
AS_OPTION = syntax('field="{name}"')
EXPRESSION_AS_NAME = define(
    "N1101",
    "expression-as-name",
    (
        "an expression stands where a field name is read: it is taken for a name that no row has",
        "필드 이름 자리에 표현식이 있어 없는 이름으로 읽습니다",
    ),
    (
        "{text} is read as the name of a field, not as an expression",
        "{text}을(를) 표현식이 아니라 필드 이름으로 읽습니다",
    ),
    help=(
        "compute it first: eval x = {text} | {command} ... x",
        "먼저 계산하세요: eval x = {text} | {command} ... x",
    ),
)
DIRECTION_AS_NAME = define(
    "N1102",
    "direction-as-name",
    (
        "asc or desc behind a field is read as part of its name",
        "필드 뒤의 asc나 desc를 이름의 일부로 읽습니다",
    ),
    ("{text} is read as the name of a field", "{text}을(를) 필드 이름으로 읽습니다"),
    help=syntax("sort {right}"),
)
ALIAS_AS_NAME = define(
    "N1103",
    "alias-as-name",
    ("as is read as a name or as part of one here", "여기서는 as를 이름이나 이름의 일부로 읽습니다"),
    (
        "as gives no new name here: {text} is read as a name",
        "여기서는 as로 이름을 바꾸지 못합니다. 이름으로 읽음: {text}",
    ),
    help=("give the name before: rename {old} as {new}", "이름은 그 앞에서 바꾸세요: rename {old} as {new}"),
)
SIGN_AS_NAME = define(
    "N1104",
    "sign-as-name",
    ("a sign is read as a name or as part of one", "부호를 이름이나 이름의 일부로 읽습니다"),
    ("{text} is read as the name of a field", "{text}을(를) 필드 이름으로 읽습니다"),
    help=syntax("{command} {right}"),
)
WORD_AS_NAME = define(
    "N1105",
    "word-as-name",
    (
        "a word, quotes or parentheses around a name are read as part of it",
        "이름에 붙은 낱말, 따옴표, 괄호를 이름의 일부로 읽습니다",
    ),
    ("{text} is read as the name of a field", "{text}을(를) 필드 이름으로 읽습니다"),
    help=("write {right}", "{right}(이)라고 쓰세요"),
)
#: Fields that tables of the vendor's server have beside those of their rows: queries name them to put them in order.
_OF_TABLES = ("_id", "_table")
_DIRECTION = re.compile(r"(?P<name>.+?)\s+(?P<word>asc|desc|ascending|descending)", re.IGNORECASE | re.DOTALL)
_ALIAS = re.compile(r"(?P<old>.+?)\s+as\s+(?P<new>.+)", re.IGNORECASE | re.DOTALL)
_DIRECTION_FIRST = re.compile(r"(?P<word>asc|desc|ascending|descending)\s+(?P<name>.+)", re.IGNORECASE | re.DOTALL)
_WORD = re.compile(r"(?:on|by|using|fields?)\s+\(?(?P<name>[^()]+)\)?", re.IGNORECASE | re.DOTALL)
_QUOTES = re.compile(r"""(["'`\[])(?P<name>.+)(["'`\]])""", re.DOTALL)


def tell_names(note: Say, spec: CommandSpec, command: Command, rel: Rel | None) -> None:
    """Look at every name in a command's arguments that is a field of the rows ``rel`` that arrive."""
    if rel is None or rel.rest is not None or not rel.columns:
        return
    keys = written(spec, command)
    skip: set[int] = set()
    for position, key in enumerate(keys):
        if position in skip or key.name.text in _OF_TABLES:
            continue
        if not absent(rel, key.name.text):
            tell_path(note, spec, command, rel, key.name)
            continue
        if _computation(note, spec, rel, keys, position):
            skip.add(position + 1)
            continue
        taken = _over_several(note, command, rel, keys, position)
        skip |= set(range(position, position + taken))
        if not taken:
            _tell(note, spec, rel, key)
    for name in option_names(spec, command):
        if absent(rel, name.text):
            if (longer := _goes_on(command, rel, name)) is not None:
                note(SPLIT_NAME, name.span, name=longer, count=longer.count(" ") + 1, help=AS_OPTION.fill(name=longer))
                continue
            note(UNKNOWN_FIELD, name.span, field=name.text, help=near(rel, name.text))
        else:
            documents.path(note, rel, name.text, name.span)


def _computation(note: Say, spec: CommandSpec, rel: Rel, keys: Sequence[SortKey], position: int) -> bool:
    """Look at ``fields a + 1``, which are three names; whether it was told."""
    around = keys[max(position - 1, 0) : position + 2]
    if len(around) < 3 or around[1].name.text not in ("+", "-", "*", "/") or absent(rel, around[0].name.text):
        return False
    text = " ".join(key.name.text for key in around)
    expr = _expression(text)
    if expr is None:
        return False
    span = replace(around[0].name.span, end=around[2].name.span.end)
    note(EXPRESSION_AS_NAME, span, text=text, help=computed(expr, text, spec.name))
    return True


def tell_taken(note: Say, spec: CommandSpec, command: Command, taken: Callable[[str], str | None]) -> None:
    """Tell of ``parse sshd | stats count by _file``; ``taken`` names the parser that put its own in its place.

    A further parser (``parse sshd | parse syslog``) reads the rows that are left over."""
    keys = written(spec, command) if spec.group in (Group.STATISTICS, Group.TIME) or takes_signs(spec) else []
    options = [] if any(option.name == "overlay" for option in spec.options) else option_names(spec, command)
    for name in (*(key.name for key in keys), *options):
        if (parser := taken(name.text)) is not None:
            note(TAKEN, name.span, field=name.text, command=parser)


def _goes_on(command: Command, rel: Rel, name: Name) -> str | None:
    """The field that an option's value and the words behind it are: ``parsecsv field=Date and Time``."""
    joined = name.text
    for word in getattr(command.args, "names", ()):
        joined = f"{joined} {word.text}" if isinstance(word, Name) else joined
        if rel.column(joined) is not None:
            return joined
    return None


def written(spec: CommandSpec, command: Command) -> list[SortKey]:
    """The names in the arguments that are fields of the rows that arrive, in written order."""
    if spec.names is not None:
        return [_key(name) for name in spec.names(command.args)]
    if not any(argument.kind is Kind.FIELDS for argument in spec.arguments) or not is_dataclass(command.args):
        return []
    return [key for f in fields(command.args) for key in _keys(getattr(command.args, f.name))]


def _keys(value: object) -> Iterator[SortKey]:
    """A name, names, sort keys; of pairs (old, new) the old ones."""
    for item in value if isinstance(value, tuple) else (value,):
        first = item[0] if isinstance(item, tuple) and item else item
        if isinstance(first, Name | SortKey):
            yield _key(first)


def _key(name: Name | SortKey) -> SortKey:
    return name if isinstance(name, SortKey) else SortKey(name, False, name.span)


def option_names(spec: CommandSpec, command: Command) -> Iterator[Name]:
    """Fields of the rows that arrive which options name, or name by default."""
    for option in spec.options:
        if option.kind is not OptionKind.FIELD or not option.reads:
            continue
        given = command.option(option.name)
        longer = getattr(command.args, option.name, None)
        if isinstance(longer, Name):  # rex field=Registered No. "...": the name goes on behind the option's value
            yield longer
        elif given is None and isinstance(option.default, str):
            yield Name(option.default, command.name_span)
        elif given is not None and isinstance(given.value, str):
            yield Name(given.value, given.value_span)


def _over_several(note: Say, command: Command, rel: Rel, keys: Sequence[SortKey], position: int) -> int:
    """What is said of a name together with those behind it, in lists that blanks split; the number of names taken."""
    joined = keys[position].name.text
    quote = joined[0] if joined[0] in "'`" else ""
    for end in range(position + 1, min(position + 6, len(keys))):
        last, name = keys[end - 1].name, keys[end].name
        if not absent(rel, name.text) or name.span.start - last.span.end != 1:
            break
        joined = f"{joined} {name.text}"
        if quote and joined.endswith(quote) and rel.column(joined[1:-1]) is not None:
            span = Span(keys[position].name.span.start, name.span.end)
            note(WORD_AS_NAME, span, text=joined, right=f'"{joined[1:-1]}"')
            return end - position + 1
        if rel.column(joined) is not None:
            span = Span(keys[position].name.span.start, name.span.end)
            note(SPLIT_NAME, span, name=joined, count=end - position + 1)
            return end - position + 1
    key = keys[position]
    before = keys[position - 1].name.text if position else ""
    behind = keys[position + 1].name.text if position + 1 < len(keys) else ""
    if key.name.text.lower() == "as" and before and behind:
        note(ALIAS_AS_NAME, key.name.span, text="as", old=before, new=behind)
        return 2
    if key.name.text.lower() in ("asc", "desc") and before:
        right = f"-{before}" if key.name.text.lower() == "desc" else before
        note(DIRECTION_AS_NAME, key.name.span, text=key.name.text, right=right)
        return 1
    if key.name.text.lower() == "by" and behind:
        note(DIRECTION_AS_NAME, key.name.span, text=key.name.text, right=behind)
        return 1
    if behind == "=" and position + 2 < len(keys):
        name, last = key.name, keys[position + 2].name
        span, right = Span(name.span.start, last.span.end), f"{name.text} = {last.text}"
        note(EXPRESSION_AS_NAME, span, text=right, help=ASSIGNED.fill(text=right, command=command.name, name=name.text))
        return 3
    if key.name.text in ("+", "-") and behind:
        note(SIGN_AS_NAME, key.name.span, text=key.name.text, command=command.name, right=behind)
        return 1
    return 0


def _tell(note: Say, spec: CommandSpec, rel: Rel, key: SortKey) -> None:
    """One name that no row has."""
    name, span, text = key.name, key.span, key.name.text
    sign = "-" if key.descending else ""
    if found := _DIRECTION.fullmatch(text):
        down = found["word"].lower().startswith("desc")
        right = ("-" if down and not sign else "") + found["name"]
        if absent(rel, found["name"]) and _expression(found["name"]) is not None:
            _tell(note, spec, rel, replace(key, name=Name(found["name"], name.span)))
        elif absent(rel, found["name"]):
            note(DIRECTION_AS_NAME, span, text=text, help=near(rel, found["name"]))
        else:
            note(DIRECTION_AS_NAME, span, text=text, right=right)
    elif (found := _DIRECTION_FIRST.fullmatch(text)) and not absent(rel, found["name"]):
        down = found["word"].lower().startswith("desc")
        note(DIRECTION_AS_NAME, span, text=text, right=("-" if down else "") + found["name"])
    elif found := _ALIAS.fullmatch(text):
        note(ALIAS_AS_NAME, span, text=text, old=found["old"], new=found["new"])
    elif (found := _WORD.fullmatch(text)) and not absent(rel, found["name"].strip()):
        note(WORD_AS_NAME, span, text=text, right=found["name"].strip())
    elif found := _QUOTES.fullmatch(text):
        right = found["name"]
        note(WORD_AS_NAME, span, text=text, right=right if not absent(rel, right) else near(rel, right) or right)
    elif tell_key(note, span, text) or tell_list(note, spec, rel, key):
        return
    elif (
        text[0] in "+-"
        and spec.names is None
        and WHOLE_FIELDS in spec.arguments
        and rel.column(text[1:].strip()) is not None
    ):
        note(SIGN_AS_NAME, span, text=text, command="sort", right=text if text[0] == "-" else text[1:])
    elif text[0] in "+-" and rel.column(text[1:].strip()) is not None:
        note(SIGN_AS_NAME, span, text=text, command=spec.name, right=f"{text[0]} {text[1:].strip()}")
    elif "," in text and all(not absent(rel, part.strip()) for part in text.split(",")):
        right = " | ".join(f"{spec.name} {part.strip()}" for part in text.split(","))
        note(SEVERAL_NAMES, span, text=text, right=right)
    elif (inner := _expression(text)) is not None:
        if rel.column(canonical(inner)) is not None:  # fields sum(a+1) behind stats sum(a + 1)
            note(WORD_AS_NAME, span, text=text, right=f"{sign}{canonical(inner)}")
        elif isinstance(inner, Field):
            note(WORD_AS_NAME, span, text=text, right=f"{sign}{inner.name}")
        elif (own := field_name(inner)) is not None and rel.column(own) is not None:  # sort field("Bytes Sent")
            note(WORD_AS_NAME, span, text=text, right=f'{sign}"{own}"')
        else:
            note(EXPRESSION_AS_NAME, span, text=text, help=computed(inner, text, spec.name))
    else:
        note(UNKNOWN_FIELD, name.span, field=text, help=near(rel, text))


def _expression(text: str) -> Expr | None:
    """The expression that a text is, when it is a call, a computation or a field in parentheses."""
    if not re.search(r"[(+*/]|\s-|-\s", text):
        return None
    try:
        found = parse_expression(text)
    except QueryError:
        return None
    if isinstance(found, Call | Binary | Unary) or (isinstance(found, Field) and text.startswith("(")):
        return found
    return None
