"""``lookup geoip``: places and networks of addresses from databases in MaxMind's format (GeoLite2, GeoIP2, DB-IP).

The session's ``geoip`` names a ``.mmdb`` file, a folder of them, or several joined by the path separator; what each
holds (city, country, ASN) is read from the records. The Arrow function ``lq_geoip(address, databases)`` gives the texts
of :data:`FIELDS` in order, null where nothing is known. The databases travel as an argument: no state is kept.
"""

from __future__ import annotations

import functools
import os
from typing import Any

import pyarrow as pa

from logsql.diagnostics.lookups import NO_GEOIP_FILE
from logsql.store.files import Files
from logsql.udfbridge.registry import UdfSpec, register_udf

FIELDS = ("country", "region", "city", "latitude", "longitude", "asn")
#: Fields that are numbers; the others are text.
NUMBERS = frozenset({"latitude", "longitude"})

register_udf(UdfSpec("lq_geoip", ("VARCHAR", "VARCHAR"), "VARCHAR[]", "logsql.jobs.geoip:locate"))


def database_files(setting: str) -> list[str]:
    """The ``.mmdb`` files that a setting names; files that are missing are left out."""
    found: list[str] = []
    files = Files()  # the setting is the user's own word, not the query's
    for part in setting.split(os.pathsep):
        if files.has_folder(part):
            found += map(str, files.matching(part, ".mmdb"))
        elif files.has_file(part):
            found.append(part)
    return found


@functools.lru_cache(maxsize=8)
def _readers(setting: str) -> tuple[Any, ...]:
    import maxminddb

    return tuple(maxminddb.open_database(path) for path in database_files(setting))


def problem(setting: str) -> str | None:
    """Why a setting cannot be used, None when its databases open."""
    import maxminddb

    if not database_files(setting):
        return NO_GEOIP_FILE.fill(setting=setting)
    try:
        _readers(setting)
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        return str(error)
    return None


@functools.lru_cache(maxsize=200_000)
def place(address: str, setting: str) -> tuple[str | None, ...] | None:
    """Texts of :data:`FIELDS` for an address; None when it is no address or no database knows it."""
    found: dict[str, str] = {}
    for reader in _readers(setting):
        try:
            record = reader.get(address.strip())
        except ValueError:
            return None
        if isinstance(record, dict):
            for name, value in _facts(record):
                found.setdefault(name, value)
    return tuple(found.get(name) for name in FIELDS) if found else None


def _facts(record: dict[str, Any]) -> list[tuple[str, str]]:
    """What one record says, as text; the layout is that of the GeoIP2 and GeoLite2 databases."""
    facts: list[tuple[str, Any]] = []
    country = record.get("country") or record.get("registered_country") or {}
    facts.append(("country", country.get("iso_code") if isinstance(country, dict) else country))
    parts = record.get("subdivisions") or [{}]
    facts.append(("region", _name(parts[0])))
    facts.append(("city", _name(record.get("city"))))
    location = record.get("location") or {}
    facts += [(name, location.get(name)) for name in ("latitude", "longitude")]
    number = record.get("autonomous_system_number")
    if number is not None:
        facts.append(("asn", f"AS{number} {record.get('autonomous_system_organization') or ''}".rstrip()))
    known = [(name, value) for name, value in facts if value is not None]
    return [(name, repr(value) if isinstance(value, float) else str(value)) for name, value in known]


def _name(part: Any) -> str | None:
    if isinstance(part, dict):
        names = part.get("names") or {}
        found = names.get("en") or next(iter(names.values()), None)
        return str(found) if found is not None else None
    return str(part) if part is not None else None


def locate(addresses: pa.Array, settings: pa.Array) -> pa.Array:
    """The Arrow function: one list of texts per address; each distinct address of a batch is looked up once."""
    setting = settings[0].as_py() if len(settings) else ""
    encoded = addresses.dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    found = [None if text is None else place(text, setting) for text in encoded.dictionary.to_pylist()]
    places = pa.array([None if f is None else list(f) for f in found], pa.list_(pa.string()))
    return places.take(encoded.indices)
