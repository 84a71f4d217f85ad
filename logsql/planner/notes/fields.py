"""Names in expressions that no row can have."""

from __future__ import annotations

from collections.abc import Callable

from logsql.diagnostics.errors import did_you_mean
from logsql.diagnostics.fields import HELP_FIELDS
from logsql.diagnostics.messages import listed
from logsql.diagnostics.names import OPERATOR_NAME, UNKNOWN_FIELD
from logsql.diagnostics.notes import Notes
from logsql.language.tree import Binary, Expr, Field, Span
from logsql.planner.relation import Rel
from logsql.values.paths import splits

#: ``note(ROW, span, help=..., **facts)``: how a stage, a context or a call says a note.
Say = Callable[..., None]


def absent(rel: Rel | None, name: str) -> bool:
    """Whether it is certain that no row has a field of this name: the row is closed and has other fields."""
    if rel is None or rel.rest is not None or not rel.columns or rel.column(name) is not None:
        return False
    return not any(rel.column(root) is not None for root, _ in splits(name))


def near(rel: Rel, name: str) -> str | None:
    """The help line of a name that no row has: the nearest names, else those there are.

    None where only names such as ``_file`` are known: a source that reads what a query names knows no others.
    """
    if all(known.startswith("_") for known in rel.names) and not name.startswith("_"):
        return None
    return did_you_mean(name, rel.names) or HELP_FIELDS.fill(fields=listed(rel.names))


def tell_field(notes: Notes | None, rel: Rel | None, name: str, span: Span, asked: bool = False) -> None:
    """A field in an expression that no row has. ``asked``: the query asks whether it is there (``isnull(a)``)."""
    if notes is None or rel is None or span.end == 0 or not absent(rel, name):
        return
    if not asked or did_you_mean(name, rel.names):
        notes.add_general(UNKNOWN_FIELD, span, field=name, help=near(rel, name))


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
    elif not (name.startswith("'") and name.endswith("'")):  # '*Failed*' is a product of three names
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
