"""The ledger: what a run skipped, cut, coerced or refused, with source, position, reason and count."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from logsql.diagnostics.losses import Fate, hint
from logsql.diagnostics.messages import Text, text
from logsql.diagnostics.reasons import loss_row
from logsql.diagnostics.redaction import Said, masked
from logsql.udfbridge import counters
from logsql.udfbridge.counters import Counter
from logsql.values.sql import MARK

_COUNTED = text("{count:,} {reason} in {source}", "{source}: {reason} {count:,}건")
_COUNTED_AT_LEAST = text("at least {count:,} {reason} in {source}", "{source}: {reason} {count:,}건 이상")
_NOT_COUNTED = text("{reason} in {source}, counted with --loss", "{source}: {reason} (--loss를 붙이면 건수를 셉니다)")
_AT_LEAST = text("at least {count:,}", "{count:,} 이상")
_WITH_LOSS = text("counted with --loss", "--loss로 집계")
_FACT = text("{reason} in {source}", "{source}: {reason}")
_FIRST = text(" (first at {unit} {at:,})", " (처음: {at:,}번째 {unit})")
_AT = text(" (at {unit} {at:,})", " ({at:,}번째 {unit})")
_FIRST_VALUE = text(" (first at {unit} {at:,}: {sample})", " (처음: {at:,}번째 {unit}, {sample})")
_AT_VALUE = text(" (at {unit} {at:,}: {sample})", " ({at:,}번째 {unit}, {sample})")
_VALUE = text(" (first: {sample})", " (처음: {sample})")
_PLACED = text("  at {unit} {at:,}", "  {at:,}번째 {unit}")
_MORE = text("{count} more", "그 밖에 {count}건")
_UNITS = {"line": text("line", "줄"), "row": text("row", "행"), "byte": text("byte", "바이트")}
_TEN_THOUSAND = 10_000
#: Values of the vectors that threads hold when a place stops counting.
_UNDER_WAY = 8 * counters.VECTOR
#: Characters of a value in a line for the user.
_SHORT = 40


class Numbered(int):
    """The number of a row in its file, counted by a query; ``unit``: line or row, ``scan``: which of its scans."""

    unit: str
    scan: str

    def __new__(cls, number: int, unit: str) -> Numbered:
        made = super().__new__(cls, number)
        made.unit, _, made.scan = unit.partition(" ")
        return made


@dataclass(frozen=True, slots=True)
class Entry:
    """Rows or values of one source that met the same fate. ``position`` and ``sample`` are those of the first one.

    ``at_least``: there are more than ``count``, which were not counted because that would have cost too much of the
    run; 0 where none was. ``--loss`` (Python: ``query(exact=True)``) counts them.
    """

    source: str
    reason: str
    count: int
    position: int | None = None
    sample: str | None = None
    at_least: bool = False

    @property
    def place(self) -> str:
        """``byte 1,024`` or ``line 7``; empty when the reader named none."""
        if self.position is None:
            return ""
        return f"{getattr(self.position, 'unit', 'byte')} {self.position:,}"

    @property
    def fact(self) -> bool:
        """Whether nothing was lost, and it is worth knowing all the same (a hive that was not closed properly)."""
        row = loss_row(self.reason)
        return not self.at_least and (not self.count if row is None else row.fact)

    @property
    def fate(self) -> Fate:
        """What became of the rows or values; those of a reason without a row are left out."""
        row = loss_row(self.reason)
        return Fate.LEFT_OUT if row is None else row.fate

    @property
    def number(self) -> str:
        """The count as it is told: ``12``, ``at least 10,000``, ``counted with --loss``; empty for a fact."""
        if self.at_least:
            return _AT_LEAST.fill(count=self.count) if self.count else _WITH_LOSS.fill()
        return f"{self.count:,}" if self.count else ""

    def sentence(self) -> str:
        """What the reason means, in the language in force; empty for a reason without a row."""
        row = loss_row(self.reason)
        return "" if row is None else row.text.fill()

    def told(self) -> str:
        """Count, source, first place or value, and the plain sentence, in the language in force."""
        said = self._counted() + self._first()
        sentence = self.sentence()
        said = f"{said}: {sentence}" if sentence else said
        help = hint(self.source, self.sample)
        return Said(f"{said}; help: {masked(help)}" if help else said)

    def _counted(self) -> str:
        """Count, reason and source."""
        counted, none = (_COUNTED_AT_LEAST, _NOT_COUNTED) if self.at_least else (_COUNTED, _FACT)
        return (counted if self.count else none).fill(count=self.count, reason=Said(self.reason), source=self.source)

    def placed(self, said: Text) -> str:
        """The position as ``said`` tells it; empty when the reader named none."""
        if self.position is None:
            return ""
        return said.fill(unit=_UNITS[getattr(self.position, "unit", "byte")].fill(), at=int(self.position))

    def _first(self) -> str:
        """Place and value of the first one, as far as they are known and say something."""
        value = "" if self.sample is None or not self.count else self.sample
        shown = repr(value if len(value) <= _SHORT else f"{value[:_SHORT]}...")
        if self.position is None:
            return _VALUE.fill(sample=shown) if value else ""
        unit = _UNITS[getattr(self.position, "unit", "byte")].fill()
        many = self.count > 1
        if value and isinstance(self.position, Numbered):
            return (_FIRST_VALUE if many else _AT_VALUE).fill(unit=unit, at=int(self.position), sample=shown)
        return self.placed(_FIRST if many else _AT)

    def __str__(self) -> str:
        return Said(self._counted() + self.placed(_FIRST if self.count > 1 else _AT))


#: Living ledgers by run, for functions inside SQL that have only the run's name to go by.
LEDGERS: weakref.WeakValueDictionary[str, Ledger] = weakref.WeakValueDictionary()
#: Entries that the line for the user names.
SHOWN = 5
_NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where SQL counts what it loses. Places of one ``identity`` lose the same values; a ``branch`` (its number, 0 for
    none) some of them."""

    counter: Counter
    before: int
    identity: tuple[object, ...] | None
    branch: int

    @property
    def count(self) -> int:
        """Values that were lost; of a place that stopped counting, whole ten thousands of them: how many more came
        until every thread knew is chance.
        """
        count = self.counter.value - self.before
        if not self.counter.shut:
            return count
        return max(counters.MOST, (count - _UNDER_WAY) // _TEN_THOUSAND * _TEN_THOUSAND)


def fates_of(run: str) -> list[list[str]]:
    """Place, rank, reason and source of the fates that rows of a run met since they were asked for, or its ledger went
    away."""
    met = [fate for fate in list(counters.FATES) if fate.startswith(run + MARK)]
    for fate in met:
        counters.FATES.pop(fate, None)
    return [fate.split(MARK, 4)[1:] for fate in met]


def counted_once(places: Iterable[Place]) -> int:
    """Values that these places of one entry lost: those of one identity count as the place that saw every row, and
    once in each branch where none did.
    """
    groups: dict[object, dict[int, int]] = {}
    for place in places:
        if count := place.count:
            found = groups.setdefault(place.identity or place.counter.name, {})
            found[place.branch] = max(found.get(place.branch, 0), count)
    return sum(found[0] if 0 in found else sum(found.values()) for found in groups.values())


class Ledger:
    """Collects losses of one run; entries of the same source and reason are added up. Safe from several threads.

    ``exact``: every loss is counted, whatever it costs.

    >>> ledger = Ledger()
    >>> ledger.lost("a.log", "broken-json", position=3)
    >>> ledger.lost("a.log", "broken-json", position=9)
    >>> ledger.summary()
    '2 broken-json in a.log (first at byte 3)'
    """

    def __init__(self, exact: bool = False) -> None:
        self.exact = exact
        self.run_id = str(next(_NUMBERS))
        LEDGERS[self.run_id] = self
        self._entries: dict[tuple[str, str], Entry] = {}
        self._places: dict[tuple[str, str], list[Place]] = {}
        self._samples: dict[tuple[str, str], tuple[str | None, Numbered | None]] = {}
        self._fates: dict[tuple[str, str], tuple[int, str]] = {}
        self._lock = threading.Lock()
        taken: list[Counter] = []
        self._taken = taken
        weakref.finalize(self, counters.give_back, taken)
        weakref.finalize(self, fates_of, self.run_id)

    def lost(
        self, source: str, reason: str, count: int = 1, position: int | None = None, sample: str | None = None
    ) -> None:
        """Count a loss (the face that readers see)."""
        key = (source, reason)
        with self._lock:
            known = self._entries.get(key)
            if known is None:
                self._entries[key] = Entry(source, reason, count, position, sample)
            else:
                self._entries[key] = replace(known, count=known.count + count)

    def counter(self, source: str, reason: str, identity: tuple[object, ...] | None, branch: int) -> tuple[str, int]:
        """A counter for a place in SQL: its function and what that gives the first time."""
        counter = counters.take()
        counter.begin(self.exact)
        place = Place(counter, counter.value, identity, branch)
        with self._lock:
            self._taken.append(counter)
            self._places.setdefault((source, reason), []).append(place)
        return counter.name, place.before + 1

    def uncounted(self, source: str, reason: str, count: int = 0) -> None:
        """An entry of which ``count`` values are counted and no more, because that would cost too much of the run."""
        key = (source, reason)
        with self._lock:
            known = self._entries.get(key) or Entry(source, reason, 0)
            self._entries[key] = replace(known, count=known.count + count, at_least=True)

    def sampled(
        self, source: str, reason: str, sample: str | None, unit: str | None = None, at: int | None = None
    ) -> None:
        """The first value of an entry that SQL counts, and the number of its row (``unit``: ``line 3``, in the third
        scan of the query). Rows of several scans are no first one."""
        key = (source, reason)
        place = None if at is None or unit is None else Numbered(at, unit)
        with self._lock:
            text, known = self._samples.get(key, (sample, place))
            if place is None or known is None or known.scan != place.scan:
                self._samples[key] = (sample if text is None else text, None)
            elif place <= known:
                self._samples[key] = (sample, place)

    def came(self, place: str, rank: int, reason: str, source: str) -> None:
        """Rows of a place of the query met a fate. The best one (the lowest rank) is told; no reason: it is silent."""
        key = (place, source)
        with self._lock:
            known = self._fates.get(key)
            if known is None or rank < known[0]:
                self._fates[key] = (rank, reason)

    def __iter__(self) -> Iterator[Entry]:
        for place, rank, reason, source in fates_of(self.run_id):
            self.came(place, int(rank), reason, source)
        with self._lock:
            found = dict(self._entries)
            for key, places in self._places.items():
                count = counted_once(places)
                if count and self._told(*key):
                    entry = found.get(key) or Entry(*key, 0)
                    sample, first = self._samples.get(key, (None, None))
                    position = first if entry.position is None else entry.position
                    sample = sample if entry.sample is None else entry.sample
                    shut = entry.at_least or any(p.counter.shut or p.counter.passed_over for p in places)
                    found[key] = replace(
                        entry, count=entry.count + count, position=position, sample=sample, at_least=shut
                    )
            for (_, source), (_, reason) in self._fates.items():
                if reason:
                    found.setdefault((source, reason), Entry(source, reason, 0))
        return iter(list(found.values()))

    def _told(self, source: str, reason: str) -> bool:
        row = loss_row(reason)
        return row is None or not row.beside or (reason, source) in self._fates

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __bool__(self) -> bool:
        return any(True for _ in self)

    @property
    def total(self) -> int:
        """Rows and values lost in all."""
        return sum(e.count for e in self)

    def summary(self) -> str:
        """One line for the user; empty when nothing was lost."""
        parts = [str(entry) for entry in self]
        if len(parts) > SHOWN:
            parts = [*parts[:SHOWN], _MORE.fill(count=len(parts) - SHOWN)]
        return "; ".join(parts)

    def lines(self) -> list[str]:
        """Every entry on a line of its own: count (none for a fact), reason, source, place of the first, excerpt, and
        what the reason means.
        """
        found: list[str] = []
        for entry in self:
            place = entry.placed(_PLACED)
            sample = "" if entry.sample is None else f"  {masked(repr(entry.sample)):.160}"
            sentence = entry.sentence()
            said = f"{entry.number:>9}  {entry.reason}  {masked(entry.source)}{place}{sample}"
            found.append(Said(f"{said}  {sentence}" if sentence else said))
        return found
