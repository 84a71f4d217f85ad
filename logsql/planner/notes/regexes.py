"""Regular expressions in the spelling of other tools."""

from __future__ import annotations

import re

from logsql.diagnostics.messages import text

JAVA_GROUP = text("a group is named {right}, not {wrong}", "그룹 이름은 {wrong}이 아니라 {right}(으)로 씁니다")


def named_group_help(pattern: str) -> str | None:
    """How a group named as in Python is written here; None where there is none.

    >>> named_group_help("a(?P<n>x)")
    'a group is named (?<n>...), not (?P<n>...)'
    """
    found = re.search(r"\(\?P<(\w+)>", pattern)
    if found is None:
        return None
    return JAVA_GROUP.fill(right=f"(?<{found[1]}>...)", wrong=f"(?P<{found[1]}>...)")
