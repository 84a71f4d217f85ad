"""What becomes of the bodies of answers: text by the rules of charsets, elements that a selector finds."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from logsql.loading import at

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s\";]+)", re.IGNORECASE)
#: Types of content that hold no text; of ``application/`` those whose names say so.
_BINARY = re.compile(
    r"(image/(?!svg)|audio/|video/|font/|application/(octet-stream|pdf|wasm|java-archive|gzip|zip|zstd"
    r"|x-(zip|zip-compressed|gzip|tar|bzip2|7z-compressed|rar-compressed|xz|msdownload|executable)"
    r"|vnd\.(rar|ms-cab-compressed|ms-excel|openxmlformats.*|android.*)))",
    re.IGNORECASE,
)
#: Longer marks first: that of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Codecs of Python that spell text with other text; names of domains and literals of source code have them, no answer.
#: Some cannot replace what they cannot read.
_SPELLINGS = frozenset({"charmap", "idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
#: Charsets that servers name and whose larger relative they mean.
_MEANT = {"euc_kr": "cp949", "iso8859-1": "cp1252", "ascii": "utf-8"}
#: Elements that stand on lines of their own: words on two sides of their edges are two words.
_BLOCKS = frozenset(
    re.findall(
        r"\w+",
        """address article aside blockquote body br caption dd div dl dt fieldset figcaption figure footer form h1 h2 h3
        h4 h5 h6 head header hr html item li main nav ol option p pre section table tbody td tfoot th thead title tr
        ul""",
    )
)


#: Characters of the texts of a page's elements; a piece counts for ten, so that it is a matter of seconds.
_MOST = 64_000_000


class Unreadable(Exception):
    """A page whose elements cannot be had: ``word`` of the table of errors."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


@dataclass(frozen=True)
class Text:
    """``text`` is None where the bytes are none; ``undecodable``: some became U+FFFD."""

    text: str | None
    undecodable: bool = False


def is_binary(content_type: str) -> bool:
    """Whether a content type says that the body is no text."""
    return _BINARY.match(content_type.strip()) is not None


def text_of(body: bytes, content_type: str, encoding: str | None) -> Text:
    """A body as text: by the option, else the charset of Content-Type, else a byte order mark, else UTF-8.

    >>> text_of("한글".encode("euc-kr"), "text/html; charset=EUC-KR", None)
    Text(text='한글', undecodable=False)
    """
    if encoding is None and is_binary(content_type):
        return Text(None)
    charset = encoding or charset_of(content_type) or next((c for mark, c in _MARKS if body.startswith(mark)), "utf-8")
    try:
        return Text(body.decode(charset).removeprefix("\ufeff"))
    except UnicodeError:
        return Text(body.decode(charset, "replace").removeprefix("\ufeff"), undecodable=True)


def charset_of(content_type: str) -> str | None:
    """The charset that a Content-Type names; None for none, and for one that is not known."""
    found = _CHARSET.search(content_type)
    return known_charset(found[1]) if found is not None else None


def known_charset(name: str) -> str | None:
    """Python's name of a charset of text; None where there is none of this name.

    >>> known_charset("UTF8"), known_charset("EUC-KR"), known_charset("latin-9999"), known_charset("base64")
    ('utf-8', 'cp949', None, None)
    """
    try:
        b"a".decode(name.strip("'"), "ignore")  # a codec of bytes (base64) is none of text
        found = codecs.lookup(name.strip("'")).name
    except (LookupError, ValueError):
        return None
    if found.replace("_", "-") in _SPELLINGS:
        return None
    return _MEANT.get(found, found)


class Selector:
    """A CSS selector. ValueError for what is none."""

    def __init__(self, text: str) -> None:
        import soupsieve  # for cost: few queries need it

        try:
            self._compiled = soupsieve.compile(text)
        except soupsieve.SelectorSyntaxError as error:
            raise ValueError(str(error).partition("\n")[0]) from None

    def elements(self, text: str) -> str:
        """The elements of a page as JSON: a list of maps of their attributes, ``own_text`` and ``text``. Raises
        Unreadable for a page that is none, or whose elements lie in each other so that their texts are huge."""
        found: list[dict[str, str]] = []
        left = _MOST
        try:
            for tag in self._compiled.select(_page(text)):
                own, whole = list(_own_pieces(tag)), list(_pieces(tag))
                found.append({**{name: str(value) for name, value in tag.attrs.items()}, **_texts(own, whole)})
                left -= 10 * len(whole) + sum(map(len, whole))
                if left < 0:
                    raise Unreadable("exceeds-max-size")
        except (_rejected(), RecursionError):
            raise Unreadable("decode-failed") from None
        return json.dumps(found, ensure_ascii=False)


def plain(text: str) -> str:
    """HTML without its tags.

    >>> plain("<p>a &amp; <b>b</b></p><p>c</p>")
    'a & b c'
    """
    try:
        return _words(_pieces(_page(text)))
    except _rejected():
        return text


def _page(text: str) -> BeautifulSoup:
    from bs4 import BeautifulSoup  # for cost: few queries need it

    return BeautifulSoup(text, "html.parser", multi_valued_attributes=None)


def _rejected() -> type[Exception]:
    """What the parser raises for a page that it cannot read: ``<![[[<!x``."""
    return cast("type[Exception]", at("bs4.exceptions:ParserRejectedMarkup"))


def _texts(own: list[str], whole: list[str]) -> dict[str, str]:
    return {"own_text": _words(own), "text": _words(whole)}


def _words(pieces: Iterable[str]) -> str:
    return " ".join("".join(pieces).split())


def _own_pieces(tag: Tag) -> Iterator[str]:
    """The text of an element outside of those in it."""
    for node in tag.children:
        if (name := getattr(node, "name", None)) is None:
            yield _text_of(node)
        elif name == "br":
            yield " "


def _pieces(tag: Tag) -> Iterator[str]:
    """The text in an element, with a blank at the edges of blocks; scripts, styles and comments are none. Pages that
    never close a paragraph lie a thousand deep: the way down is kept in a list."""
    waiting: list[object | None] = [*reversed(tag.contents)]
    while waiting:
        node = waiting.pop()
        if node is None:
            yield " "
        elif (name := getattr(node, "name", None)) is None:
            yield _text_of(node)
        else:
            yield " " if name in _BLOCKS else ""
            if name in _BLOCKS:
                waiting.append(None)
            if name not in ("script", "style", "template"):
                waiting.extend(reversed(cast("Tag", node).contents))


def _text_of(node: object) -> str:
    return str(node) if type(node).__name__ in ("NavigableString", "CData") else ""
