"""Month, weekday, half-day and era names of the supported locales (source: CLDR data as used by JDK 17)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DateNames:
    """Names to print and to read (weekdays start with Sunday); ``eras`` are the spellings to read."""

    months: tuple[str, ...]
    short_months: tuple[str, ...]
    days: tuple[str, ...]
    short_days: tuple[str, ...]
    halves: tuple[str, str]
    era: str
    eras: tuple[tuple[str, int], ...] = ()

    def table(self, letter: str) -> list[tuple[str, int]]:
        """Every accepted spelling with its number: months 0-11, weekdays 1-7 (Sunday 1), halves 0-1, eras 0-1."""
        if letter in "ML":
            return [*_numbered(self.months), *_numbered(self.short_months)]
        if letter == "E":
            return [*_numbered(self.days, 1), *_numbered(self.short_days, 1)]
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
_KOREAN_MONTHS = tuple(f"{i}월" for i in range(1, 13))
_CJK_MONTHS = tuple(f"{i}月" for i in range(1, 13))
_CHINESE_MONTHS = tuple(f"{n}月" for n in ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"))

LOCALES: dict[str, DateNames] = {
    "en": DateNames(
        months=_ENGLISH_MONTHS,
        short_months=tuple(name[:3] for name in _ENGLISH_MONTHS),
        days=_ENGLISH_DAYS,
        short_days=tuple(name[:3] for name in _ENGLISH_DAYS),
        halves=("AM", "PM"),
        era="AD",
        eras=(("BC", 0), ("Before Christ", 0), ("AD", 1), ("Anno Domini", 1)),
    ),
    "ko": DateNames(
        months=_KOREAN_MONTHS,
        short_months=_KOREAN_MONTHS,
        days=tuple(f"{c}요일" for c in "일월화수목금토"),
        short_days=tuple("일월화수목금토"),
        halves=("오전", "오후"),
        era="AD",
        eras=(("BC", 0), ("기원전", 0), ("AD", 1), ("서기", 1)),
    ),
    "ja": DateNames(
        months=_CJK_MONTHS,
        short_months=_CJK_MONTHS,
        days=tuple(f"{c}曜日" for c in "日月火水木金土"),
        short_days=tuple("日月火水木金土"),
        halves=("午前", "午後"),
        era="西暦",
        eras=(("BC", 0), ("紀元前", 0), ("AD", 1), ("西暦", 1)),
    ),
    "zh": DateNames(
        months=_CHINESE_MONTHS,
        short_months=_CJK_MONTHS,
        days=tuple(f"星期{c}" for c in "日一二三四五六"),
        short_days=tuple(f"周{c}" for c in "日一二三四五六"),
        halves=("上午", "下午"),
        era="公元",
        eras=(("公元前", 0), ("公元", 1)),
    ),
}


def names_of(locale: str) -> DateNames:
    """Names of a locale code such as ``ko`` or ``ko_KR``; raises :class:`LookupError` for an unknown language."""
    language = locale.replace("-", "_").split("_")[0].lower()
    if language not in LOCALES:
        raise LookupError(f'locale "{locale}" is not supported (known: {", ".join(sorted(LOCALES))})')
    return LOCALES[language]
