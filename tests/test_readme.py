"""The READMEs print what they claim, name every option, and their numbers agree with an independent count."""

from __future__ import annotations

import csv
import gzip
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from functools import cache

import pytest

import logsql
from docs import transcripts
from docs.transcripts import PAGES, ROOT, blocks
from logsql.diagnostics.messages import message
from logsql.render import FORMATS
from logsql.shell.invocation import OPTIONS, VERBS
from logsql.shell.metas import METAS
from tests.cli.support import BOUND, env, run

TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in PAGES}


@cache
def printed(line: str) -> str:
    """What a command line prints; the pages show many of them twice, in two languages."""
    return transcripts.printed(line, lambda words: run(*words, cwd=ROOT))


BLOCKS = [(name, line, output) for name in PAGES for line, output in blocks(TEXTS[name])]


@pytest.mark.parametrize(("name", "line", "output"), BLOCKS, ids=[f"{n}:{line[:50]}" for n, line, _ in BLOCKS])
def test_examples_print_what_the_page_shows(name: str, line: str, output: str) -> None:
    assert printed(line) == output


@pytest.mark.parametrize("name", PAGES)
def test_every_verb_option_format_and_shell_command_is_named(name: str) -> None:
    text = TEXTS[name]
    assert all(verb in text for verb in VERBS)
    assert all(f"`{f}`" in text for f in FORMATS)
    hidden = {"--debug", "--help", "--version", "-h", "-V"}
    assert all(any(n in text for n in o.names) for o in OPTIONS if not hidden & set(o.names))
    assert all(meta.name in text for meta in METAS)


QUERIES = [
    (name, line.strip())
    for name in PAGES
    for line in TEXTS[name].splitlines()
    if re.match(r" {4}[a-z][\w-]* \S+ \| ", line) and not line.strip().startswith("logsql")
]


def test_every_query_of_the_page_runs_on_what_is_shipped() -> None:
    """The first query of the page read a file that nobody had."""
    assert {name for name, _ in QUERIES} == set(PAGES)
    with logsql.connect(tz="UTC") as session:
        for _, query in QUERIES:
            assert session.query(query).rows(), query


@pytest.mark.parametrize("name", PAGES)
def test_the_python_of_the_page_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TEXTS[name], re.DOTALL)
    monkeypatch.chdir(ROOT)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=env(), timeout=BOUND, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().startswith("{'owner': 'dev', 'count': 10}\n")


def test_the_page_says_of_options_what_help_says() -> None:
    """`--safe` read "no files" in the help, and told of folders on the page."""
    for name, language in (("README.md", "en"), ("README.ko.md", "ko")):
        for option in ("safe", "allow-dir"):
            assert f" | {message(f'opt-{option}', language)} |" in TEXTS[name].replace("`", "")


def test_translate_says_which_rows_are_a_readers() -> None:
    """The page said that the SQL runs by itself; DuckDB does not know "__csvfile_1"."""
    text = printed("logsql translate 'csvfile sample_data/assets.csv | limit 1'")
    assert text.startswith('-- "__csvfile_1" is the rows of csvfile')
    assert "--" not in printed("logsql translate 'json \"{}\"'")


def shown(start: str) -> str:
    """Output of the first English example whose command line begins so."""
    return next(output for name, line, output in BLOCKS if name == "README.md" and line.startswith(start))


def test_labels_agree_with_a_plain_count() -> None:
    with gzip.open(ROOT / "sample_data" / "access.jsonl.gz", "rt", encoding="utf-8") as file:
        expected = Counter(json.loads(line)["label"] for line in file)
    rows = [line.split() for line in shown("logsql -q 'jsonfile").splitlines()[2:]]
    assert {label: int(count) for label, count in rows} == expected


def test_break_ins_agree_with_a_plain_count() -> None:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for line in (ROOT / "sample_data" / "auth.log").read_text(encoding="utf-8").splitlines():
        match = re.search(r"(Failed|Accepted) \S+ for (?:invalid user )?\S+ from (\S+) port", line)
        if match:
            found[match[2]][match[1]] += 1
    expected = {
        (src, c["Failed"], c["Accepted"]) for src, c in found.items() if c["Failed"] >= 100 and c["Accepted"] > 0
    }
    rows = [line.split() for line in shown("logsql sample_data/queries/break-ins.lq").splitlines()[2:]]
    assert {(src, int(failed), int(accepted)) for src, failed, accepted in rows} == expected
    assert expected


def test_port_scans_agree_with_a_plain_count() -> None:
    lines: Counter[tuple[str, str]] = Counter()
    ports: dict[tuple[str, str], set[str]] = defaultdict(set)
    for line in (ROOT / "sample_data" / "firewall.log").read_text(encoding="utf-8").splitlines():
        fields = dict(re.findall(r'(\w+)=("[^"]*"|\S+)', line))
        if fields.get("action", "").strip('"') == "deny":
            pair = fields["src"], fields["dst"]
            lines[pair] += 1
            ports[pair].add(fields["dport"])
    expected = {(*pair, lines[pair], len(seen)) for pair, seen in ports.items() if len(seen) >= 50}
    rows = csv.DictReader(shown("logsql sample_data/queries/port-scan.lq").splitlines())
    assert {(r["src"], r["dst"], int(r["count"]), int(r["ports"])) for r in rows} == expected
    assert expected
