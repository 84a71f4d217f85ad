"""``ldapsearch``: entries of a directory."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logsql.commands.network import _filter
from logsql.commands.network._entries import NamedColumns, WholeRows, columns_of, row_columns, row_map
from logsql.commands.network._profiles import profile_of
from logsql.diagnostics.codes import define
from logsql.diagnostics.errors import QueryError, SourceError, diagnostic
from logsql.diagnostics.losses import HINTS, Fate, loss
from logsql.diagnostics.messages import text
from logsql.diagnostics.network import ANSWER_CUT, NO_ANSWER, UNKNOWN_PROFILE
from logsql.language.expressions import parse_expression
from logsql.language.tree import Call, Option, Span
from logsql.planner import duties
from logsql.planner.connections.directory import (
    DIRECTORY,
    REFERRAL,
    TIME_UNREADABLE,
    UNDECODABLE,
    Page,
    Search,
    Told,
)
from logsql.planner.relation import Rel, Rest
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import sql
from logsql.values.types import ANY

if TYPE_CHECKING:
    import pyarrow as pa

    from logsql.configuration.settings import Profile
    from logsql.language.reader import ArgReader
    from logsql.planner.runtime import StageRuntime

BAD_FILTER = define(
    "E3071",
    "bad-filter",
    ("the text is no search filter (RFC 4515)", "검색 필터가 아닙니다(RFC 4515)"),
    (
        "bad-filter: {problem}, at character {position} of {filter}",
        "bad-filter: {filter}의 {position}번째 문자: {problem}",
    ),
)
NOT_FOLLOWED = loss(
    REFERRAL,
    ("references to other servers: not followed", "다른 서버로의 참조: 따라가지 않음"),
)
NO_TIME = loss(
    TIME_UNREADABLE,
    ("values of time attributes that are no GeneralizedTime: null", "GeneralizedTime이 아닌 시각 속성값: null"),
    fate=Fate.NULL,
)
NO_TEXT = loss(
    UNDECODABLE,
    ("names and texts that are no UTF-8: U+FFFD in their place", "UTF-8이 아닌 이름과 텍스트: 그 자리에 U+FFFD"),
    fate=Fate.CHANGED,
)
FILTER_SLIP = define(
    "N1052",
    "filter-as-elsewhere",
    (
        "a filter holds == or AND as other languages write them: they are part of the value",
        "필터에 다른 언어의 ==나 AND가 있어 값의 일부로 읽습니다",
    ),
    ("{problem}", "{problem}"),
)
MEANT = text("write {filter}; a \\3d in a value is a = of it", "{filter}(으)로 쓰세요. 값에 든 =는 \\3d입니다")
RESPELLED = loss(
    "attribute-spelled-otherwise",
    (
        "attributes that the server spells in other letters than the query: null under the name of the query",
        "쿼리와 대소문자가 다른 서버의 속성 이름: 쿼리의 이름으로는 null",
    ),
    fate=Fate.NULL,
)
SPELL = text("the server's name is {name}", "서버의 이름은 {name}입니다")
HINTS["ldapsearch("] = lambda source, sample: SPELL.fill(name=sample)
_PARAMETER = re.compile(r'\$\((?:[^()"]|"(?:[^"\\]|\\.)*")*\)')
_ALL, _NONE = ("*", "+"), "1.1"


@dataclass(frozen=True)
class Parameter:
    """``$("name")`` inside the filter: where it stands in its text."""

    start: int
    end: int
    call: Call


@dataclass(frozen=True)
class LdapArgs:
    """Nothing stands behind the options; the parameters inside the filter are read with them."""

    parameters: tuple[Parameter, ...]


def parse(reader: ArgReader) -> LdapArgs:
    option = reader.option("filter")
    written = option.value if option is not None else ""
    found = _PARAMETER.finditer(written) if isinstance(written, str) else ()
    read = ((one, _call(one[0])) for one in found)
    return LdapArgs(tuple(Parameter(one.start(), one.end(), call) for one, call in read if call is not None))


def _call(written: str) -> Call | None:
    """A parameter; None where the text is none, and part of the filter."""
    try:
        call = parse_expression(written)
    except QueryError:
        return None
    return call if isinstance(call, Call) and call.name == "$" else None


def lower(stage: Stage) -> Rel:
    stage.needs_extra("ldapsearch", "ldap3", "ldap")
    option = stage.command.option("profile")
    profile = profile_of(stage, stage.option("profile"), ("ldap",), option.value_span if option is not None else None)
    if (directory := stage.catalog.service(DIRECTORY)) is not None:
        directory.permit(profile)
    written = _filter_of(stage)
    base = stage.option("base")
    search = Search(
        written,
        profile.base or "" if base is None else base,
        stage.option("scope"),
        _asked(stage),
        stage.option("limit"),
    )
    return _whole(stage, profile, search) if stage.demand is None else _named(stage, profile, search)


# --- the filter ---------------------------------------------------------------------------------------------------


def _filter_of(stage: Stage) -> str:
    """The filter in its canonical form, with the values of parameters escaped. Refuses the query for a bad one."""
    template = stage.option("filter")
    option = stage.command.option("filter")
    assert option is not None
    made, places, pos = "", list[int](), 0
    for one in stage.arguments(LdapArgs).parameters:
        value = _filter.escaped(stage.chain.constant_text(one.call, "filter"))
        made += template[pos : one.start] + value
        places += [*range(pos, one.start), *([one.start] * len(value))]
        pos = one.end
    made += template[pos:]
    places += range(pos, len(template) + 1)
    _tell_slips(stage, template, option)
    try:
        return _filter.checked(made)
    except _filter.BadFilter as problem:
        place = places[min(problem.position, len(places) - 1)]
        span = _place(option.value_span, template, place, isinstance(option.value, str))
        facts = {"problem": problem.problem.fill(), "position": place + 1, "filter": template}
        raise SourceError(diagnostic(BAD_FILTER, span, **facts)) from None


def _tell_slips(stage: Stage, template: str, option: Option) -> None:
    """Say what a filter means that is written as in other languages; what a parameter holds is no part of it."""
    told, places, calls, pos = "", list[int](), dict[str, str](), 0
    for number, one in enumerate(stage.arguments(LdapArgs).parameters):
        mark = chr(0xE000 + number)  # for private use: no value of a filter that anybody writes
        calls[mark] = template[one.start : one.end]
        told += template[pos : one.start] + mark
        places += range(pos, one.start + 1)
        pos = one.end
    told += template[pos:]
    places += range(pos, len(template) + 1)
    for slip in _filter.slips(told):
        meant = "".join(calls.get(char, char) for char in slip.meant)
        span = _place(option.value_span, template, places[slip.position], isinstance(option.value, str))
        problem = slip.problem.fill(word=slip.word)
        stage.note(FILTER_SLIP, span, problem=problem, help=MEANT.fill(filter=meant))


def _place(span: Span, template: str, place: int, text_of_query: bool) -> Span:
    """Where a character of the filter stands in the query; the whole value where escapes moved it."""
    width = span.end - span.start
    if not text_of_query or width not in (len(template), len(template) + 2):
        return span
    begin = min(span.start + place + (width - len(template)) // 2, span.end - 1)
    return replace(span, start=begin, end=begin + 1)


# --- attributes ---------------------------------------------------------------------------------------------------


def _asked(stage: Stage) -> tuple[str, ...]:
    """The attributes to ask the server for: those that the query reads, of those that ``attributes=`` names."""
    given = re.findall(r"[^\s,]+", stage.option("attributes") or "")
    every = not given or any(name in _ALL for name in given)
    demand = stage.demand
    if demand is None:
        # Operational attributes come only when they are named, and the query may name some.
        wanted = given or ["*", *sorted(filter(_attribute, stage.chain.names()))]
    elif every:
        wanted = sorted(filter(_attribute, demand))
    else:
        read = {name.lower() for name in demand}
        wanted = [name for name in given if name.lower() in read]
    return tuple(dict.fromkeys(wanted)) or (_NONE,)


def _attribute(name: str) -> bool:
    return name != "dn" and _filter.ATTRIBUTE.fullmatch(name) is not None


def _named(stage: Stage, profile: Profile, search: Search) -> Rel:
    """Rows of which later commands read named fields only."""
    names = sorted(filter(_attribute, stage.demand or ()))
    columns = columns_of(names, profile.lists)

    def transform(batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Iterator[pa.RecordBatch]:
        rows = NamedColumns(columns, _respelled(runtime))
        for page in _pages(runtime, profile, search):
            yield rows.batch(page)

    stage.chain.settled = True
    return stage.stream(None, columns, transform, once=True)


def _whole(stage: Stage, profile: Profile, search: Search) -> Rel:
    """Open rows, whose fields are known only when they are read: every attribute that the server sends."""
    written = frozenset(filter(_attribute, stage.chain.names()))
    folded = {name.lower(): name for name in written}

    def transform(batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Iterator[pa.RecordBatch]:
        rows = WholeRows(folded, written, _respelled(runtime))
        for page in _pages(runtime, profile, search):
            yield rows.batch(page)

    rel = stage.stream(None, row_columns(), transform, once=True)
    rel = stage.select("rows", rel, [("dn", sql.col("dn")), ("__row", row_map())])
    return replace(rel, columns=rel.columns[:1], rest=Rest("__row", ANY, is_map=True, hidden=frozenset({"dn"})))


def _pages(runtime: StageRuntime, profile: Profile, search: Search) -> Iterator[Page]:
    directory = runtime.service(DIRECTORY)
    assert directory is not None

    def lost(reason: str, count: int, sample: str | None) -> None:
        runtime.loss.lost("ldapsearch", reason, count, None, sample)

    return directory.search(profile, search, Told(runtime.cancelled, lost, runtime.fail_behind))


def _respelled(runtime: StageRuntime) -> Callable[[str, str], None]:
    def tell(written: str, sent: str) -> None:
        runtime.loss.lost(f"ldapsearch({written})", RESPELLED.name, 1, None, sent)

    return tell


register(
    CommandSpec(
        name="ldapsearch",
        group=Group.NETWORK,
        summary=("Search a directory (LDAP, Active Directory).", "디렉터리(LDAP, 액티브 디렉터리)를 조회합니다."),
        usage=(
            'ldapsearch profile=NAME filter="FILTER" [base="DN"] [scope=sub|one|base] [attributes="A,B"] [limit=N]',
        ),
        parse=parse,
        lower=lower,
        fields=duties.STARTS,
        arguments=(),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        extra="ldap",
        options=(
            OptionSpec(
                "profile",
                OptionKind.TEXT,
                ("the profile of the directory (kind ldap)", "디렉터리 프로파일(kind가 ldap)"),
                required=True,
                error=UNKNOWN_PROFILE,
            ),
            OptionSpec(
                "filter",
                OptionKind.TEXT,
                ("search filter (RFC 4515)", "검색 필터(RFC 4515)"),
                required=True,
                error=BAD_FILTER,
            ),
            OptionSpec(
                "base",
                OptionKind.TEXT,
                ("where to search; that of the profile when it is not given", "조회할 위치. 생략하면 프로파일의 base"),
                extension=True,
            ),
            OptionSpec(
                "scope",
                OptionKind.CHOICE,
                (
                    "sub: the base and all below it, one: the entries right below it, base: itself",
                    "sub: base와 그 아래 전부, one: 바로 아래 항목, base: base 자신",
                ),
                default="sub",
                choices=("sub", "one", "base"),
                extension=True,
            ),
            OptionSpec(
                "attributes",
                OptionKind.TEXT,
                (
                    "attributes to ask for; those that the query reads when it is not given; +: operational ones",
                    "요청할 속성. 생략하면 쿼리가 읽는 속성. +는 운영 속성",
                ),
                reads=False,
                extension=True,
            ),
            OptionSpec("limit", OptionKind.INT, ("entries at most", "최대 항목 수"), minimum=1, extension=True),
        ),
        description="""\
One row per entry: `dn`, then one field per attribute, under the name that the server sends (letters of both cases and
options such as `;lang-ko` kept). Only attributes that later commands read are asked for; all of them where the whole
row is wanted.

| attribute | value |
| --- | --- |
| most | text; a list where there are several values |
| `objectClass`, `member`, `memberOf`, `directReports`, `dSCorePropagationData` | a list, also of one value |
| `servicePrincipalName`, `proxyAddresses`, and `lists` of the profile | a list, also of one value |
| `whenCreated`, `whenChanged`, `createTimestamp`, `modifyTimestamp` | date |
| `lastLogon`, `pwdLastSet` and other numbers | text with all digits |
| `objectGUID`, `msExchMailboxGuid` | text, `3f2504e0-4f89-11d3-9a0c-0305e82c3301` |
| `objectSid`, `sIDHistory` | text, `S-1-5-21-...` |
| `userCertificate` | a list of binaries |
| values that are no UTF-8 | binary |

Times of Windows (FILETIME) are converted with `epoch(floor(long(lastLogon) / 10000 - 11644473600000))`; "0" gives null.

A parameter inside the filter, `filter="(cn=$("name"))"`, means itself whatever it holds: its special characters are
escaped. The filter is checked before anything is sent.

Results are fetched in pages, and values that a server sends in ranges to the end. An answer that ends early (a limit of
the server, a broken connection) is an error behind the rows that came. Referrals are not followed and counted in the
ledger. `limit=`, and `limit` behind the command, fetch no further pages.

Without `ldaps://` the connection is secured with StartTLS before the password is sent. How a profile is written:
`logsql profile set AD kind=ldap url=ldaps://dc1.example.com base=DC=example,DC=com user=reader@example.com`.
""",
        examples=(
            Example("All accounts", 'ldapsearch profile=AD filter="(&(userPrincipalName=*))"'),
            Example(
                "Accounts by department",
                'ldapsearch profile=AD filter="(objectClass=user)" | stats count by department',
            ),
            Example(
                "Members of a group",
                'ldapsearch profile=AD filter="(sAMAccountName=Domain Admins)" | explode member | fields member',
            ),
        ),
        errors=(UNKNOWN_PROFILE, BAD_FILTER, NO_ANSWER, ANSWER_CUT),
        ledger=(NOT_FOLLOWED, NO_TIME, NO_TEXT, RESPELLED),
    )
)
