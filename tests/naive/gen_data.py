"""Random input tables: every flavour of column that commands and functions work on, with nulls and duplicates."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any


@dataclass(frozen=True)
class Kind:
    """What the generator knows of a field: ``kind`` (its type), ``flavor`` (what its text looks like), sample values.

    Kinds: ``int long double bool str date ip bin list map null``; ``intish`` (integers of unknown width), ``num``
    (integers and doubles), ``any`` (several types). Only kinds whose text form is fixed go where text is made.
    """

    kind: str
    flavor: str = ""
    samples: tuple[Any, ...] = ()


WORDS = (
    "alice", "Bob", "bob", "ALICE", "root", "svc_app", "Dave", "fail", "failed login", "OK", "ok", "관리자", "한글 값",
    "  padded ", "", "GET", "post", "x|y", "a*b", "Blue", "red", "10", "9", "100", "404", "-5", "1.5", "007", "é",
    "tab\tbed", "q\"uote", "back\\slash", "50%",
)  # fmt: skip
NAMES = ("alice", "bob", "Carol", "root", "김철수", "guest", "ALICE")
HOSTS = ("web-1", "web-2", "db-1", "FW", "fw.local", "")
ADDRESSES = ("10.0.0.1", "10.0.0.9", "10.0.0.10", "172.16.5.5", "192.168.0.1", "203.0.113.7", "8.8.8.8")
SIX = ("::1", "fe80::1", "2001:db8::2")
AGENTS = ("Mozilla/5.0 (X11; Linux) Firefox/95.0", "curl/7.68.0", "python-requests/2.25", "Googlebot/2.1")

INT_NAMES = ("id", "status", "port", "n", "건수", "cnt", "lvl")
STR_NAMES = ("user", "User", "method", "host", "계정", "zone", "act", "b", "tag")
OTHER = {
    "long": ("bytes", "size"), "double": ("dur", "score", "load"), "bool": ("ok", "blocked"),
    "date": ("ts", "created", "logged"), "ip": ("addr", "peer"), "bin": ("raw",), "slist": ("tags", "labels"),
    "ilist": ("ports", "codes"), "map": ("geo",),
}  # fmt: skip

Maker = Callable[[Random], Any]


def _headers(r: Random) -> str:
    lines = [f"Host: {r.choice(('shop.test', '10.0.0.9', 'a.example:8080'))}"]
    if r.random() < 0.8:
        lines.append(f"User-Agent: {r.choice(AGENTS)}")
    if r.random() < 0.5:
        lines.append(f"Accept: {r.choice(('*/*', 'text/html', 'Text/HTML; q=1'))}")
    if r.random() < 0.4:
        lines.append(f"X-Id: {r.randint(1, 40)}")
    r.shuffle(lines)
    return "\n".join(lines)


def _json(r: Random) -> str:
    if r.random() < 0.12:
        return r.choice(('{"n": 1', "not json", "", "plain text"))
    if r.random() < 0.06:
        return r.choice(("[1,2,3]", '["a","b"]'))
    out: dict[str, Any] = {"n": r.randint(0, 9)}
    if r.random() < 0.8:
        out["who"] = r.choice(NAMES)
    if r.random() < 0.5:
        out["f"] = r.randint(1, 40) / 8 + 0.0625
    if r.random() < 0.4:
        out["geo"] = {"cc": r.choice(("KR", "US", "kr")), "zip": r.randint(1, 5)}
    if r.random() < 0.4:
        out["tags"] = [r.choice(("a", "b", "C")) for _ in range(r.randint(1, 3))]
    if r.random() < 0.3:
        out["ok"] = r.random() < 0.5
    return json.dumps(out, ensure_ascii=False, separators=r.choice(((",", ":"), (", ", ": "))))


def _kv(r: Random) -> str:
    pairs = [f"src={r.choice(ADDRESSES)}"]
    if r.random() < 0.8:
        pairs.append(f"act={r.choice(('allow', 'deny', 'DROP'))}")
    if r.random() < 0.6:
        pairs.append(f"sp={r.randint(1, 9) * 111}")
    if r.random() < 0.3:
        pairs.append("flag")
    if r.random() < 0.3:
        pairs.append("note=한글")
    r.shuffle(pairs)
    return " ".join(pairs) + (" " if r.random() < 0.1 else "")


def _csv(r: Random) -> str:
    cells = [r.choice(("a", "Bee", "", "10", '"x,y"', '"he said ""hi"""', "한글")) for _ in range(r.randint(1, 4))]
    return ",".join(cells)


def _xml(r: Random) -> str:
    if r.random() < 0.1:
        return r.choice(("<a><b></a>", "no xml"))
    body = f"<id>{r.randint(1, 9)}</id>"
    if r.random() < 0.6:
        body += f"<name>{r.choice(NAMES)}</name>"
    if r.random() < 0.4:
        body += f'<src ip="{r.choice(ADDRESSES)}">{r.choice(("in", "out"))}</src>'
    if r.random() < 0.3:
        body += "<item>p</item><item>q</item>"
    return f"<ev>{body}</ev>"


def _line(r: Random) -> str:
    stamp = f"{r.randint(10, 23)}:{r.randint(10, 59)}"
    who = r.choice(NAMES)
    return f'{stamp} {who} "{r.choice(("GET", "POST"))} /{r.choice(("a", "b/c", "img"))}" {r.choice((200, 404))}'


def _stamp_text(r: Random) -> str:
    if r.random() < 0.12:
        return r.choice(("", "no date", "2021-13-40"))
    return f"2021-{r.randint(1, 2):02d}-{r.randint(1, 28):02d} {r.randint(0, 23):02d}:{r.randint(0, 59):02d}:07"


def _b64(r: Random) -> str:
    return base64.b64encode(r.choice(NAMES).encode()).decode() if r.random() < 0.9 else "%%"


FLAVORS: dict[str, tuple[tuple[str, ...], Maker]] = {
    "word": (STR_NAMES, lambda r: r.choice(WORDS)),
    "name": (("user", "계정", "owner"), lambda r: r.choice(NAMES)),
    "host": (("host", "srv"), lambda r: r.choice(HOSTS)),
    "number": (("num_s", "sport"), lambda r: str(r.choice((0, 7, 9, 10, 80, 443, 8080, 12.5, -3)))),
    "address": (("src_ip", "dst_ip"), lambda r: r.choice((*ADDRESSES, *ADDRESSES, "host", "1.2.3", *SIX))),
    "headers": (("headers",), _headers),
    "json": (("line", "body", "payload"), _json),
    "kv": (("line", "kv"), _kv),
    "csv": (("line", "rec"), _csv),
    "xml": (("line", "doc"), _xml),
    "line": (("line", "msg"), _line),
    "stamp": (("when", "dt"), _stamp_text),
    "path": (("path", "uri"), lambda r: r.choice(("/", "/a/b", "/img/x.png", "/A/b", "C:\\f.txt", "/a b?q=1&r=%20"))),
    "b64": (("b64",), _b64),
    "tags": (("labels_s",), lambda r: ",".join(r.choice(("x", "y", "Z", "10", "")) for _ in range(r.randint(1, 4)))),
}  # fmt: skip


def _date(r: Random, base: datetime) -> str:
    d = base + timedelta(seconds=r.randrange(0, r.choice((4000, 200_000, 2_000_000))))
    return d.isoformat(timespec="milliseconds") if r.random() < 0.15 else d.replace(microsecond=0).isoformat()


def _double(r: Random) -> float:
    if r.random() < 0.75:
        return r.randint(-40, 400) / 8
    return r.randint(1, 99999) / 100


def _makers(r: Random) -> dict[str, Maker]:
    base = datetime(2021, r.choice((1, 2, 7)), r.randint(1, 20), r.randint(0, 23))
    return {
        "int": lambda q: q.choice((0, 1, 2, 3, 5, 7, 22, 80, 200, 404, 443, 500, -1, -15, 1000)),
        "long": lambda q: q.choice((2**31, 3_000_000_000, 5, 10_000_000_000, 0, -7_000_000_000)),
        "double": _double,
        "bool": lambda q: q.random() < 0.5,
        "date": lambda q: _date(q, base),
        "ip": lambda q: q.choice((*ADDRESSES, *SIX) if q.random() < 0.3 else ADDRESSES),
        "bin": lambda q: q.choice(("00ff10", "6869", "ed959c", "")),
        "slist": lambda q: [q.choice(("a", "b", "C", "한", "10", "")) for _ in range(q.randint(0, 4))],
        "ilist": lambda q: [q.randint(0, 9) for _ in range(q.randint(0, 4))],
        "map": lambda q: {"cc": q.choice(("KR", "US", "kr")), "zip": q.randint(1, 5)},
    }


def _settle(kind: str, values: list[Any]) -> Kind:
    """Kind of a finished column: what the loading rules make of its values."""
    present = [v for v in values if v is not None]
    if not present:
        return Kind("null")
    samples = tuple(present[:12])
    if kind == "long" and all(abs(v) < 2**31 for v in present):
        return Kind("int", "", samples)
    if kind in ("slist", "ilist"):
        items = [x for v in present for x in v]
        return Kind("list", "s" if kind == "slist" or not items else "i", samples)
    return Kind(kind, "", samples)


def make_table(
    r: Random, rows: int, wanted: int, prefix: str = "", time: bool = False
) -> tuple[list[dict[str, Any]], dict[str, str], dict[str, Kind]]:
    """Rows, their types (date, ip, binary) and the kinds of the columns."""
    makers = _makers(r)
    columns: dict[str, list[Any]] = {}
    types: dict[str, str] = {}
    kinds: dict[str, Kind] = {}

    def add(name: str, kind: str, maker: Maker, flavor: str = "") -> None:
        if name in columns:
            return
        hole = r.choice((0.0, 0.0, 0.1, 0.3)) if r.random() > 0.02 else 1.0
        pool = [maker(r) for _ in range(r.choice((2, 3, 5, rows)))] or [maker(r)]
        values = [None if r.random() < hole else r.choice(pool) for _ in range(rows)]
        if all(v is None for v in values) and rows:
            hole = 1.0
        columns[name] = values
        kinds[name] = (
            Kind("str", flavor, tuple(v for v in values if v is not None)[:12]) if flavor else _settle(kind, values)
        )
        if kinds[name].kind == "str" and not kinds[name].samples:
            kinds[name] = Kind("null")
        special = {"date": "date", "ip": "ip", "bin": "binary"}.get(kind)
        if special:
            types[name] = special

    if time:
        add("_time", "date", makers["date"])
    for _ in range(wanted):
        pick = r.random()
        if pick < 0.25:
            add(prefix + r.choice(INT_NAMES), "int", makers["int"])
        elif pick < 0.62:
            flavor = r.choice(list(FLAVORS))
            names, maker = FLAVORS[flavor]
            add(prefix + r.choice(names), "str", maker, flavor)
        else:
            kind = r.choice(("long", "double", "double", "bool", "date", "date", "ip", "slist", "ilist", "map", "bin"))
            add(prefix + r.choice(OTHER[kind]), kind, makers[kind])
    data = [{name: values[i] for name, values in columns.items()} for i in range(rows)]
    return data, types, kinds
