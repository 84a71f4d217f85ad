"""Java regular expressions, called from SQL: the pattern is constant, or rows are grouped by it."""

from __future__ import annotations

import pyarrow as pa

from udfs.columns import Column, as_array, as_list, first
from udfs.java import javaregex


def match(texts: Column, pattern: Column) -> Column:
    """Whether the constant Java pattern is found; null text gives false."""
    return javaregex.matches(texts, javaregex.classify(first(pattern) or "", named_only=False))


def groups(texts: Column, pattern: Column) -> Column:
    """All groups of all matches of the constant pattern."""
    return javaregex.groups(texts, javaregex.classify(first(pattern) or "", named_only=False))


def replace(texts: Column, patterns: Column, replacements: Column) -> Column:
    """Java replaceAll; pattern and replacement may differ per row. A malformed one gives null."""
    whole = as_array(texts)
    pairs = list(zip(as_list(patterns), as_list(replacements), strict=True))
    distinct = set(pairs)
    out: list[str | None] = [None] * len(pairs)
    for pattern, replacement in distinct:
        if pattern is None or replacement is None:
            continue
        places = [i for i, pair in enumerate(pairs) if pair == (pattern, replacement)]
        try:
            spec = javaregex.classify(pattern, named_only=False)
            changed = javaregex.replace_all(whole.take(pa.array(places)), spec, replacement)
        except (javaregex.RegexSyntaxError, javaregex.ReplacementError):
            continue
        for place, value in zip(places, as_list(changed), strict=True):
            out[place] = value
    return pa.array(out, pa.string())
