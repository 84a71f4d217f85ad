"""``reg-mru``: what a user typed: paths in Explorer, addresses in Internet Explorer, commands to run (NTUSER.DAT).

``Explorer\\TypedPaths`` and ``Internet Explorer\\TypedURLs`` have values url1, url2 ..., the latest first;
``TypedURLsTime`` a FILETIME for each of the same name. ``Explorer\\RunMRU`` has values a, b ..., their order in
MRUList; a command ends with ``\\1``. Format: libyal winreg-kb, "Most Recently Used".
"""

from __future__ import annotations

from collections.abc import Iterator

from logsql.commands.forensic._views import registry_view
from udfs.readers.regviews.view import Lost, RegValue, Row, by_key, string, time_of

_KINDS = {"typedpaths": "path", "typedurls": "url", "runmru": "command"}


def rows(values: list[RegValue], lost: Lost) -> Iterator[Row]:
    """One row an entry, ``order`` from 0, the last used first."""
    keys = by_key(values)
    lower = {key.lower(): named for key, named in keys.items()}
    for key, named in keys.items():
        kind = _KINDS.get(key.rsplit("\\", 1)[-1].lower())
        if kind is None:
            continue
        times = lower.get(f"{key.lower()}time", {})
        listed = string(named["mrulist"].data).lower() if "mrulist" in named else ""
        for name, value in named.items():
            if name == "mrulist" or not name:
                continue
            order = listed.find(name) if kind == "command" else _number(name)
            text = string(value.data)
            if value.type not in ("SZ", "EXPAND_SZ") or order is None:
                lost(value)
                continue
            yield {
                "kind": kind,
                "text": text.removesuffix("\\1") if kind == "command" else text,
                "order": None if order < 0 else order,
                "visited_at": time_of(times.get(name), lost),
                "last_written": value.written,
            }


def _number(name: str) -> int | None:
    digits = name.removeprefix("url")
    return int(digits) - 1 if digits.isdecimal() and len(digits) < 10 else None


registry_view(
    "reg-mru",
    (
        "List the paths, addresses and commands that a user typed (NTUSER.DAT).",
        "사용자가 입력한 경로, 주소, 명령을 조회합니다(NTUSER.DAT).",
    ),
    """
One row per entry of Explorer's address bar (`kind` is path), Internet Explorer's (url) and of the run box (command).
`order` 0 is the latest; `visited_at` is known of addresses where the browser kept it. `last_written` is the time of the
key: that of its latest entry.
""",
    keys=r"\\(Explorer\\(TypedPaths|RunMRU)|Internet Explorer\\TypedURLs(Time)?)$",
    fields=(
        ("kind", "string"),
        ("text", "string"),
        ("order", "long"),
        ("visited_at", "date"),
        ("last_written", "date"),
    ),
    rows=rows,
    hives=("NTUSER.DAT",),
    extension=True,
)
