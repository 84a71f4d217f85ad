"""Views over registry hives: what Windows keeps in them about users and programs, one row a fact.

``VIEWS`` maps the command's name to its view; ``open_view`` gives the Reader. Each view is one short module with a
pure function over the values of a hive, and names the public description of the format it reads.
"""

from __future__ import annotations

from collections.abc import Sequence

from udfs.readers.regviews import (
    bam_entries,
    network_profiles,
    opensave_files,
    recent_docs,
    shellbags,
    shim_cache,
    user_assists,
)
from udfs.readers.regviews.common import View, ViewReader

VIEWS: dict[str, View] = {
    module.VIEW.name: module.VIEW
    for module in (
        bam_entries,
        network_profiles,
        opensave_files,
        recent_docs,
        shellbags,
        shim_cache,
        user_assists,
    )
}


def open_view(
    name: str, paths: str | Sequence[str], zippath: str | None = None, zipcharset: str = "utf-8", replay: bool = False
) -> ViewReader:
    """The Reader of a view by its command name (``reg-user-assists``, ...). KeyError for an unknown one."""
    return ViewReader(VIEWS[name], paths, zippath, zipcharset, replay)


__all__ = ["VIEWS", "View", "ViewReader", "open_view"]
