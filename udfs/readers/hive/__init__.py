"""Windows registry hives: ``HiveReader`` (one row a value). numpy and Arrow only, no forensic library."""

from udfs.readers.hive.reader import VARIANT, VARIANT_RAW, HiveReader

__all__ = ["VARIANT", "VARIANT_RAW", "HiveReader"]
