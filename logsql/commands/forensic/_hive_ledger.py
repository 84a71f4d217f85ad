"""What the readers of registry hives put into the ledger, for the manual pages."""

from __future__ import annotations

HIVE_LEDGER: tuple[tuple[str, str], ...] = (
    ("dirty-hive", "not damage: the last changes may be in the transaction logs only; `replay=t` applies them"),
    ("no-transaction-log", "`replay=t`, but no usable `.LOG`, `.LOG1` or `.LOG2` lies beside the dirty hive"),
    ("log-of-another-time", "a log was written before the hive was and is not applied"),
    ("log-gap", "entries are missing between hive and log, or inside a log: the count is that of entries not applied"),
    ("log-entry-damaged", "an entry of a log fails its check; it and those behind it are not applied"),
    ("damaged-log", "a log is cut or damaged; what it holds from the offset on is not applied"),
    ("transaction-log", "the file is a transaction log itself: it holds no keys, so there are no rows"),
    ("not-a-hive", "one of several files is no registry hive and is left out"),
    ("damaged-hive", "one of several hives has no readable key and is left out"),
    ("damaged-base-block", "the first 512 bytes fail their checksum: their numbers are not believed"),
    ("root-key-elsewhere", "the header does not point at the root key, which was found by searching"),
    ("beyond-2-gib", "bytes behind 2 GiB are not read: no hive reaches that far"),
    ("damaged-subkey-list, subkey-list-cut", "a list of keys cannot be read, or not to its end: keys are missing"),
    ("subkey-list-nesting, subkey-lists-overlap", "lists of keys refer to each other: the rest is not followed"),
    ("subkey-count-differs", "a key's list holds another number of keys than the key says"),
    ("damaged-key, key-without-mark", "where a key should be is none, or one without its two letters `nk`"),
    ("key-name-cut", "a key's name is longer than its record and ends there"),
    ("key-loop, keys-too-deep, too-many-keys", "a key is its own ancestor, or there are more than fit: left out"),
    ("damaged-value-list, value-list-cut", "a list of values cannot be read, or not to its end: values are missing"),
    ("value-lists-overlap, value-count-differs", "lists of values overlap, or hold another number than the key says"),
    ("damaged-value, value-without-mark", "where a value should be is none, or one without its two letters `vk`"),
    ("value-name-cut", "a value's name is longer than its record and ends there"),
    ("damaged-data", "the data of a value cannot be read: `value` is null"),
    ("data-cut", "the data of a value is longer than its cell: `value` ends there"),
    ("data-overlaps", "values share their data so often that the rest is not repeated: `value` is null"),
    ("time-out-of-range", "a key's time is none that a calendar reaches: `last_written` is null"),
)
VIEW_LEDGER = (("unreadable-entry", "the data of one entry does not have the form it should have: no row"),)
#: Said on the pages of the views, which read hives as ``hive-file`` does.
AS_HIVE_FILE = "The reasons that concern the hive itself are on the page of `hive-file`."
