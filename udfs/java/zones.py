"""Time zones by the names Java knows: IDs, custom ``GMT+hh:mm`` zones, three-letter IDs and display names.

Source: TimeZone.getTimeZone and DateFormatSymbols.getZoneStrings (locale en) of JDK 17; where several zones share a
name the first one of that list is taken (``CST`` is America/Chicago), unless the session zone itself carries the
name.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# zone, short standard name, short daylight name ("-": none)
_SHORT = """
America/Los_Angeles PST PDT; America/Denver MST MDT; America/Chicago CST CDT; America/New_York EST EDT;
Pacific/Honolulu HST HDT; America/Anchorage AKST AKDT; America/Halifax AST ADT; America/St_Johns NST NDT;
Europe/Paris CET CEST; GMT GMT -; Asia/Jerusalem IST IDT; Asia/Tokyo JST JDT; Europe/Bucharest EET EEST; UTC UTC
-; Australia/Darwin ACST ACDT; Australia/Sydney AEST AEDT; America/Sao_Paulo BRT BRST; Asia/Dhaka BDT BDST;
Africa/Harare CAT CAST; Africa/Addis_Ababa EAT EAST; Pacific/Apia WSST WSDT; Asia/Yerevan AMT AMST;
Pacific/Auckland NZST NZDT; Asia/Karachi PKT PKST; Pacific/Guadalcanal SBT SBST; Asia/Baku AZT AZST; Asia/Dili
TLT TLST; Asia/Hovd HOVT HOVST; Asia/Omsk OMST OMSST; Asia/Oral ORAT ORAST; Asia/Aqtau AQTT AQTST; Asia/Chita
YAKT YAKST; Asia/Dubai GST GDT; Asia/Kabul AFT AFST; Asia/Seoul KST KDT; Asia/Almaty ALMT ALMST; Asia/Anadyr
ANAT ANAST; Asia/Brunei BNT BNST; Asia/Saigon ICT ICST; Asia/Tehran IRST IRDT; Indian/Mahe SCT SCST; Pacific/Yap
CHUT CHUST; Africa/Lagos WAT WAST; America/Adak HAST HADT; America/Lima PET PEST; Asia/Bishkek KGT KGST;
Asia/Irkutsk IRKT IRKST; Asia/Jakarta WIB WIST; Asia/Kuching MYT MYST; Asia/Magadan MAGT MAGST; Asia/Rangoon MMT
MMST; Asia/Tbilisi GET GEST; Asia/Thimphu BTT BTST; Europe/Minsk MSK MSD; Indian/Cocos CCT CCST; Pacific/Fiji
FJT FJST; Pacific/Guam ChST ChDT; Pacific/Niue NUT NUST; Pacific/Wake WAKT WAKST; Africa/Maseru SAST -;
America/Jujuy ART ARST; Asia/Ashgabat TMT TMST; Asia/Dushanbe TJT TJST; Asia/Jayapura WIT EIST; Asia/Katmandu
NPT NPST; Asia/Makassar WITA CIST; Asia/Qostanay QOST QOSST; Asia/Sakhalin SAKT SAKST; Asia/Tashkent UZT UZST;
Asia/Ust-Nera VLAT VLAST; Europe/Lisbon WET WEST; Europe/Samara SAMT SAMST; Indian/Chagos IOT IOST;
Pacific/Efate VUT VUST; Pacific/Nauru NRT NRST; Pacific/Palau PWT PWST; America/Bogota COT COST; America/Guyana
GYT GYST; America/La_Paz BOT BOST; Asia/Hong_Kong HKT HKST; Asia/Kamchatka PETT PETST; Asia/Qyzylorda QYZT
QYZST; Asia/Singapore SGT SGST; Indian/Reunion RET REST; Pacific/Kosrae KOST KOSST; Pacific/Majuro MHT MHST;
Pacific/Midway SST SDT; Pacific/Noumea NCT NCST; Pacific/Ponape PONT PONST; Pacific/Tahiti TAHT TAHST;
Pacific/Tarawa GILT GILST; Pacific/Wallis WFT WFST; America/Caracas VET VEST; America/Cayenne GFT GFST;
America/Godthab WGT WGST; America/Noronha FNT FNST; Asia/Choibalsan CHOT CHOST; Atlantic/Azores AZOT AZOST;
Australia/Eucla ACWST ACWDT; Australia/Perth AWST AWDT; Indian/Maldives MVT MVST; Pacific/Chatham CHAST CHADT;
Pacific/Fakaofo TKT TKST; Pacific/Gambier GAMT GAMST; Pacific/Norfolk NFT NFST; America/Asuncion PYT PYST;
America/Eirunepe ACT -; America/Miquelon PMST PMDT; America/Santiago CLT CLST; Antarctica/Davis DAVT DAVST;
Antarctica/Syowa SYOT SYOST; Asia/Krasnoyarsk KRAT KRAST; Asia/Novosibirsk NOVT NOVST; Asia/Ulaanbaatar ULAT
ULAST; Atlantic/Stanley FKT FKST; Indian/Christmas CXT CXST; Indian/Kerguelen TFT TFST; Indian/Mauritius MUT
MUST; Pacific/Funafuti TVT TVST; America/Guayaquil ECT ECST; Antarctica/Mawson MAWT MAWST; Antarctica/Vostok
VOST VOSST; Pacific/Enderbury PHOT PHOST; Pacific/Galapagos GALT GALST; Pacific/Marquesas MART MARST;
Pacific/Rarotonga CKT CKHST; Pacific/Tongatapu TOT TOST; America/Montevideo UYT UYST; America/Paramaribo SRT
SRST; Antarctica/Rothera ROTT ROTST; Asia/Yekaterinburg YEKT YEKST; Pacific/Kiritimati LINT LINST;
Atlantic/Cape_Verde CVT CVST; Australia/Lord_Howe LHST LHDT; America/Scoresbysund EGT EGST; Pacific/Port_Moresby
PGT PGST; Antarctica/DumontDUrville DDUT DDUST; Asia/Kashgar XJT XJDT; Europe/Istanbul TRT TRST; MET MET MEST;
Asia/Srednekolymsk SRET SREDT; Africa/Accra - GHST; Europe/Jersey - BST; Pacific/Easter - EASST
"""
# zone, long standard name, long daylight name
_LONG = """
America/Los_Angeles|Pacific Standard Time|Pacific Daylight Time
America/Denver|Mountain Standard Time|Mountain Daylight Time
America/Chicago|Central Standard Time|Central Daylight Time
America/New_York|Eastern Standard Time|Eastern Daylight Time
Pacific/Honolulu|Hawaii-Aleutian Standard Time|Hawaii-Aleutian Daylight Time
America/Anchorage|Alaska Standard Time|Alaska Daylight Time
Europe/Paris|Central European Standard Time|Central European Summer Time
Europe/Bucharest|Eastern European Standard Time|Eastern European Summer Time
Europe/London|Greenwich Mean Time|British Summer Time
GMT|Greenwich Mean Time|
UTC|Coordinated Universal Time|
Asia/Seoul|Korean Standard Time|Korean Daylight Time
Asia/Tokyo|Japan Standard Time|Japan Daylight Time
Asia/Shanghai|China Standard Time|China Daylight Time
Asia/Kolkata|India Standard Time|
Asia/Singapore|Singapore Standard Time|
Australia/Sydney|Australian Eastern Standard Time|Australian Eastern Daylight Time
"""
_THREE_LETTERS = {
    "PLT": "Asia/Karachi", "CNT": "America/St_Johns", "IET": "America/Indiana/Indianapolis", "VST": "Asia/Ho_Chi_Minh",
    "JST": "Asia/Tokyo", "ART": "Africa/Cairo", "PST": "America/Los_Angeles", "BET": "America/Sao_Paulo",
    "MIT": "Pacific/Apia", "CAT": "Africa/Harare", "AGT": "America/Argentina/Buenos_Aires", "NET": "Asia/Yerevan",
    "CST": "America/Chicago", "IST": "Asia/Kolkata", "AET": "Australia/Sydney", "BST": "Asia/Dhaka",
    "ACT": "Australia/Darwin", "NST": "Pacific/Auckland", "AST": "America/Anchorage", "SST": "Pacific/Guadalcanal",
    "CTT": "Asia/Shanghai", "PRT": "America/Puerto_Rico", "ECT": "Europe/Paris", "EAT": "Africa/Addis_Ababa",
    "PNT": "America/Phoenix", "KST": "Asia/Seoul",
}  # fmt: skip
_CUSTOM = re.compile(r"GMT([+-])(\d{1,2})(?::?(\d{2}))?")


@lru_cache(maxsize=1)
def names() -> dict[str, tuple[str, bool]]:
    """Display name in lower case -> (zone ID, whether it is the daylight name)."""
    out: dict[str, tuple[str, bool]] = {}
    rows = [row.split() for row in _SHORT.replace("\n", " ").split(";")]
    rows += [row.split("|") for row in _LONG.strip().splitlines()]
    for zone, standard, daylight in rows:
        for name, is_daylight in ((standard, False), (daylight, True)):
            if name not in ("", "-"):
                out.setdefault(name.lower(), (zone, is_daylight))
    return out


@lru_cache(maxsize=1)
def _by_zone() -> dict[str, list[str]]:
    """Zone ID -> short standard, short daylight, long standard, long daylight name."""
    out: dict[str, list[str]] = {}
    for row in _SHORT.replace("\n", " ").split(";"):
        zone, standard, daylight = row.split()
        out[zone] = [standard, daylight, "", ""]
    for row in _LONG.strip().splitlines():
        zone, standard, daylight = row.split("|")
        out.setdefault(zone, ["", "", "", ""])[2:] = [standard, daylight]
    return out


def find_zone(name: str) -> tzinfo | None:
    """The zone of an ID (``Asia/Seoul``, ``UTC``, ``GMT+08``, ``GMT-5:30``, ``PST``), or None when there is none.

    >>> find_zone("GMT+08").utcoffset(None), find_zone("nowhere")
    (datetime.timedelta(seconds=28800), None)
    """
    custom = _CUSTOM.fullmatch(name)
    if custom is not None:
        sign, hours, minutes = custom.groups()
        if int(hours) > 23 or int(minutes or 0) > 59:
            return None
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
        return timezone(offset if sign == "+" else -offset)
    try:
        return ZoneInfo(_THREE_LETTERS.get(name, name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def as_zone(zone: str | tzinfo) -> tzinfo:
    """A tzinfo; raises :class:`LookupError` for an unknown ID."""
    if isinstance(zone, tzinfo):
        return zone
    found = find_zone(zone)
    if found is None:
        raise LookupError(f'unknown time zone "{zone}"')
    return found


def offset_text(offset: timedelta, separator: str = ":") -> str:
    """``+09:00``; seconds of historic offsets are cut as Java does."""
    minutes = int(abs(offset).total_seconds()) // 60
    return f"{'-' if offset < timedelta(0) else '+'}{minutes // 60:02}{separator}{minutes % 60:02}"


def display_name(moment: datetime, *, long: bool) -> str:
    """Name of the zone of an aware moment as SimpleDateFormat ``z`` / ``zzzz`` prints it."""
    key = getattr(moment.tzinfo, "key", None)
    daylight = bool(moment.dst())
    known = _by_zone().get(key or "")
    if known is not None:
        name = known[2 * long + daylight]
        if name not in ("", "-"):
            return name
    name = moment.tzname() or ""
    if key is not None and name.isalpha() and not long:
        return name
    return "GMT" + offset_text(moment.utcoffset() or timedelta(0))


def name_at(text: str, start: int, session: tzinfo) -> tuple[int, tzinfo, timedelta | None] | None:
    """A zone name at ``start``: its end, the zone, and the daylight offset to force (None: the zone decides).

    Names of the session zone come first, then the longest known name; letter case does not matter.
    """
    lower = text.lower()
    for month in (1, 7):
        moment = datetime(2024, month, 1, 12, tzinfo=session)
        for own in (display_name(moment, long=True), display_name(moment, long=False)):
            if not own.startswith("GMT") and lower.startswith(own.lower(), start):
                return start + len(own), session, moment.dst() or timedelta(0)
    best = max((n for n in names() if lower.startswith(n, start)), key=len, default=None)
    if best is None:
        return None
    zone_id, is_daylight = names()[best]
    zone = ZoneInfo(zone_id)
    return start + len(best), zone, _daylight(zone) if is_daylight else timedelta(0)


def _daylight(zone: tzinfo) -> timedelta | None:
    """Daylight saving amount; None for a zone that has none now, because then its own rules decide."""
    amounts = [datetime(2024, month, 1, 12, tzinfo=zone).dst() or timedelta(0) for month in (1, 7)]
    return max(amounts) or None
