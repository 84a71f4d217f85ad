"""What tests of models share."""

from __future__ import annotations

from logsql.engine.session import Session

#: Variables that say where the program keeps its key and models.
DATA_FOLDERS = ("XDG_DATA_HOME", "LOCALAPPDATA", "HOME")


def ml(session: Session, *lines: str) -> str:
    """Carry out ml.* lines; returns what they print, without the warning that a test knew its rows."""
    shell = session.service("ml")
    said: list[str] = []
    shell.out = shell.err = said.append
    for line in lines:
        assert shell.run(line) == 0, said
    return "\n".join(text for text in said if not text.startswith("warning: "))
