"""Whether a text is SQL by its first word."""

from __future__ import annotations

import re
from collections.abc import Container

_KEYWORDS = """alter analyze attach begin call checkpoint commit comment copy create delete describe detach drop execute
explain export force from insert install merge pivot pragma prepare reset rollback select set show start summarize
truncate unpivot update use vacuum values with"""
SQL_KEYWORDS = frozenset(_KEYWORDS.split())
_WORD = re.compile(r"\s*\(*\s*([A-Za-z]+)(?![\w-])")


def is_sql(text: str, commands: Container[str]) -> bool:
    """Whether the text begins with an SQL keyword that is no pipe command.

    ``FROM t`` is SQL of DuckDB, ``FROM t | WHERE a == 1`` of another language of pipes.

    >>> is_sql("SELECT 1", ()), is_sql("from t", ()), is_sql("from t | where a == 1", ())
    (True, True, False)
    """
    word = _WORD.match(text)
    if word is None or word[1].lower() not in SQL_KEYWORDS or word[1] in commands:
        return False
    return word[1].lower() != "from" or "|" not in text
