"""Windows registry hives: ``HiveReader`` (one row a value). numpy and Arrow only, no forensic library."""

from udfs.readers.hive.reader import HiveReader

__all__ = ["HiveReader"]
