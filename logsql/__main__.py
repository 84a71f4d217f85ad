"""``python -m logsql``, and the command ``logsql``."""

from __future__ import annotations

import signal
from typing import NoReturn


def start() -> NoReturn:
    """Run the program. Ctrl-C while its modules are read ends the process as it ends any other, without a traceback."""
    pending = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # else it is ignored: nohup, a script's &
    if pending:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from logsql.cli import program  # for cost: Ctrl-C meanwhile

    if pending:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    program()


if __name__ == "__main__":
    start()
