"""Text for human eyes: control characters made visible, display width of wide characters, cutting with an ellipsis.

Log lines are written by whoever sends them: an escape sequence or a right-to-left override in a value must not reach
the terminal. Such characters print as ``\\x1b`` or ``\\u202e``. Width follows Unicode's East Asian rules (wcwidth).
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

ELLIPSIS = "…"
#: C0 and C1 controls, DEL, line and paragraph separators, and the characters that change the writing direction.
_HIDDEN = "\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069"
_HIDDEN_RE2 = r"[\x00-\x1f\x7f\x{80}-\x{9f}\x{2028}\x{2029}\x{200e}\x{200f}\x{61c}\x{202a}-\x{202e}\x{2066}-\x{2069}]"
_FIND = re.compile(f"[{_HIDDEN}]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str) -> str:
    """``text`` with every control character as an escape.

    >>> visible("a\\x1b[31mb")
    'a\\\\x1b[31mb'
    """
    return _FIND.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    char = found[0]
    code = ord(char)
    return _SHORT.get(char) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def visible_column(values: pa.Array) -> pa.Array:
    """:func:`visible` of a text column; only columns that hold such characters are touched."""
    if not pc.any(pc.match_substring_regex(values, _HIDDEN_RE2)).as_py():
        return values
    return pa.array([None if text is None else visible(text) for text in values.to_pylist()], pa.string())


def width(text: str) -> int:
    """Columns a terminal needs for ``text`` (Korean, Chinese, Japanese and emoji take two)."""
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth

    return max(wcswidth(text), 0)


def cut(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` columns, with an ellipsis when it does not fit.

    >>> cut("bot-detector", 6), cut("가나다라", 6)
    ('bot-d…', '가나…')
    """
    if text.isascii():
        return text if len(text) <= limit else text[: limit - 1] + ELLIPSIS
    if width(text) <= limit:
        return text
    from wcwidth import iter_graphemes

    kept, used = "", 0
    for cluster in iter_graphemes(text):
        size = width(cluster)
        if used + size > limit - 1:
            break
        kept, used = kept + cluster, used + size
    return kept + ELLIPSIS


def pad(text: str, columns: int, right: bool) -> str:
    """``text`` filled with blanks to ``columns``; numbers go to the right."""
    blanks = " " * (columns - width(text))
    return blanks + text if right else text + blanks
