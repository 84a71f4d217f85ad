"""``sftp``: files on a server over SSH."""

from __future__ import annotations

from logsql.commands.network._remotefiles import Protocol, register_remote
from logsql.planner.connections.remotefiles import SFTP
from logsql.planner.spec import Example

PROTOCOL = Protocol(
    "sftp",
    SFTP,
    ("sftp",),
    ("paramiko", "sftp", "paramiko"),
    ("type", "is_link", "name", "file_size", "modified_at", "uid", "gid", "perms"),
)

register_remote(
    PROTOCOL,
    ("List, read or write files over SFTP.", "SFTP로 파일을 나열하거나 읽거나 씁니다."),
    (
        "sftp PROFILE ls PATH",
        "sftp PROFILE cat [encoding=CHARSET] [format=json] [limit=N] [offset=N] PATH",
        "sftp PROFILE put [append=t|overwrite=t] [encoding=CHARSET] [format=csv|json|text|tsv] [partition=t] "
        "[fields=FIELD,...] PATH",
    ),
    """\
The server is a profile of kind `sftp`: `url = "sftp://HOST"`, `user`, `password` or `key_file`, and `host_key`, the
fingerprint that `ssh-keygen -lf` prints (`SHA256:...`). A server that shows another key is refused with the word
`host-key-mismatch`.
""",
    (
        Example("What is in a folder", 'sftp srv ls / | search type == "dir" | fields name, modified_at'),
        Example("The first lines of a script", "sftp srv cat limit=5 /logpresso.sh"),
        Example(
            "A file for each day, with the time of the query in its name",
            "table classloading | sftp srv put format=json partition=t fields=LoadedClassCount,UnloadedClassCount "
            "{logtime:/yyyy/MM/dd/}{now:HHmm}.txt",
        ),
    ),
    frozenset(
        {"append", "encoding", "fields", "format", "limit", "maxsession", "multisession", "offset", "overwrite"}
        | {"partition"}
    ),
)
