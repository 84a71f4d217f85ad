"""Calls of ``udfs.documents`` from SQL: constants arrive as columns and are read once per batch."""

from __future__ import annotations

import json
from functools import partial

from udfs import documents
from udfs.columns import Column, first
from udfs.java import javaregex


def json_text(texts: Column, cutoff: Column, recover: Column, flat: Column) -> Column:
    """Strict JSON of texts of the lenient dialect."""
    return documents.json_array(texts, first(cutoff) or 0, bool(first(recover)), bool(first(flat)))


def csv_cells(texts: Column, tab: Column, strict: Column) -> Column:
    """Cells of one-record texts."""
    return documents.csv_cells(texts, bool(first(tab)), bool(first(strict)))


def anchored(texts: Column, rules: Column) -> Column:
    """Texts between anchors; ``rules`` is a JSON list of ``[start, stop]``."""
    pairs = json.loads(first(rules) or "[]")
    return documents.anchored(texts, [(start, stop) for start, stop in pairs])


def rex(texts: Column, pattern: Column) -> Column:
    """The named groups of the first match, a list in the order of ``Regex.columns``; null where nothing matches."""
    return documents.rex_lists(texts, partial(javaregex.rex_extract, spec=javaregex.classify(first(pattern) or "")))
