"""Background trainings: one thread per task, progress in tenths, cancel between steps.

The tree building of scikit-learn releases the interpreter lock, so a thread keeps the shell responsive. A failed or
cancelled task leaves the stored model as it was and stays listed with its reason.
"""

from __future__ import annotations

import contextvars
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from logsql.diagnostics.models import (
    CANCELED,
    MODEL_REMADE,
    NO_TASKS,
    TASK_NOT_FOUND,
    TASK_RUNNING,
    TASKS_ARE,
    MlError,
)
from logsql.ml.inputs import InputStore
from logsql.ml.model import FitOptions, Manifest
from logsql.ml.quiet import quiet
from logsql.ml.store import ModelStore
from logsql.ml.train import Control, Fitted, fit


class TaskState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    CANCELED = "canceled"
    FAILED = "failed"


@dataclass(frozen=True)
class TaskView:
    """What ``ml.tasks`` shows of a task: load and train are shares 0..1, elapsed in seconds."""

    id: str
    kind: str
    model: str
    load: float
    train: float
    elapsed: float
    state: TaskState
    message: str = ""


@dataclass
class _Task:
    id: str
    manifest: Manifest
    control: Control
    started: float
    load: float = 0.0
    train: float = 0.0
    ended: float | None = None
    state: TaskState = TaskState.RUNNING
    message: str = ""
    finished: threading.Event = field(default_factory=threading.Event)


class TaskManager:
    """Trainings of this process. ``store`` and ``inputs`` are shared with the shell."""

    def __init__(self, store: ModelStore, inputs: InputStore) -> None:
        self._store = store
        self._inputs = inputs
        self._tasks: dict[str, _Task] = {}
        self._guard = threading.Lock()

    def start(
        self, name: str, watch: Callable[[TaskView], None] = lambda view: None, options: FitOptions | None = None
    ) -> str:
        """Train a model in the background; returns the task's id. ``watch`` is called after every step, from the
        thread; options: in place of the model's own.

        Raises MlError: no such model or input, or the model is being trained already.
        """
        manifest = self._store.manifest(name)
        self._inputs.peek(manifest.input)
        manifest = manifest if options is None else replace(manifest, options=options)
        task = _Task(str(uuid.uuid4()), manifest, Control(), time.monotonic())
        with self._guard:
            if self.running(manifest.name):
                raise MlError(TASK_RUNNING, name=manifest.name)
            self._tasks[task.id] = task
        spoken = contextvars.copy_context()  # a failure is told in the language of who asked
        thread = threading.Thread(target=spoken.run, args=(self._run, task, watch), name=f"fit-{name}", daemon=True)
        thread.start()
        return task.id

    def _run(self, task: _Task, watch: Callable[[TaskView], None]) -> None:
        def loaded(share: float) -> None:
            task.load = share
            task.control.check()
            watch(_view(task))

        def trained(share: float) -> None:
            task.train = share
            watch(_view(task))

        task.control.progress = trained
        try:
            rows = self._inputs.rows(task.manifest.input, loaded)
            other = task.manifest.options.test
            with quiet():
                done = fit(task.manifest, rows, task.control, None if other is None else self._inputs.rows(other))
            self._save(task.manifest, done)
            task.state = TaskState.DONE
        except MlError as error:
            task.state = TaskState.CANCELED if error.code == CANCELED.code else TaskState.FAILED
            task.message = error.message + (f" ({error.help})" if error.help else "")
        except Exception as error:  # a thread has nobody above it: the reason must reach the task list
            task.state, task.message = TaskState.FAILED, f"{type(error).__name__}: {error}"
        task.ended = time.monotonic()
        task.finished.set()
        watch(_view(task))

    def _save(self, manifest: Manifest, done: Fitted) -> None:
        current = self._store.manifest(manifest.name)  # removed meanwhile: the training must not bring it back
        if current.fields != manifest.fields or current.kind is not manifest.kind:
            raise MlError(MODEL_REMADE, name=manifest.name)
        item = self._inputs.peek(manifest.input)
        training = replace(done.training, source=(item.kind.value, item.target))
        self._store.put(replace(manifest, training=training), done.estimator)

    def running(self, name: str) -> bool:
        return any(t.manifest.name == name and t.state is TaskState.RUNNING for t in self._tasks.values())

    def views(self) -> list[TaskView]:
        """All tasks of this process, oldest first."""
        with self._guard:
            return [_view(task) for task in self._tasks.values()]

    def view(self, id: str) -> TaskView:
        return _view(self._find(id))

    def cancel(self, key: str) -> TaskView:
        """Ask a task, by id or model name, to stop after its current step. Raises MlError when none is running."""
        task = self._find(key)
        task.control.cancelled.set()
        return _view(task)

    def wait(self, id: str, timeout: float | None = None) -> TaskView:
        """Wait for a task to end (or for the timeout in seconds) and return its state."""
        task = self._find(id, any_state=True)
        task.finished.wait(timeout)
        return _view(task)

    def cancel_all(self, timeout: float = 5.0) -> None:
        """Stop everything at the end of the session."""
        for task in list(self._tasks.values()):
            task.control.cancelled.set()
        for task in list(self._tasks.values()):
            task.finished.wait(timeout)

    def _find(self, key: str, any_state: bool = False) -> _Task:
        with self._guard:
            tasks = list(self._tasks.values())
        for task in reversed(tasks):
            if task.id == key or task.manifest.name == key or (len(key) >= 8 and task.id.startswith(key)):
                if any_state or task.state is TaskState.RUNNING:
                    return task
                break
        known = [f"{t.id} [{t.manifest.name}]" for t in tasks if t.state is TaskState.RUNNING]
        note = TASKS_ARE.fill(names=", ".join(known)) if known else NO_TASKS.fill()
        raise MlError(TASK_NOT_FOUND, notes=[note], key=key)


def _view(task: _Task) -> TaskView:
    elapsed = (task.ended or time.monotonic()) - task.started
    return TaskView(
        task.id, task.manifest.kind.value, task.manifest.name, task.load, task.train, elapsed, task.state, task.message
    )
