"""Calls of ``udfs.documents`` from SQL: constants arrive as columns and are read once per batch."""

from __future__ import annotations

import json
from typing import Any

from udfs import documents


def _first(values: Any) -> Any:
    return values[0].as_py() if len(values) else None


def json_text(texts: Any, cutoff: Any, recover: Any, flat: Any) -> Any:
    """Strict JSON of texts of the lenient dialect."""
    return documents.json_array(texts, _first(cutoff) or 0, bool(_first(recover)), bool(_first(flat)))


def csv_cells(texts: Any, tab: Any, strict: Any) -> Any:
    """Cells of one-record texts."""
    return documents.csv_cells(texts, bool(_first(tab)), bool(_first(strict)))


def anchored(texts: Any, rules: Any) -> Any:
    """Texts between anchors; ``rules`` is a JSON list of ``[start, stop]``."""
    pairs = json.loads(_first(rules) or "[]")
    return documents.anchored(texts, [(start, stop) for start, stop in pairs])
