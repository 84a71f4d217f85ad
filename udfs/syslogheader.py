"""The header of a syslog message, as senders really write it: RFC 5424, RFC 3164 and what passes for it.

The patterns (:mod:`udfs.syslogpatterns`) are those of ``parse syslog3164`` and ``parse syslog5424`` too, and RE2 reads
them in both places; what follows from the groups is computed here on Arrow arrays. Nothing raises: what is no header
gives null.

* A priority is 0 to 191. With text behind it that is neither header nor a version of RFC 5424 it tells facility and
  severity, and the text is the message.
* RFC 3164: also without the priority, with the year behind the day, an ISO time, the sequence number, the marks ``*``
  and ``.``, the fraction and the zone name of Cisco devices. The word behind the time is the host, unless a colon ends
  it: that is the program.
* A time without a year has the latest year that does not put it more than a day behind the arrival: right on both sides
  of new year's night. One without a zone is local. A date that does not exist is null.
* RFC 5424: ``-`` is null, the byte order mark before the message is none of it, and so is what stands in brackets
  without being structured data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from udfs.java import zones
from udfs.syslogpatterns import BARE, NEW, NEW_GROUPS, OLD, OLD_GROUPS, TIME_GROUPS, ZONES

MODES = ("auto", "rfc3164", "rfc5424", "none")
INSTANT = pa.timestamp("us", "UTC")
#: The fields and their types, in order.
FIELDS: Mapping[str, pa.DataType] = {
    "facility": pa.int32(), "severity": pa.int32(), "msg_time": INSTANT, "host": pa.string(), "app": pa.string(),
    "procid": pa.string(), "msgid": pa.string(), "structured_data": pa.string(), "message": pa.string(),
}  # fmt: skip
#: Characters of a line that are looked at for its header.
LONGEST = 8192
_NEEDS = {"facility": ("pri",), "severity": ("pri",), "msg_time": TIME_GROUPS, "message": ("head",)}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_REST = re.compile(r"(?:[.,](\d+))?(?:Z|([+-]\d\d)(?::?(\d\d))?)?")
_DAY_US, _NONE = 86_400_000_000, np.iinfo(np.int64).min
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 253_402_300_799_999_999  # the end of the year 9999
Micros = npt.NDArray[np.int64]
Group = Callable[[str], pa.Array]


def parse_headers(
    lines: pa.Array, arrival: pa.Array | None, zone: str | tzinfo, mode: str, fields: Collection[str]
) -> dict[str, pa.Array]:
    """The asked-for ``fields`` (names of :data:`FIELDS`) of each line (string array).

    ``arrival``: when each line was received (instants; None: now); ``zone``: of times that name none; ``mode``: one of
    :data:`MODES`.
    """
    wanted = [name for name in FIELDS if name in fields]
    found = {name: pa.nulls(len(lines), FIELDS[name]) for name in wanted}
    if mode == "none" or not wanted or not len(lines):
        return found
    clock = _Clock(zones.as_zone(zone), arrival)
    left: pa.Array | None = None  # places of lines whose header is still looked for
    for name, read in (("rfc5424", _new), ("rfc3164", _old)):
        if mode not in ("auto", name):
            continue
        some = lines if left is None else lines.take(left)
        made, known = read(some, wanted, clock if left is None else clock.at(left))
        _lay(found, made, known, left)
        missing = pc.indices_nonzero(pc.invert(known))
        if not len(missing):
            break
        left = missing if left is None else left.take(missing)
    return found


def _lay(found: dict[str, pa.Array], made: dict[str, pa.Array], known: pa.Array, places: pa.Array | None) -> None:
    """The values of the lines at ``places`` (None: all) into the columns, where the line is ``known`` to have them."""
    for name, values in made.items():
        values = pc.if_else(known, values, pa.scalar(None, values.type))
        if places is None:
            found[name] = values
        elif values.null_count < len(values):
            index = np.full(len(found[name]), -1, np.int64)
            index[places.to_numpy()] = np.arange(len(values))
            spread = values.take(pa.array(index, mask=index < 0))
            found[name] = pc.coalesce(found[name], spread)


def _new(lines: pa.Array, wanted: Sequence[str], clock: _Clock) -> tuple[dict[str, pa.Array], pa.Array]:
    """RFC 5424: the fields, and which lines are such."""
    group, known = _groups(lines, NEW, NEW_GROUPS, wanted, ("pri",))
    made = _common(lines, group, wanted)
    for name in ("host", "app", "procid", "msgid", "structured_data"):
        if name in wanted:
            made[name] = _null_if(group(name), "-")
    if "msg_time" in wanted:
        made["msg_time"] = _instants(_iso(_filled(group("iso")), clock))
    return made, known


def _old(lines: pa.Array, wanted: Sequence[str], clock: _Clock) -> tuple[dict[str, pa.Array], pa.Array]:
    """RFC 3164 and its kin: the fields, and which lines are such."""
    group, known = _groups(lines, OLD, OLD_GROUPS, wanted, ("clock", "iso"))
    if not pc.all(known).as_py():
        known = pc.or_(known, pc.fill_null(pc.match_substring_regex(lines, BARE), False))
    made = _common(lines, group, wanted)
    for name in ("host", "app", "procid"):
        if name in wanted:
            made[name] = _filled(group(name))
    if "msg_time" in wanted:
        iso = _filled(group("iso"))
        micros = _dated(group, clock)
        if iso.null_count < len(iso):
            micros = np.where(iso.is_valid().to_numpy(zero_copy_only=False), _iso(iso, clock), micros)
        made["msg_time"] = _instants(micros)
    return made, known


def _common(lines: pa.Array, group: Group, wanted: Sequence[str]) -> dict[str, pa.Array]:
    made = {}
    if "facility" in wanted or "severity" in wanted:
        number = _filled(group("pri")).cast(pa.int32())
        made["facility"] = pc.shift_right(number, pa.scalar(3, pa.int32()))
        made["severity"] = pc.bit_wise_and(number, pa.scalar(7, pa.int32()))
    if "message" in wanted:
        made["message"] = _behind(lines, group("head"))
    return {name: values for name, values in made.items() if name in wanted}


# --- groups -----------------------------------------------------------------------------------------------------------


def _groups(
    lines: pa.Array, pattern: str, names: Sequence[str], wanted: Sequence[str], proofs: Sequence[str]
) -> tuple[Group, pa.Array]:
    """The groups that the fields need, and which lines have one of those that prove a header."""
    needed = {*proofs, *(group for name in wanted for group in _NEEDS.get(name, (name,)))}
    if (pc.max(pc.binary_length(lines)).as_py() or 0) > LONGEST:
        lines = pc.utf8_slice_codeunits(lines, 0, LONGEST)
    found = pc.extract_regex(lines, named(pattern, names, needed))
    here = found.is_valid()
    shown = [pc.and_(here, pc.not_equal(pc.struct_field(found, proof), "")) for proof in proofs]
    known = shown[0]
    for other in shown[1:]:
        known = pc.or_(known, other)
    return lambda name: pc.struct_field(found, name), pc.fill_null(known, False)


def named(pattern: str, names: Sequence[str], wanted: Collection[str]) -> str:
    """The pattern with its groups named, ``head`` around all of it; what is not wanted is no group: it costs time.

    >>> named(r"^(a)[(](b)", ("x", "y"), {"y", "head"})
    '^(?P<head>(?:a)[(](?P<y>b))'
    """
    left = iter(names)

    def group(found: re.Match[str]) -> str:
        if found[0] != "(":
            return found[0]
        name = next(left)
        return f"(?P<{name}>" if name in wanted else "(?:"

    # Escapes, sets of characters and groups with (?: go past; what is left begins a group.
    made = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?|\(", group, pattern.removeprefix("^"))
    return f"^(?P<head>{made})" if "head" in wanted else f"^{made}"


def _null_if(texts: pa.Array, text: str) -> pa.Array:
    return pc.if_else(pc.equal(texts, text), pa.scalar(None, pa.string()), texts)


def _filled(texts: pa.Array) -> pa.Array:
    """A group that took no part is empty text: null."""
    return _null_if(texts, "")


def _behind(lines: pa.Array, head: pa.Array) -> pa.Array:
    """What of each line stands behind its head, without another search; null where nothing does."""
    count = len(lines)
    offsets = np.frombuffer(lines.buffers()[1], np.int32)[lines.offset : lines.offset + count + 1]
    lengths = pc.fill_null(pc.binary_length(head), 0).to_numpy(zero_copy_only=False)
    # Every other element of an array over the same bytes is a message, the others are the heads between them.
    places = np.empty(2 * count, np.int32)
    places[0::2] = offsets[:-1] + lengths
    places[1::2] = offsets[1:]
    data = lines.buffers()[2] or pa.py_buffer(b"")
    both = pa.StringArray.from_buffers(2 * count - 1, pa.py_buffer(places), data)
    return _filled(both.take(pa.array(np.arange(0, 2 * count, 2))))


# --- times ------------------------------------------------------------------------------------------------------------


class _Clock:
    """The zone of the receiver, and when each line arrived."""

    def __init__(self, zone: tzinfo, arrival: pa.Array | None) -> None:
        self.zone = zone
        self._arrival = arrival

    def at(self, places: pa.Array) -> _Clock:
        """The same for some of the lines."""
        return _Clock(self.zone, None if self._arrival is None else self._arrival.take(places))

    def arrivals(self, count: int) -> Micros:
        """Microseconds since 1970; now where nothing is known."""
        now = _micros(datetime.now(UTC))
        if self._arrival is None:
            return np.full(count, now, np.int64)
        found: Micros = self._arrival.cast(INSTANT).cast(pa.int64()).fill_null(now).to_numpy(zero_copy_only=False)
        return found

    def years(self, arrivals: Micros) -> Micros:
        """The local year of each."""
        low, high = self._year(int(arrivals.min())), self._year(int(arrivals.max()))
        if low == high:
            return np.full(len(arrivals), low, np.int64)
        return np.array([self._year(int(one)) for one in arrivals], np.int64)

    def _year(self, micros: int) -> int:
        try:
            return (_EPOCH + timedelta(microseconds=micros)).astimezone(self.zone).year
        except OverflowError:
            return 1970

    def instant(self, local: datetime) -> int:
        """Of two instants with this local time the later one; of a time that a clock skipped the one by the old clock.

        That is how the engine's calendar reads local times.
        """
        try:
            return max(_micros(local.replace(tzinfo=self.zone, fold=fold)) for fold in (0, 1))
        except OverflowError:
            return _NONE


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


def _instants(micros: Micros) -> pa.Array:
    # 9999-12-31T23:59:59-12:00 lies in a year that no calendar of Python's has.
    return pa.array(micros, mask=(micros == _NONE) | (micros > _LAST)).cast(INSTANT)


def _iso(texts: pa.Array, clock: _Clock) -> Micros:
    """Instants of ISO times; most of a text is read by Arrow, what is odd one by one."""
    result = np.full(len(texts), _NONE, np.int64)
    places = pc.indices_nonzero(texts.is_valid()).to_numpy()
    some = texts.drop_null()
    if not len(some):
        return result
    start = pc.utf8_slice_codeunits(some, 0, 19)
    try:
        seconds: Micros = start.cast(pa.timestamp("s")).cast(pa.int64()).to_numpy()
    except pa.ArrowInvalid:
        seconds = _each(start, _seconds)
    rests = pc.utf8_slice_codeunits(some, 19).dictionary_encode()
    read = [_rest(text) for text in rests.dictionary.to_pylist()]
    fractions = _at(np.array([fraction for fraction, _ in read], np.int64), rests)
    offsets = _at(np.array([_NONE if offset is None else offset for _, offset in read], np.int64), rests)
    good = seconds != _NONE
    zoned = good & (offsets != _NONE)
    micros = np.full(len(some), _NONE, np.int64)
    micros[zoned] = (seconds[zoned] - offsets[zoned]) * 1_000_000 + fractions[zoned]
    if (local := good & (offsets == _NONE)).any():
        different, where = np.unique(seconds[local], return_inverse=True)
        base = np.array([clock.instant(datetime(1970, 1, 1) + timedelta(seconds=int(s))) for s in different], np.int64)
        micros[local] = np.where(base[where] == _NONE, _NONE, base[where] + fractions[local])
    result[places] = micros
    return result


def _each(texts: pa.Array, read: Callable[[str], int]) -> Micros:
    """Each different text once."""
    coded = texts.dictionary_encode()
    different = np.array([read(text) for text in coded.dictionary.to_pylist()], np.int64)
    return _at(different, coded)


def _at(values: Micros, coded: pa.DictionaryArray) -> Micros:
    """The value of each element, from those of its different texts."""
    codes: npt.NDArray[np.int64] = coded.indices.to_numpy().astype(np.int64)
    found: Micros = values[codes]
    return found


def _seconds(text: str) -> int:
    """``2026-02-29T12:00:00``; the end of a day may be written 24:00:00."""
    late = text.endswith("24:00:00")
    try:
        found = datetime.fromisoformat(f"{text[:11]}00:00:00" if late else text).replace(tzinfo=UTC)
    except ValueError:
        return _NONE
    return _micros(found) // 1_000_000 + 86_400 * late


def _rest(text: str) -> tuple[int, int | None]:
    """``.5+09:00`` as microseconds and the offset in seconds; None without a zone."""
    found = _REST.fullmatch(text)
    if found is None:
        return 0, None
    fraction = int(((found[1] or "") + "000000")[:6])
    if found[2] is None:
        return fraction, 0 if text.endswith("Z") else None
    offset = int(found[2][1:]) * 3600 + int(found[3] or 0) * 60
    return fraction, -offset if found[2].startswith("-") else offset


def _dated(group: Group, clock: _Clock) -> Micros:
    """Instants of ``Oct 11 22:14:15``: each different text once for each year that may be meant."""
    texts = pc.binary_join_element_wise(*map(group, ("day", "year", "clock", "zone")), "\t").fill_null("\t\t\t")
    coded = texts.dictionary_encode()
    different = [text.split("\t") for text in coded.dictionary.to_pylist()]
    if different == [["", "", "", ""]]:
        return np.full(len(texts), _NONE, np.int64)
    arrivals = clock.arrivals(len(texts))
    years = clock.years(arrivals)
    own = [_in_year(int(year), day, time, zone, clock) if year else _NONE for day, year, time, zone in different]
    result = _at(np.array(own, np.int64), coded)
    without = _at(np.array([bool(day) and not year for day, year, _, _ in different], np.int64), coded) == 1
    for year in np.unique(years[without]).tolist():
        for step in (-1, 0, 1):  # the latest that fits is the last one laid
            one = [_in_year(year + step, day, time, zone, clock) if day else _NONE for day, _, time, zone in different]
            made = _at(np.array(one, np.int64), coded)
            fits = without & (years == year) & (made != _NONE) & (made <= arrivals + _DAY_US)
            result[fits] = made[fits]
    return result


def _in_year(year: int, day: str, clock_time: str, zone: str, clock: _Clock) -> int:
    month, _, number = day.partition(" ")
    clock_time, _, fraction = clock_time.partition(".")
    hour, minute, second = map(int, clock_time.split(":"))
    try:
        found = datetime(year, _MONTHS.index(month.lower()) + 1, int(number), hour, minute, second)
    except ValueError:
        return _NONE
    micros = int((fraction + "000000")[:6])
    if (hours := ZONES.get(zone)) is not None:
        return _micros(found.replace(tzinfo=UTC)) - int(hours) * 3_600_000_000 + micros
    instant = clock.instant(found)
    return instant if instant == _NONE else instant + micros
