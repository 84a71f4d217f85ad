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
    """Browsers send many headers and a version, scanners few and */*, some in disguise; engines are benign bots.

    The classes overlap a little and half a percent of the labels is wrong, as in the article (accuracy 0.995): without
    that the trees have a dozen nodes and nothing is measured.
    """
    rng = np.random.default_rng(seed)
    kind = rng.choice(["browser", "scanner", "engine"], rows, p=[0.6, 0.3, 0.1])
    browser, scanner, engine = (kind == name for name in ("browser", "scanner", "engine"))
    disguised = scanner & (rng.random(rows) < 0.2)

    def share(where: np.ndarray, probability: float) -> np.ndarray:
        return (where & (rng.random(rows) < probability)).astype(np.int64)

    columns: dict[str, np.ndarray] = {name: np.zeros(rows, dtype=np.int64) for name in FIELDS}
    columns["header_count"] = np.where(browser, rng.integers(8, 17, rows), rng.integers(2, 7, rows))
    columns["header_count"][disguised] += 5
    columns["has_sec_fetch_site"] = share(browser, 0.8)
    columns["has_referer"] = share(browser, 0.7) | share(disguised, 0.3)
    columns["accept_all"] = share(scanner | engine, 0.9) | share(browser, 0.05)
    columns["accept_br"] = share(browser | disguised, 0.9)
    columns["python_client"] = share(scanner & ~disguised, 0.2)
    columns["go_client"] = share(scanner & ~disguised, 0.1)
    columns["bing_bot"] = share(engine, 0.5)
    columns["ms_asn"] = columns["bing_bot"] | share(scanner, 0.1)
    columns["google_bot"] = (engine & (columns["bing_bot"] == 0)).astype(np.int64)
    columns["google_asn"] = columns["google_bot"] | share(scanner, 0.1)
    columns["known_bot"] = engine.astype(np.int64)
    wrong = rng.random(rows) < 0.005
    data: dict[str, pa.Array] = {"label": pa.array(np.where(scanner ^ wrong, "MALICIOUS", "BENIGN"))}
    for name in FIELDS:
        data[name] = pa.array(columns[name])
    version = np.where(browser, 105 - rng.geometric(0.3, rows).clip(1, 20), rng.integers(60, 106, rows))
    data["chrome_ver"] = pa.array(version, mask=~(browser | disguised))
    return pa.table(data)


def bot_csv(folder: Path, rows: int = 4000, seed: int = 1, name: str = "labeled.csv") -> Path:
    path = folder / name
    pacsv.write_csv(bot_table(rows, seed), path)
    return path
