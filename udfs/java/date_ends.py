"""What of a time may stand behind the end of a date pattern, which SimpleDateFormat passes over like any text."""

from __future__ import annotations

_ZONE = r" ?(?:Z\b|[+-]\d\d:?\d\d\b)"
TIME_BEHIND = {
    **dict.fromkeys("yMd", r"[T ]\d\d:?\d\d\S*"),
    **dict.fromkeys("HhkK", r":\d\d\S*"),
    "m": rf":\d\d\S*|{_ZONE}",
    "s": rf"[.,]\d+|{_ZONE}",
    "S": _ZONE,
}
"""Last letter of a pattern -> a regular expression of what of a time may come behind it; other text is passed over."""
