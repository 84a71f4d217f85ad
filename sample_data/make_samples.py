"""Writes the sample data beside this file; the same bytes every time.

    python sample_data/make_samples.py                              everything
    python sample_data/make_samples.py --records 300000 --out X     only web access records, for benchmarks
    ... --label-noise 0.25                                          with a quarter of the wrong labels

Standard library only, a few seconds. ``access.jsonl.gz`` holds 20,000 web requests (18 MB unpacked), ``firewall.log``
5,000 key=value lines, ``auth.log`` 3,000 sshd lines with brute-force bursts, ``transactions.csv`` 2,000 rows with 20
planted outliers, ``assets.csv`` the hosts that occur in the logs,
``syslog.frames`` a few messages as they go over TCP, each with a count of its bytes or with a line feed behind it.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

try:
    from sample_data import clients
except ImportError:  # run as a script
    import clients  # type: ignore[import-not-found,no-redef]

HERE = Path(__file__).resolve().parent
SEED = 20220919
KST = timezone(timedelta(hours=9))
START = datetime(2022, 9, 19, 0, 0, 0, tzinfo=KST)
RECORDS = 20_000
HOST = "store.example.com"


@dataclass(frozen=True)
class Client:
    """One visitor: the same address, network and headers in all its requests."""

    pin: str
    family: Any
    asn: str
    country: str
    agent: str
    version: int
    reputation: int | None
    host: str


def make_client(number: int, rng: random.Random) -> Client:
    """A client of a random family, weighted as in ``clients.FAMILIES``."""
    family = rng.choices(clients.FAMILIES, weights=[f.weight for f in clients.FAMILIES])[0]
    asn, country = rng.choice(family.networks)
    version = rng.choice(family.versions)
    agent = rng.choice(family.agents).replace("{v}", str(version))
    if family.role in ("probe", "injection"):
        reputation = rng.randrange(40, 100)
    else:
        # Most addresses have no reputation entry: the key is then absent from the record.
        reputation = rng.randrange(0, 30) if rng.random() < 0.2 else None
    host = "203.0.113.80" if rng.random() < family.host_is_ip else HOST
    return Client(f"IP_{number:05d}", family, asn, country, agent, version, reputation, host)


def headers_of(client: Client, path: str, rng: random.Random) -> str:
    """Request headers as one text, a line each, in the order such a client sends them."""
    family = client.family
    lines = [f"Host: {client.host}"]
    if family.browser:
        lines.append("Connection: keep-alive")
        if "Chrome/" in client.agent and client.version > 90:
            lines.append(f'sec-ch-ua: "Chromium";v="{client.version}", "Not)A;Brand";v="8"')
            lines.append("sec-ch-ua-mobile: ?0")
    lines.append(f"User-Agent: {client.agent}")
    if family.accept is not None:
        lines.append(f"Accept: {family.accept}")
    if family.browser:
        if client.version != 39 and client.version != 41:
            lines.append(f"Sec-Fetch-Site: {rng.choice(('none', 'same-origin', 'cross-site'))}")
            lines.append("Sec-Fetch-Mode: navigate")
        if rng.random() < 0.7:
            lines.append(f"Referer: https://{HOST}{rng.choice(clients.VISITOR_PATHS)}")
        lines.append(f"Accept-Language: {clients.LANGUAGES.get(client.country, 'en')}")
    elif rng.random() < 0.3:
        lines.append(f"Connection: {rng.choice(('close', 'Keep-Alive', 'keep-alive'))}")
    if family.encoding is not None:
        lines.append(f"Accept-Encoding: {family.encoding}")
    if family.role == "crawler":
        lines.append("From: crawler@example.com")
    if path.startswith("/ko/apps") and family.browser:
        lines.append(f"Cookie: session={rng.getrandbits(64):016x}; lang=ko")
    return "\n".join(lines)


def request_of(client: Client, rng: random.Random) -> tuple[str, str, str, int]:
    """Method, path, query string and status of one request."""
    role = client.family.role
    if role == "injection":
        path = f"/{rng.choice(('ko', 'en'))}/apps/{rng.choice(clients.APPS)}"
        return rng.choice(("GET", "POST")), path, rng.choice(clients.INJECTIONS), rng.choice((200, 400, 403, 500))
    if role == "probe":
        path = rng.choice(clients.PROBE_PATHS)
        return rng.choice(("GET", "GET", "HEAD", "POST")), path, "", rng.choices((404, 403, 400, 301), (90, 5, 3, 2))[0]
    if role == "crawler" and rng.random() < 0.3:
        return "GET", rng.choice(clients.CRAWLER_PATHS), "", rng.choice((200, 304, 404))
    if role == "visitor" and rng.random() < 0.5:
        status = rng.choices((200, 304, 302, 404), (70, 22, 6, 2))[0]
        return "GET", rng.choice(clients.VISITOR_PATHS), "", status
    path = f"/{rng.choice(('ko', 'en'))}/apps/{rng.choice(clients.APPS)}"
    query = f"tab={rng.choice(('overview', 'release', 'download'))}" if rng.random() < 0.4 else ""
    cached = 304 if role == "visitor" else 200
    return "GET", path, query, rng.choices((200, cached, 301, 404), (75, 18, 4, 3))[0]


def label_of(client: Client, rng: random.Random, noise: float = 1.0) -> str:
    """BENIGN or MALICIOUS as an analyst labels: link previews and bingbot may count as attackers, scripts go by mood.

    noise: share of the wrong labels that are made, 1 a hasty analyst, 0 none. It changes labels and nothing else.
    """
    role, name = client.family.role, client.family.name
    draw = rng.random()
    if role in ("probe", "injection"):
        return "BENIGN" if draw < 0.02 * noise else "MALICIOUS"
    if name in ("facebookexternalhit", "bingbot"):
        malicious = 0.3 * noise
    elif role == "script":
        malicious = 1 - 0.4 * noise
    else:
        malicious = 0.004 * noise
    return "MALICIOUS" if draw < malicious else "BENIGN"


def access_records(count: int, seed: int = SEED, noise: float = 1.0) -> Iterator[dict[str, Any]]:
    """``count`` web requests in time order; a population of one client per eight requests. noise: of the labels."""
    rng = random.Random(seed)
    population = [make_client(number, rng) for number in range(1, max(count // 8, 40) + 1)]
    active: list[Client] = []
    moment = START
    for number in range(1, count + 1):
        if len(active) < 30 or rng.random() < 0.12:
            active.append(population[(number * 7919) % len(population)])
            if len(active) > 60:
                active.pop(rng.randrange(30))
        client = rng.choice(active)
        moment += timedelta(milliseconds=int(rng.expovariate(1 / 8_000)))
        yield access_record(number, client, moment, rng, noise)


def access_record(
    number: int, client: Client, moment: datetime, rng: random.Random, noise: float = 1.0
) -> dict[str, Any]:
    """One JSON object as the shop's access log writes it."""
    method, path, query, status = request_of(client, rng)
    record: dict[str, Any] = {
        "_time": moment.strftime("%Y-%m-%d %H:%M:%S") + "+0900",
        "log_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "pin": client.pin,
        "label": label_of(client, rng, noise),
        "country": client.country,
        "asn": client.asn,
        "method": method,
        "uri": path + ("?" + query if query else ""),
        "path": path,
        "query": query,
        "params": dict([query.split("=", 1)]) if query and client.family.role != "injection" else None,
        "status": status,
        "duration": int(rng.lognormvariate(3.2, 1.1)),
        "headers": headers_of(client, path, rng),
    }
    if client.reputation is not None:
        record["reputation"] = client.reputation
    return record


def write_access(path: Path, count: int, noise: float = 1.0) -> None:
    """JSON lines; gzip when the name ends in ``.gz``, without a time stamp so that the bytes repeat."""
    with path.open("wb") as raw:
        packed = gzip.GzipFile("", "wb", 9, raw, mtime=0) if path.suffix == ".gz" else None
        with io.TextIOWrapper(packed or raw, encoding="utf-8", newline="\n") as text:
            for record in access_records(count, noise=noise):
                text.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")


ASSETS = tuple(
    [(f"10.0.1.{n}", f"pc-{n:03d}", owner) for n, owner in zip(range(11, 41), ("sales", "dev", "hr") * 10, strict=True)]
    + [("10.0.0.5", "dc01", "it"), ("10.0.0.6", "files01", "it"), ("10.0.0.7", "bastion", "it")]
    + [("10.0.2.10", "web01", "web"), ("10.0.2.11", "web02", "web"), ("10.0.3.20", "db01", "dba")]
)
OUTSIDE = tuple(f"{net}.{host}" for net in ("198.51.100", "192.0.2", "203.0.113") for host in (5, 17, 44, 80, 121, 200))
PORTS = ((443, "tcp", 60), (80, "tcp", 12), (53, "udp", 18), (445, "tcp", 4), (22, "tcp", 3), (3389, "tcp", 2))


def firewall_line(moment: datetime, fields: dict[str, object]) -> str:
    """One key=value line; no value holds a blank."""
    return " ".join([f"time={moment:%Y-%m-%dT%H:%M:%S}", "device=fw01", *(f"{k}={v}" for k, v in fields.items())])


def firewall_lines(count: int = 5_000, seed: int = SEED + 1) -> list[str]:
    """Ordinary traffic, one port scan from outside, one inside host that calls home every five minutes."""
    rng = random.Random(seed)
    scan, beacon = 300, 200
    timed: list[tuple[datetime, dict[str, object]]] = []
    for _ in range(count - scan - beacon):
        port, proto, _weight = rng.choices(PORTS, [p[2] for p in PORTS])[0]
        inside, outside = rng.choice(ASSETS)[0], rng.choice(OUTSIDE)
        action = "deny" if port in (445, 3389) and rng.random() < 0.8 else "accept"
        sent = 0 if action == "deny" else int(rng.lognormvariate(7, 1.5))
        timed.append((START + timedelta(seconds=rng.randrange(86_400)), {
            "action": action, "src": inside, "sport": rng.randrange(1024, 65536), "dst": outside, "dport": port,
            "proto": proto, "sent": sent, "rcvd": sent * rng.randrange(0, 20), "policy": rng.randrange(1, 30),
        }))  # fmt: skip
    for number in range(scan):
        timed.append((START + timedelta(hours=3, seconds=number // 5), {
            "action": "deny", "src": "203.0.113.44", "sport": 40_000 + number, "dst": "10.0.2.10", "dport": number + 1,
            "proto": "tcp", "sent": 60, "rcvd": 0, "policy": 99,
        }))  # fmt: skip
    for number in range(beacon):
        timed.append((START + timedelta(minutes=5 * number, seconds=rng.randrange(3)), {
            "action": "accept", "src": "10.0.1.23", "sport": rng.randrange(49152, 65536), "dst": "198.51.100.200",
            "dport": 8443, "proto": "tcp", "sent": 412, "rcvd": 96, "policy": 7,
        }))  # fmt: skip
    timed.sort(key=lambda pair: pair[0])
    return [firewall_line(moment, fields) for moment, fields in timed]


def auth_lines(count: int = 3_000, seed: int = SEED + 2) -> list[str]:
    """sshd lines in classic syslog form. Three brute-force bursts of 400; the last one gets in as ``backup``."""
    rng = random.Random(seed)
    events: list[tuple[datetime, str]] = []
    for burst, source in enumerate(("203.0.113.121", "198.51.100.17", "192.0.2.80")):
        begin = START + timedelta(hours=2 + 7 * burst)
        for number in range(400):
            user = rng.choice(("root", "admin", "oracle", "test", "backup", "ubuntu"))
            unknown = "invalid user " if user in ("admin", "oracle", "test") else ""
            text = f"Failed password for {unknown}{user} from {source} port {30_000 + number} ssh2"
            events.append((begin + timedelta(seconds=number * 2), text))
        if burst == 2:
            text = f"Accepted password for backup from {source} port 30400 ssh2"
            events.append((begin + timedelta(seconds=801), text))
    while len(events) < count:
        moment = START + timedelta(seconds=rng.randrange(86_400))
        user, host = rng.choice(("kim", "lee", "park", "deploy")), rng.choice(ASSETS)[0]
        kind = rng.choices(("Accepted publickey", "Accepted password", "Failed password"), (70, 20, 10))[0]
        events.append((moment, f"{kind} for {user} from {host} port {rng.randrange(1024, 65536)} ssh2"))
    events.sort(key=lambda pair: pair[0])
    return [
        f"{moment:%b} {moment.day:2d} {moment:%H:%M:%S} bastion sshd[{2000 + number}]: {text}"
        for number, (moment, text) in enumerate(events)
    ]


def transaction_rows(count: int = 2_000, seed: int = SEED + 3) -> list[list[object]]:
    """Card transactions; every hundredth is an outlier (column ``planted``): too old, too many, at night, or all."""
    rng = random.Random(seed)
    rows: list[list[object]] = []
    for number in range(1, count + 1):
        moment = START + timedelta(days=rng.randrange(30), hours=min(max(rng.gauss(14, 3), 7), 23))
        age, cnt = int(min(max(rng.gauss(41, 10), 18), 75)), 1 + int(rng.expovariate(0.5))
        amount = int(rng.lognormvariate(10, 0.8))
        planted = number % 100 == 50
        if planted:
            moment = moment.replace(hour=3)
            age, cnt, amount = rng.choice((16, 97)), rng.randrange(60, 140), amount * 40
        rows.append([f"{moment:%Y-%m-%d %H:%M:%S}", f"T{number:06d}", age, cnt, amount, int(planted)])
    rows.sort(key=lambda row: str(row[0]))
    return rows


def write_csv(path: Path, header: list[str], rows: list[list[object]] | list[tuple[str, str, str]]) -> None:
    """RFC 4180 with LF line ends."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def syslog_frames() -> bytes:
    """A connection of a sender that counts (one message has two lines) and of one that ends each in LF."""
    counted = (
        "<30>1 2023-01-12T19:29:28+09:00 ubuntu20host systemd 1 - - Starting Squid Web Proxy Server...\n",
        "<11>1 2023-01-12T19:29:30+09:00 ubuntu20host app 812 - - Traceback:\n  ValueError: 가격",
    )
    data = b"".join(b"%d %s" % (len(text.encode()), text.encode()) for text in counted)
    lines = (
        "<38>Jan 12 19:29:31 ubuntu20host sshd[991]: Connection closed",
        "<30>Jan 12 19:29:32 ubuntu20host cron: done",
    )
    return data + b"".join(f"{line}\n".encode() for line in lines)


def write_all(folder: Path) -> None:
    """Every sample file into ``folder``."""
    write_access(folder / "access.jsonl.gz", RECORDS)
    (folder / "syslog.frames").write_bytes(syslog_frames())
    (folder / "firewall.log").write_bytes("".join(f"{line}\n" for line in firewall_lines()).encode())
    (folder / "auth.log").write_bytes("".join(f"{line}\n" for line in auth_lines()).encode())
    write_csv(folder / "transactions.csv", ["_time", "id", "age", "cnt", "amount", "planted"], transaction_rows())
    write_csv(folder / "assets.csv", ["ip", "hostname", "owner"], list(ASSETS))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="write the sample data")
    parser.add_argument("--records", type=int, default=RECORDS, help="number of web access records (with --out)")
    parser.add_argument("--out", type=Path, help="write only web access records to this file (.gz compresses)")
    parser.add_argument(
        "--label-noise", type=float, default=1.0, help="share of the wrong labels to make, 0 to 1 (with --out)"
    )
    arguments = parser.parse_args()
    if not 0 <= arguments.label_noise <= 1:
        parser.error("--label-noise is a share from 0 to 1")
    if arguments.out is not None:
        write_access(arguments.out, arguments.records, arguments.label_noise)
    else:
        write_all(HERE)


if __name__ == "__main__":
    main()
