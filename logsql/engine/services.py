"""Services that commands ask the catalog for by name; each is made on first use, with its imports."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logsql.engine.session import Session

#: Service name -> ``module:factory``; the factory takes the session.
SERVICES: dict[str, str] = {
    "models": "logsql.engine.models:model_store",
    "ml": "logsql.engine.models:ml_shell",
    "geoip": "logsql.jobs.geoip:database",
    "lookups": "logsql.engine.lookups:lookup_lister",
    "objects": "logsql.engine.objects:object_lists",
    "procedures": "logsql.engine.procedures:procedures",
    "purging": "logsql.engine.procedures:purging",
}


def make_service(session: Session, name: str) -> Any:
    """The service of this name, None when there is none."""
    target = SERVICES.get(name)
    if target is None:
        return None
    module, _, factory = target.partition(":")
    return getattr(importlib.import_module(module), factory)(session)
