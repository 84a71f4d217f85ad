"""The ml commands: the article's printed layouts, scripts, background tasks, and the errors on bad input."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from logsql.ml.errors import MlError
from logsql.ml.inputs import InputField, InputKind, InputStore, MlInput, read_file
from logsql.ml.metrics import Metrics
from logsql.ml.model import Manifest, ModelKind, Training
from logsql.ml.store import ModelStore
from logsql.ml.tasks import TaskManager, TaskState, TaskView
from logsql.shell import ml_layout as layout
from logsql.shell.ml_commands import COMMANDS, MlShell, select_fields, split_words
from tests.ml.bots import FIELDS, bot_csv, bot_table
from tests.support import spec_file

# --- the article's output (its texts are printed on one line; the line breaks are the language notes')
# ------------------

INPUT_CARD = "\n".join(
    [
        "Input [bot]",
        "---------------------",
        "Type: csv",
        "Size: 74444",
        "Fields",
        "---------------------",
        "label (CATEGORICAL, cardinality 2)",
        *[f"{name} (NUMERIC)" for name in FIELDS],
    ]
)
TASKS = (
    "Model Tasks\n-------------\n"
    "[6518b162-3cc8-4b90-9d25-ebee8e80ed67] rforest [bot] progress (load 100.00%, train 40.00%), elapsed 4 secs"
)
IMPORTANCE = [
    ("accept_all", 39.61612659638045),
    ("has_sec_fetch_site", 3.191940042593),
    ("header_count", 1.5948264282227802),
    ("accept_sdch", 0.43369895792856517),
    ("fb_asn", 0.3070484892597034),
    ("has_referer", 0.10297082667489638),
]
ZERO = [(name, 0.0) for name in FIELDS if name not in dict(IMPORTANCE)]
MODEL_CARD = "\n".join(
    [
        "Model [bot]",
        "-------------------",
        "Fields",
        "-------------------",
        "[*] label (cardinality: 2)",
        *[f"[ ] {name}" for name in FIELDS],
        "-------------------",
        "Hyper Parameters",
        "-------------------",
        "-------------------",
        "Variable Importance",
        "-------------------",
        "accept_all: 39.61612659638045",
        "has_sec_fetch_site: 3.191940042593",
        "header_count: 1.5948264282227802",
        "accept_sdch: 0.43369895792856517",
        "fb_asn: 0.3070484892597034",
        "has_referer: 0.10297082667489638",
        *[f"{name}: 0.0" for name, _ in ZERO],
        "-------------------",
        "Performance",
        "-------------------",
        "Accuracy: 0.9952982267598065",
        "Precision: 0.9952982267598065",
        "Recall: 0.9952982267598065",
        "F1 score: 0.9952982267598065",
    ]
)


def article_input() -> MlInput:
    fields = [InputField("label", "CATEGORICAL", 2), *[InputField(name, "NUMERIC", 2) for name in FIELDS]]
    return MlInput("bot", InputKind.CSV, "labeled.csv", 74444, tuple(fields))


def article_model() -> Manifest:
    score = 0.9952982267598065
    training = Training(
        features=(),
        classes=("BENIGN", "MALICIOUS"),
        rows=74444,
        train_rows=59556,
        test_rows=14888,
        skipped_rows=0,
        sample=59556,
        importance=(*IMPORTANCE, *ZERO),
        metrics=Metrics(score, score, score, score, "weighted", ((10000, 50), (20, 4818))),
        scores=None,
        elapsed=4.2,
        finished="2022-10-11T00:00:00+00:00",
        versions=(),
    )
    return Manifest("bot", ModelKind.RFOREST, "bot", tuple(FIELDS), "label", 2, training=training)


def test_input_card_of_the_article() -> None:
    assert layout.input_card(article_input()) == INPUT_CARD


def test_task_list_of_the_article() -> None:
    task = TaskView("6518b162-3cc8-4b90-9d25-ebee8e80ed67", "rforest", "bot", 1.0, 0.4, 4.9, TaskState.RUNNING)
    assert layout.task_list([task]) == TASKS


def test_model_card_of_the_article() -> None:
    card = layout.model_card(article_model())
    assert card.startswith(MODEL_CARD + "\n")
    rest = card[len(MODEL_CARD) + 1 :].splitlines()
    assert rest[0].startswith("Averaging: weighted")
    assert "Hold-out: 14888 rows (20%, stratified), trained on 59556 rows" in rest
    assert "Seed: 42" in rest
    assert rest[-3:] == [
        "label \\ guess  BENIGN  MALICIOUS",
        "BENIGN          10000         50",
        "MALICIOUS          20       4818",
    ]


@pytest.mark.evidence
def test_seed_texts_are_the_printed_layouts_without_line_breaks() -> None:
    """The corpus keeps the printed texts flattened: flattening ours must give the same."""
    corpus = spec_file("examples.jsonl")
    rows = {row["id"]: row for row in map(json.loads, corpus.read_text().splitlines())}
    flat = lambda text: " ".join(text.split("\n"))  # noqa: E731
    assert flat(layout.input_card(article_input())) == rows["ex0034"]["output"]
    assert flat(TASKS) == rows["ex0037"]["output"]
    assert flat(layout.model_card(article_model())).startswith(rows["ex0038"]["output"])


# --- sessions
# ---------------------------------------------------------------------------------------------------------------


class Session:
    """A shell over a folder that keeps what it prints; answers the field question with ``answer``."""

    def __init__(self, folder: Path, read=read_file, wait: bool = True) -> None:  # type: ignore[no-untyped-def]
        self.store = ModelStore(folder / "db.ml", key_file=folder / "seal.key")
        self.inputs = InputStore(folder / "db.ml", read)
        self.tasks = TaskManager(self.store, self.inputs)
        self.printed: list[str] = []
        self.errors: list[str] = []
        self.prompts: list[str] = []
        self.answer = ""
        self.shell = MlShell(
            self.store, self.inputs, self.tasks, self._ask, self.printed.append, self.errors.append, wait
        )

    def _ask(self, prompt: str) -> str:
        self.prompts.append(prompt)
        return self.answer

    def __call__(self, line: str, code: int = 0) -> str:
        self.printed.clear()
        self.errors.clear()
        found = self.shell.run(line)
        assert found == code, (line, self.printed, self.errors)
        return "\n".join(self.printed if code == 0 else self.errors)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(tmp_path)


def test_the_article_from_input_to_model(session: Session, tmp_path: Path) -> None:
    file = bot_csv(tmp_path)
    assert session(f"ml.addCsvInput bot {file}") == "added"
    card = session("ml.input bot")
    assert card == INPUT_CARD.replace("74444", "4000")
    session.answer = "+label, " + ", ".join(FIELDS)
    assert session("ml.createModel rforest bot bot") == card + "\ncreated"
    assert session.prompts == ["Select Model Fields? "]
    assert "(not trained: run ml.fit bot)" in session("ml.model bot")
    assert session("ml.fit bot") == "started\nfinished"
    lines = session("ml.model bot").splitlines()
    assert lines[:5] == ["Model [bot]", "-" * 19, "Fields", "-" * 19, "[*] label (cardinality: 2)"]
    importance = lines[lines.index("Variable Importance") + 2 :][: len(FIELDS)]
    values = [float(line.split(": ")[1]) for line in importance]
    assert values == sorted(values, reverse=True)
    assert sum(values) == pytest.approx(100.0)
    assert "Hold-out: 800 rows (20%, stratified), trained on 3200 rows" in lines
    accuracy = float(next(line for line in lines if line.startswith("Accuracy: ")).split()[1])
    assert accuracy > 0.98  # the generated classes differ in plain sight
    assert session("ml.tasks").splitlines()[2].endswith("secs, done")
    assert "rforest [bot] 21 fields, target label, trained" in session("ml.models")
    assert f"csv [bot] 4000 rows, 22 fields: {file}" in session("ml.inputs")


def test_scripts_need_no_prompt(session: Session, tmp_path: Path) -> None:
    session(f'ml.addCsvInput bot "{bot_csv(tmp_path, 500)}"')
    assert (
        session('ml.createModel rforest m bot fields="+label, header_count, accept_all" trees=7 depth=3 seed=5')
        == "created"
    )
    assert session.prompts == []
    manifest = session.store.manifest("m")
    assert manifest.fields == ("header_count", "accept_all")
    assert (manifest.options.trees, manifest.options.depth, manifest.options.seed) == (7, 3, 5)
    session("ml.fit m")
    assert "Hyper Parameters\n" + "-" * 19 + "\ntrees: 7\ndepth: 3\nseed: 5\n" in session("ml.model m")
    assert session.shell.run_words(["createModel", "rforest", "n", "bot", "fields=+label,*"]) == 0
    assert session.store.manifest("n").fields == tuple(FIELDS)


def test_isolation_forest_through_create_model(session: Session, tmp_path: Path) -> None:
    session(f"ml.addCsvInput bot {bot_csv(tmp_path, 900)}")
    session("ml.createModel iforest odd bot fields=header_count,chrome_ver,accept_all trees=20")
    session("ml.fit odd")
    card = session("ml.model odd")
    assert "Sample: 30 rows per tree" in card  # floor(sqrt(900))
    assert "Accuracy" not in card
    assert "[*]" not in card


def test_parquet_json_and_query_inputs(tmp_path: Path) -> None:
    table = pa.table({"label": ["a", "b"], "n": [1, 2], "ip": ["1.1.1.1", "2.2.2.2"], "tags": [[1], [2]]})
    pq.write_table(table, tmp_path / "t.parquet")
    (tmp_path / "t.jsonl").write_text('{"label":"a","n":1}\n{"label":"b","n":2.5}\n')
    asked: list[tuple[str, str]] = []

    def read(kind: str, target: str) -> pa.RecordBatchReader:
        asked.append((kind, target))
        return table.to_reader() if kind == "query" else read_file(kind, target)

    session = Session(tmp_path, read)
    session(f"ml.addParquetInput p {tmp_path / 't.parquet'}")
    assert session("ml.input p").splitlines()[6:] == [
        "label (CATEGORICAL, cardinality 2)",
        "n (NUMERIC)",
        "ip (IP)",
        "tags (LIST)",
    ]
    session(f"ml.addJsonInput j {tmp_path / 't.jsonl'}")
    assert "n (NUMERIC)" in session("ml.input j")
    session('ml.addQueryInput q table web | search path == "*a b*" | fields label, n')
    assert asked[-1] == ("query", 'table web | search path == "*a b*" | fields label, n')
    assert "Type: query\nSize: 2" in session("ml.input q")


def test_a_changed_file_is_counted_again(session: Session, tmp_path: Path) -> None:
    file = bot_csv(tmp_path, 100)
    session(f"ml.addCsvInput bot {file}")
    bot_csv(tmp_path, 150)
    assert "Size: 150" in session("ml.input bot")


def test_export_import_remove(session: Session, tmp_path: Path) -> None:
    session(f"ml.addCsvInput bot {bot_csv(tmp_path, 300)}")
    session("ml.createModel rforest bot bot fields=+label,* trees=3")
    session("ml.fit bot")
    assert session(f"ml.exportModel bot {tmp_path / 'bot.model'}") == "exported"
    assert session("ml.removeModel bot") == "removed"
    assert session("ml.models") == "Models\n-------------\n(none)"
    assert session(f"ml.importModel bot2 {tmp_path / 'bot.model'}") == "imported"
    assert "Model [bot2]" in session("ml.model bot2")
    assert session("ml.removeInput bot") == "removed"
    assert session("ml.inputs").endswith("(none)")


BAD = [
    ("ml.inpt bot", 2, "41152", "help: did you mean ml.input?"),
    ("ml.input", 2, "41150", "ml.input NAME"),
    ("ml.input bott", 1, "41130", "did you mean bot?"),
    ("ml.addCsvInput bot x.csv", 1, "41131", "exists"),
    ("ml.addCsvInput other /no/such.csv", 1, "41132", "does not exist"),
    ("ml.addQueryInput q table x", 1, "41132", "session"),
    ('ml.addCsvInput a "b', 2, "41150", "not closed"),
    ("ml.createModel svm m bot", 2, "41150", "iforest"),
    ("ml.createModel rforest m bot fields=label,header_count", 1, "41111", "header_count, has_sec_fetch_site"),
    ("ml.createModel rforest m bot fields=+label,header_cuont", 1, "41110", "did you mean header_count?"),
    ("ml.createModel rforest m bot fields=+label", 1, "41118", "feature"),
    ("ml.createModel rforest m bot fields=+label,+has_referer", 2, "41151", "two target"),
    ("ml.createModel rforest m bot fields=+label,accept_br,accept_br", 2, "41151", "twice"),
    ("ml.createModel iforest m bot fields=+label,accept_br", 2, "41151", "no target"),
    ("ml.createModel rforest m bot fields=+label,* trees=many", 2, "41151", "whole number"),
    ("ml.createModel rforest m bot fields=+label,* trees=0", 2, "41151", "1 to 100000"),
    ("ml.createModel rforest m bot fields=+label,* tress=5", 2, "41151", "did you mean trees?"),
    ("ml.fit nothing", 1, "41101", "nothing"),
    ("ml.model nothing", 1, "41101", "ml.createModel"),
    ("ml.cancel nothing", 1, "41140", "nothing is running"),
    ("ml.removeModel nothing", 1, "41101", "nothing"),
    ("ml.importModel m /no/such.model", 1, "41125", "does not exist"),
]


@pytest.mark.parametrize(("line", "exit_code", "code", "text"), BAD, ids=[line for line, *_ in BAD])
def test_bad_calls(session: Session, tmp_path: Path, line: str, exit_code: int, code: str, text: str) -> None:
    session(f"ml.addCsvInput bot {bot_csv(tmp_path, 50)}")
    message = session(line, exit_code)
    assert message.startswith(f"error[{code}]: ")
    assert text in message
    assert "Traceback" not in message


@pytest.mark.parametrize(
    ("content", "fields", "text"),
    [
        ("label,n\nx,1\nx,2\n", "+label,n", "only one class, 'x'"),
        ("label,n\n", "+label,n", "no rows"),
        ("label,n,e\nx,1,\ny,2,\n", "+label,n,e", "'e' is null in all 2 training rows"),
        ("label,n\n,1\n,2\n", "+label,n", "no value at all"),
    ],
    ids=["one class", "empty", "null field", "null target"],
)
def test_bad_training_data(session: Session, tmp_path: Path, content: str, fields: str, text: str) -> None:
    (tmp_path / "t.csv").write_text(content)
    session(f"ml.addCsvInput t {tmp_path / 't.csv'}")
    session(f"ml.createModel rforest m t fields={fields}")
    message = session("ml.fit m", 1)
    assert text in message
    assert text in session("ml.tasks")
    assert "(not trained" in session("ml.model m")


def test_words() -> None:
    assert split_words(r'a "b c" d="e, f" C:\x\y "say \"hi\"" ""') == ["a", "b c", "d=e, f", r"C:\x\y", 'say "hi"', ""]


def test_select_fields_follows_the_prompt_of_the_article() -> None:
    target, fields = select_fields("+label, " + ", ".join(FIELDS), ModelKind.RFOREST, article_input())
    assert (target, fields) == ("label", tuple(FIELDS))


def test_help_names_every_command(session: Session) -> None:
    text = session("ml.help")
    assert all(command.name in text for command in COMMANDS)


# --- background
# -----------------------------------------------------------------------------------------------------------------


class Gate:
    """Lets a training go step by step: ``watch`` blocks after every step until the test opens it."""

    def __init__(self) -> None:
        self.steps: list[float] = []
        self.open = threading.Semaphore(0)
        self.reached = threading.Semaphore(0)

    def __call__(self, view: TaskView) -> None:
        if view.state is TaskState.RUNNING and view.train > 0:
            self.steps.append(view.train)
            self.reached.release()
            self.open.acquire(timeout=30)


@pytest.fixture
def prepared(tmp_path: Path) -> Session:
    session = Session(tmp_path, wait=False)
    session(f"ml.addCsvInput bot {bot_csv(tmp_path, 400)}")
    session("ml.createModel rforest bot bot fields=+label,* trees=20")
    return session


def test_progress_in_tenths_and_the_shell_stays_responsive(prepared: Session) -> None:
    gate = Gate()
    task = prepared.tasks.start("bot", gate)
    for _ in range(4):
        gate.reached.acquire(timeout=60)
        gate.open.release()
    gate.reached.acquire(timeout=60)
    assert "progress (load 100.00%, train 50.00%)" in prepared("ml.tasks")  # answered while the training stands
    assert "41141" in prepared("ml.fit bot", 1)
    assert "41141" in prepared("ml.removeModel bot", 1)
    for _ in range(20):
        gate.open.release()
    assert prepared.tasks.wait(task, 60).state is TaskState.DONE
    assert gate.steps == pytest.approx([n / 10 for n in range(1, 11)])


def test_cancel_between_steps_leaves_the_model_as_it_was(prepared: Session) -> None:
    gate = Gate()
    task = prepared.tasks.start("bot", gate)
    for _ in range(2):
        gate.reached.acquire(timeout=60)
        gate.open.release()
    gate.reached.acquire(timeout=60)
    prepared.tasks.cancel("bot")
    gate.open.release()
    view = prepared.tasks.wait(task, 60)
    assert view.state is TaskState.CANCELED
    assert view.train == pytest.approx(0.3)
    assert "train 30.00%), elapsed" in prepared("ml.tasks")
    assert prepared("ml.tasks").endswith("canceled")
    assert "(not trained" in prepared("ml.model bot")
    assert prepared("ml.fit bot wait=t") == "started\nfinished"


def test_cancel_by_id_and_wait(prepared: Session) -> None:
    assert prepared("ml.fit bot") == "started"
    (view,) = prepared.tasks.views()
    if prepared.tasks.running("bot"):
        prepared.shell.run(f"ml.cancel {view.id[:8]}")
    prepared.tasks.wait(view.id, 60)
    assert not prepared.tasks.running("bot")


def test_a_model_removed_elsewhere_is_not_brought_back(prepared: Session) -> None:
    gate = Gate()
    task = prepared.tasks.start("bot", gate)
    gate.reached.acquire(timeout=60)
    prepared.store.remove("bot")  # another process
    for _ in range(20):
        gate.open.release()
    view = prepared.tasks.wait(task, 60)
    assert view.state is TaskState.FAILED
    assert prepared.store.names() == []


def test_inputs_of_two_stores_are_all_kept(tmp_path: Path) -> None:
    file = str(bot_csv(tmp_path, 20))
    stores = [InputStore(tmp_path / "db.ml") for _ in range(4)]
    threads = [
        threading.Thread(target=lambda s=store, n=number: [s.add(f"i{n}-{k}", InputKind.CSV, file) for k in range(3)])
        for number, store in enumerate(stores)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [item.name for item in stores[0].listings()] == sorted(f"i{n}-{k}" for n in range(4) for k in range(3))


def test_timeout_ends_a_training() -> None:
    from logsql.ml.stages import train_anomalies

    with pytest.raises(MlError) as caught:
        train_anomalies(bot_table(100), FIELDS, timeout=-1.0)
    assert caught.value.code == "41143"


def test_cards_without_holdout() -> None:
    manifest = article_model()
    assert manifest.training is not None
    bare = replace(manifest, training=replace(manifest.training, metrics=None, test_rows=0))
    assert "(no hold-out rows: too few training rows)" in layout.model_card(bare)
    assert layout.task_list([]) == "Model Tasks\n-------------\n(none)"
