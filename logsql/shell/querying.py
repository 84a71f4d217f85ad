"""The verbs that answer a query: a run, ``sql``, ``translate``, ``explain``. Each returns an exit code."""

from __future__ import annotations

import os
import re
import sys
import uuid
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from logsql.api import connect
from logsql.conversation.account import account
from logsql.conversation.conversation import Abandoned, Conversation, Language, Settings
from logsql.conversation.outcome import Kind, Outcome, remarks
from logsql.diagnostics.errors import Interrupted, SourceError
from logsql.diagnostics.messages import message
from logsql.diagnostics.unreadable import QUERY_NOT_READ
from logsql.diagnostics.usage import FILE_OF_DATA, NO_ENDING, NOT_FOR_TERMINAL
from logsql.engine.ledger import SHOWN
from logsql.engine.session import Session
from logsql.engine.translate import plan_text
from logsql.language.sqlwords import is_sql
from logsql.registry import AGGREGATES, COMMANDS, FUNCTIONS
from logsql.render import FORMATS, format_of_file, suffixes
from logsql.shell.arriving import arriving
from logsql.shell.commandline import did_you_mean, usage_error
from logsql.shell.ctrlc import interruptible, leave
from logsql.shell.inputs import read_query_file
from logsql.shell.invocation import VERBS, Invocation
from logsql.shell.typedwords import explained, helped
from logsql.shell.voice import Voice, terminal_width
from logsql.store.policy import Policy


def policy_of(asked: Invocation) -> Policy:
    """What the words of the command line may touch; a session opened for them follows the same rules."""
    return Policy.safe_mode(asked.directories, asked.writable) if asked.safe else Policy()


def open_session(asked: Invocation) -> Session:
    """The session that the options ask for."""
    session = connect(
        asked.database,
        asked.zone,
        safe=asked.safe,
        allow_dirs=asked.directories,
        allow_write=asked.writable,
        threads=asked.threads,
        memory_limit=asked.memory_limit,
        timeout=asked.timeout,
        geoip=asked.geoip,
        procs=asked.procs,
        allow_purge=asked.allow_purge,
        config=asked.config,
        server=asked.server or os.environ.get("LOGSQL_SERVER") or None,
    )
    try:
        for name, path in asked.lookups:
            session.add_lookup(name, path, keep=False)
    except BaseException:
        session.close()
        raise
    return session


def run(asked: Invocation, voice: Voice) -> int:
    """Run one query and write its rows; ``-q "explain QUERY"`` explains it."""
    if asked.query is not None and (about := explained(asked.query)) is not None:
        return explain(replace(asked, verb="explain", words=(about[0],), query=None, run=asked.run or about[1]), voice)
    settings = Settings(
        params=dict(asked.params),
        format=chosen_format(asked),
        output=asked.output,
        width=(lambda: None) if asked.output else partial(terminal_width, sys.stdout),
        loss=asked.loss or asked.loss_json,
        stats=asked.stats,
        lang=asked.lang,
        quiet=asked.quiet,
    )
    text, origin = asked.query, None
    if asked.verb == "sql":
        text = asked.words[0]
    elif text is None:
        text, origin = _query_of_file(asked.words[0], policy_of(asked)), asked.words[0]
    session = open_session(asked)
    session.results.keeping = asked.keep is not None
    name = asked.keep or str(uuid.uuid4())
    if asked.keep is not None:
        session.results.saved.check(name)
    try:
        outcome = _outcome(asked, session, settings, voice, text, origin)
    except Exception:  # after a signal a thread may still use the session: it ends with the process
        session.close()
        raise
    if asked.verb != "sql":
        outcome = helped(outcome, text)
    more = outcome.ledger is not None and len(outcome.ledger) > SHOWN
    if asked.loss_json and outcome.error is None:
        voice.say(account(outcome))
    else:
        voice.outcome(outcome, settings.loss, message("ledger-all") if more else "", settings.quiet)
    if outcome.kind is Kind.ABANDONED:  # a thread still works on the query; nothing of it may be waited for
        leave(outcome.exit_code)
    if asked.keep is not None and outcome.kind is Kind.DONE and (saved := session.save_last(name)) is not None:
        voice.say(message("result-saved", name=name), *remarks((), saved[1]))
    if settings.stats and outcome.kind is Kind.DONE:
        voice.say(stats_line(outcome))
    session.close()
    return outcome.exit_code


def _outcome(
    asked: Invocation, session: Session, settings: Settings, voice: Voice, text: str, origin: str | None
) -> Outcome:
    """What comes of a query, its rows written."""
    wait = partial(interruptible, limit=asked.timeout, memory=session.database.watch())
    input = arriving(asked, text, session, settings, voice.say)
    if input is None:
        conversation = Conversation(session, settings, wait=wait, progress=voice.progress)
        return conversation.run(text, Language.SQL if asked.verb == "sql" else Language.PIPE, origin)
    wait = partial(wait, end=input.end)
    conversation = Conversation(session, settings, input.sink, wait, voice.progress, input.ask)
    try:
        outcome = conversation.run(text, Language.PIPE, origin)
    finally:
        input.close()
    return replace(outcome, exit_code=Interrupted.exit_code) if input.ended and outcome.kind is Kind.DONE else outcome


def _query_of_file(word: str, policy: Policy) -> str:
    """The text of a query file; where there is none of that name, the error says what the word is instead."""
    try:
        text = read_query_file(word, policy)
    except SourceError as error:
        if error.code == QUERY_NOT_READ.code:
            error.diagnostic = replace(error.diagnostic, help=_meant_word(word))
        elif (reading := _reading(word)) is not None:
            error.diagnostic = replace(error.diagnostic, help=reading)
        raise
    first = re.match(r"\s*([^\s|]+)", text)
    query = first is None or first[1][0] in "#$@[" or first[1] in COMMANDS or is_sql(text, COMMANDS)
    if not query and (reading := _reading(word)) is not None:
        raise usage_error(FILE_OF_DATA, help=reading, path=word)
    return text


def _reading(path: str) -> str | None:
    """How a file whose name ends as those of a source do is read; None for other names, as those of queries.

    >>> _reading("ms.csv")
    "its rows: logsql -q 'csvfile ms.csv'"
    >>> _reading("break-ins.lq")
    """
    ending = Path(path).name.lower()
    if "." not in ending or ending.endswith((".lq", ".sql")):
        return None
    found = ((name, s) for name, c in COMMANDS.items() if c.reads is not None for s in c.reads.suffixes)
    name = next((name for name, suffix in found if ending.endswith(suffix)), None)
    if name is None:
        return None
    shown = f'"{path}"' if re.search(r"[\s|,;'\[\]]", path) else path
    return message("usage-data-file", form=f"logsql -q '{name} {shown}'")


def _meant_word(word: str) -> str | None:
    """What a word is that is no verb and no file: SQL, a query without ``-q``, the name of a command, a misspelt verb.

    >>> _meant_word("stats")
    'the page: logsql help stats'
    >>> _meant_word("chek")
    'did you mean check?'
    """
    first = word.split()[0] if word.strip() else ""
    if is_sql(word, COMMANDS):
        return message("help-sql")
    if "|" in word or (first in COMMANDS and first != word):
        return message("usage-quote-query")
    if any(word in names for names in (COMMANDS, FUNCTIONS, AGGREGATES)):
        return message("usage-page", name=word)
    return did_you_mean(word, VERBS, "") or None


def chosen_format(asked: Invocation) -> str:
    """The format: ``-f``, else what the ending of ``-o`` says, else a table on a terminal and JSON lines elsewhere.

    An ending that says nothing is refused: ``-o rows.xlsx`` was a file of JSON lines.
    """
    terminal = asked.output is None and sys.stdout.isatty()
    name = asked.format
    if name is None and asked.output is not None:
        name = format_of_file(asked.output)
        if name is None and os.path.splitext(asked.output)[1].strip("."):
            raise usage_error(NO_ENDING, path=asked.output, endings=" ".join(suffixes()))
    if name is None:
        name = "table" if terminal else "jsonl"
    if terminal and FORMATS[name].binary:
        raise usage_error(NOT_FOR_TERMINAL, format=name)
    return name


def stats_line(outcome: Outcome) -> str:
    """``300,000 rows  1.23 s  2.10 s CPU  412 MB peak``."""
    peak = ""
    with suppress(ImportError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        peak = f"  {used / (1_000_000 if sys.platform == 'darwin' else 1000):,.0f} MB peak"
    return f"{outcome.rows:,} rows  {outcome.seconds:.2f} s  {outcome.processor:.2f} s CPU{peak}"


def translate(asked: Invocation, voice: Voice) -> int:
    """Print the SQL of a query; nothing is run. Rows that a reader of ours delivers are named in a comment."""
    with open_session(asked) as session:
        plan, _, catalog = session.plan(asked.words[0], dict(asked.params))
        text = plan_text(plan)
        readers = [name for name in catalog.bindings if name.startswith("__") and f'"{name}"' in text]
        for name in readers:
            label = name.strip("_").rpartition("_")[0]
            sys.stdout.write(f"-- {message('sql-reader', name=name, label=label)}\n")
        sys.stdout.write(text + "\n")
    return 0


def explain_stoppable(session: Session, query: str, params: dict[str, object], run: bool) -> str:
    """``session.explain``; Ctrl-C ends the planning and the run. Raises Interrupted."""

    def stop() -> None:
        session.interrupt()
        session.database.interrupt_planning()

    return interruptible(lambda: session.explain(query, params, run), stop)


def explain(asked: Invocation, voice: Voice) -> int:
    """Print stages, fields, order and SQL of a query."""
    session = open_session(asked)
    try:
        told = explain_stoppable(session, asked.words[0], dict(asked.params), asked.run)
    except Abandoned as problem:  # a thread still works on the query; nothing of it may be waited for
        voice.error(problem.diagnostic)
        leave(problem.exit_code)
    except Exception:  # after a signal a thread may still use the session: it ends with the process
        session.close()
        raise
    session.close()
    sys.stdout.write(told + "\n")
    return 0
