"""Generated bot-detection data in the shape of the article: 21 numeric features, a label, few distinct vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

FIELDS = [
    "header_count",
    "has_sec_fetch_site",
    "has_referer",
    "accept_all",
    "accept_br",
    "accept_sdch",
    "chrome_ver",
    "python_client",
    "go_client",
    "java_client",
    "fb_asn",
    "google_asn",
    "ms_asn",
    "huawei_asn",
    "yandex_asn",
    "fb_client",
    "google_bot",
    "bing_bot",
    "petal_bot",
    "yandex_bot",
    "known_bot",
]


def bot_table(rows: int, seed: int = 1) -> pa.Table:
    """Browsers send many headers and a version, bots few and */*; search engines (benign) look like bots but for one
    flag."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(["browser", "scanner", "engine"], rows, p=[0.6, 0.3, 0.1])
    browser, scanner, engine = (kind == name for name in ("browser", "scanner", "engine"))
    columns: dict[str, np.ndarray] = {name: np.zeros(rows, dtype=np.int64) for name in FIELDS}
    columns["header_count"] = np.where(browser, rng.integers(9, 17, rows), rng.integers(2, 7, rows))
    columns["has_sec_fetch_site"] = (browser & (rng.random(rows) < 0.8)).astype(np.int64)
    columns["has_referer"] = (browser & (rng.random(rows) < 0.7)).astype(np.int64)
    columns["accept_all"] = ((scanner | engine) & (rng.random(rows) < 0.9)).astype(np.int64)
    columns["accept_br"] = (browser & (rng.random(rows) < 0.9)).astype(np.int64)
    columns["python_client"] = (scanner & (rng.random(rows) < 0.2)).astype(np.int64)
    columns["go_client"] = (scanner & (rng.random(rows) < 0.1)).astype(np.int64)
    columns["bing_bot"] = (engine & (rng.random(rows) < 0.5)).astype(np.int64)
    columns["ms_asn"] = columns["bing_bot"]
    columns["google_bot"] = (engine & (columns["bing_bot"] == 0)).astype(np.int64)
    columns["google_asn"] = columns["google_bot"]
    columns["known_bot"] = engine.astype(np.int64)
    data: dict[str, pa.Array] = {"label": pa.array(np.where(scanner, "MALICIOUS", "BENIGN"))}
    for name in FIELDS:
        data[name] = pa.array(columns[name])
    version = rng.integers(90, 106, rows)
    data["chrome_ver"] = pa.array(version, mask=~browser)
    return pa.table(data)


def bot_csv(folder: Path, rows: int = 4000, seed: int = 1, name: str = "labeled.csv") -> Path:
    path = folder / name
    pacsv.write_csv(bot_table(rows, seed), path)
    return path
