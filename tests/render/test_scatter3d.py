"""3-D scatter pictures: what is in the page, what a browser's script draws, the PNG, and the command line."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import logsql
from logsql.diagnostics.errors import LogsqlError, PolicyError
from logsql.engine.session import Session
from logsql.render.scatter3d import date_ticks, number_ticks, write_scatter3d
from logsql.shell.chart import draw
from logsql.shell.voice import Voice
from tests.support import needs_program

HOURS = [dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=h) for h in range(48)]
TABLE = pa.table(
    {
        "_time": pa.array(HOURS, pa.timestamp("us", "Asia/Seoul")),
        "age": [20 + n % 7 for n in range(48)],
        "cnt": [float(n) if n else None for n in range(48)],
        "category": ["outlier" if n % 12 == 0 else "</script><b>normal" for n in range(48)],
    }
)


def page_of(path: Path) -> dict[str, Any]:
    found = re.search(r'id="data">(.*?)</script>', path.read_text("utf-8"), re.S)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_page_holds_every_point_and_no_address(tmp_path: Path) -> None:
    path = tmp_path / "o.html"
    drawn = write_scatter3d(TABLE, "_time", "age", "cnt", "category", path)
    assert (drawn.points, drawn.skipped) == (47, 1)
    text = path.read_text("utf-8")
    assert not re.search(r"https?:|//[a-z]|src=|href=|@import|fetch\(", text)
    assert text.count("</script>") == 2
    data = page_of(path)
    points = np.frombuffer(base64.b64decode(data["points"]), "<f4").reshape(-1, 3)
    shares = [[(n - 1) / 46, (n % 7) / 6, (n - 1) / 46] for n in range(1, 48)]
    assert np.allclose(points, shares, atol=1e-6)
    assert [(e["name"], e["count"]) for e in data["legend"]] == [("</script><b>normal", 44), ("outlier", 3)]
    colors = base64.b64decode(data["colors"])
    assert [n + 1 for n, code in enumerate(colors) if code == 1] == [12, 24, 36]
    # Seoul is nine hours ahead: the first midnight there is 15:00 in UTC.
    assert [t["label"] for t in data["axes"][0]["ticks"]][:2] == ["01-01 12:00", "01-02 00:00"]


def test_script_draws_every_point_and_tells_their_values(tmp_path: Path) -> None:
    node = needs_program("node")
    page, script = tmp_path / "o.html", tmp_path / "run.js"
    write_scatter3d(TABLE, "_time", "age", "cnt", "category", page)
    script.write_text(
        """
const html = require('fs').readFileSync(process.argv[2], 'utf8');
const data = html.match(/id="data">([\\s\\S]*?)<\\/script>/)[1];
const code = html.match(/<script>\\n([\\s\\S]*?)<\\/script>/)[1];
let arcs = 0; const texts = []; const handlers = {};
const context = new Proxy({}, { get: (t, k) => k === 'arc' ? () => { arcs++; } : k === 'fillText' ? (s) => texts.push(s)
  : t[k] || (() => {}), set: () => true });
const element = (id) => ({ textContent: id === 'data' ? data : '', style: {}, append() {}, getContext: () => context,
  clientWidth: 800, clientHeight: 600, addEventListener(n, f) { handlers[n] = f; }, setPointerCapture() {} });
const known = {};
global.document = { getElementById: (i) => known[i] || (known[i] = element(i)), createElement: () => element('') };
global.window = { devicePixelRatio: 1, addEventListener() {} };
global.requestAnimationFrame = (f) => f();
(0, eval)(code);
const first = arcs, tips = new Set();
for (let x = 0; x < 800; x += 4) for (let y = 0; y < 600; y += 4) {
  handlers.pointermove({ clientX: x, clientY: y });
  if (known.tip.style.display === 'block') tips.add(known.tip.textContent);
}
handlers.pointerdown({ clientX: 1, clientY: 1, pointerId: 1 });
handlers.pointermove({ clientX: 51, clientY: 31 });
handlers.pointerup({});
handlers.wheel({ preventDefault() {}, deltaY: 100 });
handlers.dblclick();
console.log(JSON.stringify({ first, arcs, texts, tips: [...tips] }));
""",
        "utf-8",
    )
    done = subprocess.run([node, str(script), str(page)], capture_output=True, text=True, timeout=60, check=True)
    seen = json.loads(done.stdout)
    assert seen["first"] == 47
    assert seen["arcs"] == 4 * 47  # drawn again after turning, zooming and the reset
    assert {"_time", "age", "cnt"} <= set(seen["texts"])
    assert "_time: 2024-01-01 21:00:00\nage: 25\ncnt: 12\ncategory: outlier" in seen["tips"]


def test_numbers_are_coloured_on_a_scale(tmp_path: Path) -> None:
    path = tmp_path / "o.html"
    write_scatter3d(TABLE, "age", "age", "age", "cnt", path)
    data = page_of(path)
    assert data["gradient"] is True
    codes = list(base64.b64decode(data["colors"]))
    assert (codes[1], codes[47], codes[0]) == (0, 63, 64)  # lowest, highest, null
    assert [e["name"] for e in data["legend"]] == ["47", "24", "1", "null"]


def test_many_values_share_a_colour_and_say_so(tmp_path: Path) -> None:
    path = tmp_path / "o.html"
    table = TABLE.append_column("who", pa.array([f"user{n % 20:02d}" for n in range(48)]))
    write_scatter3d(table, "age", "age", "age", "who", path)
    legend = page_of(path)["legend"]
    assert len(legend) == 8
    # 48 rows of 20 users: eight users have three rows, of which seven get a colour of their own.
    assert (legend[-1]["name"], legend[-1]["count"]) == ("13 other values", 48 - 7 * 3)


def test_png_is_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="optional package matplotlib is not installed")
    path = tmp_path / "o.png"
    write_scatter3d(TABLE, "_time", "age", "cnt", "category", path, title="Transactions")
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (1200, 960)


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.0, 10.0, ["0", "2", "4", "6", "8", "10"]),
        (-3.0, 12.0, ["0", "5", "10"]),
        (0.1, 0.35, ["0.1", "0.15", "0.2", "0.25", "0.3", "0.35"]),
        (995_000.0, 1_005_000.0, ["996,000", "998,000", "1,000,000", "1,002,000", "1,004,000"]),
    ],
)
def test_round_ticks(low: float, high: float, labels: list[str]) -> None:
    assert [label for _, label in number_ticks(low, high)] == labels


def test_date_ticks_stand_on_local_midnights() -> None:
    low = dt.datetime(2022, 9, 18, 20, 0, tzinfo=dt.UTC).timestamp() * 1000
    ticks = date_ticks(low, low + 5 * 86_400_000, dt.timedelta(hours=9))
    assert [label for _, label in ticks] == [f"2022-09-{day}" for day in (20, 21, 22, 23, 24)]
    assert dt.datetime.fromtimestamp(ticks[0][0] / 1000, dt.UTC).hour == 15


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def opened() -> Session:
        session = logsql.connect(tz="UTC")
        session.register("t", TABLE)
        return session

    def words(**changed: str) -> list[str]:
        chosen = {
            "query": "table t",
            "x": "_time",
            "y": "age",
            "z": "cnt",
            "output": str(tmp_path / "o.html"),
        } | changed
        return ["3d", *(word for name, value in chosen.items() for word in (f"--{name}", value))]

    assert draw(words(color="category"), opened, Voice()) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "47 points" in said.err
    assert "1 rows without a value" in said.err
    for changed, exit_code, message in (
        ({"x": "agee"}, 2, "the rows have no field agee"),
        ({"x": "category"}, 2, "an axis needs numbers or dates"),
        ({"output": str(tmp_path / "o.gif")}, 2, "ends in .html or .png"),
        ({"query": "table t | search age > 100"}, 1, "there is nothing to draw"),
        ({"query": "table nowhere"}, 1, "nowhere"),
    ):
        with pytest.raises(LogsqlError) as caught:
            draw(words(**changed), opened, Voice())
        assert (caught.value.exit_code, message in caught.value.diagnostic.message) == (exit_code, True)
    with pytest.raises(LogsqlError) as caught:
        draw(["3d", "--x", "a"], opened, Voice())
    assert caught.value.exit_code == 2


def test_safe_mode_writes_no_picture(tmp_path: Path) -> None:
    words = ["3d", "-q", 'json "{}"', "--x", "a", "--y", "b", "--z", "c", "-o", str(tmp_path / "o.html")]
    with pytest.raises(PolicyError):
        draw(words, lambda: logsql.connect(tz="UTC", safe=True), Voice())
