"""``reg-usb``: USB storage that was attached, one row a device (SYSTEM), and the names of its volumes (SOFTWARE).

``Enum\\USBSTOR\\Disk&Ven_V&Prod_P&Rev_R\\SERIAL``: the device; its properties {83da6326-...} hold when it was installed
(0x64, first 0x65), attached (0x66) and removed (0x67) last. ``Enum\\USB\\VID_V&PID_P\\SERIAL`` has the same serial,
``MountedDevices`` names it behind drive letters and volumes (Windows XP: its ParentIdPrefix). SOFTWARE keeps the
name of its volume under ``Windows Portable Devices\\Devices``. Format: libyal winreg-kb, "USB storage devices";
Microsoft, DEVPKEY_Device_InstallDate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from logsql.commands.forensic._views import registry_view
from udfs.readers.regviews.view import Lost, RegValue, Row, in_current_set, string, text_of, time_of

_DEVICE = re.compile(r"\\Enum\\USBSTOR\\([^\\]+)\\([^\\]+)$", re.IGNORECASE)
_ID = re.compile(r"(?:Disk|CdRom|Other)?&?Ven_([^&]*)&Prod_([^&]*)(?:&Rev_([^&]*))?", re.IGNORECASE)
_USB = re.compile(r"\\Enum\\USB\\VID_([0-9A-F]{4})&PID_([0-9A-F]{4})[^\\]*\\([^\\]+)$", re.IGNORECASE)
_TIMES = re.compile(
    r"\\Enum\\USBSTOR\\([^\\]+)\\([^\\]+)\\Properties\\\{83da6326-[^\\]+\\(?:0000)?(006[4-7])(?:\\00000000)?$",
    re.IGNORECASE,
)
_COLUMNS = {"0064": "installed_at", "0065": "first_installed_at", "0066": "arrived_at", "0067": "removed_at"}
_PORTABLE = re.compile(r"\\Windows Portable Devices\\Devices\\([^\\]+)$", re.IGNORECASE)


def rows(values: list[RegValue], lost: Lost) -> Iterator[Row]:
    """One row a device; one a portable device where the hive is SOFTWARE."""
    mounted = [value for value in values if value.key.lower().endswith("\\mounteddevices")]
    devices: dict[tuple[str, str], dict[str, RegValue]] = {}
    times: dict[tuple[str, str], dict[str, int | None]] = {}
    spelt: dict[tuple[str, str], tuple[str, str]] = {}
    usb: dict[str, tuple[str, str, int | None]] = {}
    for value in in_current_set(values):
        if device := _DEVICE.search(value.key):
            devices.setdefault(_same(device), {}).setdefault(value.name.lower(), value)
            spelt.setdefault(_same(device), (device[1], device[2]))
        elif found := _TIMES.search(value.key):
            devices.setdefault(_same(found), {})
            spelt.setdefault(_same(found), (found[1], found[2]))
            if value.name.lower() in ("", "data"):
                times.setdefault(_same(found), {})[_COLUMNS[found[3]]] = time_of(value, lost)
        elif found := _USB.search(value.key):
            usb[_serial(found[3]).lower()] = (found[1].upper(), found[2].upper(), value.written)
        elif (found := _PORTABLE.search(value.key)) and value.name.lower() == "friendlyname":
            yield _portable(found[1], value)
    for same, named in devices.items():
        kind, instance = spelt[same]
        serial = _serial(instance)
        vid, pid, attached = usb.get(serial.lower(), (None, None, None))
        names = _ID.fullmatch(kind)
        prefix = named.get("parentidprefix")
        letters, volumes = _mounts(mounted, [instance, *([string(prefix.data)] if prefix is not None else [])])
        friendly = named.get("friendlyname")
        yield {
            "vendor": names[1] if names else None,
            "product": names[2] if names else kind,
            "revision": names[3] if names else None,
            "serial": serial,
            "vid": vid,
            "pid": pid,
            "friendly_name": text_of(friendly),
            "drive_letters": ", ".join(letters) or None,
            "volume_guids": ", ".join(volumes) or None,
            "usb_written": attached,
            "last_written": next(iter(named.values())).written if named else None,
            **times.get(same, {}),
        }


def _same(found: re.Match[str]) -> tuple[str, str]:
    """What tells devices apart: Windows spells one in capitals too."""
    return found[1].lower(), found[2].lower()


def _serial(instance: str) -> str:
    """The device's own number; Windows adds ``&0`` for the port. One it made up itself has ``&`` in second place."""
    return instance.rpartition("&")[0] if "&" in instance[2:] and instance[1:2] != "&" else instance


def _mounts(mounted: list[RegValue], names: list[str]) -> tuple[list[str], list[str]]:
    """Drive letters and volumes whose device has one of the names between number signs."""
    letters, volumes = [], []
    for value in mounted:
        text = string(value.data).lower()
        if "#" in text and any(f"#{name.lower()}#" in text for name in names if name):
            if value.name.lower().startswith("\\dosdevices\\"):
                letters.append(value.name[12:])
            else:
                volumes.append(value.name.rsplit("Volume", 1)[-1])
    return letters, volumes


def _portable(key: str, value: RegValue) -> Row:
    """``WPDBUSENUMROOT#UMB#2&37C186B&0&STORAGE#VOLUME#_??_USBSTOR#DISK&VEN_V&PROD_P&REV_R#SERIAL#{...}``."""
    parts = key.split("#")
    place = next((at for at, part in enumerate(parts) if part.upper().endswith("USBSTOR")), None)
    names = _ID.fullmatch(parts[place + 1]) if place is not None and place + 2 < len(parts) else None
    return {
        "vendor": names[1] if names else None,
        "product": names[2] if names else None,
        "revision": names[3] if names else None,
        "serial": _serial(parts[place + 2]) if place is not None and names else parts[-1],
        "volume_name": text_of(value),
        "last_written": value.written,
    }


registry_view(
    "reg-usb",
    (
        "List the USB storage that was attached (SYSTEM hive), and the names of its volumes (SOFTWARE hive).",
        "연결되었던 USB 저장 장치(SYSTEM 하이브)와 그 볼륨 이름(SOFTWARE 하이브)을 조회합니다.",
    ),
    """
One row per device. `first_installed_at`, `arrived_at` and `removed_at` are kept from Windows 7 or 8 on; `usb_written`
is the time of the device's key under `Enum\\USB`, before that the time it was attached last. `drive_letters` and
`volume_guids` are what MountedDevices names now. In a SOFTWARE hive the rows are those of Windows Portable Devices,
with `volume_name`: join them on `serial`.
""",
    keys=r"\\Enum\\USBSTOR\\[^\\]+\\[^\\]+(\\Properties\\\{83da6326-[^\\]+\\(0000)?006[4-7](\\00000000)?)?$"
    r"|\\Enum\\USB\\VID_[^\\]+\\[^\\]+$|^[^\\]+\\(MountedDevices|Select)$|\\Windows Portable Devices\\Devices\\[^\\]+$",
    fields=(
        ("vendor", "string"),
        ("product", "string"),
        ("revision", "string"),
        ("serial", "string"),
        ("vid", "string"),
        ("pid", "string"),
        ("friendly_name", "string"),
        ("drive_letters", "string"),
        ("volume_guids", "string"),
        ("volume_name", "string"),
        ("first_installed_at", "date"),
        ("installed_at", "date"),
        ("arrived_at", "date"),
        ("removed_at", "date"),
        ("usb_written", "date"),
        ("last_written", "date"),
    ),
    rows=rows,
    hives=("SYSTEM", "SOFTWARE"),
    extension=True,
)
