"""What ``logsql profile test`` asks: every connector that uses profiles tries one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from logsql.configuration.settings import Profile


class Tried(Protocol):
    """The service of a kind of profile (``service=`` of its row in :data:`logsql.configuration.keys.KINDS`)."""

    def test(self, profile: Profile) -> str:
        """Connect, bind or log in with a profile; one line that says to what. Raises SourceError, PolicyError."""
