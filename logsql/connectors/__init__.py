"""What reaches other machines: one file each behind one protocol (:mod:`logsql.planner.connections`).

The public interface adds the table below to the services of a session; a connector is imported when a command first
asks for it, so that a query without such a command imports no network module. Connectors of other packages are entry
points of the group ``logsql.connectors``: the name of the service, and a function of :class:`.access.Access`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from logsql.loading import at, installed

if TYPE_CHECKING:
    from logsql.configuration.settings import Configuration
    from logsql.connectors.access import Access
    from logsql.store.files import Files

GROUP = "logsql.connectors"

Factory = Callable[["Access"], object]

#: Service -> ``module:function``, called with :class:`.access.Access`.
CONNECTORS: dict[str, str] = {
    "dns": "logsql.connectors.dns:Resolver",
    "ftp": "logsql.connectors.ftp:Login",
    "mail": "logsql.connectors.mail:Postman",
    "directory": "logsql.connectors.ldap:Client",
    "sftp": "logsql.connectors.sftp:Login",
    "http": "logsql.connectors.http:Client",
    "syslog": "logsql.connectors.syslog:Forwarder",
    "databases": "logsql.connectors.database:Client",
}


def made(name: str, configuration: Callable[[], Configuration], files: Files, zone: str) -> object | None:
    """The connector of a service; None where no package here has one. None of ours is replaced by another package's."""
    if name in CONNECTORS:
        factory = cast("Factory", at(CONNECTORS[name]))
    else:
        found = next(iter(installed(GROUP, name=name)), None)
        if found is None:
            return None
        factory = cast("Factory", found.load())
    access = cast("type[Access]", at("logsql.connectors.access:Access"))
    return factory(access(configuration, files, zone))
