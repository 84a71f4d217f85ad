"""Carries out pieces of work and ends the process at one moment of their writing: ``python -m tests.faults.killed``.

A moment is an audit event: one of Python (opening a file for writing, renaming, linking, removing, making a folder) or
one of the program (``logsql.MOMENT``). Every piece of work runs in a process that is forked from this one, which has
imported everything and done nothing. A job is a line of JSON: ``folder``, ``script``, and ``moment``: 0 (pass all and
tell them), N (kill -9 just before the N-th), or N.MS (that many milliseconds behind it: DuckDB writes by itself).
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time

CHANGES = frozenset({"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate"})


def changes(event: str, words: tuple[object, ...]) -> bool:
    """Whether an event comes before a change of the disk."""
    if event == "open":
        return isinstance(words[0], str) and bool(int(str(words[2])) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    return event in CHANGES or event.startswith("logsql.")


def end_at(moment: str, told: int) -> None:
    """End this process at a moment; tell those that pass to the handle ``told``."""
    number, _, pause = moment.partition(".")
    wanted, passed, inside = int(number), 0, threading.local()

    def die(seconds: float = 0.0) -> None:
        time.sleep(seconds)
        os.kill(os.getpid(), signal.SIGKILL)

    def watch(event: str, words: tuple[object, ...]) -> None:
        nonlocal passed
        if getattr(inside, "it", False) or not changes(event, words):
            return
        inside.it = True
        passed += 1
        if not wanted:
            os.write(told, f"{event}\n".encode())
        elif passed == wanted and pause:
            threading.Thread(target=die, args=(int(pause) / 1000,), daemon=True).start()
        elif passed == wanted:
            die()
        inside.it = False

    sys.addaudithook(watch)


def work(job: dict[str, str], told: int) -> None:
    os.chdir(job["folder"])
    for name in ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "TMPDIR"):
        os.environ[name] = os.path.join(job["folder"], "home")
    end_at(job["moment"], told)
    exec(compile(job["script"], "work", "exec"), {})


def main() -> None:
    import logsql.api
    import logsql.cli
    import logsql.commands.output.copytable
    import logsql.jobs.outputs
    import logsql.ml.inputs
    import logsql.ml.store
    from logsql.planner.function_spec import FUNCTIONS
    from logsql.registry import COMMANDS

    assert logsql.api
    COMMANDS.load()
    list(FUNCTIONS)
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            try:
                work(json.loads(line), writing)
            except BaseException as problem:
                os.write(2, f"{type(problem).__name__}: {problem}\n".encode())
                os._exit(1)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as told:
            moments = told.read().split()
        status = os.waitpid(child, 0)[1]
        print(json.dumps({"ended": os.waitstatus_to_exitcode(status), "moments": moments}), flush=True)


if __name__ == "__main__":
    main()
