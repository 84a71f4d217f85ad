"""``nslookup``: a DNS question for each row."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from logsql.diagnostics.codes import define, syntax
from logsql.diagnostics.errors import did_you_mean
from logsql.diagnostics.losses import Fate, loss
from logsql.diagnostics.options import INVALID_OPTION
from logsql.language.tree import Name
from logsql.operators.passing import Field, Slices, passed
from logsql.planner import duties
from logsql.planner.connections.dns import NAMES, TIMEOUT, Answer, Server
from logsql.planner.plan import Action
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import values
from logsql.values.types import IP, MAP, STRING, LType, list_of

if TYPE_CHECKING:
    import pyarrow as pa

    from logsql.language.reader import ArgReader
    from logsql.language.tree import Command
    from logsql.planner.runtime import Runtime, StageRuntime

_FORM = syntax("nslookup ns=ADDRESS FIELD output NAME, ...")
NEEDS_FIELD = define(
    "E2080",
    "nslookup-arguments",
    ("no field, or no output", "필드나 output이 없습니다"),
    ("nslookup needs the field with the names to ask for", "nslookup에는 조회할 이름이 든 필드가 필요합니다"),
    help=_FORM,
)
SERVER_AS_FIELD = NEEDS_FIELD.says(
    (
        "{word} stands where the field stands: the server is named by ns=",
        "필드 자리에 {word}이(가) 있습니다. 서버는 ns=로 지정합니다",
    ),
    help=syntax("nslookup ns={word} FIELD output NAME, ..."),
)
NEEDS_OUTPUT = NEEDS_FIELD.says(
    (
        "nslookup needs output and the fields of the answer: ip, status, flags, answers, authorities, additionals",
        "nslookup에는 output과 응답 필드가 필요합니다: ip, status, flags, answers, authorities, additionals",
    ),
    help=_FORM,
)
NO_SUCH_OUTPUT = NEEDS_FIELD.says(
    ("an answer has no field {name}", "응답에 {name} 필드가 없습니다"),
    help=(
        "an answer has ip, status, flags, answers, authorities, additionals",
        "응답 필드는 ip, status, flags, answers, authorities, additionals입니다",
    ),
)
TWICE = NEEDS_FIELD.says(("{name} stands twice behind output", "output 뒤에 {name}이(가) 두 번 있습니다"))
NO_ADDRESS = INVALID_OPTION.says(
    ("ns= takes the address of a DNS server, not {value!r}", "ns=에는 DNS 서버의 IP 주소를 씁니다: {value!r}")
)
PORT_APART = INVALID_OPTION.says(
    (
        "ns= takes the address alone, not {value!r}: the port is an option of its own",
        "ns=에는 주소만 씁니다: {value!r}. 포트는 따로 지정합니다",
    ),
    help=syntax("nslookup ns={address} port={port} FIELD output NAME, ..."),
)
NO_PORT = INVALID_OPTION.says(("port= is at most 65535: {value}", "port=은 65535 이하입니다: {value}"))
NO_NAME = loss(
    "no-domain-name",
    ("texts that are no domain name: not asked for", "도메인 이름이 아닌 텍스트: 조회하지 않음"),
    fate=Fate.NULL,
)
UNANSWERED = loss(
    "names-not-answered",
    ("names for which no answer came in time: status TIMEOUT", "제한 시간 안에 응답이 없는 이름: status는 TIMEOUT"),
    fate=Fate.NULL,
)

_RECORDS = list_of(MAP)
OUTPUTS: dict[str, LType] = {
    "ip": IP,
    "status": STRING,
    "flags": STRING,
    "answers": _RECORDS,
    "authorities": _RECORDS,
    "additionals": _RECORDS,
}
TYPES = ("A", "AAAA", "CNAME", "MX", "NS", "PTR", "TXT")
#: Rows whose questions go out together: few at first, so that ``limit`` behind it asks for little more than it wants.
_FIRST_ROWS, _MOST_ROWS = 16, 1024
_ASKED = "__domain"


@dataclass(frozen=True)
class NslookupArgs:
    """The field with the names, and the fields of the answer."""

    field: Name
    outputs: tuple[Name, ...]


def parse(reader: ArgReader) -> NslookupArgs:
    name = reader.name()
    if name is None:
        reader.fail(NEEDS_FIELD)
    if not reader.keyword("output"):
        if _address(name.text) is not None:
            reader.fail(SERVER_AS_FIELD, name.span, word=name.text)
        reader.fail(NEEDS_OUTPUT)
    outputs = reader.name_list()
    if not outputs:
        reader.fail(NEEDS_OUTPUT)
    seen: set[str] = set()
    for wanted in outputs:
        if wanted.text not in OUTPUTS:
            near = did_you_mean(wanted.text, OUTPUTS)
            reader.fail(NO_SUCH_OUTPUT, wanted.span, name=wanted.text, help=near)
        if wanted.text in seen:
            reader.fail(TWICE, wanted.span, name=wanted.text)
        seen.add(wanted.text)
    return NslookupArgs(name, tuple(outputs))


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def _server(stage: Stage) -> Server:
    text, port = stage.option("ns"), stage.option("port")
    address = _address(text)
    if address is None:
        given = stage.command.option("ns")
        span = given.value_span if given else None
        host, _, behind = text.rpartition(":")
        if behind.isdecimal() and (alone := _address(host.strip("[]"))) is not None:
            stage.fail(PORT_APART, span, value=text, address=alone, port=behind)
        stage.fail(NO_ADDRESS, span, value=text)
    if port > 65535:
        given = stage.command.option("port")
        stage.fail(NO_PORT, given.value_span if given else None, value=port)
    return Server(address, port, float(stage.option("timeout")))


def lower(stage: Stage) -> Rel:
    stage.needs_extra("nslookup", "dnspython", "net", module="dns")
    args, server = stage.arguments(NslookupArgs), _server(stage)
    rel = stage.flush(stage.rel)
    rel, name = stage.lowered(rel, lambda cx: values.text_sql(cx.field(args.field.text)))
    lookup = _Lookup(server, stage.option("type"), stage.option("cache"), tuple(n.text for n in args.outputs))
    stage.chain.steps.insert(0, Action(f"check that {server.address} may be asked", lookup.check))
    made = [Field(n.text, OUTPUTS[n.text]) for n in args.outputs]
    return passed(stage, rel, [Field(_ASKED, STRING, name)], made, lookup)


class _Kept:
    """Answers by name, the last ones used, each as long as its records say."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: OrderedDict[str, tuple[float, Answer]] = OrderedDict()

    def get(self, name: str) -> Answer | None:
        """The answer, if it still holds."""
        found = self._found.get(name)
        if found is None or found[0] < time.monotonic():
            return None
        self._found.move_to_end(name)
        return found[1]

    def put(self, name: str, answer: Answer) -> None:
        """Keep an answer; the one that was not used for longest goes."""
        if not self._most or answer.status in (None, TIMEOUT):
            return
        self._found[name] = (time.monotonic() + answer.keep, answer)
        self._found.move_to_end(name)
        if len(self._found) > self._most:
            self._found.popitem(last=False)


@dataclass(frozen=True)
class _Lookup:
    """Asks for the names of rows, in order."""

    server: Server
    type_: str
    cache: int
    outputs: tuple[str, ...]
    kept: _Kept = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kept", _Kept(self.cache))

    def check(self, runtime: Runtime) -> None:
        """Refuse a server that may not be asked, before any row is read."""
        if (service := runtime.service(NAMES)) is not None:
            service.check(self.server)

    def __call__(self, batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Slices:
        size = _FIRST_ROWS
        for batch in batches:
            offset = 0
            while offset < batch.num_rows:
                rows = batch.slice(offset, size)
                offset, size = offset + size, min(size * 4, _MOST_ROWS)
                if runtime.cancelled():
                    return
                names: list[str | None] = rows.column(_ASKED).to_pylist()
                yield rows, self._arrays(list(self._answers(names, runtime)))

    def _answers(self, names: Sequence[str | None], runtime: StageRuntime) -> Iterator[Answer | None]:
        """The answers of the rows; what is asked for twice is asked once, unless nothing is to be kept."""
        service = runtime.service(NAMES)
        known: dict[str, Answer] = {}
        keys = [None if name is None else name.strip().rstrip(".").lower() for name in names]
        if self.cache:
            for key in set(keys) - {None}:
                if key is not None and (answer := self.kept.get(key)) is not None:
                    known[key] = answer
        asked = [k for k in (dict.fromkeys(keys) if self.cache else keys) if k is not None and k not in known]
        found = service.ask(self.server, self.type_, asked, runtime.cancelled) if service and asked else []
        told = f"nslookup ns={self.server.address}"
        for key, answer in zip(asked, found, strict=True):
            self.kept.put(key, answer)
            known[key] = answer
        own = iter(found)
        for key in keys:
            answer = None if key is None else known[key] if self.cache else next(own)
            if answer is not None and answer.status is None:
                runtime.loss.lost(told, NO_NAME.name, sample=key)
            elif answer is not None and answer.status == TIMEOUT:
                runtime.loss.lost(told, UNANSWERED.name, sample=key)
            yield answer

    def _arrays(self, answers: Sequence[Answer | None]) -> Mapping[str, pa.Array]:
        import pyarrow as pa  # for cost: only a run needs it

        made: dict[str, pa.Array] = {}
        for name in self.outputs:
            read, type_ = _READ[name]
            column = [None if a is None or a.status is None else read(a) for a in answers]
            made[name] = pa.array(column, pa.list_(pa.string()) if type_ is _RECORDS else pa.string())
        return made


def _texts(records: Sequence[Mapping[str, object]]) -> list[str]:
    import json  # for cost: few queries need it

    return [json.dumps(record, ensure_ascii=False, separators=(",", ":")) for record in records]


def _unless_late(read: Callable[[Answer], object]) -> Callable[[Answer], object]:
    return lambda answer: None if answer.status == TIMEOUT else read(answer)


_READ: dict[str, tuple[Callable[[Answer], object], LType]] = {
    "ip": (lambda a: a.ip, IP),
    "status": (lambda a: a.status, STRING),
    "flags": (_unless_late(lambda a: " ".join(a.flags)), STRING),
    "answers": (_unless_late(lambda a: _texts(a.answers)), _RECORDS),
    "authorities": (_unless_late(lambda a: _texts(a.authorities)), _RECORDS),
    "additionals": (_unless_late(lambda a: _texts(a.additionals)), _RECORDS),
}


def duty(command: Command) -> duties.Fields:
    """Rows go on with the fields of the answer."""
    return duties.Fields(duties.Flow.PASSES, duties.NOTHING, frozenset(n.text for n in command.args.outputs))


def read_names(args: NslookupArgs) -> Sequence[Name]:
    """The field that is read."""
    return (args.field,)


register(
    CommandSpec(
        name="nslookup",
        group=Group.NETWORK,
        summary=("Ask a DNS server for the name in each row.", "행마다 DNS 서버에 이름을 조회합니다."),
        usage=("nslookup ns=ADDRESS [port=N] [type=TYPE] [timeout=SECONDS] [cache=N] FIELD output NAME[, ...]",),
        parse=parse,
        lower=lower,
        fields=duty,
        arguments=(duties.FIELD_LIST, duties.Argument(duties.Kind.NEW_FIELDS, ("output",))),
        names=read_names,
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        extra="net",
        options=(
            OptionSpec("ns", OptionKind.TEXT, ("address of the DNS server", "DNS 서버의 IP 주소"), required=True),
            OptionSpec("type", OptionKind.CHOICE, ("type of the record", "레코드 종류"), "A", choices=TYPES),
            OptionSpec(
                "timeout", OptionKind.INT, ("seconds to wait for an answer", "응답을 기다리는 초"), 5, minimum=1
            ),
            OptionSpec(
                "cache",
                OptionKind.INT,
                (
                    "answers that are kept, each as long as its records allow; 0: each row is asked for",
                    "보관할 응답 수. 레코드의 TTL 동안 보관하며 0이면 행마다 조회",
                ),
                1_048_576,
                minimum=0,
            ),
            OptionSpec("port", OptionKind.INT, ("port of the server", "서버의 포트"), 53, minimum=1, extension=True),
        ),
        description="""\
Asks the server at `ns` for the name in `FIELD` and adds the fields of the answer that stand behind `output`:

| field | value |
| --- | --- |
| `ip` | the first address of the answer; null where it has none |
| `status` | `NO_ERROR`, `NAME_ERROR` (no such name), `FORMAT_ERROR`, `NOT_IMPLEMENTED`, `REFUSED`, `SERVER_FAILURE` |
| | `TIMEOUT` where no answer came |
| `flags` | those of `AA`, `TC`, `RD`, `RA` that are set, with blanks between them |
| `answers`, `authorities`, `additionals` | lists of records: maps with `name`, `type`, `ttl`, `data` |
| | a record of type MX has `preference`, too |

With `type=PTR` an address in `FIELD` is asked for by its name in the reverse tree. A name in other letters than ASCII
is asked for as IDNA writes it. An answer that is cut comes again over TCP. Sixteen questions are under way at a time;
rows keep their order. A null field, and a text that is no domain name, is not asked for: the new fields are null.

A private or reserved server address needs an entry in `[network] allow` of the configuration (`"10.0.0.53"`, or with
its port `"127.0.0.1:5353"`).
""",
        examples=(
            Example(
                "Addresses of the domains in a list",
                'table spamhouse | nslookup timeout=5 ns="8.8.8.8" domain output ip, status',
            ),
            Example(
                "Names of the addresses that were talked to",
                "table fw | stats count by dst_ip | nslookup ns=8.8.8.8 type=PTR dst_ip output answers "
                '| eval name = valueof(valueof(answers, 0), "data")',
            ),
        ),
        errors=(NEEDS_FIELD, INVALID_OPTION.when(("ns= is no address", "ns=이 IP 주소가 아닙니다"))),
        ledger=(NO_NAME, UNANSWERED),
    )
)
