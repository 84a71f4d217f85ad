"""The three queries of the article, letter by letter, against a server that stands in for the service."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.network.conftest import Net
from tests.servers import virustotal as vt

if TYPE_CHECKING:
    from tests.servers.virustotal import VirusTotal

HASH = (
    'json "{}" | eval md5 = "7657fcb7d772448a6d8504e4b20168b8" | eval url = concat("https://www.virustotal.com/vtapi/v2/'
    'file/report?apikey=VIRUSTOTAL_API_KEY&resource=", md5) | wget | parsejson | parsemap field=line | fields scan_id, '
    "total, positives, md5, sha256"
)
ADDRESS = (
    'json "{}" | eval ip = "90.156.201.27" | eval url = concat("https://www.virustotal.com/vtapi/v2/ip-address/report?'
    'apikey=VIRUSTOTAL_API_KEY&ip=", ip) | wget | parsejson overlay=t | parsemap field=line | explode detected_urls | '
    "parsemap overlay=t field=detected_urls | fields ip, response_code, url, positives, total, scan_date"
)
DOMAIN = (
    'json "{}" | eval domain = "027.ru" | eval url = concat("https://www.virustotal.com/vtapi/v2/domain/report?'
    'apikey=VIRUSTOTAL_API_KEY&domain=", domain) | wget | parsejson overlay=t | parsemap field=line | explode '
    "detected_urls | parsemap overlay=t field=detected_urls | fields domain, response_code, categories, url, positives,"
    " total, scan_date"
)


@pytest.fixture
def service(net: Net, virustotal: VirusTotal, monkeypatch: pytest.MonkeyPatch) -> Net:
    """The set-up of the tutorial: the key comes from the environment and replaces that of the URL."""
    monkeypatch.setenv("VT_KEY", vt.KEY)
    net.settings["resolve"] = virustotal.resolve
    net.more = (
        '[network.hosts."www.virustotal.com"]\nquota_status = [204]\nquery = { apikey = "env:VT_KEY" }\nparallel = 2\n'
    )
    return net


def test_the_hash(service: Net) -> None:
    asked = service.ask(HASH)
    report = vt.FILE_REPORT
    assert asked.row == {name: report[name] for name in ("scan_id", "total", "positives", "md5", "sha256")}
    assert asked.lost == {}


@pytest.mark.parametrize(("query", "report", "own"), [
    (ADDRESS, vt.ADDRESS_REPORT, {"ip": vt.ADDRESS}),
    (DOMAIN, vt.DOMAIN_REPORT, {"domain": vt.DOMAIN, "categories": vt.DOMAIN_REPORT["categories"]}),
])  # fmt: skip
def test_the_urls_of_an_address_and_a_domain(
    service: Net, query: str, report: dict[str, list[dict[str, object]]], own: dict[str, object]
) -> None:
    asked = service.ask(query)
    assert asked.rows == [{**own, "response_code": 1, **url} for url in report["detected_urls"]]
    assert asked.lost == {}


def test_no_row_is_lost_where_the_service_knows_nothing(service: Net) -> None:
    unknown = HASH.replace("7657", "0000")
    asked = service.ask(unknown)
    assert len(asked.rows) == 1
    assert asked.row["scan_id"] is None
    assert asked.lost == {}


def test_no_row_is_lost_where_there_is_no_answer(service: Net, virustotal: VirusTotal) -> None:
    virustotal.key = "another"
    asked = service.ask(HASH)
    assert asked.rows == [{"scan_id": None, "total": None, "positives": None, "md5": vt.HASH, "sha256": None}]


def test_the_quota_is_waited_for(service: Net, virustotal: VirusTotal) -> None:
    virustotal.left = 0
    service.ask(HASH)
    assert virustotal.over_quota == 4, "the request and three repetitions"


def test_the_key_of_the_url_never_reaches_the_service(service: Net, virustotal: VirusTotal) -> None:
    service.ask(HASH)
    [request] = virustotal.server.log
    assert "VIRUSTOTAL_API_KEY" not in request.target
    assert request.query == {"apikey": vt.KEY, "resource": vt.HASH}
    assert request.header("host") == "www.virustotal.com"
    assert request.server_name == "www.virustotal.com"
    assert json.dumps(vt.FILE_REPORT)
