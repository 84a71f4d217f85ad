"""``ftp``: files on a server over FTP."""

from __future__ import annotations

from logsql.commands.network._remotefiles import Protocol, register_remote
from logsql.planner.connections.remotefiles import FTP
from logsql.planner.spec import Example

PROTOCOL = Protocol(
    "ftp",
    FTP,
    ("ftp", "ftps"),
    ("aioftp", "net", "aioftp"),
    ("type", "name", "file_size", "modified_at", "owner", "group"),
)

register_remote(
    PROTOCOL,
    ("List, read or write files over FTP.", "FTP로 파일을 나열하거나 읽거나 씁니다."),
    (
        "ftp PROFILE ls [encoding=CHARSET] PATH",
        "ftp PROFILE cat [encoding=CHARSET] [format=json] [limit=N] [offset=N] PATH",
        "ftp PROFILE put [append=t|overwrite=t] [encoding=CHARSET] [format=csv|json|text|tsv] [partition=t] "
        "[fields=FIELD,...] PATH",
    ),
    """\
The server is a profile of kind `ftps` (TLS by AUTH TLS, from the first byte on port 990; commands and data are
protected, the certificate is checked on both) or `ftp`, which sends password and files in clear text and is refused
unless `[network] plain_ftp` names the host.

Data connections are passive and go to the server itself, whatever address its answer names. Times come from MLSD where
the server has it; else those of LIST are read as UTC. FTP has no way to give a new file its name only if that is free,
and none to shorten a file: two queries that write one file at a time may replace each other's, and an append that
breaks off may leave some of its lines.
""",
    (
        Example("Logs of a folder", "ftp srv ls /data/logs | sort -modified_at | limit 10"),
        Example("Objects of a JSON file", "ftp srv cat format=json /sample.json"),
        Example(
            "Two fields as text",
            "table classloading | ftp srv put fields=UnloadedClassCount,LoadedClassCount /data/output.txt",
        ),
    ),
    frozenset({"append", "encoding", "fields", "format", "limit", "offset", "overwrite"}),
)
