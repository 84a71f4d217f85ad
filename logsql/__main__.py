"""``python -m logsql``."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    try:
        from logsql.cli import program

        program()
    except KeyboardInterrupt:  # Ctrl-C while the modules are read
        sys.exit(130)
