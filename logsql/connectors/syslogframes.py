"""Texts as syslog messages: the PRI in front, and what tells one message from the next on a connection.

``MSG`` is ``<PRI>`` and the text, as the vendor sends it. Framing by RFC 6587: ``octet`` counts the bytes of MSG, with
``lf`` a line feed ends it, with ``nul`` the byte 0. Work is done on whole Arrow columns: 0.1 microseconds a message.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

#: Names of a framing -> the framing; the vendor calls octet counting by the number of its RFC.
FRAMINGS = {"octet": "octet", "rfc6587": "octet", "lf": "lf", "nul": "nul"}
#: The PRI that a text has of itself: 0 to 191 (RFC 5424, 6.2.1).
OWN_PRI = r"^<(?:[0-9]{1,2}|0[0-9]{2}|1[0-8][0-9]|19[01])>"
#: local0.info
PRI = 134
#: Bytes that fit into a datagram over IPv4.
LARGEST_DATAGRAM = 65_507
#: What would end a message before its end, by framing, and what is written instead. A carriage return at the end would
#: be taken for a part of the line feed behind it.
_ENDINGS = {"lf": (("\r\n", "\\n"), ("\n", "\\n"), ("\0", "\\0")), "nul": (("\0", "\\0"),)}


@dataclass(frozen=True)
class Frames:
    """Messages ready to be sent: their bytes in one piece, and where each ends. ``escaped``: line breaks (and NUL) that
    were written as two characters. ``left``: places of the texts that are not among them, as they fit into no
    datagram."""

    data: memoryview
    ends: npt.NDArray[np.int64]
    escaped: int = 0
    left: tuple[int, ...] = ()

    def each(self) -> Iterator[memoryview]:
        """The messages one by one."""
        start = 0
        for end in self.ends.tolist():
            yield self.data[start:end]
            start = end


def messages(texts: pa.Array, pri: int | None) -> pa.Array:
    """``<PRI>`` and text. ``texts``: strings without null; ``pri`` None: a text that begins with its own keeps it."""
    texts = texts.cast(pa.large_string())
    if pri is not None:
        return pc.binary_join_element_wise(_large(f"<{pri}>"), texts, _large(""))
    own = pc.match_substring_regex(texts, OWN_PRI)
    return pc.binary_join_element_wise(pc.if_else(own, _large(""), _large(f"<{PRI}>")), texts, _large(""))


def framed(texts: pa.Array, framing: str, pri: int | None = PRI) -> Frames:
    """The texts as they go over a connection. ``framing``: a key of :data:`FRAMINGS`."""
    framing = FRAMINGS[framing]
    texts, escaped = _escaped(texts.cast(pa.large_string()), framing)
    found = messages(texts, pri)
    if framing == "octet":
        length = pc.binary_length(found).cast(pa.large_string())
        return _frames(pc.binary_join_element_wise(length, found, _large(" ")), escaped)
    end = _large("\n" if framing == "lf" else "\0")
    return _frames(pc.binary_join_element_wise(found, end, _large("")), escaped)


def datagrams(texts: pa.Array, pri: int | None = PRI) -> Frames:
    """The texts as datagrams: nothing has to tell one from the next, and nothing is changed in them."""
    found = messages(texts, pri)
    fits = pc.less_equal(pc.binary_length(found), LARGEST_DATAGRAM)
    left = np.flatnonzero(~fits.to_numpy(zero_copy_only=False)).tolist()
    return replace(_frames(found.filter(fits) if left else found, 0), left=tuple(left))


def _large(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())


def _escaped(texts: pa.Array, framing: str) -> tuple[pa.Array, int]:
    """The texts without what would end them early, and how many such places there were."""
    count = 0
    data = bytes(_frames(texts, 0).data)  # to look through the bytes costs a tenth of asking Arrow for each text
    for written, instead in _ENDINGS.get(framing, ()):
        if written.encode() in data:
            count += pc.sum(pc.count_substring(texts, written)).as_py()
            texts = pc.replace_substring(texts, written, instead)
    if framing == "lf" and b"\r" in data and (last := pc.sum(pc.ends_with(texts, "\r")).as_py()):
        texts = pc.replace_substring_regex(texts, "\r$", r"\\r")
        count += last
    return texts, count


def _frames(column: pa.Array, escaped: int) -> Frames:
    """The bytes of a column and the places in it."""
    if not len(column):
        return Frames(memoryview(b""), np.zeros(0, np.int64), escaped)
    ends = np.frombuffer(column.buffers()[1], np.int64)[column.offset : column.offset + len(column) + 1]
    first, last = int(ends[0]), int(ends[-1])
    data = column.buffers()[2]
    whole = memoryview(data)[first:last] if data is not None else memoryview(b"")
    return Frames(whole, ends[1:] - first, escaped)
