"""``python -m logsql``."""

from __future__ import annotations

import sys

from logsql.cli import main

if __name__ == "__main__":
    sys.exit(main())
