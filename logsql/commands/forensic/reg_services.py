"""``reg-services``: services and drivers of a machine (SYSTEM).

``ControlSetNNN\\Services\\NAME``: ImagePath, DisplayName, Start, Type ...; a service that runs in a shared process
names its library in ``Parameters\\ServiceDll``. Format: libyal winreg-kb, "Services and drivers"; Microsoft,
QUERY_SERVICE_CONFIG.
"""

from __future__ import annotations

from collections.abc import Iterator

from logsql.commands.forensic._views import registry_view
from udfs.readers.regviews.view import Lost, RegValue, Row, by_key, in_current_set, number_of, text_of

_STARTS = ("boot", "system", "auto", "manual", "disabled")
_TYPES = {
    0x1: "kernel driver", 0x2: "file system driver", 0x4: "adapter", 0x8: "recognizer driver", 0x10: "own process",
    0x20: "shared process", 0x50: "user service, own process", 0x60: "user service, shared process",
    0x110: "own process, interactive", 0x120: "shared process, interactive",
}  # fmt: skip


def rows(values: list[RegValue], lost: Lost) -> Iterator[Row]:
    """One row a service that says how it starts or what it runs."""
    keys = by_key(in_current_set(values))
    lower = {key.lower(): named for key, named in keys.items()}
    for key, named in keys.items():
        name = key.rsplit("\\", 1)[-1]
        if not key.lower().endswith(f"\\services\\{name.lower()}") or not {"start", "type", "imagepath"} & named.keys():
            continue
        parameters = lower.get(f"{key.lower()}\\parameters", {})
        start, kind = number_of(named.get("start"), lost), number_of(named.get("type"), lost)
        yield {
            "name": name,
            "display_name": text_of(named.get("displayname")),
            "description": text_of(named.get("description")),
            "image_path": text_of(named.get("imagepath")),
            "service_dll": text_of(parameters.get("servicedll") or named.get("servicedll")),
            "start": None if start is None else _STARTS[start] if start < len(_STARTS) else str(start),
            "type": None if kind is None else _TYPES.get(kind, f"0x{kind:x}"),
            "account": text_of(named.get("objectname")),
            "last_written": next(iter(named.values())).written,
        }


registry_view(
    "reg-services",
    (
        "List the services and drivers of a machine (SYSTEM hive).",
        "시스템의 서비스와 드라이버를 조회합니다(SYSTEM 하이브).",
    ),
    """
One row per service of the control set in use. `service_dll` is the library of a service in a shared process, `start` is
boot, system, auto, manual or disabled, `account` who it runs as. `last_written` is the time of the service's key.
""",
    keys=r"\\ControlSet[0-9]{3}\\Services\\[^\\]+(\\Parameters)?$|^[^\\]+\\Select$",
    fields=(
        ("name", "string"),
        ("display_name", "string"),
        ("description", "string"),
        ("image_path", "string"),
        ("service_dll", "string"),
        ("start", "string"),
        ("type", "string"),
        ("account", "string"),
        ("last_written", "date"),
    ),
    rows=rows,
    hives=("SYSTEM",),
    extension=True,
)
