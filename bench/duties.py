"""What a duty left undeclared would cost: ``serial [ stats ... ]`` against ``stats ...`` over JSON and CSV files.

Both queries read the same fields, so the processor time should be the same: ``python -m bench.duties [ROWS]`` prints
the ratio (goal: at most 1.05). The two are run in turn, A B A B, and the smaller time of each counts.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from pathlib import Path

import logsql
from logsql.engine.session import Session

ROUNDS = 5
GOAL = 1.05
STATS = "stats count, sum(bytes) as bytes by host"


def files(folder: Path, rows: int) -> dict[str, Path]:
    """A JSON-lines and a CSV file with the same rows, of which the queries read two fields of seven."""
    drawn = random.Random(7)
    lines, cells = [], ["host,bytes,path,agent,user,note,n"]
    for n in range(rows):
        row = {
            "host": f"h{drawn.randrange(50)}",
            "bytes": drawn.randrange(10_000),
            "path": f"/a/{drawn.randrange(10_000)}",
            "agent": f"agent {drawn.randrange(300)}",
            "user": f"u{drawn.randrange(2000)}",
            "note": "x" * drawn.randrange(60),
            "n": n,
        }
        lines.append(json.dumps(row))
        cells.append(",".join(str(v) for v in row.values()))
    found = {"jsonfile": folder / "rows.jsonl", "csvfile": folder / "rows.csv"}
    found["jsonfile"].write_text("\n".join(lines) + "\n", encoding="utf-8")
    found["csvfile"].write_text("\n".join(cells) + "\n", encoding="utf-8")
    return found


def seconds(session: Session, query: str) -> float:
    """Processor time of one run, all threads together."""
    before = time.process_time()
    session.query(query).arrow()
    return time.process_time() - before


def main(arguments: list[str]) -> int:
    rows = int(arguments[0]) if arguments else 200_000
    with tempfile.TemporaryDirectory() as folder, logsql.connect() as session:
        print("| source | stats, s | serial [ stats ], s | ratio | goal |\n| --- | --- | --- | --- | --- |")
        for command, path in files(Path(folder), rows).items():
            pair = (f"{command} {path} | {STATS}", f"{command} {path} | serial [ {STATS} ]")
            times = [[seconds(session, query) for query in pair] for _ in range(ROUNDS)]
            plain, inside = (min(column) for column in zip(*times, strict=True))
            print(f"| {command} | {plain:.3f} | {inside:.3f} | {inside / plain:.2f} | {GOAL} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
