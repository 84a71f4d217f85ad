"""Hostile queries: the rows of docs/limits.md that ``python -m bench.bounds`` measures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bench.bounded import MB, MEMORY, TIME, Bounded, of_file, of_text


def _lookup(rows: int) -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        with (folder / "table.csv").open("w") as file:
            file.write("a,b\n")
            for first in range(0, rows, 100_000):
                file.writelines(f"key-{n},value-{n}\n" for n in range(first, first + 100_000))
        return "json \"{'a': 'key-7'}\" | lookup t a output b"

    return make


def _list(kind: str, items: Callable[[int], str], count: int, query: str) -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        place = folder / "home" / "logsql" / "ml" / "objects" / kind
        place.mkdir(parents=True)
        with (place / "big.txt").open("w") as file:
            file.writelines(items(n) + "\n" for n in range(count))
        return query

    return make


def _address(number: int) -> str:
    return f"{10 + (number >> 24)}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def _repeated(count: int, then: str) -> Callable[[Path], str]:
    """Rows of numbers, made by the query itself."""
    return of_text(f'json "{{}}" | repeat count={count} | eval n = seq() | {then}')


QUERIES: tuple[Bounded, ...] = (
    Bounded("pivot", "`pivot` into 50,000 columns", "10,000 fields", _repeated(50_000, "pivot count rows n cols n")),
    Bounded(
        "cube",
        "`cube` over 20 fields",
        "12 fields (4,096 sets)",
        of_text('json "{}" | cube count by ' + ", ".join(f"f{n}" for n in range(20))),
    ),
    Bounded(
        "evals",
        "`eval a = a + 1`, 3,000 times",
        "1,000 levels in DuckDB",
        of_text("json \"{'a':1}\"" + " | eval a = a + 1" * 3000),
    ),
    Bounded("commands", "10,000 commands", TIME, of_text('json "{}"' + " | search 1 == 1" * 10_000), time=60),
    Bounded(
        "patterns",
        "40,000 patterns with `*` in one `in()`",
        "50,000",
        of_text("json \"{'a':'w'}\" | search in(a, " + ", ".join(f'"w{n}*"' for n in range(40_000)) + ")"),
        time=60,
    ),
    Bounded(
        "patterns-more",
        "100,000 patterns with `*` in one `in()`",
        "50,000",
        of_text("json \"{'a':'w'}\" | search in(a, " + ", ".join(f'"w{n}*"' for n in range(100_000)) + ")"),
        time=5,
    ),
    Bounded(
        "texts",
        "100,000 texts in one `in()`, `--timeout 5`",
        TIME,
        of_text("json \"{'a':'w'}\" | search in(a, " + ", ".join(f'"w{n}"' for n in range(100_000)) + ")"),
        time=5,
    ),
    Bounded(
        "literal",
        "a text of 50 MB in the query",
        TIME,
        lambda folder: 'json "{}" | eval a = "' + "x" * (50 * MB) + '" | eval n = len(a) | fields n',
        time=60,
        most=1500,
    ),
    Bounded(
        "parentheses",
        "100,000 parentheses",
        "200 levels",
        of_text('json "{}" | eval a = ' + "(" * 100_000 + "1" + ")" * 100_000),
    ),
    Bounded("unions", "300 unions, `--timeout 5`", TIME, of_text('json "{}"' + ' | union [ json "{}" ]' * 300), time=5),
    Bounded(
        "repeat",
        "`repeat count=1000000000`, `--timeout 5`",
        TIME,
        of_text('json "{}" | repeat count=1000000000'),
        time=5,
    ),
    Bounded(
        "sort", "`sort` of 30,000,000 rows", "the memory, the disk", _repeated(30 * MB, "sort -n | limit 1"), time=60
    ),
    Bounded(
        "kmeans",
        "`kmeans k=200` of 300,000 rows, `--timeout 5`",
        TIME,
        _repeated(300_000, "eval m = rand(100) | kmeans k=200 n, m"),
        time=5,
    ),
    Bounded(
        "format",
        '`format("%1000000000d", a)`',
        "100,000 characters of one specifier",
        of_text('json "{\'a\':1}" | eval b = format("%1000000000d", a)'),
    ),
    Bounded(
        "lpad",
        "`lpad(a, 2000000000)`",
        MEMORY,
        of_text("json \"{'a':'1'}\" | eval b = len(lpad(a, 2000000000, \"x\")) | fields b"),
    ),
    Bounded(
        "concat",
        "`concat(a, a)` 26 times from 10 characters",
        MEMORY,
        of_text("json \"{'a':'0123456789'}\"" + " | eval a = concat(a, a)" * 26 + " | eval n = len(a) | fields n"),
    ),
    Bounded(
        "list",
        "`concat`-like growth of a list: `array(a, a)` 26 times",
        MEMORY,
        of_text("json \"{'a':'0'}\"" + " | eval a = flatten(array(a, a))" * 26 + " | eval n = len(a) | fields n"),
    ),
    Bounded(
        "replace",
        '`replace(a, "x", 1,000 characters)` in a text of 1 MB',
        MEMORY,
        _repeated(
            200,
            'eval a = rpad("", 1000000, "x") | eval b = replace(a, "x", rpad("", 1000, "y")) | stats sum(len(b))',
        ),
        most=1_300,  # one call of DuckDB makes one text of a gigabyte: it is seen when it is there
    ),
    Bounded(
        "encode",
        "`urlencode()` of 60,000 characters in 200,000 rows",
        MEMORY,
        _repeated(200_000, 'eval a = urlencode(rpad("", 60000, "%")) | stats dc(a)'),
    ),
    Bounded(
        "decrypt",
        "`tohex(encode())` of 1 MB in 2,000 rows",
        MEMORY,
        _repeated(2_000, 'eval a = concat(rpad("", 1000000, "x"), n) | eval b = tohex(encode(a)) | stats dc(b)'),
    ),
    Bounded(
        "split",
        '`split(a, ",")` of 10,000,000 commas',
        MEMORY,
        of_text('json "{}" | eval a = split(rpad("", 10000000, ","), ",") | eval n = len(a) | fields n'),
    ),
    Bounded(
        "strjoin",
        "`strjoin()` of 2,000,000 items",
        MEMORY,
        of_text(
            'json "{}" | eval a = strjoin("-----", split(rpad("", 2000000, ","), ",")) | eval n = len(a) | fields n'
        ),
    ),
    Bounded(
        "kvjoin",
        "`kvjoin()` of 2,000 rows of 1 MB",
        MEMORY,
        _repeated(
            2_000,
            'eval a = concat(rpad("", 1000000, "x"), n) | eval b = kvjoin("=", ";") | eval m = len(b) | stats sum(m)',
        ),
    ),
    Bounded(
        "parsejson",
        "`parsejson` of a text of 60 MB",
        MEMORY,
        of_file("textfile", b'{"a":[', (b"1,", 30 * MB), b"1]}", then=" | parsejson | eval n = len(a) | fields n"),
    ),
    Bounded(
        "parsexml",
        "`parsexml` of a text of 60 MB",
        MEMORY,
        of_file("textfile", b"<a>", (b"<b>1</b>", 7 * MB), b"</a>", then=" | parsexml | eval n = len(b) | fields n"),
    ),
    Bounded(
        "parsekv",
        "`parsekv` of a text of 60 MB",
        MEMORY,
        of_file("textfile", (b"k=v ", 15 * MB), then=" | parsekv | fields k"),
    ),
    Bounded(
        "parsecsv",
        "`parsecsv` of a text of 60 MB",
        MEMORY,
        of_file("textfile", (b"a,", 30 * MB), then=" | parsecsv | stats count"),
    ),
    Bounded(
        "rex",
        "a regular expression that tries without end",
        "5 s a text",
        of_text('json "{}" | eval a = concat(rpad("", 40, "a"), "b") | rex field=a "^(?<x>(a+)+)$" | stats count'),
        time=30,
    ),
    Bounded(
        "rex-rows",
        "the same in 1,000 rows, `--timeout 5`",
        TIME,
        _repeated(
            1_000, 'eval a = concat(rpad("", 40, "a"), "b", n) | rex field=a "^(?<x>(?:(a+)\\\\2?)+)$" | stats count'
        ),
        time=5,
    ),
    Bounded(
        "values",
        "`values` of 2,000,000 texts",
        MEMORY,
        _repeated(2 * MB, 'eval a = concat("some text ", n) | stats values(a)'),
    ),
    Bounded(
        "values-groups",
        "`first(g), values(g)` by 5,000,000 GUIDs, `--timeout 20`",
        "the memory, the time",
        _repeated(5 * MB, "eval g = guid() | stats first(g), values(g) by g | stats count"),
        time=20,
    ),
    Bounded(
        "dc",
        "`dc` of 20,000,000 GUIDs, `--timeout 20`",
        "the memory, the time",
        _repeated(20 * MB, "eval g = guid() | stats dc(g)"),
        time=20,
    ),
    Bounded(
        "list-sql",
        "`list()` of 20,000,000 texts in SQL",
        MEMORY,
        of_text("select len(list(md5(range::varchar))) from range(20000000)"),
        sql=True,
    ),
    Bounded(
        "string-agg",
        "`string_agg()` of 20,000,000 texts in SQL",
        MEMORY,
        of_text("select len(string_agg(md5(range::varchar), ',')) from range(20000000)"),
        sql=True,
    ),
    Bounded(
        "histogram",
        "`histogram()` of 20,000,000 texts in SQL",
        MEMORY,
        of_text("select cardinality(histogram(md5(range::varchar))) from range(20000000)"),
        sql=True,
    ),
    Bounded(
        "transaction",
        "`transaction` of 3,000,000 open rows",
        MEMORY,
        _repeated(3 * MB, 'eval s = "x" | transaction s startswith="x" endswith="never" | stats count'),
    ),
    Bounded(
        "join",
        "`join` of 3,000,000 rows with 3,000,000",
        "the memory, the disk",
        _repeated(3 * MB, 'join n [ json "{}" | repeat count=3000000 | eval n = seq() ] | stats count'),
        time=60,
    ),
    Bounded(
        "lookup",
        "`lookup` in a CSV file of 5,000,000 rows",
        "the memory, the disk",
        _lookup(5 * MB),
        more=("--lookup", "t=table.csv"),
    ),
    Bounded(
        "memlookup",
        "`memlookup` of 3,000,000 rows",
        "the memory, the disk",
        _repeated(3 * MB, 'eval v = concat("value ", n) | memlookup op=build name=m key=n v'),
    ),
    Bounded(
        "matchnet",
        "`matchnet` with a list of 1,000,000 addresses",
        MEMORY,
        _list("ip", _address, MB, "json \"{'a':'10.0.0.7'}\" | eval m = matchnet(\"big\", a)"),
    ),
    Bounded(
        "matchblackip",
        "`matchblackip` with a list of 3,000,000 addresses",
        "1,000,000 items",
        _list("ip", _address, 3 * MB, "json \"{'a':'10.0.0.7'}\" | eval m = matchblackip(\"big\", a)"),
    ),
    Bounded(
        "matchfeed",
        "`matchfeed` with a list of 2,000,000 texts",
        "1,000,000 items",
        _list(
            "text",
            lambda n: f"host-{n}.example.com",
            2 * MB,
            "json \"{'a':'host-7.example.com'}\" | eval m = matchfeed(\"big\", a)",
        ),
    ),
    Bounded(
        "tfidf",
        "`tfidf` of 200,000 texts of 100 words",
        MEMORY,
        _repeated(200_000, 'eval a = concat(rpad("", 500, "word "), n) | tfidf a | stats count'),
        time=20,
    ),
)
