"""Commands whose optional package is missing say which extra brings it, in both languages, before a row is read."""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa
import pytest

import logsql
from logsql.diagnostics.messages import LANGUAGE
from tests.network.test_safe import PROFILES

T = 'table t | eval _time = date("2024-01-01", "yyyy-MM-dd") | '


@pytest.mark.parametrize(
    ("query", "module", "package", "extra"),
    [
        (T + "stl n", "statsmodels", "statsmodels", "timeseries"),
        (T + "forecast n", "statsmodels", "statsmodels", "timeseries"),
        ("evtx-file {path}", "evtx", "evtx", "forensic"),
        ("xlsxfile {path}", "python_calamine", "python-calamine", "xlsx"),
        ('wget url="https://example.com/"', "aiohttp", "aiohttp", "net"),
        ('rss url="https://example.com/"', "feedparser", "feedparser", "net"),
        ("table t | nslookup ns=8.8.8.8 n output ip", "dns", "dnspython", "net"),
        ("table t | sendmail", "aiosmtplib", "aiosmtplib", "net"),
        ("ftp old ls /", "aioftp", "aioftp", "net"),
        ('ldapsearch profile=dir filter="(cn=*)"', "ldap3", "ldap3", "ldap"),
        ("dbquery db select 1", "adbc_driver_manager", "adbc-driver-manager", "db"),
        ("dbquery db select 1", "adbc_driver_postgresql", "adbc-driver-postgresql", "db"),
        ("sftp srv ls /", "paramiko", "paramiko", "sftp"),
    ],
)
@pytest.mark.parametrize("lang", ["en", "ko"])
def test_a_missing_package_is_named_with_its_extra(
    query: str, module: str, package: str, extra: str, lang: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setitem(sys.modules, module, None)
    path = tmp_path / "file"
    path.write_bytes(b"ElfFile\0" + bytes(4096))
    token = LANGUAGE.set(lang)
    try:
        (tmp_path / "config.toml").write_text(PROFILES, encoding="utf-8")
        with logsql.connect(config=str(tmp_path / "config.toml")) as session:
            session.register("t", pa.table({"n": [1]}))
            with pytest.raises(logsql.LogsqlError) as caught:
                session.query(query.replace("{path}", str(path))).rows()
    finally:
        LANGUAGE.reset(token)
    said = caught.value.diagnostic
    assert (said.code, said.span is not None or "{path}" in query) == ("E3104", True)
    assert package in said.message
    assert f"pip install 'logsql[{extra}]'" in (said.help or "")
    korean = any("가" <= letter <= "힣" for letter in said.message)
    assert korean == (lang == "ko")
