"""Ten thousand entries of a directory server on this machine: two attributes, all of them, and ldap3 alone.

The server is that of the tests (OpenLDAP); its own CPU time is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import logsql
from bench import measure
from tests.network.ldap_support import READER, configuration
from tests.servers import directory as d
from tests.servers.pki import make_authority

FILTER = "(userPrincipalName=*)"


@contextmanager
def server() -> Iterator[tuple[Path, d.Directory]]:
    """A filled server, and the configuration with its profile ``AD``."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        authority = make_authority(folder / "tls")
        (folder / "slapd").mkdir()
        started = d.Directory(folder / "slapd", authority).start(d.fill(folder / "filled", authority))
        try:
            keys = {"url": started.tls_url, "ca_file": str(authority.ca_file), **READER}
            yield configuration(folder, AD=keys), started
        finally:
            started.stop()


def bare(started: d.Directory, attributes: list[str]) -> Callable[[], int]:
    """ldap3 alone: paged, values as they come, one dict a row."""
    import ldap3

    tls = ldap3.Tls(ca_certs_file=str(started.authority.ca_file), validate=2)

    def read() -> int:
        place = ldap3.Server("localhost", started.tls_port, use_ssl=True, tls=tls, get_info=ldap3.NONE)
        with ldap3.Connection(place, d.READER, d.PASSWORD, auto_referrals=False) as connection:
            found = connection.extend.standard.paged_search(
                d.BASE, FILTER, attributes=attributes, paged_size=1000, generator=True
            )
            return sum(1 for entry in found if entry["type"] == "searchResEntry")

    return read


def rows() -> list[measure.Row]:
    """The three comparisons."""
    with server() as (config, started), logsql.connect(config=str(config)) as home:
        source = f'ldapsearch profile=AD filter="{FILTER}"'

        def named() -> int:
            return sum(batch.num_rows for batch in home.query(f"{source} | fields sAMAccountName, lastLogon").batches())

        def whole() -> int:
            return sum(batch.num_rows for batch in home.query(source).batches())

        two, every = bare(started, ["sAMAccountName", "lastLogon"]), bare(started, ["*"])
        assert named() == whole() == two() == every() == d.USERS
        return [
            measure.row("directory: 2 attributes", "all attributes", measure.in_turns(named, whole), None),
            measure.row("directory: 2 attributes", "ldap3 alone, the same 2", measure.in_turns(named, two), 1.0),
            measure.row("directory: all attributes", "ldap3 alone, all", measure.in_turns(whole, every), 1.0),
        ]
