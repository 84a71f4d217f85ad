"""Where the program keeps its own files: the user's folders by platformdirs, and the folder of one database.

Models, lists, stored queries and lookups are data; history and kept results are state; what can be made again is cache.
On Linux these are XDG_DATA_HOME, XDG_STATE_HOME and XDG_CACHE_HOME. A session over a database file keeps everything
beside that file. Nothing is made here: a folder comes to be when something is written into it.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from os import environ
from pathlib import Path

#: The database that is no file.
MEMORY = ":memory:"
_APP = "logsql"


def data_folder() -> Path:
    """The user's data folder of the program."""
    import platformdirs  # for cost: only a session that keeps something needs it

    return platformdirs.user_data_path(_APP, appauthor=False)


def user_state_folder() -> Path:
    """The user's state folder of the program: history, kept results."""
    import platformdirs  # for cost

    return platformdirs.user_state_path(_APP, appauthor=False)


def cache_folder() -> Path:
    """The user's cache folder of the program: what may be thrown away at any time."""
    import platformdirs  # for cost

    return platformdirs.user_cache_path(_APP, appauthor=False)


def config_folder() -> Path | None:
    """The user's folder of settings: what queries may reach, profiles. None where the user has no home.

    A relative folder in the environment is passed over, as the XDG rules say: the folder would be the current one's.
    """
    if sys.platform == "win32":
        given = environ.get("APPDATA", "")
        home = os.path.join(os.path.expanduser("~"), "AppData", "Roaming")
    else:
        given = environ.get("XDG_CONFIG_HOME", "")
        home = os.path.join(os.path.expanduser("~"), ".config")
    found = given if os.path.isabs(given) else home
    return Path(found) / _APP if os.path.isabs(found) else None


def user_folder() -> Path:
    """The folder of models, inputs, lists and lookups that belong to no database, and of the sealing key."""
    return data_folder() / "ml"


def default_folder(database: str | Path | None) -> Path:
    """The state folder of a session: beside its database (``case.duckdb`` -> ``case.duckdb.ml``), else the user's."""
    if database is None or str(database) in ("", MEMORY):
        return user_folder()
    path = Path(database)
    return path.with_name(path.name + ".ml")


def results_folders(database: str) -> list[Path]:
    """Folders of saved results: the first is written to, all are read (before 0.2 the user's data folder held them)."""
    if database == MEMORY:
        return [user_state_folder() / "results", user_folder() / "results"]
    return [default_folder(database) / "results"]


def history_places() -> list[Path]:
    """Files of the shell's history: the first is written to; where only a later one is there, that goes on."""
    new = user_state_folder() / "history"
    if sys.platform == "win32":
        return [new, Path(environ.get("LOCALAPPDATA") or Path.home()) / _APP / "history"]
    return [new, Path(environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / _APP / "history"]


class BadName(ValueError):
    """A text that cannot be the name of a kept thing: its beginning is ``name``."""

    def __init__(self, name: str) -> None:
        super().__init__(name[:120])
        self.name = name[:120]


def file_stem(name: str) -> str:
    """A file name for any name: word characters stay, others become %XX; a hash keeps "Bot" and "bot" apart
    everywhere. Raises :class:`BadName` for a blank name and for one of more than 100 characters."""
    if not name.strip() or len(name) > 100:
        raise BadName(name)
    safe = re.sub(r"[^\w-]", lambda m: "".join(f"%{b:02X}" for b in m.group().encode()), name)
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{safe[:60]}.{digest}"
