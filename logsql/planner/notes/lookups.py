"""Values that a lookup does not find because its keys are written otherwise (language.md 8.4: keys are texts)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from logsql.diagnostics.codes import define
from logsql.language.tree import Name
from logsql.planner.notes.comparisons import never_written
from logsql.planner.notes.datetexts import guess_pattern
from logsql.planner.notes.words import WRITE, kind_word, number_text, settled_kind
from logsql.planner.stage import Stage
from logsql.values.types import Kind, LType

KEY_WRITTEN = define(
    "N1703",
    "lookup-key-types",
    (
        "a lookup compares texts, and no key of the table is written as the values of the field are",
        "룩업은 텍스트로 비교하는데 필드 값처럼 표기된 키가 테이블에 없습니다",
    ),
    (
        "{field} is {kind}, and no {column} of {table} is written like one: nothing is found",
        "{field}은(는) {kind}인데 {table}의 {column}에 그렇게 표기된 값이 없어 찾지 못합니다",
    ),
)
KEY_OTHERWISE = KEY_WRITTEN.says(
    (
        '{field} holds "{value}", and {column} of {table} has it written otherwise: a lookup compares texts',
        '{field}의 "{value}"이(가) {table}의 {column}에 다르게 표기되어 있습니다. 룩업은 텍스트로 비교합니다',
    )
)
#: Keys that are looked at before the query runs.
_KEYS = 10_000


def tell_key(stage: Stage, table: str, field: Name, key: str, keys: LType, rows: Any) -> None:
    """Tell of a field none of whose values is found, as far as types and the values at hand show it."""
    column = stage.rel.column(field.text)
    if column is None or column.parts or rows.num_rows > _KEYS or not settled_kind(column.type.kind):
        return
    if column.type.number and keys.number:  # by value
        return
    typed = keys.number or keys.kind in (Kind.DATE, Kind.BOOL)
    found = [value for value in rows.column(key).to_pylist() if value is not None]
    if column.type.kind is Kind.STRING:
        values = [value for value in stage.chain.sample(stage.rel, field.text) if value]
        _texts(stage, table, field, key, keys if typed else None, found, values)
        return
    texts = [str(value) for value in found]
    if texts and keys.kind is not column.type.kind and never_written(column.type.kind, texts):
        better = _rewritten(column.type, field.text, texts)
        kind = kind_word(column.type.kind)
        stage.note(
            KEY_WRITTEN, field.span, help=_help(field, better), field=field.text, kind=kind, column=key, table=table
        )


def _help(field: Name, better: str | None) -> str | None:
    return None if better is None else WRITE.fill(better=f"eval {field.text} = {better} | lookup ...")


def _rewritten(type_: LType, field: str, texts: Sequence[str]) -> str | None:
    """A number or a date written as the keys are."""
    if type_.number:
        widths = {len(text) for text in texts}
        if len(widths) == 1 and all(text.isdigit() for text in texts) and any(text[0] == "0" for text in texts):
            return f'lpad({field}, {widths.pop()}, "0")'
        return f"long({field})" if not type_.integer and all(map(number_text, texts)) else None
    pattern = guess_pattern(texts, "") if type_.kind is Kind.DATE else ""
    return f'string({field}, "{pattern}")' if pattern else None


def _texts(
    stage: Stage, table: str, field: Name, key: str, typed: LType | None, found: Sequence[Any], values: Sequence[str]
) -> None:
    """Texts of which none is a key, and some would be, written otherwise."""
    if not values or not found:
        return
    if typed is not None and not typed.number:
        kind = typed.kind
        if not never_written(kind, values):
            return
        pattern = guess_pattern(values, "") if kind is Kind.DATE else ""
        better, value = (f'date({field.text}, "{pattern}")' if pattern else None), values[0]
    else:
        written = set(found) if typed is None else {str(item) for item in found}
        if not written.isdisjoint(values):
            return
        one = next(((b, v) for b, w in _ways(field.text, written, typed) for v in values if w(v)), None)
        if one is None:
            return
        better, value = one
    stage.note(
        KEY_OTHERWISE, field.span, help=_help(field, better), field=field.text, value=value, column=key, table=table
    )


def _ways(field: str, keys: set[str], typed: LType | None) -> Iterator[tuple[str, Callable[[str], bool]]]:
    """Ways to write a text otherwise, and whether it is a key then."""
    numbers = {float(key) for key in keys if number_text(key)}
    if typed is not None:
        yield f"double({field})", lambda text: number_text(text) and float(text) in numbers
        return
    yield f"trim({field})", lambda text: text.strip() in keys
    yield f"lower({field})", lambda text: text.lower() in keys
    yield f"upper({field})", lambda text: text.upper() in keys
    yield f"long(double({field}))", lambda text: number_text(text) and f"{float(text):.0f}" in keys
    widths = {len(key) for key in keys}
    if len(widths) == 1 and all(key.isdigit() for key in keys):
        width = widths.pop()
        yield f'lpad({field}, {width}, "0")', lambda text: text.isdigit() and text.rjust(width, "0") in keys


__all__ = ["KEY_OTHERWISE", "KEY_WRITTEN", "tell_key"]
