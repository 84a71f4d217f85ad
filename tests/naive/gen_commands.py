"""Random commands: each draft is a piece of query text and, where it is known beforehand, the fields after it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .gen_data import Kind
from .gen_expr import merge, quote

if TYPE_CHECKING:
    from .generate import Builder

Fields = dict[str, Kind]

NEW_NAMES = ("x1", "p1", "calc", "out", "결과", "lab", "val", "Z", "z")
KEYS = ("str", "int", "long", "bool", "date", "ip", "any", "intish", "null")


@dataclass(frozen=True)
class Draft:
    """``text`` may hold several commands that belong together; ``fields`` None: look at the rows."""

    text: str
    fields: Fields | None = None


def listable(name: str) -> bool:
    """Whether a name can stand in a plain list (``fields``, ``sort``, ``by``) as it is."""
    return re.fullmatch(r"[\w.()]+", name) is not None and name not in ("by", "as", "rows", "cols", "for", "output")


def _some(b: Builder, names: list[str], low: int, high: int) -> list[str]:
    names = [n for n in names if listable(n)]
    return b.r.sample(names, min(len(names), b.r.randint(low, high)))


def _target(b: Builder) -> str:
    mine = [n for n in b.fields if b.e.plain(n)]
    return b.r.choice(mine) if mine and b.r.random() < 0.3 else b.r.choice(NEW_NAMES)


def evaluate(b: Builder) -> Draft:
    fields = dict(b.fields)
    parts = []
    for _ in range(b.r.choice((1, 2, 2, 3, 4))):
        name = _target(b)
        b.e.fields = fields
        text, kind = b.e.value(b.r.choice((1, 2, 2, 3, 4)))
        parts.append(f"{name} = {text}")
        fields = {**fields, name: kind}
    b.e.fields = b.fields
    return Draft("eval " + ", ".join(parts), fields)


def search(b: Builder) -> Draft:
    head = f"limit={b.r.randint(1, 9)} " if b.r.random() < 0.1 else ""
    return Draft(f"search {head}{b.e.test(b.r.choice((1, 2, 3)))}", b.fields)


def fields(b: Builder) -> Draft | None:
    names = _some(b, list(b.fields), 1, 8)
    if not names:
        return None
    gap = b.r.choice((", ", " ", ","))
    if b.r.random() < 0.4 and len(b.fields) > 3:
        gone = names[:3] + (["nosuch"] if b.r.random() < 0.2 else [])
        return Draft(f"fields - {gap.join(gone)}", {n: k for n, k in b.fields.items() if n not in gone})
    if b.r.random() < 0.2:
        names = [*names, b.r.choice(("nosuch", names[0]))]
    return Draft(f"fields {gap.join(names)}", {n: b.fields.get(n, Kind("null")) for n in names})


def sort(b: Builder) -> Draft | None:
    names = _some(b, [n for n, k in b.fields.items() if k.kind not in ("map",)], 1, 3)
    if not names:
        return None
    keys = ", ".join(b.r.choice(("", "", "-", "+")) + n for n in names)
    limit = f"limit={b.r.randint(1, 12)} " if b.r.random() < 0.25 else ""
    part = [n for n in _some(b, [n for n, k in b.fields.items() if k.kind in KEYS], 1, 1) if n not in names]
    by = f" by {part[0]}" if part and b.r.random() < 0.15 else ""
    return Draft(f"sort {limit}{keys}{by}", b.fields)


def limit(b: Builder) -> Draft:
    return Draft(
        b.r.choice((f"limit {b.r.randint(1, 20)}", f"limit {b.r.randint(0, 4)} {b.r.randint(1, 12)}")), b.fields
    )


def order(b: Builder) -> Draft | None:
    names = _some(b, list(b.fields), 1, 4)
    return Draft(f"order {', '.join(names)}", b.fields) if names else None


def rename(b: Builder) -> Draft | None:
    names = _some(b, list(b.fields), 1, 2)
    out = dict(b.fields)
    pairs = []
    for name in names:
        to = _target(b)
        if name not in out or to == name:
            continue
        kind = out.pop(name)
        out[to] = Kind(merge(kind.kind, out[to].kind)) if to in out else kind
        pairs.append(f"{name} as {to}")
    return Draft("rename " + ", ".join(pairs), out) if pairs else None


def explode(b: Builder) -> Draft | None:
    lists = [n for n in b.e.names("list") if listable(n)]
    if not lists and b.r.random() < 0.9:
        return None
    name = b.r.choice(lists or [n for n in b.fields if listable(n)] or ["nosuch"])
    if name not in lists:
        return Draft(f"explode {name}", b.fields)
    kind = {"s": "str", "i": "intish", "d": "date"}.get(b.fields[name].flavor, "mix")
    return Draft(f"explode {name}", {**b.fields, name: Kind(kind)})


def prev(b: Builder) -> Draft | None:
    names = _some(b, list(b.fields), 1, 2)
    if not names:
        return None
    return Draft(f"prev {', '.join(names)}", {**b.fields, **{f"prev_{n}": b.fields[n] for n in names}})


def signature(b: Builder) -> Draft | None:
    if "line" not in b.fields and b.r.random() < 0.8:
        return None
    return Draft("signature", {**b.fields, "signature": Kind("str")})


def tojson(b: Builder) -> Draft | None:
    names = _some(b, b.e.names("str", "int", "bool", "date", "ip", "double"), 1, 3)
    if not names:
        return None
    overlay = b.r.choice((" overlay=t", ""))
    return Draft(
        f"tojson output=j {', '.join(names)} | fields - {', '.join(names)} | parsejson field=j{overlay} | fields - j"
    )


def serial(b: Builder) -> Draft:
    inner = search(b) if b.r.random() < 0.5 else evaluate(b)
    return Draft(f"serial [ {inner.text} ]", inner.fields)


def simple(text: str) -> Callable[[Builder], Draft]:
    return lambda b: Draft(text, b.fields)


# -- extraction ------------------------------------------------------------------------------------------------

REX = {
    "headers": ("(?i)user-agent: (?<ua>[^\\n]+)", "(?i)^host: (?<host>[^\\n:]+)", "(?m)^X-Id: (?<xid>\\d+)$"),
    "kv": ("act=(?<act>\\w+)", "src=(?<s>[\\d.]+)(?: sp=(?<sp>\\d+))?", "(?<k>\\w+)=(?<v>\\S+)$"),
    "line": ("^(?<hh>\\d+):(?<mm>\\d\\d) (?<who>\\S+)", '"(?<verb>GET|POST) /(?<path>[^"]*)" (?<code>\\d+)'),
    "json": ('"n": ?(?<n>\\d+)', '"who": ?"(?<who>[^"]*)"'),
    "csv": ("^(?<c0>[^,]*),", "(?<tail>[^,]+)$"),
    "xml": ("<id>(?<xid>\\d+)</id>", "<name>(?<who>.*?)</name>"),
    "path": ("^/(?<top>[^/?]+)", "\\.(?<ext>\\w+)$", "(?<q>\\?.*)$"),
    "address": ("(?<last>\\d+)$", "^(?<net>\\d+\\.\\d+)\\."),
}


def rex(b: Builder) -> Draft | None:
    names = [n for n in b.e.names("str") if listable(n)] or [n for n in b.e.names("int", "date") if listable(n)]
    if not names:
        return None
    name = b.r.choice(names)
    patterns = REX.get(b.fields[name].flavor, ("^(?<c0>\\w+)", "(?<a>[a-z])(?<b>\\d)?", "(?<Z>[A-Z]\\w*)"))
    pattern = b.r.choice(patterns)
    out = dict(b.fields)
    for group in re.findall(r"\(\?<(\w+)>", pattern):
        out[group] = Kind(merge("str", out[group].kind)) if group in out else Kind("str")
    raw = pattern.replace('"', '\\"')
    return Draft(f'rex field={name} "{raw}"', out)


def _source(b: Builder, flavor: str) -> str | None:
    names = [n for n in b.e.names("str") if b.fields[n].flavor == flavor and listable(n)]
    return b.r.choice(names) if names else None


def _document(command: str, flavor: str) -> Callable[[Builder], Draft | None]:
    def make(b: Builder) -> Draft | None:
        name = _source(b, flavor)
        if name is None:
            return None
        options = [f"field={name}"] if name != "line" or b.r.random() < 0.5 else []
        options += ["overlay=t"] if b.r.random() < 0.7 else []
        if command == "parsejson" and b.r.random() < 0.15:
            options.append("flatten=t")
        b.r.shuffle(options)
        tail = b.r.choice(("", "", " c1, c2", " w")) if command == "parsecsv" else ""
        return Draft(" ".join([command, *options]) + tail)

    return make


def parsekv(b: Builder) -> Draft | None:
    name = _source(b, "kv")
    if name is None:
        return None
    return Draft(f"parsekv field={name}{b.r.choice((' overlay=t', ' overlay=t', ''))}")


def parsemap(b: Builder) -> Draft | None:
    maps = [n for n in b.e.names("map") if listable(n)]
    if not maps and b.r.random() < 0.9:
        return None
    return Draft(f"parsemap field={b.r.choice(maps or ['nosuch'])}{b.r.choice((' overlay=t', ''))}")


def parse(b: Builder) -> Draft | None:
    name = _source(b, "line") or _source(b, "kv")
    if name is None:
        return None
    rules = '"\\"*\\"" as quoted' if b.fields[name].flavor == "line" else '"src=*" as tail'
    return Draft(f"parse field={name} overlay=t {rules}")


def split(b: Builder) -> Draft | None:
    names = [n for n in b.e.names("str") if listable(n)]
    if not names:
        return None
    sep = b.r.choice((",", "/", ":"))
    out = {**b.fields, "s1": Kind("str"), "s2": Kind("str")}
    return Draft(f'split field={b.r.choice(names)} sep="{sep}" s1, s2', out)


# -- groups ----------------------------------------------------------------------------------------------------


def aggregate(b: Builder) -> tuple[str, str, Kind]:
    """(call text, canonical name or empty, kind) of one random aggregate."""
    r = b.r
    numbers = b.e.names("int", "long", "double", "intish", "num")
    simple_fields = b.e.names("str", "int", "long", "double", "bool", "date", "intish", "any")
    name = r.choice(
        ("count", "count", "sum", "avg", "min", "max", "first", "last", "values", "array", "dc", "range", "var",
         "stddev",
         "cov", "corr", "slope", "median", "percentile", "count_e", "estdc")
    )  # fmt: skip
    b.e.used[name.removesuffix("_e")] += 1
    if name == "count":
        return "count", "count", Kind("long")
    number = r.choice(numbers) if numbers and r.random() < 0.7 else b.e.number(1)
    kind = b.fields[number].kind if number in b.fields else "num"
    if name in ("sum", "avg", "range", "var", "stddev", "median"):
        plain = f"{name}({number})" if number in b.fields else ""
        result = {"sum": "long" if kind in ("int", "long") else "num", "avg": "double", "range": "num"}.get(name, "num")
        return f"{name}({number})", plain, Kind(result)
    if name in ("cov", "corr", "slope"):
        other = r.choice(numbers) if numbers else "1"
        return f"{name}({number}, {other})", "", Kind("num")
    if name == "percentile":
        p, mode = (
            r.choice(("25", "50", "90", "37.5")),
            r.choice(("", ', "lower"', ', "higher"', ', "nearest"', ', "midpoint"')),
        )
        return f"percentile({number}, {p}{mode})", "", Kind("num")
    if name == "count_e":
        return f"count({b.e.test(1) if r.random() < 0.3 else b.e.any_field()})", "", Kind("long")
    if simple_fields and r.random() < 0.75:
        arg = r.choice(simple_fields)
        of = b.fields[arg]
    else:
        arg, of = b.e.text(1), Kind("any")
    if name in ("values", "array"):
        return f"{name}({arg})", "", Kind("list", {"str": "s"}.get(of.kind, "x"))
    if name in ("dc", "estdc"):
        return f"{name}({arg})", "", Kind("long")
    return f"{name}({arg})", f"{name}({arg})" if arg in b.fields else "", Kind(of.kind)


def _clause(b: Builder, taken: list[str], most: int = 3) -> tuple[str, Fields]:
    parts: list[str] = []
    out: Fields = {}
    for i in range(b.r.randint(1, most)):
        call, plain, kind = aggregate(b)
        if plain and plain not in out and plain not in taken and b.r.random() < 0.35:
            name = plain
            parts.append(call)
        else:
            name = f"{b.r.choice(('agg', 'total', '합계'))}{i}"
            if name in out or name in taken:
                continue
            parts.append(f"{call} as {name}")
        out[name] = kind
    if not parts:
        return "count as n_rows", {"n_rows": Kind("long")}
    return ", ".join(parts), out


def _keys(b: Builder, low: int, high: int) -> list[str]:
    kinds = KEYS + (("list",) if b.r.random() < 0.05 else ())
    return _some(b, [n for n, k in b.fields.items() if k.kind in kinds], low, high)


def stats(b: Builder) -> Draft:
    keys = _keys(b, 0, 3)
    clause, out = _clause(b, keys)
    by = f" by {', '.join(keys)}" if keys else ""
    return Draft(f"stats {clause}{by}", {**{k: b.fields[k] for k in keys}, **out})


def _totals(command: str) -> Callable[[Builder], Draft | None]:
    def make(b: Builder) -> Draft | None:
        keys = _keys(b, 1, 2)
        if not keys:
            return None
        clause, out = _clause(b, keys, 2)
        label = b.r.choice(("", "", "label=TOTAL "))
        kinds = {k: Kind(merge(b.fields[k].kind, "str" if label else "null")) for k in keys}
        return Draft(f"{command} {label}{clause} by {', '.join(keys)}", {**kinds, **out})

    return make


def pivot(b: Builder) -> Draft | None:
    keys, across = _keys(b, 0, 2), _keys(b, 1, 1)
    if not across or across[0] in keys:
        return None
    clause, _ = _clause(b, keys, 2)
    words = b.r.choice((("by", "for"), ("rows", "cols")))
    rows = f" {words[0]} {', '.join(keys)}" if keys else ""
    return Draft(f"pivot {clause}{rows} {words[1]} {across[0]}")


def timechart(b: Builder) -> Draft | None:
    dates = [n for n in b.e.names("date") if n != "_time"]
    head = ""
    if b.fields.get("_time", Kind("")).kind != "date":
        if not dates:
            return None
        head = f"eval _time = {b.r.choice(dates)} | "
    clause, out = _clause(b, ["_time"], 2)
    span = b.r.choice(
        ("span=10m ", "span=1h ", "span=1d ", "span=1w ", "span=1mon ", "", "span=1d offset=8h ", "span=1y ")
    )
    by = [k for k in _keys(b, 1, 1) if k != "_time"] if b.r.random() < 0.4 else []
    if by:
        return Draft(f"{head}timechart {span}{clause} by {by[0]}")
    return Draft(f"{head}timechart {span}{clause}", {"_time": Kind("date"), **out})


def boxplot(b: Builder) -> Draft:
    keys = [k for k in _keys(b, 0, 2) if k not in ("min", "max", "count", "iqr1", "iqr2", "iqr3")]
    value = b.e.number(1) if b.r.random() < 0.8 else b.e.text(1)
    by = f" by {', '.join(keys)}" if keys else ""
    summary = {n: Kind("mix") for n in ("min", "iqr1", "iqr2", "iqr3", "max")}
    return Draft(f"boxplot {value}{by}", {**{k: b.fields[k] for k in keys}, **summary, "count": Kind("long")})


# -- combination and parameters --------------------------------------------------------------------------------


def join(b: Builder) -> Draft | None:
    if b.depth >= 2:
        return None
    sub = b.subquery(b.r.choice((0, 0, 1, 2)))
    ok = ("str", "int", "long", "date", "ip", "bool", "intish")
    common = [
        n for n, k in b.fields.items() if listable(n) and k.kind in ok and n in sub.fields
        and (sub.fields[n].kind == k.kind or {sub.fields[n].kind, k.kind} <= {"int", "long", "intish"})
    ]  # fmt: skip
    kind = b.r.choice(("inner", "inner", "left", "left", "leftonly", "right", "rightonly", "full", "cross", ""))
    keys = [] if kind == "cross" else b.r.sample(common, min(len(common), b.r.choice((1, 1, 2))))
    if kind != "cross" and not keys:
        return None
    text = sub.text()
    if kind in ("right", "full", "cross"):
        own = [n for n in sub.fields if n not in b.fields and listable(n)] + keys
        if not own:
            return None
        text += f" | fields {', '.join(own)}"
        sub.fields = {n: sub.fields[n] for n in own}
    option = f"type={kind} " if kind else ""
    word = "streamjoin" if kind in ("", "inner", "left", "leftonly") and b.r.random() < 0.1 else "join"
    b.e.used[word] += 1
    signs = ", ".join(b.r.choice(("", "", "", "+", "-")) + k for k in keys)
    out = dict(b.fields) if kind != "rightonly" else {}
    if kind != "leftonly":
        for n, k in sub.fields.items():
            out[n] = k if n not in out else Kind(merge(out[n].kind, k.kind), k.flavor if out[n].kind == k.kind else "")
    return Draft(f"{word} {option}{signs} [ {text} ]", out)


def union(b: Builder) -> Draft | None:
    if b.depth >= 2:
        return None
    sub = b.subquery(b.r.choice((0, 1, 2)))
    out = dict(b.fields)
    for n, k in sub.fields.items():
        if n in out and (out[n].kind, out[n].flavor) != (k.kind, k.flavor):
            k = Kind(merge(out[n].kind, k.kind))
        out[n] = k
    return Draft(f"union [ {sub.text()} ]", out)


def evalc(b: Builder) -> Draft | None:
    if not b.ordered:
        return None
    b.counter += 1
    p = f"c{b.counter}"
    numbers = b.e.names("int", "intish")
    texts = b.e.names("str")
    read = b.e.call("$", quote(p))
    form = b.r.randrange(3)
    if form == 0 and numbers:
        body = f"nvl({read}, 0) + nvl({b.r.choice(numbers)}, 0)"
    elif form == 1 and numbers:
        body = f"{b.r.choice(('max', 'min'))}({read}, {b.r.choice(numbers)})"
    elif texts:
        return Draft(
            f"evalc {p} = nvl({b.r.choice(texts)}, {read}) | eval filled = {read}", {**b.fields, "filled": Kind("str")}
        )
    else:
        return None
    return Draft(f"evalc {p} = {body} | eval running = {read}", {**b.fields, "running": Kind("intish")})


#: (weight, name, maker) of everything that may follow a source
COMMANDS: tuple[tuple[float, str, Callable[[Builder], Draft | None]], ...] = (
    (18, "eval", evaluate), (9, "search", search), (5, "fields", fields), (6, "sort", sort), (3, "limit", limit),
    (2, "order", order), (4, "rename", rename), (4, "explode", explode), (3, "prev", prev), (1, "signature", signature),
    (2, "tojson", tojson), (1, "serial", serial), (1, "bypass", simple("bypass")), (0.3, "drop", simple("drop")),
    (1.5, "repeat", simple("repeat count=2")), (6, "rex", rex), (14, "parsejson", _document("parsejson", "json")),
    (12, "parsekv", parsekv), (12, "parsecsv", _document("parsecsv", "csv")),
    (12, "parsexml", _document("parsexml", "xml")), (6, "parsemap", parsemap), (6, "parse", parse),
    (1.5, "split", split), (8, "stats", stats), (1, "rollup", _totals("rollup")), (1, "cube", _totals("cube")),
    (2, "pivot", pivot),
    (4, "timechart", timechart), (2.5, "boxplot", boxplot), (6, "join", join), (2.5, "union", union),
    (2, "evalc", evalc),
)  # fmt: skip
