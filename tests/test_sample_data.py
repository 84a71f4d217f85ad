"""The sample data: its generator repeats the same bytes, and the data holds what the documentation's queries need."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sample_data import make_samples

SAMPLES = Path(make_samples.__file__).parent
QUERIES = sorted((SAMPLES / "queries").glob("*.lq"))

BROWSERS = {
    "chrome": r"Chrome/10\d\.0\.0\.0 Safari/[\d.]+$",
    "edge": r" Edg/\d+",
    "firefox": r" Firefox/\d+",
    "safari": r" Version/\d+\.0 .*Safari/",
    "samsung": r"SamsungBrowser/",
    "whale": r" Whale/",
}
BOTS = {
    "python": r"python",
    "go": r"Go-http-client",
    "java": r"Java/",
    "google": r"Googlebot/",
    "google-image": r"Googlebot-Image/",
    "bing": r"bingbot/",
    "petal": r"PetalBot",
    "yandex": r"YandexBot/",
    "facebook": r"facebookexternalhit",
    "slack": r"Slack-",
    "sqlmap": r"sqlmap/",
}


@pytest.fixture(scope="module")
def access() -> list[dict[str, Any]]:
    with gzip.open(SAMPLES / "access.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def user_agent(record: dict[str, Any]) -> str:
    return next(line[12:] for line in record["headers"].split("\n") if line.startswith("User-Agent: "))


def test_generating_again_gives_the_committed_data(tmp_path: Path) -> None:
    make_samples.write_all(tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["access.jsonl.gz", "assets.csv", "auth.log", "firewall.log", "syslog.frames", "transactions.csv"]
    for name in names:
        made, kept = (tmp_path / name).read_bytes(), (SAMPLES / name).read_bytes()
        if name.endswith(".gz"):  # compressors differ between zlib builds; the data must not
            made, kept = gzip.decompress(made), gzip.decompress(kept)
        assert made == kept, name


def test_record_count_can_be_chosen(tmp_path: Path) -> None:
    make_samples.write_access(tmp_path / "some.jsonl", 137)
    lines = (tmp_path / "some.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 137
    assert {"_time", "log_id", "pin", "label", "headers"} <= json.loads(lines[0]).keys()


def test_label_noise_changes_labels_and_nothing_else() -> None:
    hasty, some, none = (list(make_samples.access_records(2_000, noise=noise)) for noise in (1.0, 0.1, 0.0))
    wrong = [sum(a["label"] != b["label"] for a, b in zip(found, none, strict=True)) for found in (hasty, some)]
    assert wrong[0] > 5 * wrong[1] > 0
    for found in (hasty, some):
        assert [record | {"label": ""} for record in found] == [record | {"label": ""} for record in none]
    bing = {record["label"] for record in none if "bingbot/" in user_agent(record)}
    assert bing == {"BENIGN"}


def test_access_has_the_fields_of_the_bot_queries(access: list[dict[str, Any]]) -> None:
    assert len(access) == 20_000
    always = set.intersection(*(set(record) for record in access))
    assert always == {
        "_time", "log_id", "pin", "label", "country", "asn", "method", "uri", "path", "query", "params", "status",
        "duration", "headers",
    }  # fmt: skip
    assert 1_000 < sum("reputation" in record for record in access) < 19_000
    assert {record["label"] for record in access} == {"BENIGN", "MALICIOUS"}
    assert [record["_time"] for record in access] == sorted(record["_time"] for record in access)
    assert len({record["log_id"] for record in access}) == 20_000


@pytest.mark.parametrize(("families", "at_least"), [(BROWSERS, 5), (BOTS, 8)])
def test_access_has_enough_families(access: list[dict[str, Any]], families: dict[str, str], at_least: int) -> None:
    seen: Counter[str] = Counter()
    for agent, count in Counter(user_agent(record) for record in access).items():
        for name, pattern in families.items():
            if re.search(pattern, agent):
                seen[name] += count
    assert len(families) >= at_least
    assert {name for name in families if seen[name] >= 20} == set(families)


def test_access_has_the_networks_and_misjudged_clients(access: list[dict[str, Any]]) -> None:
    networks = {record["asn"] for record in access}
    for name in ("GOOGLE", "MICROSOFT", "FACEBOOK", "HUAWEI CLOUDS", "YANDEX", "Korea Telecom", "OVH", "Free SAS"):
        assert any(name in network for network in networks), name
    pairs = {(re.sub(r"[/ (].*", "", user_agent(record)), record["label"]) for record in access}
    assert {("facebookexternalhit", "BENIGN"), ("facebookexternalhit", "MALICIOUS")} <= pairs
    false_google = [r for r in access if "Googlebot" in user_agent(r) and "GOOGLE" not in r["asn"]]
    assert false_google
    assert any(re.search(r"UNION ALL SELECT|SLEEP\(", record["uri"]) for record in access)


def test_firewall_has_a_scan_and_a_beacon() -> None:
    lines = (SAMPLES / "firewall.log").read_text(encoding="utf-8").splitlines()
    rows = [dict(pair.split("=", 1) for pair in line.split(" ")) for line in lines]
    assert len(rows) == 5_000
    ports = {row["dport"] for row in rows if row["src"] == "203.0.113.44" and row["action"] == "deny"}
    assert len(ports) >= 300
    assert sum(row["dst"] == "198.51.100.200" and row["dport"] == "8443" for row in rows) == 200


def test_auth_has_bursts_and_one_break_in() -> None:
    lines = (SAMPLES / "auth.log").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3_000
    failed = Counter(m[1] for line in lines if (m := re.search(r"Failed password .* from (\S+) port", line)))
    loud = {source for source, count in failed.items() if count >= 400}
    assert loud == {"203.0.113.121", "198.51.100.17", "192.0.2.80"}
    inside = {m[1] for line in lines if (m := re.search(r"Accepted \S+ for \S+ from (\S+) port", line))}
    assert loud & inside == {"192.0.2.80"}


def test_transactions_have_planted_outliers() -> None:
    with (SAMPLES / "transactions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2_000
    planted = [row for row in rows if row["planted"] == "1"]
    assert len(planted) == 20
    assert min(int(row["cnt"]) for row in planted) > max(int(row["cnt"]) for row in rows if row["planted"] == "0")


def test_assets_cover_the_talking_hosts() -> None:
    with (SAMPLES / "assets.csv").open(encoding="utf-8", newline="") as file:
        known = {row["ip"] for row in csv.DictReader(file)}
    lines = (SAMPLES / "firewall.log").read_text(encoding="utf-8").splitlines()
    inside = {m[1] for line in lines if (m := re.search(r"src=(10\.\S+)", line))}
    assert inside <= known


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_saved_query_begins_with_its_description_and_reads_existing_files(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    first, second = text.split("\n", 2)[:2]
    assert first.startswith("# ")
    assert first.endswith(".")
    assert "|" not in first
    assert second.startswith("| ")
    files = re.findall(r"sample_data/\S+", text)
    assert files
    for name in files:
        assert (SAMPLES.parent / name).is_file(), name
