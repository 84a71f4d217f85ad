"""The shell on a terminal: prompt-toolkit for editing, history, completion and continuation lines.

Ctrl-C clears the line at the prompt and stops a running query; Ctrl-D leaves. The history lives in the user's state
folder (``LOGSQL_HISTORY`` names another file; empty: none is written).
"""

from __future__ import annotations

import datetime as dt
import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent

from logsql import __version__
from logsql.diagnostics.messages import message
from logsql.registry import COMMANDS
from logsql.shell.catalog import SessionCatalog
from logsql.shell.complete import complete
from logsql.shell.repl import Leave, Shell
from logsql.shell.voice import terminal_width
from logsql.store.files import Files
from logsql.store.folders import history_places

PROMPT, CONTINUED = "logsql> ", ".. "


class _Completer(Completer):
    def __init__(self, catalog: SessionCatalog) -> None:
        self._catalog = catalog

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        for found in complete(document.text, document.cursor_position, self._catalog):
            yield Completion(found.text, found.start - document.cursor_position, display_meta=found.help[:60])


_PASSWORD = re.compile(r"(\bpassword=)(?!(?:env|file|keyring):).+", re.DOTALL)


def without_password(text: str) -> str:
    r"""An input as the history keeps it: what is typed behind ``password=`` of ``\profile set`` is not.

    >>> without_password(r"\profile set AD password=hunter2"), without_password("eval password=1")
    ('\\profile set AD password=***', 'eval password=1')
    """
    return _PASSWORD.sub(r"\1***", text) if text.lstrip().startswith("\\profile") else text


class _Kept(FileHistory):
    """The history file: an entry is written in one piece and is on the disk when the next line is typed."""

    def store_string(self, string: str) -> None:
        lines = "".join(f"+{line}\n" for line in without_password(string).split("\n"))
        with suppress(OSError):  # a full disk ends no shell
            Files().add_private(
                os.fsdecode(self.filename), f"\n# {dt.datetime.now()}\n{lines}".encode(errors="surrogateescape")
            )


def history(keeps: bool = True) -> History:
    """The history file, made on first use; in memory where no file can be made, or when the session keeps nothing."""
    name = os.environ.get("LOGSQL_HISTORY")
    if name == "" or not keeps:
        return InMemoryHistory()
    files = Files()
    try:
        path = Path(name) if name else _history_place(files)
        files.make_private(path)  # queries may hold passwords
        return _Kept(str(path))
    except OSError:
        return InMemoryHistory()


def _history_place(files: Files) -> Path:
    """Where the history is: an older place goes on being used where there is a file."""
    places = history_places()
    return next((place for place in places if files.has_file(place)), places[0])


def converse(shell: Shell) -> int:
    """Prompt, carry out, repeat until Ctrl-D or ``\\q``."""
    shell.interactive = True
    shell.settings.width = lambda: terminal_width(sys.stdout)
    prompt = _prompt_session(shell)
    shell.ask = lambda question: PromptSession[str]().prompt(question)
    shell.voice.say(message("shell-hello", version=__version__))
    COMMANDS.load()  # while the greeting is read: the first Tab asks for all of them
    while True:
        try:
            text = prompt.prompt()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return 0
        try:
            shell.execute(text)
        except Leave:
            return 0
        except KeyboardInterrupt:
            continue


def _prompt_session(shell: Shell) -> PromptSession[str]:
    keys = KeyBindings()
    session: PromptSession[str]

    @Condition
    def unfinished() -> bool:
        buffer = session.default_buffer
        return buffer.document.is_cursor_at_the_end and shell.more(buffer.text)

    @keys.add("enter", filter=unfinished)
    def _newline(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("enter", filter=~unfinished)
    def _accept(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    session = PromptSession(
        PROMPT,
        history=history(shell.session.policy.write),
        completer=_Completer(SessionCatalog(shell.session, shell.settings.params)),
        complete_in_thread=True,
        complete_while_typing=False,
        multiline=True,
        prompt_continuation=lambda width, line, wrapped: CONTINUED,
        key_bindings=keys,
    )
    return session
