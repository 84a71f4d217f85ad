"""What a query may touch. Every reader, writer, socket and model load asks here; DuckDB is locked to the same rules.

The interactive user's own policy allows the user's files and asks nothing. ``--safe`` denies everything that was not
named: files outside the allowed directories, writing, the network.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from logsql.diagnostics.errors import Diagnostic, PolicyError


@dataclass(frozen=True)
class Policy:
    """Rules of one session. Empty ``directories`` with ``safe`` means that no file may be read."""

    safe: bool = False
    directories: tuple[str, ...] = ()
    write: bool = True
    network: bool = True

    @staticmethod
    def safe_mode(directories: Sequence[str] = ()) -> Policy:
        """Deny by default: read only below ``directories``, write nothing, no network."""
        return Policy(True, tuple(os.path.realpath(d) for d in directories), write=False, network=False)

    def may_read(self, path: str) -> bool:
        return not self.safe or self._inside(path)

    def check_read(self, path: str) -> None:
        """Raise :class:`PolicyError` when the file may not be read."""
        if not self.may_read(path):
            self._refuse("read-not-allowed", f"reading {path} is not allowed in safe mode", "--allow-dir")

    def check_write(self, path: str) -> None:
        """Raise :class:`PolicyError` when the file may not be written."""
        if not self.write:
            self._refuse("write-not-allowed", f"writing {path} is not allowed in safe mode", "a session without --safe")

    def check_network(self, target: str) -> None:
        """Raise :class:`PolicyError` when the address may not be reached."""
        if not self.network:
            self._refuse(
                "network-not-allowed", f"reaching {target} is not allowed in safe mode", "a session without --safe"
            )

    def _inside(self, path: str) -> bool:
        real = os.path.realpath(path)
        return any(real == d or real.startswith(d.rstrip(os.sep) + os.sep) for d in self.directories)

    @staticmethod
    def _refuse(name: str, message: str, allow: str) -> None:
        raise PolicyError(Diagnostic("E4001", name, message, help=f"allow it with {allow}"))
