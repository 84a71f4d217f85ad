"""The pattern that reads texts as dates, guessed from some of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: What is proposed where no text is at hand.
USUAL = "yyyy-MM-dd HH:mm:ss"
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
#: Beginning of a text, and the pattern of it.
_DAYS = (
    (r"\d{4}-\d\d-\d\d", "yyyy-MM-dd"),
    (r"\d{4}/\d\d/\d\d", "yyyy/MM/dd"),
    (r"\d{4}\.\d\d\.\d\d", "yyyy.MM.dd"),
    (r"\d\d\.\d\d\.\d{4}", "dd.MM.yyyy"),
    (rf"\d\d/{_MONTH}/\d{{4}}", "dd/MMM/yyyy"),
    (rf"\d\d-{_MONTH}-\d{{4}}", "dd-MMM-yyyy"),
    (rf"{_MONTH} [ \d]?\d \d{{4}}", "MMM d yyyy"),
    (rf"{_MONTH} [ \d]?\d", "MMM d"),
    (r"\d{8}", "yyyyMMdd"),
    (r"\d{4}-\d\d(?!\d)", "yyyy-MM"),
    (r"(?:19|20)\d\d(?!\d)", "yyyy"),
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SHAPES = {
    "yyyy": r"(?P<y>\d{4})", "MMM": r"(?P<b>[A-Z][a-z]{2})", "MM": r"(?P<m>\d\d?)", "dd": r"(?P<d>\d\d?)",
    "d": r"(?P<d>[ \d]?\d)", ".": r"\.",
}  # fmt: skip
#: Milliseconds from here on lie behind the year 3000, seconds of it before the year 9999.
MICRO_FROM, NANO_FROM = 32_503_680_000_000, 32_503_680_000_000_000
_SECONDS_FROM = 1_000_000_000
_HALVES = ("AM", "PM", "am", "pm")
_ZONES = ((r"Z|[+-]\d\d:\d\d", "XXX"), (r"[+-]\d{4}", "Z"), (r"", ""))


def guess_pattern(texts: Sequence[str], otherwise: str = USUAL) -> str:
    """The pattern that fits every text that is not empty; ``otherwise`` where there is none.

    >>> guess_pattern(["2022-10-01 10:02:03+0900"])
    'yyyy-MM-dd HH:mm:ssZ'
    >>> guess_pattern(["2022-10-01T10:02:03.123Z"])
    "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"
    >>> guess_pattern(["12/Mar/2021:07:08:09 +0900"]), guess_pattern(["x"], "")
    ('dd/MMM/yyyy:HH:mm:ss Z', '')
    >>> guess_pattern(["2022-10-01 10:02:03.123", "2022-10-01 10:02:03.5"])
    'yyyy-MM-dd HH:mm:ss.SSSSSS'
    >>> guess_pattern(["03/04/2024", "13/04/2024"]), guess_pattern(["03/04/2024"], "")
    ('dd/MM/yyyy', '')
    >>> guess_pattern(["1/2/2024 3:04:05 PM"])
    'MM/dd/yyyy hh:mm:ss a'
    """
    days = (*_DAYS, *_slashed(texts))
    found = {_pattern(text, days) for text in texts if text}
    if len(found) > 1 and None not in found:
        # Fractions of a second of several lengths are one pattern.
        found = {max((f for f in found if f is not None), key=len)} if len({_bare(f) for f in found}) == 1 else found
    one = next(iter(found)) if len(found) == 1 else None
    return one or otherwise


def pattern_of(values: Sequence[str]) -> str:
    """The pattern that reads these values; the usual one where none is at hand, "" where they have no one pattern.

    >>> pattern_of([]), pattern_of(["05/Mar/2024"]), pattern_of(["2024-03-05T10:00:00Z", "1709251200"])
    ('yyyy-MM-dd HH:mm:ss', 'dd/MMM/yyyy', '')
    """
    return guess_pattern(values, "") if any(values) else USUAL


def either_way(texts: Sequence[str]) -> tuple[str, str] | None:
    """The two patterns of texts that do not tell the day from the month; None for any others.

    >>> either_way(["02/03/2024"]), either_way(["2-3-2024 10:00"])
    (('dd/MM/yyyy', 'MM/dd/yyyy'), ('dd-MM-yyyy HH:mm', 'MM-dd-yyyy HH:mm'))
    >>> either_way(["02/13/2024"]), either_way(["10.0.0.1"]), either_way([])
    (None, None, None)
    """
    found = [text for text in texts if text]
    pairs = [m for text in found if (m := re.match(r"(\d\d?)([/-])(\d\d?)\2\d{4}(?!\d)", text))]
    if not found or len(pairs) != len(found) or any(int(m[n]) > 12 or not int(m[n]) for m in pairs for n in (1, 3)):
        return None
    mark = pairs[0][2]
    shape = rf"\d\d?{mark}\d\d?{mark}\d{{4}}"
    forms = {_pattern(text, ((shape, f"dd{mark}MM{mark}yyyy"),)) for text in found}
    form = forms.pop()
    return None if forms or form is None else (form, f"MM{mark}dd{form[5:]}")


def are_seconds(texts: Sequence[str]) -> bool:
    """Whether whole numbers are seconds or milliseconds of the years from 2001 to 3000."""
    found = [text for text in texts if text]
    return bool(found) and all(re.fullmatch(r"[0-9]{10,14}", text) and int(text) < 32_503_680_000_000 for text in found)


def out_of_order(texts: Sequence[str]) -> str:
    """The pattern of texts that are dates and stand in another order as texts than by time; "" for any other.

    >>> out_of_order(["05/Mar/2024", "13/Feb/2024"]), out_of_order(["05/Mar/2024", "13/Mar/2024"])
    ('dd/MMM/yyyy', '')
    >>> out_of_order(["2024-03-05", "2023-12-01"])
    ''
    """
    pattern = guess_pattern(texts, "")
    day = re.match(r"(?:[dMy]+|[/. -])+", pattern)
    if day is None or pattern.startswith("yyyy"):
        return ""
    shape = re.compile(re.sub(r"yyyy|MMM|MM|dd?|\.", lambda found: _SHAPES[found[0]], day[0].rstrip()))
    dated = [(_key(match), text[match.end() :]) for text in texts if text and (match := shape.match(text))]
    written = [text for text in texts if text]
    in_time = [text for _, text in sorted(zip(dated, written, strict=False), key=lambda pair: pair[0])]
    return pattern if len(dated) == len(written) and in_time != sorted(written) else ""


def _key(match: re.Match[str]) -> tuple[int, int, int]:
    parts = match.groupdict()
    month = _MONTHS.index(parts["b"]) + 1 if "b" in parts else int(parts["m"])
    return int(parts.get("y") or 0), month, int(parts["d"])


def _slashed(texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The pattern of ``13/04/2024``: some text must tell day from month."""
    pairs = [(int(m[1]), int(m[2])) for text in texts if (m := re.match(r"(\d\d?)/(\d\d?)/\d{4}", text))]
    days_first, months_first = any(a > 12 for a, _ in pairs), any(b > 12 for _, b in pairs)
    if days_first == months_first and any(text.endswith(_HALVES) for text in texts):
        months_first = not days_first  # who writes AM and PM writes the month first
    if days_first == months_first:
        return ()
    return ((r"\d\d?/\d\d?/\d{4}", "dd/MM/yyyy" if days_first else "MM/dd/yyyy"),)


def _bare(pattern: str | None) -> str:
    return re.sub(r"\.S+", ".S", pattern or "")


def _pattern(text: str, days: Sequence[tuple[str, str]]) -> str | None:
    for shape, day in days:
        match = re.match(shape, text)
        if match is None:
            continue
        rest = text[match.end() :]
        if not rest:
            return day
        half = re.fullmatch(r"( )\d?\d:\d\d(:\d\d)? (AM|PM|am|pm)", rest)
        if half is not None:
            return f"{day} hh:mm{':ss' if half[2] else ''} a"
        time = re.fullmatch(r"([ T:]?)(\d\d):?(\d\d)(?::?(\d\d)(?:([.,])(\d+))?)?( ?)(Z|[+-]\d\d:?\d\d)?", rest)
        if time is not None and (built := _time(day, rest, time)) is not None:
            return built
    return None


def _time(day: str, rest: str, time: re.Match[str]) -> str | None:
    between, _, _, second, point, fraction, blank, zone = time.groups()
    colons = ":" if rest[len(between) + 2 : len(between) + 3] == ":" else ""
    pattern = day + ("'T'" if between == "T" else between) + f"HH{colons}mm"
    if second is not None:
        pattern += f"{colons}ss"
    if fraction is not None:
        pattern += point + "S" * (len(fraction) if len(fraction) > 2 else 6)  # ``SS`` reads .25 as 25 milliseconds
    if zone is None:
        return None if blank else pattern
    for shape, letters in _ZONES:
        if re.fullmatch(shape, zone):
            return pattern + blank + letters
    return None


def is_number(text: str) -> bool:
    """Whether a text is a whole number that an instant may have."""
    return text.isascii() and text.isdigit() and len(text) < 40


def counted_date(value: str, texts: Sequence[str]) -> str | None:
    """The date of texts that count seconds or milliseconds from 1970; None for any others."""
    found = [text for text in texts if text]
    if seconds(found) and all(map(is_number, found)):
        return f"epoch({value})"
    whole = [text.partition(".")[0] for text in found if re.fullmatch(r"\d{10}\.\d+", text)]
    return f"epoch(long(double({value}) * 1000))" if whole and len(whole) == len(found) else None


def seconds(texts: Sequence[str]) -> bool:
    """Whether whole numbers are seconds or milliseconds of the years from 2001 to 3000."""
    found = [int(text) for text in texts if is_number(text)]
    return bool(found) and all(_SECONDS_FROM <= number < MICRO_FROM for number in found)
