"""The words of SQL text as DuckDB's scanner cuts it, and which files they name."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Table functions that read files; their paths must be written out.
READERS = _names(
    """read_csv read_csv_auto read_json read_json_auto read_json_objects read_json_objects_auto read_ndjson
    read_ndjson_auto read_ndjson_objects read_parquet parquet_scan read_text read_blob glob sniff_csv
    parquet_metadata parquet_schema parquet_file_metadata parquet_kv_metadata parquet_full_metadata
    parquet_bloom_probe parquet_page_index"""
)
#: What DuckDB reads behind FROM without a function, by the end of its name.
ENDINGS = {
    "csv": "read_csv_auto", "tsv": "read_csv_auto", "parquet": "read_parquet",
    "json": "read_json_auto", "jsonl": "read_json_auto", "ndjson": "read_json_auto",
}  # fmt: skip
ENDING = re.compile(rf"\.({'|'.join(ENDINGS)})(\.gz|\.zst)?$", re.I)
#: A quick look whether SQL may name a file at all.
NAMES_FILES = re.compile(rf"\b({'|'.join(sorted(READERS))})\b|\.({'|'.join(ENDINGS)})\b|\be'|\$", re.I)
_BEFORE_TABLES = ("from", "join", "using", "describe", "desc", "summarize", "show", "table")
_PERHAPS_BEFORE = (*_BEFORE_TABLES, ",", "(")


@dataclass(frozen=True)
class Token:
    """A word of SQL text as DuckDB's scanner cuts it: its kind, and the text without the quotes of a name."""

    kind: str
    text: str
    start: int = 0
    """Where it begins in the text, in bytes."""

    @property
    def end(self) -> int:
        return self.start + len(self.text.encode())

    @property
    def value(self) -> str:
        """What a name or a plain text constant says."""
        if self.kind == "string_const":
            return self.text[1:-1].replace("''", "'") if self.text[:1] == "'" else self.text
        return self.text[1:-1].replace('""', '"') if self.text[:1] == '"' else self.text

    @property
    def word(self) -> str:
        """The name in lower case, as DuckDB compares names; for other kinds the text itself."""
        if self.kind in ("identifier", "keyword"):
            return self.text.removeprefix('"').removesuffix('"').replace('""', '"').lower()
        return self.text.lower()


def words_of(text: str) -> list[Token]:
    """The tokens of SQL text without its comments (DuckDB counts offsets in bytes)."""
    raw = text.encode()
    found = duckdb.tokenize(text)
    ends = [*(start for start, _ in found[1:]), len(raw)]
    cut = (
        Token(kind.name, raw[start:end].decode().strip(), start) for (start, kind), end in zip(found, ends, strict=True)
    )
    return [token for token in cut if token.kind != "comment"]


def opens(words: Sequence[Token], sure: bool = False) -> Iterator[str]:
    """The paths that a text names: first arguments of functions that read files (``""`` for one that is no constant),
    and what DuckDB reads behind FROM by the end of its name (``""`` where that may be hidden).

    ``sure``: only what cannot be the argument of another function.
    """
    before = _BEFORE_TABLES if sure else _PERHAPS_BEFORE
    for number, word in enumerate(words):
        after = words[number + 1].text if number + 1 < len(words) else ""
        if word.kind in ("identifier", "keyword") and word.word in READERS and after == "(":
            constants = list(
                itertools.takewhile(
                    lambda word: word.kind == "string_const" or word.text in ("[", ","), words[number + 2 :]
                )
            )
            yield from ([w.value for w in constants if w.kind == "string_const"] or [""])
        elif number and words[number - 1].word in before:
            if word.kind == "string_const" and word.text[:1] != "'":
                yield ""  # its escapes may hide what it says
            elif ENDING.search(word.value):
                yield word.value
        elif word.text == "." and ENDING.search(f".{words[number + 1].word}" if after else ""):
            yield ""
