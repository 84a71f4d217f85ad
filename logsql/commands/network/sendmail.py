"""``sendmail``: a mail for each row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.commands.network._profiles import profile_of
from logsql.diagnostics.codes import define, syntax
from logsql.diagnostics.losses import Fate as Lost
from logsql.diagnostics.losses import loss
from logsql.operators.passing import Field, Slices, passed
from logsql.planner import duties
from logsql.planner.connections.mail import MAIL, NOT_SENT, Fate, Letter
from logsql.planner.plan import Action
from logsql.planner.relation import Rel
from logsql.planner.services import CONFIGURATION
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import values
from logsql.values.types import STRING
from udfs.readers.errors import ReadCancelled

if TYPE_CHECKING:
    import pyarrow as pa

    from logsql.configuration.settings import Profile
    from logsql.language.reader import ArgReader
    from logsql.planner.connections.mail import Outbox
    from logsql.planner.runtime import Runtime, StageRuntime

WHICH_PROFILE = define(
    "E3090",
    "which-mail-server",
    ("no mail server is configured, or several are", "메일 서버 프로파일이 없거나 여럿입니다"),
    (
        "no profile of kind smtp is called mail, and there are {count}: profile= says which",
        "이름이 mail인 smtp 프로파일이 없고, smtp 프로파일은 {count}개입니다. profile=로 지정하세요",
    ),
    help=(
        "make one: logsql profile set mail kind=smtp url=smtps://HOST user=USER",
        "만들기: logsql profile set mail kind=smtp url=smtps://호스트 user=사용자",
    ),
)
NO_SENDER = WHICH_PROFILE.says(
    (
        "the profile {name!r} says no address that mail comes from: its key from, or a user that is one",
        "프로파일 {name!r}에 보내는 사람의 주소가 없습니다. from 키를 쓰거나 user를 메일 주소로 쓰세요",
    ),
    help=syntax('from = "logsql@example.com"'),
)
NOT_ARRIVED = loss(
    "mails-not-sent",
    ("rows whose mail was not sent: _sendmail_fail says why", "메일을 보내지 못한 행: 이유는 _sendmail_fail에 있음"),
    fate=Lost.PASSED,
)
INTERRUPTED = loss(
    "mails-not-sent-when-interrupted",
    (
        "mails that were waiting when the query ended; what was not read yet comes on top",
        "쿼리가 끝날 때 기다리던 메일. 아직 읽지 않은 행은 세지 않음",
    ),
)

FAIL = "_sendmail_fail"
FIELDS = ("to", "cc", "bcc", "subject", "message")
#: Mails that wait in the queue together; few at first.
_FIRST, _MOST = 32, 512


@dataclass(frozen=True)
class NoArgs:
    """Everything is in the fields of the row."""


def parse(reader: ArgReader) -> NoArgs:
    return NoArgs()


def _profile(stage: Stage) -> Profile:
    """The mail server: that of ``profile=``, else the one that is called ``mail``, else the only one."""
    written = stage.command.option("profile")
    if written is not None:
        found = profile_of(stage, stage.option("profile"), ("smtp",), written.value_span)
    else:
        known = [one for one in stage.service(CONFIGURATION).profiles.values() if one.kind == "smtp"]
        named = [one for one in known if one.name == "mail"] or known
        if len(named) != 1:
            stage.fail(WHICH_PROFILE, stage.command.name_span, count=len(known))
        found = named[0]
    if not found.sender and "@" not in (found.user or ""):
        stage.fail(NO_SENDER, written.value_span if written else stage.command.name_span, name=found.name)
    return found


def lower(stage: Stage) -> Rel:
    stage.needs_extra("sendmail", "aiosmtplib", "net")
    sending = _Sending(_profile(stage), stage.option("html"))
    stage.chain.steps.insert(0, Action(f"check that {sending.profile.name} may be used", sending.check))
    rel = stage.flush(stage.rel)
    rel, found = stage.lowered(rel, lambda cx: [values.text_sql(cx.field(name)) for name in FIELDS])
    asked = [Field(f"__mail_{name}", STRING, node) for name, node in zip(FIELDS, found, strict=True)]
    # Stored, so that each mail is sent once, however often the rows are read and whatever stands behind.
    return stage.materialise(passed(stage, rel, asked, [Field(FAIL, STRING)], sending))


@dataclass(frozen=True)
class _Sending:
    """Sends the mails of rows, in order as far as a few connections allow."""

    profile: Profile
    html: bool

    def check(self, runtime: Runtime) -> None:
        """Refuse a server that may not be used, before any row is read."""
        if (service := runtime.service(MAIL)) is not None:
            service.check(self.profile)

    def __call__(self, batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Slices:
        import pyarrow as pa  # for cost: only a run needs it

        service = runtime.service(MAIL)
        if service is None:
            return
        outbox = service.outbox(self.profile)
        try:
            size = _FIRST
            for batch in batches:
                offset = 0
                while offset < batch.num_rows:
                    rows = batch.slice(offset, size)
                    offset, size = offset + size, min(size * 2, _MOST)
                    yield rows, {FAIL: pa.array(self._sent(outbox, rows, runtime), pa.string())}
        finally:
            outbox.close()

    def _sent(self, outbox: Outbox, rows: pa.RecordBatch, runtime: StageRuntime) -> list[str | None]:
        to, cc, bcc, subject, message = (rows.column(f"__mail_{name}").to_pylist() for name in FIELDS)
        each = zip(to, cc, bcc, subject, message, strict=True)
        fates = outbox.send([Letter(*row, html=self.html) for row in each], runtime.cancelled)
        source = f"sendmail {self.profile.name}"
        if (waiting := sum(fate.word == NOT_SENT for fate in fates)) or runtime.cancelled():
            runtime.loss.lost(source, INTERRUPTED.name, waiting)
            raise ReadCancelled("cancelled")
        for fate in fates:
            if fate.word is not None:
                runtime.loss.lost(f"{source} {fate.word}", NOT_ARRIVED.name, sample=fate.detail or None)
        return [_told(fate) for fate in fates]


def _told(fate: Fate) -> str | None:
    if fate.word is None:
        return None
    return f"{fate.word}: {fate.detail}" if fate.detail else fate.word


register(
    CommandSpec(
        name="sendmail",
        group=Group.OUTPUT,
        summary=("Send a mail for each row.", "행마다 메일을 보냅니다."),
        usage=("sendmail [html=t] [profile=NAME]",),
        parse=parse,
        lower=lower,
        fields=duties.Fields(duties.Flow.PASSES, frozenset(FIELDS), frozenset({FAIL})),
        arguments=(),
        subquery=duties.Subquery.NONE,
        order=duties.NEEDS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        for_effect=True,
        extra="net",
        options=(
            OptionSpec("html", OptionKind.BOOL, ("the message is HTML", "본문이 HTML"), default=False),
            OptionSpec(
                "profile",
                OptionKind.TEXT,
                (
                    "the mail server; without it the profile called mail, or the only one of kind smtp",
                    "메일 서버 프로파일. 없으면 이름이 mail인 프로파일이나 하나뿐인 smtp 프로파일",
                ),
                extension=True,
            ),
        ),
        description="""\
Each row is a mail: `to`, `cc` and `bcc` are addresses, several with commas between them, `subject` and `message` texts.
`to`, `subject` and `message` must have a value. The rows pass on with `_sendmail_fail`, which is null where the server
took the mail for all recipients, else a word and what it is about:

| word | meaning |
| --- | --- |
| `missing-field` | `to`, `subject` or `message` has no value |
| `bad-address` | an address is none |
| `bad-header` | a line break in `to`, `cc`, `bcc` or `subject`: it would begin another header |
| `recipient-refused` | the server did not take these recipients; the others have the mail |
| `message-refused` | the server did not take the mail |
| `connect-failed`, `timeout`, `tls-...` and others | the server was not to be reached |
| `truncated` | the connection broke: nobody knows whether the mail arrived |

The server is a profile of kind `smtp` in the configuration. TLS is required, from the first byte (`smtps://`) or by
STARTTLS (`smtp://`). The mails of a query go over four connections at most, and a query ends when they are sent. A
server that does not answer ends no query; after three connections that failed, the mails that are left are not tried.

Every row that arrives is sent, whatever stands behind: to send ten mails write `limit 10` before `sendmail`, not behind
it. A query that is interrupted tells how many mails were waiting.
""",
        examples=(
            Example(
                "Tell the owners of hosts that were logged in to at night",
                'table logins | lookup assets host output owner | eval to = owner, subject = concat("Login: ", host), '
                "message = line | sendmail",
            ),
        ),
        errors=(WHICH_PROFILE,),
        ledger=(NOT_ARRIVED, INTERRUPTED),
    )
)
