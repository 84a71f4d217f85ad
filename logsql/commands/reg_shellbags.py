"""``reg-shellbags``: list the folders a user opened (NTUSER.DAT, UsrClass.dat)."""

from __future__ import annotations

from logsql.commands._files import evidence_command
from logsql.commands.base import register

register(
    evidence_command(
        "reg-shellbags",
        "List the folders a user opened (NTUSER.DAT, UsrClass.dat).",
        """
One row per folder.
""",
        fields="file_name, file_ext, last_written, order, _file",
    )
)
