"""Names in expressions that no row can have."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum

from logsql.diagnostics.codes import define, syntax, text
from logsql.diagnostics.errors import did_you_mean
from logsql.diagnostics.fields import HELP_FIELDS
from logsql.diagnostics.foreign import written_elsewhere
from logsql.diagnostics.messages import listed
from logsql.diagnostics.notes import Notes
from logsql.language.slips import QUOTES, in_quotes
from logsql.language.tree import Binary, Expr, Field, NamedArg, Span
from logsql.planner.notes.words import WRITE, in_bytes
from logsql.planner.relation import Rel
from logsql.values.paths import splits

UNKNOWN_FIELD = define(
    "N1001",
    "unknown-field",
    (
        "the fields of the rows are known before the query runs, and this is none of them: it is null everywhere",
        "실행 전에 행의 필드를 모두 알 수 있는데 이 필드는 없어 값이 모두 null입니다",
    ),
    ('no row has a field "{field}"', '"{field}" 필드가 있는 행이 없습니다'),
)
OPERATOR_NAME = define(
    "N1003",
    "operator-in-name",
    (
        "a name with an operator in it is read as arithmetic, and the row has a field of that very name",
        "연산자가 든 이름을 계산식으로 읽는데 행에 바로 그 이름의 필드가 있습니다",
    ),
    (
        "{name} is read as arithmetic, and there is a field of that name",
        "{name}을(를) 계산식으로 읽는데 그 이름의 필드가 있습니다",
    ),
    help=syntax('field("{name}")'),
)
TAKEN = define(
    "N1006",
    "field-taken-by-parser",
    (
        "a parser puts the fields that it finds in the place of the row's: those are null in every row that it reads",
        "파서가 찾은 필드로 행을 바꾸므로 파서가 읽은 행에서는 원래 필드가 null입니다",
    ),
    (
        "{command} put other fields in the place of {field}: it is null in every row that was read",
        "{command}이(가) 찾은 필드로 행을 바꾸어, 읽은 행에서는 {field}이(가) null입니다",
    ),
    (
        "write {command} overlay=t ... to keep the fields of the row",
        "원래 필드도 남기려면 {command} overlay=t ...로 쓰세요",
    ),
)
INSIDE = text(
    "the row's own values stand in {field}: write {path}",
    "행마다 다른 값은 {field}에 있습니다: {path}(으)로 쓰세요",
)
ADDED = text("the rows have it with {option}", "{option}을(를) 주면 행에 있습니다")
#: Constants are written in small letters: ``TRUE`` is the name of a field.
CONSTANTS = ("true", "false", "null")
#: ``note(ROW, span, help=..., **facts)``: how a stage, a context or a call says a note.
Say = Callable[..., None]


def absent(rel: Rel | None, name: str) -> bool:
    """Whether it is certain that no row has a field of this name: the row is closed and has other fields."""
    if rel is None or rel.rest is not None or not rel.columns or rel.column(name) is not None:
        return False
    if rel.others is None:
        if rel.names == ("_file",):
            return False  # an empty CSV file has no header
    elif all(known.startswith("_") for known in rel.names) and all(known.startswith("_") for known in rel.others()):
        return False  # an empty file: which fields its rows would have is not known
    return not any(rel.column(root) is not None for root, _ in splits(name))


def near(rel: Rel, name: str) -> str | None:
    """The help line of a name that no row has: the nearest names, else those there are.

    None where only names such as ``_file`` are known: a source that reads what a query names knows no others.
    """
    if (option := re.fullmatch(r"\w+=(\S+)", name)) and rel.column(option[1]) is not None:  # explode field=tags
        return WRITE.fill(better=option[1])
    names = rel.names if rel.others is None else tuple(dict.fromkeys((*rel.names, *rel.others())))
    if all(known.startswith("_") for known in names) and not name.startswith("_"):
        return None
    if rel.declared is not None and (added := rel.declared.adds.get(name)) is not None:
        return ADDED.fill(option=added)
    met = _met_inside(rel, name)
    if met is not None and met.rpartition(".")[2] == name.rpartition(".")[2]:
        return WRITE.fill(better=met)
    names_elsewhere = {} if rel.declared is None else rel.declared.called
    for called in (name, name.rpartition(".")[2]):  # Event.System.EventID
        if own := names_elsewhere.get(re.sub(r"[\W_]", "", called).lower()):
            return WRITE.fill(better=own)
    if met is not None:
        return WRITE.fill(better=met)
    found = did_you_mean(name, names)
    if found is None and (path := _inside(rel, name)) is not None:
        return INSIDE.fill(path=path, field=path.partition(".")[0])
    return found or HELP_FIELDS.fill(fields=listed(names))


def _inside(rel: Rel, name: str) -> str | None:
    """The path by which a name that no row has is read out of the map that the source declares for such names:
    ``event_data.IpAddress`` for ``IpAddress``, and for ``EventData.IpAddress`` of XML."""
    inner = rel.declared.inner if rel.declared is not None else ""
    key = name.rpartition(".")[2]
    return f"{inner}.{key}" if inner and rel.column(inner) is not None and key.isidentifier() else None


def path_to(rel: Rel, name: str) -> str | None:
    """The path that a name is, or by which the first rows have it, where a field as such is asked for."""
    if any(rel.column(root) is not None for root, _ in splits(name)) and name.rpartition(".")[2].isidentifier():
        return name
    return _met_inside(rel, name)


def _met_inside(rel: Rel, name: str) -> str | None:
    """As :func:`_inside`, where the first rows have the name there, be it in another letter case."""
    if _inside(rel, name) is None or rel.inner_keys is None:
        return None
    keys, key = rel.inner_keys(), name.rpartition(".")[2]
    met = key if key in keys else next((other for other in keys if other.lower() == key.lower()), None)
    return None if met is None else _inside(rel, met)


def likely(rel: Rel, name: str) -> bool:
    """Whether a name may well be a misspelt field, and not a word of the data: ``Failed`` is near ``_file``."""
    return did_you_mean(name, [n for n in rel.names if not n.startswith("_")]) is not None


class Stands(Enum):
    """What the place of a field in an expression says about what is meant."""

    PLAIN = "plain"
    #: The query asks whether the field is there (``isnull(a)``).
    ASKED = "asked"
    #: A value may stand there as well (``owner == dev``, ``contains(line, Failed)``).
    VALUE = "value"


def tell_field(notes: Notes | None, rel: Rel | None, name: str, span: Span, stands: Stands = Stands.PLAIN) -> None:
    """A field in an expression that no row has."""
    if notes is None or rel is None or span.end == 0 or not absent(rel, name):
        return
    if name.lower() in CONSTANTS:
        help: str | None = WRITE.fill(better=name.lower())
    elif parameter := re.fullmatch(r"\$(\w+)\$?", name):
        help = WRITE.fill(better=f'$("{parameter[1]}")')
    elif size := in_bytes(name):
        help = WRITE.fill(better=size)
    elif form := written_elsewhere(name):
        help = WRITE.fill(better=form)
    elif stands is Stands.VALUE and not likely(rel, name):
        help = WRITE.fill(better=f'"{name}"')
    else:
        help = near(rel, name)
    if stands is not Stands.ASKED or did_you_mean(name, rel.names):
        notes.add_general(UNKNOWN_FIELD, span, field=name, help=help)


def tell_operator(note: Say, rel: Rel | None, expr: Binary) -> tuple[Span, ...]:
    """``user-agent`` where a field of that very name is, and not every field that it is computed from.

    Returns the spans of those fields when it was told: they are not meant.
    """
    if rel is None or rel.rest is not None:
        return ()
    name = written_name(expr)
    if name is None or not any(absent(rel, piece.name) for piece in pieces(expr)):
        return ()
    if rel.column(name) is not None:
        note(OPERATOR_NAME, expr.span, name=name)
    elif not (name[0] in QUOTES and name[-1] in QUOTES):  # '*Failed*' is a product of three names
        return ()
    return tuple(piece.span for piece in pieces(expr))


def written_name(expr: Expr) -> str | None:
    """The name that an expression of fields and operators without blanks reads as; None for any other."""
    if isinstance(expr, Field):
        return expr.name
    if not isinstance(expr, Binary) or expr.op not in ("+", "-", "*", "/"):
        return None
    left, right = written_name(expr.left), written_name(expr.right)
    if left is None or right is None or expr.right.span.start - expr.left.span.end != 1:
        return None
    return f"{left}{expr.op}{right}"


def pieces(expr: Expr) -> list[Field]:
    """The fields in such an expression."""
    if isinstance(expr, Binary):
        return [*pieces(expr.left), *pieces(expr.right)]
    return [expr] if isinstance(expr, Field) else []


def constant_form(expr: Expr) -> str | None:
    """The help of a constant that was read as fields: ``1h``, ``'yyyy-MM-dd'``; None where a field is meant."""
    name = written_name(expr)
    form = in_quotes(name) if name is not None else None
    return WRITE.fill(better=form) if form is not None else None


def parameter_form(expr: Expr | NamedArg) -> str | None:
    """The help of ``$(name)``, whose quotes are missing."""
    return WRITE.fill(better=f'$("{expr.name}")') if isinstance(expr, Field) else None
