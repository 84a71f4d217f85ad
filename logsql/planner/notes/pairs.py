"""Texts of keys and values that the delimiters of ``parsekv`` do not cut: ``a:1;b:2``, ``a = 1``, ``a=1,b=2``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from logsql.diagnostics.codes import define
from logsql.planner.notes.words import WRITE
from logsql.planner.stage import Stage

OTHER_DELIMITERS = define(
    "N1602",
    "other-delimiters",
    (
        "parsekv cuts at other delimiters than the texts have",
        "parsekv의 구분자가 텍스트의 구분자와 다릅니다",
    ),
    (
        '{field} is cut at "{pair}" into pairs and at "{delimiter}" into key and value, and "{text}" is cut otherwise',
        '{field}을(를) "{pair}"에서 쌍으로, "{delimiter}"에서 키와 값으로 나누는데 "{text}"은(는) 구분자가 다릅니다',
    ),
)
_PAIR_DELIMITERS = (" ", ",", ";", "&", "|", "\t")
_DELIMITERS = ("=", ":", " = ", ": ", " : ", "=>", " => ")
_KEY = re.compile(r"[^\W\d][\w.-]*")
#: A value in which a further pair stands: ``1,b=2``.
_FURTHER = re.compile(r"[;,&|\t]\s*[^\W\d][\w.-]*\s*[=:]")
#: Characters of a text that are shown.
_SHOWN = 40


def delimiters(
    stage: Stage, texts: Sequence[str], field: str, pair: str, delimiter: str, covers: tuple[str, str]
) -> None:
    """Tell of texts that these delimiters leave whole, where others cut all of them into keys and values."""
    found = [text for text in texts if text.strip()]
    own = [_own_values(text, pair, delimiter) for text in found]
    if any(any(values[:-1]) for values in own) or all(values == [True] for values in own):
        return
    best: tuple[int, str, str] | None = None
    for other, between in _others(found, pair, delimiter):
        count = sum(len(list(_pieces(text, other))) for text in found)
        if best is None or count > best[0]:
            best = (count, other, between)
    if best is None:
        return
    written = [f'{name}="{text}"' for name, text, given in (
        ("pairdelim", best[1].replace("\t", "\\t"), pair), ("kvdelim", best[2], delimiter)
    ) if text != given]  # fmt: skip
    stage.note(
        OTHER_DELIMITERS,
        stage.command.name_span,
        help=WRITE.fill(better=f"parsekv {' '.join(written)}"),
        covers=covers,
        field=field,
        pair=pair,
        delimiter=delimiter,
        text=next(text for text, values in zip(found, own, strict=True) if values != [True])[:_SHOWN],
    )


def _others(texts: Sequence[str], pair: str, delimiter: str) -> Iterator[tuple[str, str]]:
    """The pairs of delimiters that cut every text into pairs alone."""
    for other in _PAIR_DELIMITERS:
        for between in _DELIMITERS:
            if (other, between) == (pair, delimiter) or other in between:
                continue
            if all(all(_is_pair(piece, between) for piece in _pieces(text, other)) for text in texts):
                yield other, between


def _pieces(text: str, pair: str) -> Iterator[str]:
    return (piece.strip() for piece in text.split(pair) if piece.strip())


def _is_pair(piece: str, delimiter: str) -> bool:
    key, _, value = piece.partition(delimiter)
    plain = value == value.strip() != "" and value[0] not in "=:>"
    return _KEY.fullmatch(key) is not None and plain and not _FURTHER.search(value)


def _own_values(text: str, pair: str, delimiter: str) -> list[bool]:
    """Of each key with a value, whether that is its own: of ``a=1,b=2`` and ``a=1, b=2`` the first is not."""
    pieces = [piece.partition(delimiter) for piece in _pieces(text, pair)]
    pairs = [value for key, _, value in pieces if key and value]
    return [not _FURTHER.search(value) and not value.endswith((",", ";")) for value in pairs]
