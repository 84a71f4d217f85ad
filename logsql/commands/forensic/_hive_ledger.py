"""What the readers of registry hives put into the ledger, for the manual pages."""

from __future__ import annotations

from logsql.diagnostics.reasons import FILE_LEFT_OUT, rows

HIVE_LEDGER = (
    *rows("dirty-hive", "no-transaction-log", "log-of-another-time", "log-gap", "log-entry-damaged", "damaged-log"),
    *rows("transaction-log", "log-begins-later"),
    FILE_LEFT_OUT,
    *rows("damaged-base-block", "root-key-elsewhere", "beyond-2-gib", "damaged-subkey-list", "subkey-list-cut"),
    *rows("subkey-list-nesting", "subkey-lists-overlap", "subkey-count-differs", "damaged-key", "key-without-mark"),
    *rows("key-name-cut", "key-loop", "keys-too-deep", "too-many-keys", "damaged-value-list", "value-list-cut"),
    *rows("value-lists-overlap", "value-count-differs", "damaged-value", "value-without-mark", "value-name-cut"),
    *rows("damaged-data", "data-cut", "data-overlaps", "data-reused", "time-out-of-range"),
)
VIEW_LEDGER = rows("unreadable-entry", "time-out-of-range")
#: Said on the pages of the views, which read hives as ``hive-file`` does.
AS_HIVE_FILE = "The reasons that concern the hive itself are on the page of `hive-file`."
