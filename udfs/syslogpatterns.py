"""Regular expressions of syslog headers (RE2), for the Arrow arrays of a receiver and for the SQL of ``parse``.

What they mean: :mod:`udfs.syslogheader`. Nothing is imported, so that declaring a parser costs nothing.
"""

from __future__ import annotations

PRI = r"<(0{0,2}[0-9]|0?[1-9][0-9]|1[0-8][0-9]|19[01])>"
ISO = r"[1-9]\d{3}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d(?::?\d\d)?)?"
_DAY = r"([A-Za-z]{3} {1,2}\d{1,2})(?: ([1-9]\d{3}))? (\d{1,2}:\d\d:\d\d(?:\.\d{1,6})?)\d{0,3}"
TIME = rf"(?:(?:\d{{1,10}}: ?)?[*.]?{_DAY}(?: ([A-Z]{{1,5}})?:|:| |$)|({ISO})(?:: | |$))"
TIME_GROUPS = ("day", "year", "clock", "zone", "iso")
ELEMENTS = r'(?:-|(?:\[[^\s\]="]+(?: [^\s\]="]+="(?:[^"\\]|\\.)*")*\])+)'
#: All that stands before the message, each part as a group.
OLD = rf"^(?:{PRI})?(?:{TIME} *" + r"(?:(\S*[^\s:])(?: |$))?(?:([^\s:\[]+)(?:\[([^\]]*)\])?: ?)?)?"
OLD_GROUPS = ("pri", *TIME_GROUPS, "host", "app", "procid")
_NEW = rf"^{PRI}\d{{1,2}} (?:({ISO})|\S+) (\S+) (\S+) (\S+) (\S+) ({ELEMENTS})"
NEW = _NEW + r"(?: \x{feff}?|$)"
NEW_GROUPS = ("pri", "iso", "host", "app", "procid", "msgid", "structured_data")
#: Hours of the zone names that devices write; others are taken for local time.
ZONES = {
    "UTC": "+00", "GMT": "+00", "Z": "+00", "WET": "+00", "CET": "+01", "BST": "+01", "CEST": "+02", "EET": "+02",
    "MSK": "+03", "EEST": "+03", "KST": "+09", "JST": "+09", "AEST": "+10", "AEDT": "+11", "EST": "-05", "EDT": "-04",
    "CST": "-06", "CDT": "-05", "MST": "-07", "MDT": "-06", "PST": "-08", "PDT": "-07",
}  # fmt: skip
#: A priority with text behind it that is no version of RFC 5424: the message is that text.
BARE = rf"^{PRI}(?:\D|\d{{1,2}}[^\d ]|\d{{3}})"
#: A whole line: the message is the last group.
OLD_MESSAGE = OLD + r"(?s:(.*))$"
NEW_MESSAGE = _NEW + r"(?: \x{feff}?(?s:(.*)))?$"
