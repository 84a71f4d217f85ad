"""Which charset reads bytes that are no UTF-8: a guess for the user, who knows where the file is from."""

from __future__ import annotations

import re

_HANGUL = "\uac00-\ud7a3"
_KANA = "\u3040-\u30ff"
_HAN = "\u4e00-\u9fff"
_LETTERS = "\u00c0-\u024f"
#: Charset, what most of its characters beyond ASCII are. Syllables of EUC-KR before Shift_JIS, whose kana are rare
#: syllables of CP949, before those.
_TRIED = (
    ("euc_kr", "cp949", _HANGUL),
    ("cp932", "shift_jis", _KANA),
    ("cp949", "cp949", _HANGUL),
    ("gb18030", "gb18030", _HAN),
    ("cp1252", "windows-1252", _LETTERS),
)


class Undecoded(str):
    """The excerpt of bytes that are not of their charset; ``charset`` reads them, ``read`` is what it makes of them."""

    charset: str
    read: str

    def __new__(cls, excerpt: str, charset: str, read: str) -> Undecoded:
        made = super().__new__(cls, excerpt)
        made.charset, made.read = charset, read
        return made


def excerpt(line: bytes, shown: str) -> str:
    """``shown``, with the charset that reads the whole line where one does."""
    found = guess(line)
    return shown if found is None else Undecoded(shown, *found)


def guess(line: bytes) -> tuple[str, str] | None:
    """The first charset whose letters the line is made of, and its text; None where none is.

    >>> guess("\uae40\ucca0\uc218,404".encode("cp949"))
    ('cp949', '\uae40\ucca0\uc218,404')
    >>> [guess(text.encode(codec))[0] for text, codec in (("\u3042\u308a\u304c", "cp932"), ("caf\u00e9", "cp1252"))]
    ['shift_jis', 'windows-1252']
    >>> guess(b"\\xff\\xfe\\x00")
    """
    if re.search(rb"[\x00-\x08]", line):  # UTF-16, or no text
        return None
    for codec, name, letters in _TRIED:
        try:
            text = line.decode(codec)
        except UnicodeDecodeError:
            continue
        beyond = re.sub(r"[\x20-\x7e\s]", "", text)
        if len(re.findall(f"[{letters}]", beyond)) * 2 > len(beyond):
            return name, text
    return None
