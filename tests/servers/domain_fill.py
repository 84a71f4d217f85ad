"""Fills the database of a Samba controller that does not run.

    /usr/bin/python3 -I domain_fill.py SMB_CONF USERS MEMBERS

It runs under the distribution's Python, which owns the modules of Samba, not under that of the tests. ``lastLogon`` of
user ``i`` is "0" where 7 divides ``i``, else the FILETIME of 1600000000.1234567 + 1000 i seconds.
"""

from __future__ import annotations

import sys

import ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

STEP = 100
"""Entries of one transaction: a long one takes time that grows with its square."""
NEVER = "9223372036854775807"
HOSTS = 20


def filetime(user: int) -> str:
    """Ticks of 100 ns since 1601."""
    return str((1_600_000_000 + user * 1000) * 10_000_000 + 1_234_567 + 116_444_736_000_000_000)


def add(db: SamDB, entries: list[dict[str, object]]) -> None:
    """Add entries, so many in a transaction."""
    for start in range(0, len(entries), STEP):
        db.transaction_start()
        for entry in entries[start : start + STEP]:
            db.add(entry)
        db.transaction_commit()


def user(staff: str, i: int) -> dict[str, object]:
    """A user as one makes it by hand."""
    return {
        "dn": f"CN=User {i:05d},{staff}",
        "objectClass": "user",
        "sAMAccountName": f"user{i:05d}",
        "displayName": f"사용자 {i}",
        "userPrincipalName": f"user{i:05d}@lab.example.test",
        "department": f"Dept {i % 50}",
        "userAccountControl": "514",
    }


def times(db: SamDB, staff: str, i: int) -> None:
    """What only the system writes."""
    message = ldb.Message(ldb.Dn(db, f"CN=User {i:05d},{staff}"))
    values = {
        "lastLogon": "0" if i % 7 == 0 else filetime(i),
        "badPasswordTime": "0" if i % 3 else filetime(i + 1),
        "lastLogonTimestamp": NEVER if i % 11 == 0 else filetime(i),
    }
    for name, value in values.items():
        message[name] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, name)
    db.modify(message, ["relax:0"])


def host(base: str, i: int) -> dict[str, object]:
    """A computer that joined."""
    name = f"ws{i:03d}"
    return {
        "dn": f"CN={name.upper()},CN=Computers,{base}",
        "objectClass": "computer",
        "sAMAccountName": f"{name.upper()}$",
        "userAccountControl": "4096",
        "dNSHostName": f"{name}.lab.example.test",
        "servicePrincipalName": [f"HOST/{name}", f"HOST/{name}.lab.example.test"],
        "operatingSystem": "Windows 10 Pro",
        "operatingSystemVersion": "10.0 (19045)",
    }


def main() -> None:
    """Fill as the command line says."""
    conf, users, members = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    settings = LoadParm()
    settings.load(conf)
    db = SamDB(url=settings.private_path("sam.ldb"), session_info=system_session(), lp=settings)
    base = db.domain_dn()
    staff, friends = f"OU=Staff,{base}", f"OU=Friends,{base}"
    add(db, [{"dn": dn, "objectClass": "organizationalUnit"} for dn in (staff, friends)])
    add(db, [user(staff, i) for i in range(users)])
    db.transaction_start()
    for i in range(users):
        times(db, staff, i)
    db.transaction_commit()
    add(db, [host(base, i) for i in range(HOSTS)])
    contacts = [f"CN=Friend {i:05d},{friends}" for i in range(members)]
    add(db, [{"dn": dn, "objectClass": "contact"} for dn in contacts])
    for name, count in (("Everyone of ours", members), ("One of ours", 1)):
        add(
            db,
            [{"dn": f"CN={name},{staff}", "objectClass": "group", "sAMAccountName": name, "member": contacts[:count]}],
        )


main()
