"""What readers raise. No import of another package, so that whoever tells these errors apart pays nothing."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from udfs.extras import MissingExtra, needs_extra
from udfs.regular import NotRegular


def printable(text: str) -> str:
    """Text that may hold names from files: what a terminal would obey is shown as ``\\x1b``, and 64 KiB are cut."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shown if len(shown) <= 1000 else f"{shown[:600]} ... {shown[-300:]}"


class ReaderError(Exception):
    """A source that cannot be read at all: one clear sentence, the path, and a stable symbolic code.

    ``said`` is the sentence in English as the code has it, with ``{places}``; ``path`` and the ``facts`` of the call
    fill them (``str`` of the error is the filled sentence). Who says it in another language finds it by ``said``.

    Codes in use: ``file-not-found``, ``no-match`` (a ``*`` that matches nothing), ``is-a-directory``, ``not-a-file`` (a
    pipe or a device), ``permission-denied``, ``read-failed``, ``not-a-zip``, ``no-such-entry``, ``archive-encrypted``,
    ``unknown-charset``, ``missing-extra`` and each format's own, for example ``not-a-hive``.

    For the user's error: ``shown_code`` is the code of the command that reads, put in by whoever knows it; ``beside``
    are the names in the folder of a file that is not there, ``no_folder`` is true when there is no such folder.
    """

    def __init__(self, said: str, path: str, code: str, **facts: object) -> None:
        self.said = said
        self.facts = {name: fact if isinstance(fact, (int, float)) else str(fact) for name, fact in facts.items()}
        self.facts["path"] = path
        super().__init__(printable(said.format_map(self.facts)))
        self.path = path
        self.code = code
        self.shown_code: str | None = None
        self.beside: Sequence[str] = ()
        self.no_folder = False

    def about(self, path: str) -> ReaderError:
        """The same of another path: what is wrong with a copy is wrong with what was copied."""
        facts = {name: fact for name, fact in self.facts.items() if name != "path"}
        return type(self)(self.said, path, self.code, **facts)


def needs_package(what: str, package: str, extra: str, path: str, module: str | None = None) -> None:
    """Raise the ReaderError ``missing-extra`` unless the package that reads this kind of file is installed."""
    try:
        needs_extra(what, package, extra, module)
    except MissingExtra as problem:
        raise ReaderError("{reason}", path, "missing-extra", reason=problem) from problem


class ReadCancelled(Exception):
    """Raised by a scan when ``context.cancelled()`` turned true: a stop must not look like the end of the data."""


def os_error(problem: OSError, path: str) -> ReaderError:
    """An operating-system error as the ReaderError the user sees."""
    if isinstance(problem, FileNotFoundError) or problem.errno == errno.ENOTDIR:
        return ReaderError("file not found: {path}", path, "file-not-found")
    if isinstance(problem, PermissionError):
        return ReaderError("no permission to read {path}", path, "permission-denied")
    if isinstance(problem, IsADirectoryError):
        return ReaderError("{path} is a directory, not a file", path, "is-a-directory")
    if isinstance(problem, NotRegular):
        said = "{path} is a pipe or a device, not a file: save what it gives, or read standard input with the command -"
        return ReaderError(said, path, "not-a-file")
    return ReaderError("cannot read {path}: {reason}", path, "read-failed", reason=problem.strerror or problem)
