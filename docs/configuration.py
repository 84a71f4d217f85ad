"""The page of the configuration, ``docs/reference/config.md``, from the table of keys that checks the files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from logsql.configuration.declaring import Key, Kind, ListOf, MapOf, Scalar, Section
from logsql.configuration.keys import sections
from logsql.configuration.profiles import PROFILES
from logsql.configuration.reading import MOST_BYTES
from logsql.configuration.writing import value_text
from logsql.streams.servekeys import ROOT as SERVE

HEAD = f"""# Configuration

What queries may reach over the network, and the servers they know by name. A query without such a command reads no
configuration.

**Where.** `--config FILE`, else the file that `LOGSQL_CONFIG` names, else `config.toml` in the user's configuration
folder: `$XDG_CONFIG_HOME/logsql`, `~/.config/logsql`, on Windows `%APPDATA%\\logsql`. Never in the current folder: a
folder of evidence may hold one. Python: `logsql.connect(config=PATH)`. A file that is named must be there; the
default file need not be. Profiles that `logsql profile` writes are in `{PROFILES}` beside it. The two are read as
one; a key or profile that both have is an error.

**Check.** `logsql config validate [FILE]` (also called `logsql check-config`) says everything that is wrong, each
with the file, the line, the path of the key and the nearest one, and ends with 2 (0 when all is right). A file is
TOML in UTF-8 of at most {MOST_BYTES:,} bytes. Relative paths in it begin at its own folder; `~` is the home folder.

```toml
[network]
allow = ["10.20.0.0/16", "intranet.example:8443"]

[network.hosts."www.virustotal.com"]
rate = "4/1m"
query = {{ apikey = "env:VT_KEY" }}

[profiles.AD]
kind = "ldap"
url = "ldaps://dc1.example.com"
user = "reader@example.com"
password = "keyring:logsql/AD"
```

## Secrets

A password or key is written as a reference, or as itself:

| written | where it is |
| --- | --- |
| `"env:NAME"` | in an environment variable |
| `"file:PATH"` | in a file of at most 64 KB, whose line break at the end does not count |
| `"keyring:SERVICE/USER"` | in the keyring of the system (extra `keyring`) |
| anything else | here. A file with such a secret that others may read or write is refused: `chmod 600 FILE` |

It is read when it is used and is in no plan, row, error, note, ledger, `explain`, history or cache; what was read is
masked as `***` in whatever the program says, should a library quote it. A secret that is missing is an error that
names the reference. A URL with a password in it is refused.

With `--safe` the configuration and the files it names (`file:`, `ca_file`, `client_cert`, `client_key`, `key_file`)
are read wherever they lie, as `--config` itself is: whoever starts the program names them, and no query can. What a
secret protects may be reached only where `[network] allow` names it. A `path` of `sqlite` is data: with `--safe` it
must lie below an `--allow-dir`.

## Profiles

    logsql profile list                      name, kind, where it leads, file and line
    logsql profile show NAME                 as it is written; `***` for literal secrets
    logsql profile set NAME KEY=VALUE ...    make or change one; `KEY=` takes a key away; lists are written a,b
    logsql profile password NAME             ask for the password on the terminal; --stdin reads it from standard input
    logsql profile remove NAME
    logsql profile test NAME                 connect, bind or log in: one line, exit code 0 or 3

They stand in `{PROFILES}`, which is written as a whole with mode 0600 and keeps no comments; `config.toml` is never
written. A relative path behind `set` is the one that is meant where it is typed. The password of a profile with
`keyring:` goes into the keyring. In the shell: `\\profile`.

"""


SERVER = """# The configuration of a server

`logsql serve FILE` reads one file, and those that its `include` names as if they stood in it: tables are put together,
arrays grow, and a key that two files have is an error. `--set KEY=VALUE` puts a value in the place of the file's, of
receivers, streams and sinks by their names; lists are written `a,b`: `--set server.batch_time=5ms`,
`--set receiver.edge.listen=tcp://127.0.0.1:5514,udp://127.0.0.1:5514`. `logsql serve --check FILE` says everything that
is wrong. Relative paths begin at the folder of the file that names them, those of `--set` at the current folder,
`database` and `dead.path` at `state_dir`. Secrets are written as above; `[network]` and `[profiles]` have the keys
above and stand in this file: what they do not name no query of a server reaches.

**Models.** Models of a server lie beside its `database` (`live.duckdb.ml`), and a stream takes up one that was trained
or imported anew within five seconds. With `--server FILE` (or its state folder) `logsql ml ...`, `anomalies model=` and
`rforest model=` work on the models of the running server, and `table` reads its tables:

```console
$ logsql --server serve.toml ml addQueryInput history "table transactions"
$ logsql --server serve.toml ml createModel iforest fds history fields="amount, hour"
$ logsql --server serve.toml ml fit fds
```

Before a first start, while nobody holds the database: the same with `--db STATE_DIR/live.duckdb`. Run it as the user of
the server: a model carries the seal of the user who made it, and that of another one is refused until it was exported
there and imported here.

"""


def config_page() -> str:
    """The page."""
    lines = [HEAD.rstrip(), ""]
    for section in sections():
        lines += _section(section)
    lines += [SERVER.rstrip(), ""]
    shared = {section.title for section in sections()}
    top = dataclasses.replace(SERVE, title="", keys=tuple(key for key in SERVE.keys if not _is_section(key.kind)))
    lines += _table(top)
    for section in sections(SERVE):
        if section.title not in shared:
            lines += _section(section, "[[{}]]" if section.title in ("receiver", "stream", "sink") else "[{}]")
    return "\n".join(lines).rstrip() + "\n"


def _section(section: Section, form: str = "[{}]") -> list[str]:
    lines = [f"## `{form.format(section.title)}`", "", section.meaning[0], ""]
    if section.variants:
        lines += list(_kinds(section))
    return lines + _table(section)


def _table(section: Section) -> list[str]:
    rows = [_row(key) for key in section.keys if not _is_section(key.kind)]
    return ["| key | value | default | meaning |", "| --- | --- | --- | --- |", *rows, ""]


def _kinds(section: Section) -> Iterator[str]:
    yield from ("| kind | what it is | keys it needs | keys it may have | extra |", "| --- | --- | --- | --- | --- |")
    for name, variant in section.variants.items():
        keys = [key for key in section.of(name) if key.name not in ("kind", "name")]
        needed = ", ".join(f"`{key.name}`" for key in keys if key.needed)
        others = ", ".join(f"`{key.name}`" for key in keys if not key.needed)
        shown = "another name" if name == section.other else f"`{name}`"
        extra = f"`{variant.extra}`" if variant.extra else ""
        yield f"| {shown} | {variant.meaning[0]} | {needed} | {others} | {extra} |"
    yield ""


def _row(key: Key) -> str:
    kinds = f" ({', '.join(key.of)})" if key.of else ""
    default = "" if key.default is None else f"`{value_text(key.default)}`"
    told = _told(key.kind).replace("|", "\\|")
    return f"| `{key.name}` | {told} | {default} | {key.meaning[0]}{kinds} |"


def _told(kind: Kind) -> str:
    if isinstance(kind, Scalar):
        return kind.told.shown("en")
    if isinstance(kind, ListOf):
        item = kind.item.told.shown("en")
        return (f"{item}; or a list of such" if kind.several else item) if kind.single else f"a list, each item {item}"
    if isinstance(kind, MapOf):
        return f"a table: {kind.name.told.shown('en')} = {kind.item.told.shown('en')}"
    return "a table"


def _is_section(kind: Kind) -> bool:
    return not isinstance(kind, Scalar | ListOf | MapOf)
