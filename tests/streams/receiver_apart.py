"""A receiver in a process of its own, for what is measured: ``python -m tests.streams.receiver_apart FOLDER CERT KEY``.

It prints its ports (tcp, tls), and ends when its input is closed.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from logsql.store.files import Files
from logsql.streams import rows
from logsql.streams.intake import Journal
from logsql.streams.metrics import Metrics
from logsql.streams.receivers.syslog import SyslogReceiver
from logsql.streams.settings import Receiver, Server, Tls


async def main(folder: Path, cert: str, key: str) -> None:
    """Run until the input ends."""
    journal = Journal(folder / "journal", Files(), Server(str(folder)), Metrics())
    intake = journal.intake("edge", rows.SYSLOG)
    journal.start()
    settings = Receiver(
        "edge",
        "syslog",
        ("tcp://127.0.0.1:0", "tls://127.0.0.1:0"),
        max_connections=20_000,
        max_connections_per_address=20_000,
        tls=Tls(cert, key),
    )
    receiver = SyslogReceiver(settings, intake, journal.metrics)
    await receiver.start()
    print(*(listen.port for listen in receiver.addresses), flush=True)

    await asyncio.to_thread(sys.stdin.read)
    await receiver.stop()
    journal.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
