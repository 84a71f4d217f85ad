"""The three reports of VirusTotal's API, version 2, as far as queries read them; what the articles ask for."""

from __future__ import annotations

from dataclasses import dataclass

from tests.servers.replies import Reply, Request, as_json
from tests.servers.web import WebServer

KEY = "planted-apikey-4f1c9e"
"""The right key; a report asked for with another one is 403 without a body."""
HASH = "7657fcb7d772448a6d8504e4b20168b8"
ADDRESS = "90.156.201.27"
DOMAIN = "027.ru"

_SHA256 = "54bc950d46a0d1aa72048a17c8275743209e6c17bdacfc4cb9601c9ce3ec9a71"
_SHA1 = "84c7201f7e59cb416280fd69a2e7f2e349ec8242"
_URLS = [
    {"url": "http://027.ru/", "positives": 2, "total": 37, "scan_date": "2013-04-07 07:18:09"},
    {
        "url": "http://027.ru/adobe/flash_install_v10x1.php",
        "positives": 5,
        "total": 67,
        "scan_date": "2016-11-02 17:00",
    },
    {"url": "http://027.ru/track.php?a=1&b=%20", "positives": 1, "total": 64, "scan_date": "2015-09-29 02:11:44"},
]
FILE_REPORT: dict[str, object] = {
    "scans": {
        "Bkav": {"detected": True, "version": "1.3.0.4613", "result": "W32.Clod7bb.Trojan.4f1c", "update": "20140121"},
        "ClamAV": {"detected": False, "version": "0.97.3.0", "result": None, "update": "20140122"},
    },
    "scan_id": f"{_SHA256}-1390472785",
    "sha1": _SHA1,
    "resource": HASH,
    "response_code": 1,
    "scan_date": "2014-01-23 10:26:25",
    "permalink": f"https://www.virustotal.com/file/{_SHA256}/analysis/1390472785/",
    "verbose_msg": "Scan finished, scan information embedded in this object",
    "total": 50,
    "positives": 49,
    "sha256": _SHA256,
    "md5": HASH,
}
ADDRESS_REPORT: dict[str, object] = {
    "response_code": 1,
    "verbose_msg": "IP address in dataset",
    "country": "RU",
    "as_owner": "MASTERHOST.RU",
    "asn": "25532",
    "resolutions": [{"last_resolved": "2013-04-08 00:00:00", "hostname": "027.ru"}],
    "detected_urls": _URLS,
}
DOMAIN_REPORT: dict[str, object] = {
    "response_code": 1,
    "verbose_msg": "Domain found in dataset",
    "categories": ["parked", "uncategorized"],
    "Webutation domain info": {"Verdict": "malicious", "Adult content": "yes", "Safety score": 40},
    "resolutions": [{"last_resolved": "2013-04-08 00:00:00", "ip_address": ADDRESS}],
    "detected_urls": _URLS,
}
_UNKNOWN = "The requested resource is not among the finished, queued or pending scans"


@dataclass
class VirusTotal:
    """The service: its key, and how many reports it still gives before it answers 204 (None: without end)."""

    server: WebServer
    key: str = KEY
    left: int | None = None
    refused: int = 0
    """Requests that came with a wrong key."""
    over_quota: int = 0

    @property
    def resolve(self) -> dict[str, str]:
        """The ``[network] resolve`` that leads the articles' URLs here."""
        return {"www.virustotal.com:443": self.server.address}

    def install(self) -> VirusTotal:
        """Answer the three paths."""
        known = {HASH: FILE_REPORT, _SHA1: FILE_REPORT, _SHA256: FILE_REPORT}
        self._answer("file", "resource", known)
        self._answer("ip-address", "ip", {ADDRESS: ADDRESS_REPORT})
        self._answer("domain", "domain", {DOMAIN: DOMAIN_REPORT})
        return self

    def _answer(self, kind: str, parameter: str, known: dict[str, dict[str, object]]) -> None:
        def handler(request: Request) -> Reply:
            if request.query.get("apikey") != self.key:
                self.refused += 1
                return Reply(403)
            if self.left is not None:
                if self.left <= 0:
                    self.over_quota += 1
                    return Reply(204)
                self.left -= 1
            asked = request.query.get(parameter, "")
            return as_json(known.get(asked, {"response_code": 0, "resource": asked, "verbose_msg": _UNKNOWN}))

        self.server.on(f"/vtapi/v2/{kind}/report", handler)
