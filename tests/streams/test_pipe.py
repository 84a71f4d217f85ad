"""Rows of a pipe that is still open: at once where commands pass them on one by one, at the end elsewhere."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.support import command, env, run
from tests.streams.commandline import Running, running

pytestmark = pytest.mark.posix("Ctrl-C as a signal")


@contextmanager
def piped(folder: Path, *words: str) -> Iterator[tuple[Running, int]]:
    """A query whose standard input is a pipe, and the end into which the test writes."""
    reading, writing = os.pipe()
    try:
        with running(folder, *words, stdin=reading) as one:
            os.close(reading)
            reading = -1
            yield one, writing
    finally:
        for handle in (reading, writing):
            if handle >= 0:
                try:
                    os.close(handle)
                except OSError:
                    continue


def test_a_row_comes_when_its_line_is_there(tmp_path: Path) -> None:
    with piped(tmp_path, "-q", '- | search line != "*x*" | eval n = len(line)') as (one, writing):
        os.write(writing, b"1\n")  # fewer bytes than a byte order mark has
        assert one.rows(1) == [{"line": "1", "n": 1}]
        os.write(writing, b"x\nhalf")
        os.write(writing, b" a line\n")
        assert one.rows(2)[1] == {"line": "half a line", "n": 11}
        os.write(writing, b"no end")
        os.close(writing)
        assert one.process.wait(60) == 0
    assert one.rows(3)[2] == {"line": "no end", "n": 6}
    assert one.err == ""


def test_what_is_remembered_goes_on_from_line_to_line(tmp_path: Path) -> None:
    with piped(tmp_path, "-q", "- | prev line | eval place = seq()", "-f", "csv") as (one, writing):
        os.write(writing, b"a\n")
        one._until(lambda: one.out.count("\n") == 2)
        os.write(writing, b"b\nc\n")
        one._until(lambda: one.out.count("\n") == 4)
    assert one.out == "line,prev_line,place\na,,1\nb,a,2\nc,b,3\n"


def test_ctrl_c_ends_the_input(tmp_path: Path) -> None:
    with piped(tmp_path, "-q", "- | eval n = int(line)") as (one, writing):
        os.write(writing, b"1\nx\n")
        one.rows(2)
        assert one.ctrl_c() == 130
    assert "values that a conversion could not read" in one.err  # the ledger is told
    assert "interrupted" not in one.err


def test_all_rows_are_needed_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    with piped(tmp_path, "-q", "- | stats count") as (one, writing):
        os.write(writing, b"1\nx\n")
        one.process.poll()
        assert one.out == ""
        os.close(writing)
        assert one.process.wait(60) == 0
    assert one.rows(1) == [{"count": 2}]


LINES = "".join(f'{{"a": {n % 7}, "b": "k{n % 3}"}}\n' for n in range(3000)).encode() + b"\xff no json\n\n"


@pytest.mark.parametrize(
    "query",
    [
        "-",
        "- | parsejson | fields a, b",
        "- | parsejson",
        '- | rex field=line "k(?<k>[01])" | search isnotnull(k) | eval x = if(k == "1", 1, "zero") | fields k, x',
        '- | eval n = long(line), l = split(line, ",") | fields n, l',
        "- | prev line | eval s = seq() | search s > 2990",
        "- | evalc was = a | parsejson | fields was, a | limit 5",
        "- | parsekv | fields a",
        '- | search line == "*nothing*"',
        "- | bypass | order line | rename line as x | repeat count=2",
    ],
)
@pytest.mark.parametrize("format", ["jsonl", "csv", "table"])
def test_a_pipe_gives_what_a_file_gives(query: str, format: str, tmp_path: Path) -> None:
    """The way by a file is that of all other sources, and knows nothing of what arrives."""
    (tmp_path / "lines").write_bytes(LINES)
    words = command("-q", query, "-f", format, "--loss", "--tz", "UTC")
    by_pipe = subprocess.run(words, input=LINES, capture_output=True, check=False, timeout=90, env=env())
    with (tmp_path / "lines").open("rb") as file:
        by_file = subprocess.run(words, stdin=file, capture_output=True, check=False, timeout=90, env=env())
    assert by_pipe.stdout == by_file.stdout
    assert by_pipe.returncode == by_file.returncode == 0, by_pipe.stderr
    # A batch does not know at which line it begins: the first value of a loss has no place.
    told = [b for b in by_file.stderr.splitlines() if b"standard input" in b or re.search(rb"  at line \d+", b) is None]
    assert [b for b in by_pipe.stderr.splitlines() if b in told] == told
    assert by_pipe.stderr.count(b"\n") == by_file.stderr.count(b"\n")


def test_packed_input() -> None:
    done = run("-q", '- | search line == "b"', stdin=gzip.compress(b"a\nb\n"))
    assert (done.returncode, done.stdout) == (0, b'{"line":"b"}\n')
    done = run("-q", '- | search line == "b"', stdin=b"PK\x03\x04" + b"\0" * 100)
    assert done.returncode != 0
    assert b"packed-input" in done.stderr


def test_a_reader_that_goes_away_ends_it() -> None:
    words = command("-q", '- | search line == "*y*"')
    with (
        subprocess.Popen(["yes"], stdout=subprocess.PIPE) as endless,
        subprocess.Popen(words, stdin=endless.stdout, stdout=subprocess.PIPE, env=env()) as one,
    ):
        assert endless.stdout is not None
        assert one.stdout is not None
        endless.stdout.close()
        assert one.stdout.readline() == b'{"line":"y"}\n'
        one.stdout.close()
        assert one.wait(60) == 0
        endless.wait(60)


def test_a_table_on_a_terminal_shows_rows_at_once() -> None:
    pexpect = pytest.importorskip("pexpect", reason="pexpect is not installed")
    words = command("-q", '- | search line != "*x*"')
    child = pexpect.spawn(words[0], words[1:], env=env(TERM="xterm"), dimensions=(40, 60), timeout=90, encoding="utf-8")
    try:
        child.send("short\r")
        child.expect("line *\r\n-+\r\nshort *\r\n")
        child.send("a line that is longer than the first one\r")
        child.expect("one\r\n.*a line that is longer than the first one *\r\n")  # the echo, then the row
        child.sendeof()
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 0
    finally:
        child.close(force=True)
