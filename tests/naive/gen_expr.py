"""Random expressions of a wanted kind over the fields of a step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

from .gen_data import ADDRESSES, WORDS, Kind

NUMBERS = ("int", "long", "intish", "double", "num")
TEXTS = ("str", "int", "long", "intish", "bool", "date", "double", "ip", "any")
FORMATS = (
    "yyyy-MM-dd",
    "yyyyMMddHHmmss",
    "HH:mm",
    "dd/MMM/yyyy",
    "EEE",
    "yyyy-MM-dd'T'HH:mm:ss.SSS",
    "hh:mm a",
    "yyyy-MM-dd HH:mm:ssZ",
)
PATTERNS = (
    "^[a-z]+$",
    "\\d+",
    "(?i)alice|BOB",
    "[A-Z]",
    "a.*e",
    "^\\S+ ",
    "(ab)\\1",
    "foo(?!bar)",
    "[가-힣]+",
    "^$",
    "\\.\\d{1,3}$",
    "x\\|y",
)
GROUPS = ("([a-z]+)", "(\\d+)\\.(\\d+)", "([a-z])(\\d)?", "/([^/]+)", "(\\w+)=(\\w+)")
SPANS = ("1m", "5m", "10m", "1h", "6h", "1d", "1w", "1mon", "3mon", "1y")
PARTS = (
    "year",
    "mon",
    "day",
    "hour",
    "min",
    "sec",
    "msec",
    "dow",
    "isodow",
    "doy",
    "week",
    "quarter",
    "isoyear",
    "century",
    "decade",
    "epoch",
    "milliseconds",
    "timezone",
)


def quote(s: str) -> str:
    """String literal of the language."""
    for raw, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r")):
        s = s.replace(raw, escaped)
    return f'"{s}"'


def merge(a: str, b: str) -> str:
    """Kind of a value that comes from either of two."""
    if a == b or b == "null":
        return a
    if a == "null":
        return b
    if a in NUMBERS and b in NUMBERS:
        return "intish" if {a, b} <= {"int", "long", "intish"} else "num"
    return "mix" if "num" in (a, b) or "mix" in (a, b) or "any" in (a, b) else "any"


class Expressions:
    """Writes expressions as text. Every call used is counted in ``used``."""

    def __init__(self, r: Random, fields: dict[str, Kind], params: dict[str, str]) -> None:
        self.r = r
        self.fields = fields
        self.params = params
        self.used: Counter[str] = Counter()

    def call(self, name: str, *args: str) -> str:
        self.used[name] += 1
        return f"{name}({', '.join(args)})"

    def names(self, *kinds: str) -> list[str]:
        return [n for n, k in self.fields.items() if k.kind in kinds and self.plain(n)]

    @staticmethod
    def plain(name: str) -> bool:
        """Whether the name can stand in an expression as it is."""
        if name in ("null", "true", "false") or name[0].isdigit():
            return False
        return all(c.isalnum() or c in "_.@" for c in name)

    def field(self, *kinds: str) -> str | None:
        found = self.names(*kinds)
        if not found:
            return None
        name = self.r.choice(found)
        if self.r.random() < 0.03:
            return self.call("field", quote(name))
        return name

    def pick(self, *options: Callable[[], str | None]) -> str:
        """Text of the first option, in random order, that is possible here; the last option always is."""
        order = list(options[:-1])
        self.r.shuffle(order)
        for option in [*order, options[-1]]:
            text = option()
            if text is not None:
                return text
        raise AssertionError

    # -- numbers -----------------------------------------------------------------------------------------------

    def int_literal(self) -> str:
        known = [v for n in self.names("int") for v in self.fields[n].samples if isinstance(v, int) and v >= 0]
        return str(self.r.choice(known) if known and self.r.random() < 0.6 else self.r.choice((0, 1, 2, 3, 10, 100)))

    def integer(self, d: int) -> str:
        call, choose = self.call, self.r.choice
        r = self.r
        if d <= 0 or r.random() < 0.2:
            return (
                self.field("int", "long", "intish") or self.int_literal() if r.random() < 0.75 else self.int_literal()
            )
        return self.pick(
            lambda: f"{self.integer(d - 1)} {choose('+-*')} {self.small(d - 1)}",
            lambda: call("len", choose((self.text, self.items))(d - 1)),
            lambda: call("mod", self.integer(d - 1), choose(("2", "3", "7", "0"))),
            lambda: call(choose(("int", "long")), choose((self.text, self.small, self.real))(d - 1)),
            lambda: call("abs", self.integer(d - 1)),
            lambda: call(choose(("round", "floor", "ceil")), self.real(d - 1)),
            lambda: call(choose(("indexof", "lastindexof")), self.text(d - 1), self.word()),
            lambda: call("indexof", self.text(d - 1), self.word(), choose(("0", "1", "2"))),
            lambda: call(
                "datediff",
                self.date(d - 1),
                self.date(d - 1),
                quote(choose(("day", "hour", "mon", "min", "sec", "msec"))),
            ),
            lambda: call("datepart", self.date(d - 1), quote(choose(PARTS))),
            lambda: call(choose(("ip2long", "ip2int")), self.field("str", "ip") or quote("10.0.0.1")),
            lambda: call("sumarray", call("array", self.integer(d - 1), self.int_literal())),
            lambda: call("len", call("unique", self.strings(d - 1))),
            lambda: f"-{call('abs', self.integer(d - 1))}",
            lambda: self.either(self.integer, d),
        )

    def small(self, d: int) -> str:
        return self.field("int") or self.int_literal() if self.r.random() < 0.5 else self.int_literal()

    def real(self, d: int) -> str:
        call, choose = self.call, self.r.choice
        r = self.r
        if d <= 0 or r.random() < 0.2:
            return self.field("double") or choose(("0.5", "2.25", "12.75", "100.0"))
        fn = choose(("sin", "cos", "atan", "exp_", "log_", "log10_", "sqrt_", "asin_", "acos_", "tan"))
        inner = {
            "exp_": "{} / 1000",
            "log_": "abs({}) + 1",
            "log10_": "abs({}) + 1",
            "sqrt_": "abs({}) + 1",
            "asin_": "1 / (abs({}) + 1)",
            "acos_": "1 / (abs({}) + 1)",
        }.get(fn, "{}")
        return self.pick(
            lambda: f"{self.number(d - 1)} / {choose(('2', '4', '3', self.small(0)))}",
            lambda: f"({self.real(d - 1)} {choose('+-*')} {self.small(0)})",
            lambda: call("double", choose((self.text, self.integer))(d - 1)),
            lambda: call(choose(("round", "floor", "ceil")), self.real(d - 1), choose(("1", "2"))),
            lambda: call(fn.rstrip("_"), inner.format(self.small(0))),
            lambda: call(fn.rstrip("_"), inner.format(self.number(0))) if inner == "{}" else None,
            lambda: call(fn.rstrip("_"), inner.format(call("abs", self.number(0)))),
            lambda: call("pow", self.small(0), choose(("2", "0", "3"))),
            lambda: call("abs", self.real(d - 1)),
            lambda: self.either(self.real, d),
        )

    def number(self, d: int) -> str:
        return (self.integer if self.r.random() < 0.6 else self.real)(d)

    def either(self, make: Callable[[int], str], d: int) -> str:
        """Conditional between two expressions of one kind."""
        call = self.call
        form = self.r.randrange(3)
        if form == 0:
            return call("if", self.test(d - 1), make(d - 1), make(d - 1))
        if form == 1:
            return call(
                "case",
                self.test(d - 1),
                make(d - 1),
                self.test(d - 1),
                make(d - 1),
                *([make(d - 1)] * self.r.randrange(2)),
            )
        return call("nvl", make(d - 1), make(d - 1))

    # -- text --------------------------------------------------------------------------------------------------

    def word(self) -> str:
        """Constant text, often one that occurs in the data."""
        known = [v for n in self.names("str") for v in self.fields[n].samples if isinstance(v, str)]
        s = str(self.r.choice(known) if known and self.r.random() < 0.6 else self.r.choice(WORDS))
        if self.r.random() < 0.3 and len(s) > 2:
            i = self.r.randrange(len(s) - 1)
            s = s[i : i + self.r.randint(1, 5)]
        return quote(s)

    def wild(self) -> str:
        """Wildcard pattern built from data."""
        known = [v for n in self.names("str") for v in self.fields[n].samples if isinstance(v, str) and v]
        s = str(self.r.choice(known)) if known else "alice"
        i = self.r.randrange(len(s))
        piece = s[i : i + self.r.randint(1, 4)].replace("*", "")
        shape = self.r.choice(("{}*", "*{}", "*{}*", "{}", "*", "{}*{}", "*{}*{}*"))
        return quote(shape.format(*(piece, s[-1:])[: shape.count("{}")]))

    def text(self, d: int) -> str:
        call, choose = self.call, self.r.choice
        r = self.r
        if d <= 0 or r.random() < 0.2:
            return self.field(*TEXTS) or self.word() if r.random() < 0.85 else self.word()
        small = choose(("0", "1", "2", "3", "5", "-1", "-2"))
        return self.pick(
            lambda: call(choose(("lower", "upper", "trim")), self.text(d - 1)),
            lambda: call("substr", self.text(d - 1), small),
            lambda: call("substr", self.text(d - 1), choose(("0", "1", "2")), choose(("2", "4", "-1", "9"))),
            lambda: call(choose(("left", "right")), self.text(d - 1), choose(("0", "1", "3", "40"))),
            lambda: call("concat", self.text(d - 1), self.word(), self.text(d - 1)),
            lambda: call(
                "replace", self.text(d - 1), quote(choose(("a", "o", "/", ".", "10"))), quote(choose(("", "-", "한")))
            ),
            lambda: call(
                "replace",
                self.text(d - 1),
                quote(choose(("[aeiou]", "\\d+", "^(\\w)(\\w)"))),
                quote(choose(("_", ""))),
                quote("re"),
            ),
            lambda: call("replace", self.text(d - 1), quote("(\\w)(\\w)"), quote("$2$1"), quote("re")),
            lambda: call(
                choose(("lpad", "rpad")), self.text(d - 1), choose(("4", "8", "2")), quote(choose((" ", "0", "ab")))
            ),
            lambda: call("format", quote(choose(("%s", "[%5s]", "%-6s|", "%.2s"))), self.text(d - 1)),
            lambda: call("format", quote(choose(("%d", "%05d", "%,d", "%+d", "%x"))), call("abs", self.small(0))),
            lambda: call("format", quote(choose(("%.2f", "%8.1f", "%.0f"))), self.real(0)),
            lambda: call("format", quote("%2$s-%1$s"), self.text(d - 1), self.small(0)),
            lambda: call(choose(("string", "str")), choose((self.integer, self.test, self.text))(d - 1)),
            lambda: call("string", self.date(d - 1), quote(choose(FORMATS))),
            lambda: call("strjoin", quote(choose((",", "-", ""))), self.strings(d - 1)),
            lambda: call(
                "valueof",
                call("split", self.text(d - 1), quote(choose((" ", "/", ",", "a")))),
                choose(("0", "1", "2", "9")),
            ),
            lambda: call("decode", self.binary(d - 1)) if r.random() < 0.5 else call("tohex", self.binary(d - 1)),
            lambda: call("tobase64", self.binary(d - 1)),
            lambda: call("tohex", call("hash", quote(choose(("md5", "sha1", "sha256", "sha512"))), self.binary(d - 1))),
            lambda: call(choose(("urldecode", "urlencode")), self.field("str") or self.word()),
            lambda: call(
                "network", self.field("str", "ip") or quote("10.1.2.3"), choose(("8", "16", "24", "28", "33"))
            ),
            lambda: call("reverseip", self.field("str", "ip") or quote("10.1.2.3")),
            lambda: call("long2ip", self.integer(0)),
            lambda: call("signature", self.field("str") or self.word()),
            lambda: self.typeof(),
            lambda: call("string", self.ip(d - 1)),
            lambda: self.either(self.pure, d),
        )

    def pure(self, d: int) -> str:
        """Expression whose value is text (or null) and nothing else."""
        if d <= 0 or self.r.random() < 0.4:
            return self.field("str") or self.word()
        return self.call(self.r.choice(("lower", "upper", "trim")), self.text(d - 1))

    def typeof(self) -> str | None:
        name = self.field("str", "int", "long", "double", "bool", "date", "ip")
        return None if name is None else self.call("typeof", name)

    # -- truth -------------------------------------------------------------------------------------------------

    def test(self, d: int) -> str:
        call, choose = self.call, self.r.choice
        r = self.r
        if d > 0 and r.random() < 0.3:
            a, b = self.test(d - 1), self.test(d - 1)
            return choose((f"({a}) and ({b})", f"({a}) or ({b})", call("not", a)))
        low = max(0, d - 1)
        eq, rel = choose(("==", "!=")), choose(("<", "<=", ">", ">="))
        return self.pick(
            lambda: f"{self.number(low)} {rel} {self.number(0)}",
            lambda: f"{self.integer(low)} {eq} {self.int_literal()}",
            lambda: f"{self.text(low)} {eq} {self.wild()}",
            lambda: f"{self.text(low)} {eq} {self.word()}",
            lambda: f"{self.text(low)} {rel} {self.word()}",
            lambda: f"{self.field('str')} {eq} {self.field('str')}" if self.names("str") else None,
            lambda: f"{self.any_field()} {rel} {self.any_field()}",
            lambda: f"{self.field('date')} {rel} {self.date(0)}" if self.names("date") else None,
            lambda: call("in", self.field("str") or self.word(), self.word(), self.wild()),
            lambda: call("in", self.integer(low), self.int_literal(), self.int_literal(), self.small(0)),
            lambda: call("match", self.text(low), quote(choose(PATTERNS))),
            lambda: call("contains", self.text(low), self.word()),
            lambda: call("contains", self.strings(low), self.word()),
            lambda: call(choose(("isnull", "isnotnull")), self.any_field()),
            lambda: call(choose(("isnum", "isstr")), self.any_field()),
            lambda: self.field("bool"),
            lambda: self.parameter(rel),
            lambda: call("isnotnull", self.ip(low)),
        )

    def parameter(self, rel: str) -> str | None:
        usable = [n for n, kind in self.params.items() if kind in ("int", "str")]
        if not usable:
            return None
        name = self.r.choice(usable)
        left = self.integer(0) if self.params[name] == "int" else self.text(0)
        return f"{left} {rel} {self.call('$', quote(name))}"

    def any_field(self) -> str:
        if self.r.random() < 0.06:
            return "nosuch"
        return (
            self.field("str", "int", "long", "double", "bool", "date", "ip", "any", "null", "num", "intish") or "nosuch"
        )

    # -- dates, addresses, binary, lists -----------------------------------------------------------------------

    def date(self, d: int) -> str:
        call, choose = self.call, self.r.choice
        r = self.r
        stamp = f"2021-{choose(('01', '02', '07'))}-{r.randint(10, 28)}"
        if d <= 0 or r.random() < 0.4:
            return self.field("date") or call("date", quote(stamp), quote("yyyy-MM-dd"))
        texts = [n for n in self.names("str") if self.fields[n].flavor == "stamp"]
        unit = choose(("year", "mon", "day", "hour", "min", "sec", "msec"))
        return self.pick(
            lambda: call("date", choose(texts), quote("yyyy-MM-dd HH:mm:ss")) if texts else None,
            lambda: call("date", choose(texts), quote("yyyy-MM-dd")) if texts else None,
            lambda: call("dateadd", self.date(d - 1), quote(unit), str(choose((1, -1, 12, -30)))),
            lambda: call("datetrunc", self.date(d - 1), quote(choose(SPANS))),
            lambda: call("datetrunc", self.date(d - 1), 'span="1d"', f'offset="{choose((1, 8))}h"'),
            lambda: call("epoch", f"{call('abs', self.small(0))} * 1000000"),
            lambda: self.either(self.date, d),
            lambda: call("date", quote(stamp.replace("-", "")), quote("yyyyMMdd")),
        )

    def ip(self, d: int) -> str:
        field = self.field("ip")
        if field and self.r.random() < 0.5:
            return field
        return self.call(
            "ip", self.r.choice((self.field("str"), quote(self.r.choice(ADDRESSES)), self.integer(0))) or quote("::1")
        )

    def binary(self, d: int) -> str:
        call, choose = self.call, self.r.choice
        return self.pick(
            lambda: self.field("bin"),
            lambda: call("frombase64", self.field("str") or quote("aGVsbG8=")),
            lambda: call("fromhex", quote(choose(("6869", "ED959C", "616", "zz")))),
            lambda: call(
                choose(("binary", "encode")), self.field("str") or self.word(), *choose(((), (quote("UTF-16LE"),)))
            ),
            lambda: call("binary", self.text(max(0, d - 1))),
        )

    def strings(self, d: int) -> str:
        """List of texts."""
        call, choose = self.call, self.r.choice
        lists = [n for n in self.names("list") if self.fields[n].flavor == "s"]
        low = max(0, d - 1)
        return self.pick(
            lambda: choose(lists) if lists else None,
            lambda: call("split", self.text(low), quote(choose((",", " ", "/", "\n", "a")))),
            lambda: call("split", self.text(low), quote(choose((",", " ", "/"))), "2"),
            lambda: call("groups", self.text(low), quote(choose(GROUPS))),
            lambda: call(
                "subarray", call("split", self.text(low), quote(choose((",", " ")))), choose(("0", "1", "-1"))
            ),
            lambda: call(
                "foreach",
                choose((call("lower", "_1"), call("concat", "_1", quote("!")))),
                call("split", self.text(low), quote(",")),
            ),
            lambda: call("flatten", call("array", call("array", self.word()), call("array", self.word(), self.word()))),
            lambda: call("flatten", call("zip", call("split", self.text(low), quote(",")), call("array", self.word()))),
            lambda: call("array", self.word(), call("lower", self.text(low))),
        )

    def items(self, d: int) -> str:
        call = self.call
        lists = self.names("list")
        if lists and self.r.random() < 0.5:
            return self.r.choice(lists)
        if self.r.random() < 0.15:
            day = call("datetrunc", self.date(0), quote("1d"))
            return call("daterange", day, call("dateadd", day, quote("day"), str(self.r.randint(0, 3))))
        return self.strings(d)

    # -- an assignment's right side ----------------------------------------------------------------------------

    def value(self, d: int) -> tuple[str, Kind]:
        """Expression of a random kind, and the kind of its value."""
        r = self.r
        makers: list[tuple[int, str, Callable[[int], str], str]] = [
            (5, "str", self.text, ""),
            (4, "intish", self.integer, ""),
            (3, "double", self.real, ""),
            (3, "bool", self.test, ""),
            (2, "date", self.date, ""),
            (1, "ip", self.ip, ""),
            (1, "bin", self.binary, ""),
            (3, "list", self.strings, "s"),
        ]
        _, kind, make, flavor = r.choices(makers, [m[0] for m in makers])[0]
        special = self.special(d)
        if special is not None:
            return special
        text = make(d)
        if text in self.fields:
            return text, self.fields[text]
        if text.startswith("field("):
            return text, Kind("mix")
        return text, Kind(kind, flavor)

    def special(self, d: int) -> tuple[str, Kind] | None:
        """Now and then: copies, null, mixed types, maps, min and max, sequence numbers, pairs of the whole row."""
        call, choose = self.call, self.r.choice
        r = self.r
        if r.random() > 0.22:
            return None
        names = [n for n in self.fields if self.plain(n)]
        form = r.randrange(10)
        if form == 0 and names:
            name = choose(names)
            return name, self.fields[name]
        if form == 1:
            return "null", Kind("null")
        if form == 2:
            a, b = self.text(d - 1), self.integer(d - 1)
            return call("if", self.test(d - 1), call("lower", a), b), Kind("any")
        if form == 3:
            body = call("dict", quote("k"), self.integer(d - 1), quote("w"), call("lower", self.text(d - 1)))
            return body, Kind("map")
        if form == 4 and self.names("map"):
            return call("valueof", choose(self.names("map")), quote(choose(("cc", "zip", "k", "no")))), Kind("mix")
        if form == 5:
            numbers = self.names("int", "long", "double")
            args = [choose(numbers) if numbers else "1", self.int_literal(), *(["null"] * r.randrange(2))]
            return call(choose(("min", "max")), *args), Kind("num")
        if form == 6:
            return call("seq"), Kind("long")
        if form == 7 and names:
            chosen = [n for n in names if self.fields[n].kind in ("str", "int", "long")][:2]
            if chosen:
                return call("kvjoin", quote("="), quote(";"), quote(f"^({'|'.join(chosen)})$")), Kind("str")
        if form == 9 and self.names("date"):
            day = call("datetrunc", choose(self.names("date")), quote("1d"))
            step = [quote(choose(("1d", "6h", "12h")))] if r.random() < 0.6 else []
            until = call("dateadd", day, quote("day"), str(r.randint(0, 3)))
            return call("daterange", day, until, *step), Kind("list", "d")
        if form == 8:
            lists = [n for n in self.names("list") if self.fields[n].flavor == "i"]
            if lists:
                return call("foreach", "_1 * 2", choose(lists)), Kind("list", "i")
        return None
