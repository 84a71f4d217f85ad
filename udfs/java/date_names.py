"""Month, weekday, half-day and era names of the languages (source: CLDR, which JDK 17 uses too, through Babel)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel.core import Locale


@dataclass(frozen=True)
class DateNames:
    """Names to print and to read (weekdays start with Sunday); ``eras`` are the spellings to read.

    ``more_months`` and ``more_days`` are further spellings to read, with their numbers.
    """

    months: tuple[str, ...]
    short_months: tuple[str, ...]
    days: tuple[str, ...]
    short_days: tuple[str, ...]
    halves: tuple[str, str]
    era: str
    eras: tuple[tuple[str, int], ...] = ()
    more_months: tuple[tuple[str, int], ...] = ()
    more_days: tuple[tuple[str, int], ...] = ()

    def table(self, letter: str) -> list[tuple[str, int]]:
        """Every accepted spelling with its number: months 0-11, weekdays 1-7 (Sunday 1), halves 0-1, eras 0-1."""
        if letter in "ML":
            return [*_numbered(self.months), *_numbered(self.short_months), *self.more_months]
        if letter == "E":
            return [*_numbered(self.days, 1), *_numbered(self.short_days, 1), *self.more_days]
        if letter == "a":
            return _numbered(self.halves)
        return list(self.eras)


def _numbered(names: tuple[str, ...], first: int = 0) -> list[tuple[str, int]]:
    return [(name, i) for i, name in enumerate(names, start=first)]


_ENGLISH_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_ENGLISH_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")

#: Names of English as DuckDB's ``strptime`` and ``strftime`` know them too; every other language comes from CLDR.
ENGLISH = DateNames(
    months=_ENGLISH_MONTHS,
    short_months=tuple(name[:3] for name in _ENGLISH_MONTHS),
    days=_ENGLISH_DAYS,
    short_days=tuple(name[:3] for name in _ENGLISH_DAYS),
    halves=("AM", "PM"),
    era="AD",
    eras=(("BC", 0), ("Before Christ", 0), ("AD", 1), ("Anno Domini", 1)),
)


@lru_cache(maxsize=32)
def names_of(locale: str) -> DateNames:
    """Names of a locale code such as ``ko``, ``ko_KR`` or ``pt-BR``; raises :class:`LookupError` for an unknown one.

    A region that CLDR does not list has the names of its language.
    """
    code = locale.replace("-", "_")
    language = code.split("_")[0].lower()
    if language == "en":
        return ENGLISH
    from babel.core import Locale, UnknownLocaleError  # for cost: only for other languages

    for wanted in (code, language):
        try:
            return _from_cldr(Locale.parse(wanted))
        except (UnknownLocaleError, ValueError):
            continue
    raise LookupError(f'locale "{locale}" is not supported: name a language such as en, ko, fr or pt_BR')


def _from_cldr(locale: Locale) -> DateNames:
    months, days, halves = locale.months, locale.days, locale.day_periods["format"]["abbreviated"]
    long, short = _in_order(months["format"]["wide"]), _in_order(months["format"]["abbreviated"])
    alone = [*_in_order(months["stand-alone"]["wide"]), *_in_order(months["stand-alone"]["abbreviated"])]
    short_days = _sunday_first(days["format"]["abbreviated"])
    eras = [(str(name), number) for width in ("abbreviated", "wide") for number, name in locale.eras[width].items()]
    return DateNames(
        months=long,
        short_months=short,
        days=_sunday_first(days["format"]["wide"]),
        short_days=short_days,
        halves=(str(halves["am"]), str(halves["pm"])),
        era=str(locale.eras["abbreviated"][1]),
        eras=tuple(era for era in eras if era[1] in (0, 1)),
        # "janv 3": programs leave out the period of an abbreviation that CLDR writes
        more_months=tuple((name, i % 12) for i, name in enumerate([*alone, *(n.rstrip(".") for n in short)])),
        more_days=tuple((name.rstrip("."), i) for i, name in enumerate(short_days, 1)),
    )


def _in_order(names: Mapping[int, str]) -> tuple[str, ...]:
    return tuple(str(names[month]) for month in range(1, 13))


def _sunday_first(names: Mapping[int, str]) -> tuple[str, ...]:
    """CLDR's weekdays in Babel begin with Monday as 0."""
    return tuple(str(names[(day + 6) % 7]) for day in range(7))
