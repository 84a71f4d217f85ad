"""What a connector is given: the settings, the policy, and the doors of the session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from logsql.configuration.settings import Configuration, Network
from logsql.connectors.fence import Fence
from logsql.store.files import Files
from logsql.store.folders import cache_folder, user_state_folder


@dataclass(frozen=True)
class Access:
    """``configuration`` reads the settings when they are first asked for. ``files``: the door of the session, with its
    policy."""

    configuration: Callable[[], Configuration]
    files: Files
    zone: str

    @cached_property
    def network(self) -> Network:
        """``[network]`` of the settings. Raises UsageError for settings that are wrong."""
        return self.configuration().network

    @cached_property
    def fence(self) -> Fence:
        """Who may be reached."""
        return Fence(self.network, self.files.policy.safe)

    @property
    def cache_folder(self) -> Path:
        """Where answers are kept that may be thrown away at any time."""
        return Path(self.network.cache_dir) if self.network.cache_dir else cache_folder()

    @property
    def state_folder(self) -> Path:
        """Where the processes of one user share what they know of a host: how many requests it had."""
        return user_state_folder()
