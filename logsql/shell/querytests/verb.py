"""``logsql test``: the queries of folders and files, each run and held against the file beside it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

from logsql.conversation.conversation import Abandoned
from logsql.diagnostics.errors import LogsqlError, UsageError, diagnostic
from logsql.diagnostics.messages import message
from logsql.diagnostics.querytests import NO_EXPECTATION, NO_TESTS, NONE_CHOSEN
from logsql.engine.session import Session
from logsql.render.sinks import open_sink
from logsql.shell.ctrlc import interruptible, leave
from logsql.shell.inputs import query_files, read_query_file
from logsql.shell.invocation import Invocation
from logsql.shell.querying import open_session, policy_of
from logsql.shell.querytests import report
from logsql.shell.querytests.form import QueryTest, read
from logsql.shell.querytests.running import Ended, run
from logsql.shell.querytests.updating import may_update, update
from logsql.shell.voice import Voice
from logsql.store.files import Files


def test(asked: Invocation, voice: Voice) -> int:
    """Run tests; 0 when all are as expected, 1 when one is not, 2 when there is none or the file of one is wrong."""
    asked = _from_here(asked)
    policy = policy_of(asked)
    files = Files(policy)
    paths = _chosen(asked, query_files(asked.words, policy))
    tests = [read(Path(path), files, unfinished=asked.update) for path in paths]
    ready = [one for one in tests if asked.update or one.expected is not None]
    if not ready:
        raise UsageError(diagnostic(NO_EXPECTATION, count=len(tests)))
    started = time.perf_counter()
    ended: list[Ended] = []
    failed = 0
    for number, one in enumerate(ready, 1):
        voice.progress.clear()
        try:
            done = _run(one, asked)
        except Abandoned as problem:  # a thread still works on the query; nothing of it may be waited for
            voice.error(problem.diagnostic)
            leave(problem.exit_code)
        except LogsqlError as error:  # Ctrl-C: what was run is told
            if error.exit_code == 130 and ended:
                voice.say(message("test-interrupted", done=number - 1, all=len(ready)))
            raise
        word = "FAIL" if done.problems else "ok"
        if asked.update and may_update(one, done.got):
            word, done = "updated" if update(one, done.got, policy) else "ok", replace(done, problems=())
        failed += bool(done.problems)
        ended.append(done)
        sys.stdout.write(report.lines(done, word))
        sys.stdout.flush()
    untested = [os.path.relpath(one.path) for one in tests if one not in ready]
    _end(ended, untested, failed, time.perf_counter() - started)
    if asked.junit is not None:
        with open_sink(asked.junit, policy) as sink:
            sink.write(report.junit(ended, untested))
    return int(failed > 0)


def _from_here(asked: Invocation) -> Invocation:
    """The invocation with the paths of its options made whole: a test runs in a folder of its own."""

    def whole(paths: Sequence[str]) -> tuple[str, ...]:
        return tuple(map(os.path.abspath, paths))

    return replace(
        asked,
        directories=whole(asked.directories),
        writable=whole(asked.writable),
        procs=whole(asked.procs),
        lookups=tuple((name, os.path.abspath(path)) for name, path in asked.lookups),
        database=asked.database if asked.database == ":memory:" else os.path.abspath(asked.database),
        config=asked.config and os.path.abspath(asked.config),
        geoip=asked.geoip and os.path.abspath(asked.geoip),
    )


def _end(ended: Sequence[Ended], untested: Sequence[str], failed: int, seconds: float) -> None:
    """The last lines: what has no test, and how many there were."""
    if untested:
        sys.stdout.write(message("test-without", count=len(untested), names=", ".join(untested)) + "\n")
    passed = len(ended) - failed
    sys.stdout.write(message("test-end", passed=passed, failed=failed, seconds=f"{seconds:.1f}") + "\n")


def _run(test: QueryTest, asked: Invocation) -> Ended:
    text = read_query_file(str(test.path), policy_of(asked))
    session = partial(_session, replace(asked, given=()))

    def wait(session: Session, work: object) -> object:
        limit, memory = asked.timeout, session.database.watch()
        return interruptible(work, session.interrupt, limit=limit, memory=memory)  # type: ignore[arg-type]

    return run(test, text, session, wait)  # type: ignore[arg-type]


def _session(asked: Invocation, zone: str) -> Session:
    return open_session(replace(asked, zone=zone))


def _chosen(asked: Invocation, paths: list[str]) -> list[str]:
    """The files that ``--only`` names: the name or path of a query, or a pattern of it."""
    if not paths:
        raise UsageError(diagnostic(NO_TESTS, paths=", ".join(asked.words)))
    if not asked.only:
        return paths

    def named(path: str) -> bool:
        name = Path(path).stem
        return any(fnmatchcase(name, one) or fnmatchcase(path, one) or one == name for one in asked.only)

    found = [path for path in paths if named(path)]
    if not found:
        known = ", ".join(Path(path).stem for path in paths[:20])
        raise UsageError(diagnostic(NONE_CHOSEN, names=", ".join(asked.only), known=known))
    return found
