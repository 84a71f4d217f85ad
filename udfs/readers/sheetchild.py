"""The process that parses workbooks: ``python -m udfs.readers.sheetchild BYTES``, spoken to by ``sheets``.

In: a line of JSON (path, sheet, skip, size) and as many bytes; out: a line of JSON with the notes and an Arrow stream,
or a line with code and message. It ends with its input. BYTES limits its address space where the system can do that.
"""

from __future__ import annotations

import io
import json
import signal
import sys
from typing import BinaryIO

import pyarrow as pa

from udfs.readers.errors import ReaderError
from udfs.readers.xlsx import sheet_batches


def main() -> None:
    """Answer until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's: it ends this process
    _limit(int(sys.argv[1]))
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = io.StringIO()  # what a library prints must not stand between the answers
    while line := asked.readline():
        request = json.loads(line)
        data = asked.read(request["size"])
        if len(data) < request["size"]:
            return
        _answer(request["path"], request["sheet"], request["skip"], data, answers)
        answers.flush()


def _answer(path: str, sheet: str | None, skip: int, data: bytes, answers: BinaryIO) -> None:
    try:
        notes, schema, batches = sheet_batches(path, sheet, skip, io.BytesIO(data))
    except ReaderError as problem:
        facts = {name: fact for name, fact in problem.facts.items() if name != "path"}
        answers.write(json.dumps({"code": problem.code, "said": problem.said, "facts": facts}).encode() + b"\n")
        return
    answers.write(json.dumps({"notes": notes}).encode() + b"\n")
    with pa.ipc.new_stream(answers, schema) as stream:
        for batch in batches:
            stream.write_batch(batch)


def _limit(most: int) -> None:
    if sys.platform == "win32":
        return
    import resource  # not on Windows

    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    wanted = most if hard == resource.RLIM_INFINITY else min(most, hard)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    except (OSError, ValueError):  # a system that does not let it be set
        return


if __name__ == "__main__":
    main()
