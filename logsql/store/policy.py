"""What a query may touch. Every reader, writer, socket and model load asks here; DuckDB is locked to the same rules.

The interactive user's own policy allows the user's files and asks nothing. ``--safe`` denies everything that was not
named: files outside the allowed directories, writing, the network.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from logsql.diagnostics.engine import NETWORK_NOT_ALLOWED, READ_NOT_ALLOWED, WRITE_NOT_ALLOWED
from logsql.diagnostics.errors import PolicyError, diagnostic


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
            raise PolicyError(diagnostic(READ_NOT_ALLOWED, path=path))

    def check_write(self, path: str) -> None:
        """Raise :class:`PolicyError` when the file may not be written."""
        if not self.write:
            raise PolicyError(diagnostic(WRITE_NOT_ALLOWED, path=path))

    def check_network(self, target: str) -> None:
        """Raise :class:`PolicyError` when the address may not be reached."""
        if not self.network:
            raise PolicyError(diagnostic(NETWORK_NOT_ALLOWED, target=target))

    def _inside(self, path: str) -> bool:
        real = os.path.realpath(path)
        return any(real == d or real.startswith(d.rstrip(os.sep) + os.sep) for d in self.directories)
