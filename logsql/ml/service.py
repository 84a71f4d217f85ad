"""The key by which commands and the shell ask a session for its models (importing it loads nothing else)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logsql.planner.services import Service

if TYPE_CHECKING:
    from logsql.ml.store import ModelStore

#: The store of a session's models.
MODELS: Service[ModelStore] = Service("models")
