"""How texts that examiners bring from other tools are written in fields of evidence."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

#: What stands before a path: a device or drive, the folder that MFTECmd begins with, the root.
_ROOT = re.compile(r"(?:\\\\[?.]\\)?[A-Za-z]:(?:[\\/]+|$)|\.?[\\/]+")
_MOUNTED = re.compile(
    r"(?:Computer\\|Registry::)?"
    r"(?:(?:HKEY_LOCAL_MACHINE|HKLM|HKEY_USERS|HKU):?\\[^\\*]+"
    r"|\\REGISTRY\\(?:MACHINE|USER)\\[^\\*]+"
    r"|(?:HKEY_CURRENT_USER|HKCU|HKEY_CLASSES_ROOT|HKCR):?"
    r"|(?=\\))(?=\\|\*|$)",
    re.IGNORECASE,
)
_RUNNING = re.compile(r"^\*\\CurrentControlSet(?=\\|$)", re.IGNORECASE)


def below_root(text: str) -> str | None:
    r"""A path as $MFT has it: from the root of the volume, without drive, backslashes between folders.

    >>> below_root(r"C:\Windows\*"), below_root(r"\Users\*"), below_root(r"Users\a.txt"), below_root("*.exe")
    ('Windows\\*', 'Users\\*', None, None)
    >>> below_root("c:/Users/*"), below_root(r"\\.\C:\Users"), below_root(r".\Users"), below_root("Users/kim/*")
    ('Users\\*', 'Users', 'Users', 'Users\\kim\\*')
    """
    found = _ROOT.match(text)
    rest = (text[found.end() :] if found else text).replace("/", "\\")
    return (rest or "*") if rest != text else None


def last_name(text: str) -> str | None:
    r"""The name at the end of a path, for a field that holds names only.

    >>> last_name(r"C:\Windows\cmd.exe"), last_name("cmd.exe"), last_name(r"C:\Windows\*")
    ('cmd.exe', None, None)
    """
    name = re.split(r"[\\/]", text)[-1]
    return name if name not in ("", "*", text) else None


def below_hive(text: str) -> str | None:
    r"""A key as its hive has it: below a root that has another name than the place where Windows mounts it. Of SYSTEM
    which set of settings is the current one is decided when Windows starts: the sets have numbers there.

    >>> below_hive(r"HKLM\SYSTEM\Select"), below_hive(r"HKEY_CURRENT_USER\Software\*"), below_hive(r"ROOT\Select")
    ('*\\Select', '*\\Software\\*', None)
    >>> below_hive(r"HKLM\SYSTEM\CurrentControlSet\Services\*"), below_hive(r"HKCU\System\CurrentControlSet\*")
    ('*\\ControlSet*\\Services\\*', '*\\System\\CurrentControlSet\\*')
    >>> below_hive(r"Computer\HKEY_CURRENT_USER\Software"), below_hive("HKCU:\\Software"), below_hive(r"\Software\*")
    ('*\\Software', '*\\Software', '*\\Software\\*')
    """
    found = _MOUNTED.match(text)
    below = f"*{text[found.end() :]}".replace("**", "*") if found else text
    if found and found[0].upper().endswith("\\SYSTEM"):
        below = _RUNNING.sub(lambda _: "*\\ControlSet*", below)
    return below if below != text else None


def constant(before: str, names: Callable[[], Collection[str]]) -> Callable[[str], str | None]:
    """How a constant is written here that headers of Windows call with ``before``, and other programs in one word.

    >>> spelt = constant("USN_REASON_", lambda: ["FILE_CREATE"])
    >>> spelt("USN_REASON_CLOSE"), spelt("FileCreate"), spelt("file_create"), spelt("FILE_CREATE"), spelt("Other")
    ('CLOSE', 'FILE_CREATE', 'FILE_CREATE', None, None)
    """

    def spelt(text: str) -> str | None:
        if text.upper().startswith(before) and len(text) > len(before):
            return text[len(before) :]
        known = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).upper()
        return known if known != text and known in names() else None

    return spelt


def kind_of_value(text: str) -> str | None:
    """A type of a value without what other programs write before it.

    >>> kind_of_value("REG_MULTI_SZ"), kind_of_value("RegMultiSz"), kind_of_value("RegDword"), kind_of_value("SZ")
    ('MULTI_SZ', 'MULTI_SZ', 'DWORD', None)
    """
    found = re.fullmatch(r"REG_(\w+)|Reg((?:[A-Z][a-z]+)+)", text)
    if found is None:
        return None
    return found[1] or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", found[2]).upper()


def in_small_letters(text: str) -> str | None:
    r"""A text of a field that has small letters only.

    >>> in_small_letters(r"C:\Users\*"), in_small_letters("evtx")
    ('c:\\users\\*', None)
    """
    # A star in the middle ignores letter case (language.md 4).
    folded = "*" in text.strip("*") and text.strip("*") != ""
    return None if folded or text == text.lower() else text.lower()
