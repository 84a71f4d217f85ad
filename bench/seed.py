"""The 45-command feature query of the bot detection article against SQL that an engineer would write by hand.

Three hand-written forms are kept: regular expressions on typed columns, character classes instead of ``(?i)``, and
string functions over one shared lower-cased column. The cheapest one on this machine is the yardstick.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa

import logsql
from bench import measure
from udfs.readers.jsonsurvey import SURVEYS

ROOT = Path(__file__).resolve().parent.parent
QUERY = (ROOT / "sample_data" / "queries" / "bot-features.lq").read_text(encoding="utf-8")
RECORDS = 300_000
THREADS = 2
ZONE = "Asia/Seoul"


def folder() -> Path:
    """Where generated inputs are kept between runs."""
    path = Path(tempfile.gettempdir()) / "logsql-bench"
    path.mkdir(exist_ok=True)
    return path


def records() -> Path:
    """The generated records, written on first use."""
    path = folder() / f"access-{RECORDS}.jsonl"
    if not path.exists():
        maker = str(ROOT / "sample_data" / "make_samples.py")
        subprocess.run([sys.executable, maker, "--records", str(RECORDS), "--out", str(path)], check=True)
    return path


def query() -> str:
    """The seed query over the generated records."""
    return QUERY.replace("sample_data/access.jsonl.gz", str(records()))


_COLUMNS = ("_time", "log_id", "label", "pin", "asn", "headers")

_FEATURES = """
SELECT _time, log_id, label, pin,
  coalesce(len(string_split(headers, chr(10))), 0) AS header_count,
  CASE WHEN length(sec_fetch_site) > 0 THEN 1 ELSE 0 END AS has_sec_fetch_site,
  CASE WHEN length(referer) > 0 THEN 1 ELSE 0 END AS has_referer,
  CASE WHEN length(accept) = 3 THEN 1 ELSE 0 END AS accept_all,
  CASE WHEN contains(encoding, 'br') THEN 1 ELSE 0 END AS accept_br,
  CASE WHEN contains(encoding, 'sdch') THEN 1 ELSE 0 END AS accept_sdch,
  TRY_CAST(chrome AS INTEGER) AS chrome_ver,
  CASE WHEN contains(lower(agent), 'python') THEN 1 ELSE 0 END AS python_client,
  CASE WHEN contains(lower(agent), 'go-http-client') THEN 1 ELSE 0 END AS go_client,
  CASE WHEN contains(lower(agent), 'java') THEN 1 ELSE 0 END AS java_client,
  CASE WHEN contains(asn, 'FACEBOOK') THEN 1 ELSE 0 END AS fb_asn,
  CASE WHEN contains(asn, 'GOOGLE') THEN 1 ELSE 0 END AS google_asn,
  CASE WHEN contains(asn, 'MICROSOFT') THEN 1 ELSE 0 END AS ms_asn,
  CASE WHEN contains(asn, 'HUAWEI CLOUDS') THEN 1 ELSE 0 END AS huawei_asn,
  CASE WHEN contains(asn, 'YANDEX') THEN 1 ELSE 0 END AS yandex_asn,
  CASE WHEN contains(agent, 'FBAN/FBIOS;FBDV') OR contains(agent, 'facebookexternalhit')
         OR contains(agent, 'cortex/1.0') OR contains(agent, 'adreview') THEN 1 ELSE 0 END AS fb_client,
  CASE WHEN contains(agent, 'Googlebot-Image/') OR contains(agent, 'Googlebot/') THEN 1 ELSE 0 END AS google_bot,
  CASE WHEN contains(agent, 'bingbot/') THEN 1 ELSE 0 END AS bing_bot,
  CASE WHEN contains(agent, 'PetalBot') THEN 1 ELSE 0 END AS petal_bot,
  CASE WHEN contains(agent, 'YandexBot/') THEN 1 ELSE 0 END AS yandex_bot,
  agent
FROM extracted"""

_KNOWN = """
SELECT * EXCLUDE (agent),
  CASE WHEN contains(agent, 'Slack-') OR (google_bot > 0 AND google_asn > 0) OR (ms_asn > 0 AND bing_bot > 0)
         OR (fb_asn > 0 AND fb_client > 0) OR (huawei_asn > 0 AND petal_bot > 0) THEN 1 ELSE 0 END AS known_bot
FROM features"""

_HEADERS = {
    "agent": "user-agent: ",
    "accept": "accept: ",
    "encoding": "accept-encoding: ",
    "referer": "referer: ",
    "sec_fetch_site": "sec-fetch-site: ",
}


def _source() -> str:
    columns = ", ".join(f"{name}: 'VARCHAR'" for name in _COLUMNS)
    return (
        f"SELECT * FROM read_json('{records()}', format = 'newline_delimited', records = true, "
        f"ignore_errors = true, columns = {{{columns}}})"
    )


def _classes(text: str) -> str:
    return "".join(f"[{c.upper()}{c}]" if c.isalpha() else c for c in text)


def _whole(base: str, extract: dict[str, str], chrome: str) -> str:
    taken = ", ".join(f"{sql} AS {name}" for name, sql in extract.items())
    return (
        f"WITH source AS ({_source()}), base AS ({base}), "
        f"extracted AS (SELECT _time, log_id, label, pin, asn, headers, {chrome} AS chrome, {taken} FROM base), "
        f"features AS ({_FEATURES}) {_KNOWN}"
    )


def by_regex() -> str:
    """``(?i)`` regular expressions, index form."""
    taken = {n: f"nullif(regexp_extract(headers, '(?i){p}([^\\n]+)', 1), '')" for n, p in _HEADERS.items()}
    return _whole("SELECT * FROM source", taken, "regexp_extract(headers, '(?i)chrome/(\\d+)', 1)")


def by_classes() -> str:
    """The same with ``[Uu][Ss]...`` in place of ``(?i)``."""
    taken = {n: f"nullif(regexp_extract(headers, '{_classes(p)}([^\\n]+)', 1), '')" for n, p in _HEADERS.items()}
    return _whole("SELECT * FROM source", taken, f"regexp_extract(headers, '{_classes('chrome/')}(\\d+)', 1)")


def by_cuts() -> str:
    """A literal searched in one shared lower-cased column, a cut at the end of the line."""

    def cut(text: str) -> str:
        start = f"nullif(strpos(lowered, '{text}'), 0) + {len(text)}"
        return f"nullif(split_part(substr(headers, {start}), chr(10), 1), '')"

    taken = {name: cut(text) for name, text in _HEADERS.items()}
    base = "SELECT *, lower(headers) AS lowered FROM source"
    return _whole(base, taken, "regexp_extract(lowered, 'chrome/(\\d+)', 1)")


HAND_WRITTEN: dict[str, Callable[[], str]] = {
    "regular expressions": by_regex,
    "character classes": by_classes,
    "string functions": by_cuts,
}


def open_hand() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config={"threads": THREADS})


def run_sql(connection: duckdb.DuckDBPyConnection, text: str) -> pa.Table:
    return connection.sql(text).to_arrow_table()


def features() -> list[measure.Row]:
    """Warm and cold cost of the translated chain against the best hand-written form."""
    text = query()
    hand = open_hand()
    written = {name: make() for name, make in HAND_WRITTEN.items()}
    with logsql.connect(tz=ZONE, threads=THREADS) as session:
        ours = session.query(text).arrow()
        for name, sql in written.items():
            measure.check_same(f"seed features, {name}", ours, run_sql(hand, sql))
        best = measure.best_of({name: lambda sql=sql: run_sql(hand, sql) for name, sql in written.items()})  # type: ignore[misc]
        warm = measure.in_turns(lambda: session.query(text).arrow(), lambda: run_sql(hand, written[best]))
    hand.close()

    def first_query() -> None:
        SURVEYS.clear()
        with logsql.connect(tz=ZONE, threads=THREADS) as fresh:
            fresh.query(text).arrow()

    def first_sql() -> None:
        connection = open_hand()
        run_sql(connection, written[best])
        connection.close()

    cold = measure.in_turns(first_query, first_sql, 5)
    compared = f"{RECORDS:,} records, {best} by hand"
    return [
        measure.row("seed features", compared, warm, 1.10, "standing goal 1.05"),
        measure.row("seed features, first", f"{compared}; new session, types surveyed", cold, None),
    ]
