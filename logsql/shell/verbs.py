"""The verbs of the command line that are not plain runs: check, fmt, help pages, ml. Each returns an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from logsql.diagnostics.errors import Diagnostic, LogsqlError, SourceError
from logsql.diagnostics.messages import message

if TYPE_CHECKING:
    from logsql.engine.session import Session


def read_query_file(path: str) -> str:
    """The text of a query file (UTF-8, a byte order mark is dropped); ``-`` is standard input. Raises SourceError."""
    shown = "standard input" if path == "-" else path
    try:
        if path == "-":
            data = sys.stdin.buffer.read()
        else:
            with open(path, "rb") as file:
                data = file.read()
    except OSError as error:
        reason = error.strerror or str(error)
        problem = Diagnostic("E3002", "file-not-read", message("file-not-read", path=path, reason=reason))
        raise SourceError(problem) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        sentence = message("file-not-utf8", path=shown, offset=error.start)
        raise SourceError(Diagnostic("E3003", "file-not-utf8", sentence)) from None


def show_error(error: LogsqlError, stream: TextIO) -> None:
    """The error as the user reads it."""
    from logsql.language.spans import render

    stream.write(render(error.diagnostic) + "\n")
    stream.flush()


def check(session: Session, paths: Sequence[str], params: dict[str, str], err: TextIO) -> int:
    """Plan every file without running it; 0 when all are right, else the exit code of the first error."""
    from logsql.api import parse
    from logsql.shell.lint import notes

    code = bad = 0
    for path in paths:
        try:
            text = read_query_file(path)
            session.plan(text, params, path)
            for note in notes(parse(text), text):
                err.write(f"note: {path}:{note}\n")
        except LogsqlError as error:
            show_error(error, err)
            bad += 1
            code = code or error.exit_code
    err.write(message("files-checked", count=len(paths), bad=bad) + "\n")
    return code


def format_files(paths: Sequence[str], only_check: bool, write: bool, out: TextIO, err: TextIO) -> int:
    """Format query files: to ``out``, in place (``write``), or only say which would change (``only_check``, exit 1)."""
    from logsql.language.formatter import format_query
    from logsql.registry import GRAMMAR

    code = 0
    for path in paths:
        try:
            before = read_query_file(path)
            try:
                after = format_query(before, GRAMMAR).rstrip("\n") + "\n"
            except LogsqlError as error:
                raise error.located(before, path) from None
            if only_check:
                if after != before:
                    err.write(message("would-change", path=path) + "\n")
                    code = code or 1
            elif write and path != "-":
                if after != before:
                    _rewrite(path, after)
                    err.write(message("formatted", path=path) + "\n")
            else:
                out.write(after)
        except LogsqlError as error:
            show_error(error, err)
            code = error.exit_code
    return code


def _rewrite(path: str, text: str) -> None:
    from logsql.render.sinks import open_sink

    with open_sink(path) as sink:
        sink.write(text.encode())


def manual(verb: str, words: Sequence[str], out: TextIO) -> int:
    """``commands``, ``functions``, ``help NAME``."""
    from logsql.shell import manual as pages

    if words:
        out.write(pages.page(words[0]) + "\n")
    else:
        out.write((pages.command_list() if verb == "commands" else pages.function_list()) + "\n")
    return 0


def ml_shell(session: Any, ask: Callable[[str], str], out: Callable[[str], Any], err: Callable[[str], Any]) -> Any:
    """The session's ``ml.*`` commands, talking through the given functions."""
    shell = session.service("ml")
    shell.ask, shell.out, shell.err = ask, out, err
    return shell


def ml(session: Any, words: Sequence[str]) -> int:
    """``logsql ml ...``: one ml command; trainings are waited for."""

    def ask(prompt: str) -> str:
        sys.stderr.write(prompt)
        sys.stderr.flush()
        return sys.stdin.readline().rstrip("\r\n")

    shell = ml_shell(session, ask, print, lambda text: print(text, file=sys.stderr))
    shell.wait = True
    return int(shell.run_words(words))


def usage_page(program: str = "logsql") -> str:
    """The page of ``--help``."""
    from logsql.diagnostics.messages import language
    from logsql.render import FORMATS
    from logsql.shell.arguments import OPTIONS, VERBS

    korean = language() == "ko"
    rows = [(program, message("use-shell")), (f"{program} -q 'QUERY'", message("use-query"))]
    rows.append((f"{program} FILE.lq", message("use-file")))
    rows += [(usage, message(f"use-{verb}")) for verb, (_, _, usage) in VERBS.items() if verb != "shell"]
    formats = [(f.name, f.summary[korean]) for f in FORMATS.values()]
    options = [(option.usage, message(option.help)) for option in OPTIONS]
    blocks = ((f"{message('help-usage')}:", rows), (f"{message('help-options')}:", options))
    lines: list[str] = []
    for title, pairs in (*blocks, (f"{message('help-formats')}:", formats)):
        left = max(len(name) for name, _ in pairs)
        lines += [title, *(f"  {name:<{left}}  {text}" for name, text in pairs), ""]
    return "\n".join([*lines, message("help-exit")])


def terminal_width(stream: TextIO) -> int | None:
    """Columns of the terminal behind a stream; None when it is no terminal."""
    if not stream.isatty():
        return None
    try:
        return max(os.get_terminal_size(stream.fileno()).columns, 20)
    except OSError:
        return 80
