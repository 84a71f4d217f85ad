"""``reg-run-keys``: programs that start by themselves (NTUSER.DAT, SOFTWARE).

``Microsoft\\Windows\\CurrentVersion\\Run``, ``RunOnce``, ``RunOnceEx``, ``RunServices``, ``Policies\\Explorer\\Run``:
value name = any name, data = command line, text; ``Winlogon``: Shell, Userinit, Taskman; ``Windows``: Load, Run,
AppInit_DLLs. Also below Wow6432Node and the install copies of terminal servers. Format: Microsoft, "Run and RunOnce
Registry Keys"; libyal winreg-kb, "Run keys".
"""

from __future__ import annotations

from collections.abc import Iterator

from logsql.commands.forensic._views import registry_view
from udfs.readers.regviews.view import Lost, RegValue, Row, string

#: Of these keys only the values that name programs.
_CHOSEN = {
    "winlogon": frozenset({"shell", "userinit", "taskman", "system", "vmapplet", "gpextensions"}),
    "windows": frozenset({"load", "run", "appinit_dlls"}),
}


def rows(values: list[RegValue], lost: Lost) -> Iterator[Row]:
    """One row a program."""
    for value in values:
        last = value.key.rsplit("\\", 1)[-1].lower()
        if last in _CHOSEN and value.name.lower() not in _CHOSEN[last]:
            continue
        if value.type not in ("SZ", "EXPAND_SZ"):
            lost(value)
            continue
        command = string(value.data)
        if last in _CHOSEN and not command:
            continue  # Load and AppInit_DLLs are there and empty on every machine
        yield {"key": value.key, "entry": value.name, "command": command, "last_written": value.written}


registry_view(
    "reg-run-keys",
    (
        "List the programs that start when a user logs on (NTUSER.DAT or SOFTWARE hive).",
        "사용자가 로그온할 때 자동으로 실행되는 프로그램을 조회합니다(NTUSER.DAT 또는 SOFTWARE 하이브).",
    ),
    """
One row per entry of `Run`, `RunOnce` and the like, and per program that `Winlogon` and `Windows` start. `last_written`
is the time of the key, that of its latest change.
""",
    keys=r"\\CurrentVersion\\(Run(Once(Ex(\\[^\\]+)?)?|Services(Once)?)?|Policies\\Explorer\\Run)$"
    r"|\\Windows NT\\CurrentVersion\\(Winlogon|Windows)$",
    fields=(("key", "string"), ("entry", "string"), ("command", "string"), ("last_written", "date")),
    rows=rows,
    hives=("NTUSER.DAT", "SOFTWARE"),
    extension=True,
)
