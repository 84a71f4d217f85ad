"""``hive-file``: read a Windows registry hive."""

from __future__ import annotations

from logsql.commands.forensic._hive_ledger import HIVE_LEDGER
from logsql.commands.forensic._spellings import below_hive, kind_of_value
from logsql.commands.sources._files import REPLAY, evidence_command
from logsql.diagnostics.unreadable import DAMAGED_HIVE, NOT_HIVE, TRUNCATED_HIVE
from logsql.planner.catalog import SourceSpec
from logsql.planner.spec import Group, OptionKind, OptionSpec, register
from udfs.readers.artefacts import Artefact, Known, TimeOf, sure

KEYS = OptionSpec(
    "keys",
    OptionKind.BOOL,
    ("t gives keys without values a row", "t면 값이 없는 키도 한 행"),
    default=False,
    extension=True,
)
#: Hives by what they are called; a name may have a prefix or suffix of the collector.
_NAMES = (
    ("user", r"ntuser\.dat"), ("user classes", r"usrclass\.dat"),
    *((name, name) for name in ("SYSTEM", "SOFTWARE", "SAM", "SECURITY", "DEFAULT", "COMPONENTS", "BCD")),
)  # fmt: skip
ARTEFACT = Artefact(
    (
        *(Known(f"registry hive: {kind}", rf"(^|[/_.-]){name}([_.-][^/]*)?$", b"regf") for kind, name in _NAMES),
        Known("registry hive", mark=b"regf"),
        *(known for kind, _ in _NAMES for known in sure(f"registry hive: {kind}")),
    ),
    (TimeOf("registry", "last_written", "key written", path="key", once=True),),
    within=("registry hive: Amcache",),
    options={"keys": True},
)
DELETED = OptionSpec(
    "deleted",
    OptionKind.BOOL,
    ("t adds deleted keys and values that are still in the file", "t면 파일에 남아 있는 삭제된 키와 값도 읽음"),
    default=False,
    extension=True,
)
#: The names of RECmd's and regedit's columns.
_CALLED = {
    "keypath": "key", "path": "key", "valuename": "name", "valuetype": "type", "valuedata": "value", "data": "value",
    "lastwritetimestamp": "last_written", "lastwritetime": "last_written", "hivepath": "_path",
}  # fmt: skip

register(
    evidence_command(
        "hive-file",
        Group.FORENSIC,
        SourceSpec(
            "udfs.readers.hive.reader:HiveReader",
            artefact=ARTEFACT,
            forms={"key": below_hive, "type": kind_of_value},
            called=_CALLED,
            adds={"is_deleted": "deleted=t"},
        ),
        ("Read a Windows registry hive.", "Windows 레지스트리 하이브 파일을 읽습니다."),
        """
One row per value. `value` has the type of the data: text, a number, a list of texts or binary. `key` begins with the
name of the hive's root key, `last_written` is the time of the key, `type` the type without `REG_`; the default value
has the empty name. `replay=t` applies the transaction logs that lie beside the hive. `class_name` (an extension) is the
class of the key, in the row where the query names it. A key without values has no row; `keys=t` gives it one whose
`name`, `type` and `value` are null: its time tells when it was made. Windows ignores the letter case of keys and
names, `==` does not: `lower(key) == "*\\\\controlset001\\\\services\\\\*"` finds `services` and `Services`.

`deleted=t` adds, behind the rows of each hive, keys and values that are deleted and not yet overwritten,
from free cells and slack, and a field `is_deleted`. A deleted key has a row for each of its values, or one without. A
value whose key is not known has no `key`; one whose data's place is in use again has no `value` and is counted.

Damage does not end the query: what can be read is read, and each kind of damage is counted in the ledger with the byte
offset of the first.
""",
        (KEYS, DELETED, REPLAY),
        quiet=("class_name",),
        ledger=HIVE_LEDGER,
        errors=(
            NOT_HIVE,
            TRUNCATED_HIVE,
            DAMAGED_HIVE,
        ),
    )
)
