"""Messages out of a stream of syslog bytes: octet counting, LF, NUL, told apart anew for every frame.

RFC 6587, sections 3.4.1 and 3.4.2, and what senders make of them. The result depends on the bytes alone, never on the
chunks in which they come. Runs of frames are found by searches in C: about 0.3 microseconds a message.

* Before a frame LF, NUL and CR LF are skipped. An empty frame is no message.
* ``auto``: 1 to 7 digits without a leading zero, a blank and then a *complete* priority (``<13>``) begin a counted
  frame; ``<`` alone does not, since the line ``54 <1 minute elapsed`` would swallow what follows it. Everything else
  ends at LF or NUL, and one CR before LF is no text.
* ``octet``: the priority is not asked for. Text without a count is a message up to the next LF or NUL, and counted as
  ``no_count``. ``lf``: CR LF and LF end a frame, NUL is text. ``nul``: NUL ends it, LF is text.
* One LF at the end of a counted frame is no text (rsyslog counts the one it adds).
* At the end of the stream an unfinished line is a message; an unfinished counted frame is not, and counted.
* A frame of more than ``max_frame`` bytes is cut there, or dropped, and read off to its end, so that the next one is
  found.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

#: What :attr:`Deframer.bad` counts: frames cut or dropped for their length, counted frames that the stream did not
#: finish, text where ``octet`` expects a count.
OVERSIZE, INCOMPLETE, NO_COUNT = "oversize", "incomplete", "no_count"


@dataclass(frozen=True)
class _Rules:
    """``delimiters``: bytes that end a frame. ``remains``: any number of them. ``head``: a count up to its blank.

    ``behind``: the delimiters with a head behind them; each begins with one byte, which is found at the speed of
    memory. ``begun``: what may still become a head.
    """

    delimiters: tuple[bytes, ...]
    remains: re.Pattern[bytes]
    head: re.Pattern[bytes] | None = None
    behind: tuple[re.Pattern[bytes], ...] = ()
    begun: re.Pattern[bytes] | None = None


def _counted(priority: bytes, begun: bytes) -> _Rules:
    count = rb"([1-9][0-9]{0,6}) " + priority
    return _Rules(
        (b"\n", b"\0"),
        re.compile(rb"[\n\0]*"),
        re.compile(rb"[\n\0]*" + count),
        (re.compile(rb"\n(?=" + count + rb")"), re.compile(rb"\0(?=" + count + rb")")),
        re.compile(rb"[1-9][0-9]{0,6}" + begun + rb"\Z"),
    )


_RULES = {
    "auto": _counted(rb"(?=<[0-9]{1,3}>)", rb"(?: (?:<[0-9]{0,3})?)?"),
    "octet": _counted(rb"", rb""),
    "lf": _Rules((b"\n",), re.compile(rb"\n*")),
    "nul": _Rules((b"\0",), re.compile(rb"\0*")),
}
MODES = tuple(_RULES)
#: What is open when a chunk ends: nothing, a frame whose kind is not known, a line, a counted frame, their rests.
_NOTHING, _UNDECIDED, _LINE, _COUNTED, _LINE_REST, _COUNTED_REST = range(6)
_LF = 10
#: Bytes that tell a whole head: seven digits, a blank, a priority. How many different ones are remembered.
_HEAD, _PRIORITY, _HEADS = 13, 5, 1000
#: Bytes from which a chunk is looked through by numpy.
_LARGE = 4096


class _Heads:
    """Where in a chunk counted frames may begin behind a delimiter; asked for with places that grow."""

    def __init__(self, data: bytes, rules: _Rules) -> None:
        self._data, self._rules = data, rules
        self._found = [-1 for _ in rules.behind]
        self._digits: list[int] | None = None
        self._at = 0

    def behind(self, pos: int) -> int:
        """The first head behind a delimiter at ``pos`` or later; beyond the data where there is none."""
        if len(self._data) < _LARGE:
            for number, pattern in enumerate(self._rules.behind):
                if self._found[number] <= pos:
                    found = pattern.search(self._data, pos)
                    self._found[number] = found.end() if found else len(self._data)
            return min(self._found)
        # In a chunk of nothing but line feeds a pattern would be tried at each of them.
        if self._digits is None:
            values = np.frombuffer(self._data, np.uint8)
            delimiter, digit = (values[:-1] == _LF) | (values[:-1] == 0), (values[1:] - 49) < 9
            self._digits = (np.flatnonzero(delimiter & digit) + 1).tolist()
        assert self._rules.head is not None
        while self._at < len(self._digits):
            place = self._digits[self._at]
            if place > pos and self._rules.head.match(self._data, place):
                return place
            self._at += 1
        return len(self._data)


class Deframer:
    """The frames of one stream. ``mode``: one of :data:`MODES`.

    It holds at most ``max_frame`` bytes and one chunk, whatever comes. After each call ``truncated`` has the places of
    cut messages in the list that was given, ``without_count`` of those that ``octet`` expected to have a count; ``bad``
    counts frames by reason for as long as the stream lasts.
    """

    def __init__(self, mode: str = "auto", max_frame: int = 64_000, drop_oversize: bool = False) -> None:
        self._rules = _RULES[mode]
        self._octet = mode == "octet"
        self._crlf = b"\n" in self._rules.delimiters
        self._most = max_frame
        self._drop = drop_oversize
        self._state = _NOTHING
        self._held = bytearray()
        self._heads: dict[bytes, tuple[int, int]] = {}
        self._count = self._left = 0  # of a counted frame: its bytes, and those that it still lacks
        self._out: list[bytes] = []
        self.truncated: list[int] = []
        self.without_count: list[int] = []
        self.bad: dict[str, int] = {}
        self.since: float | None = None
        """The ``now`` with which the unfinished frame began; None where there is none."""

    @property
    def waiting(self) -> int:
        """Bytes held of an unfinished frame."""
        return len(self._held)

    def feed(self, data: bytes, now: float = 0.0) -> list[bytes]:
        """The messages that these bytes finish, in order."""
        self._out, self.truncated, self.without_count = [], [], []
        pos, began = 0, None
        if self._state == _UNDECIDED:
            data, began = bytes(self._held) + data, self.since
            self._close()
        elif self._state != _NOTHING:
            pos = self._line_on(data) if self._state in (_LINE, _LINE_REST) else self._counted_on(data, 0)
        if self._state == _NOTHING and pos < len(data):
            open_at = self._frames(data, pos)
            if self._state != _NOTHING:
                self.since = now if open_at or began is None else began
        return self._out

    def end(self) -> list[bytes]:
        """The stream has ended: the last message, where it is one without its delimiter."""
        self._out, self.truncated, self.without_count = [], [], []
        state, held = self._state, bytes(self._held)
        self._close()
        if state == _COUNTED or (state == _UNDECIDED and self._octet):
            self._tell(INCOMPLETE)
        elif state in (_LINE, _UNDECIDED):
            self._messages([held])
        return self._out

    def _tell(self, reason: str, count: int = 1) -> None:
        self.bad[reason] = self.bad.get(reason, 0) + count

    def _uncounted(self, lines: int) -> None:
        """The next lines are text where a count was expected."""
        if lines and self._octet:
            self._tell(NO_COUNT, lines)
            self.without_count += range(len(self._out), len(self._out) + lines)

    def _close(self) -> None:
        """No frame is open."""
        self._state, self.since = _NOTHING, None
        self._held.clear()

    def _too_long(self, rest: int) -> None:
        """What is held is the head of a frame that is too long: its message, unless such are dropped."""
        self._tell(OVERSIZE)
        if not self._drop:
            self.truncated.append(len(self._out))
            self._out.append(bytes(self._held[: self._most]))
        self._held.clear()
        self._state = rest

    # --- lines --------------------------------------------------------------------------------------------------------

    def _line_on(self, data: bytes) -> int:
        """Go on with the open line; where in ``data`` the next frame begins."""
        at = min((p for d in self._rules.delimiters if (p := data.find(d)) >= 0), default=len(data))
        if self._state == _LINE:
            self._held += data[:at]
            if at == len(data):
                self._line_grew()
            else:
                if self._crlf and data[at] == _LF and self._held.endswith(b"\r"):
                    del self._held[-1]
                self._messages([bytes(self._held)])
        if at < len(data):
            self._close()
        return at + 1

    def _line_grew(self) -> None:
        """Give a line up as soon as it is surely too long: its last CR may be the one before LF."""
        if len(self._held) - (self._crlf and self._held.endswith(b"\r")) > self._most:
            self._uncounted(1)
            self._too_long(_LINE_REST)

    def _lines(self, block: bytes) -> None:
        """Whole lines; ``block`` ends in a delimiter."""
        if self._crlf and b"\r" in block:
            block = block.replace(b"\r\n", b"\n")
        first, *others = self._rules.delimiters
        for other in others:
            if other in block:
                block = block.replace(other, first)
        self._messages(block.strip(first).split(first))

    def _messages(self, lines: list[bytes]) -> None:
        lines = list(filter(None, lines))
        self._uncounted(len(lines))
        if lines and max(map(len, lines)) > self._most:
            long = [number for number, line in enumerate(lines) if len(line) > self._most]
            self._tell(OVERSIZE, len(long))
            if self._drop:
                lines = [line for line in lines if len(line) <= self._most]
            else:
                self.truncated += [len(self._out) + number for number in long]
                lines = [line[: self._most] for line in lines]
        self._out += lines

    # --- whole chunks -------------------------------------------------------------------------------------------------

    def _frames(self, data: bytes, pos: int) -> int:
        """All frames from ``pos``, where one begins. The place of the unfinished one."""
        rules, size = self._rules, len(data)
        if (found := rules.remains.match(data, pos)) is not None:
            pos = found.end()
        last = max(map(data.rfind, rules.delimiters))
        heads = None if rules.head is None else _Heads(data, rules)
        while pos < size:
            if rules.head is not None:
                pos = self._counted_run(data, pos, rules.head)
                if self._state != _NOTHING:
                    return pos
            if pos > last:
                break
            stop = last + 1 if heads is None else min(last + 1, heads.behind(pos))
            self._lines(data[pos:stop])
            pos = stop
        if pos < size:
            self._held += data[pos:]
            if rules.begun is not None and rules.begun.match(data, pos):
                self._state = _UNDECIDED
            else:
                self._state = _LINE
                self._line_grew()
        return pos

    def _counted_run(self, data: bytes, pos: int, head: re.Pattern[bytes]) -> int:
        """Counted frames one behind the other; the place behind the last whole one."""
        most, size, add, seen = self._most, len(data), self._out.append, self._heads
        while True:
            # Most heads come again: looking one up costs a fifth of matching it.
            if (known := seen.get(data[pos : pos + _HEAD])) is not None:
                start, count = pos + known[0], known[1]
            elif found := head.match(data, pos):
                start, count = found.end(), int(found[1])
                if pos + _HEAD <= size and start + _PRIORITY <= pos + _HEAD:
                    if len(seen) >= _HEADS:
                        seen.clear()
                    seen[data[pos : pos + _HEAD]] = start - pos, count
            else:
                return pos
            end = start + count
            if end > size or count > most:
                self._state, self._count, self._left = _COUNTED, count, count
                end = self._counted_on(data, start)
                if self._state != _NOTHING:
                    return pos
            elif data[end - 1] != _LF:
                add(data[start:end])
            elif count > 1:
                add(data[start : end - 1])
            pos = end

    def _counted_on(self, data: bytes, pos: int) -> int:
        """Go on with the open counted frame; where the next one begins, if it ends here."""
        end = pos + min(self._left, len(data) - pos)
        self._left -= end - pos
        if self._state == _COUNTED:
            self._held += data[pos : min(end, pos + self._most - len(self._held))]
            if len(self._held) == self._count:
                payload = bytes(self._held)
                self._out += filter(None, [payload.removesuffix(b"\n")])
            elif len(self._held) == self._most:
                self._too_long(_COUNTED_REST)
        if not self._left:
            self._close()
        return end


def decoded(frames: Sequence[bytes], codec: str) -> tuple[pa.Array, list[int]]:
    """The frames as text, and the places of those that hold bytes which the charset does not know (U+FFFD there).

    ``codec``: Python's name. All are decoded at once; one by one only where that fails.
    """
    if codec in _UTF8:
        try:
            return pa.array(frames, pa.binary()).cast(pa.string()), []
        except pa.ArrowInvalid:
            codec = "utf-8"
    texts: list[str] = []
    bad: list[int] = []
    for number, frame in enumerate(frames):
        try:
            texts.append(frame.decode(codec))
        except UnicodeError:
            bad.append(number)
            texts.append(frame.decode(codec, "replace"))
    # UTF-16 may hold half a character, which has no UTF-8 form.
    return pa.array([text.encode("utf-8", "replace") for text in texts], pa.binary()).cast(pa.string()), bad


_UTF8 = frozenset({"utf-8", "utf8", "ascii"})


_DATAGRAM = re.compile(rb"([1-9][0-9]{0,6}) (?=<[0-9]{1,3}>)")


def datagram(data: bytes) -> bytes:
    """The message of a datagram: without one LF, NUL or CR LF at its end, and without a count that is exactly right."""
    if data[:1] != b"<" and (found := _DATAGRAM.match(data)):
        start, count = found.end(), int(found[1])
        if len(data) - start == count or len(_ended(data)) - start == count:
            data = data[start:]
    return _ended(data)


def _ended(data: bytes) -> bytes:
    if data.endswith(b"\n"):
        return data[:-2] if data.endswith(b"\r\n") else data[:-1]
    return data[:-1] if data.endswith(b"\0") else data
