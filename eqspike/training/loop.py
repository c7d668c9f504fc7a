"""The training loop: task after task, epochs of presentations, validation after each, one look at the test sets."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from eqspike.core.errors import ConfigError, Interrupted, RunFileError
from eqspike.core.rng import Purpose, stream
from eqspike.data import Dataset
from eqspike.training.interruption import Stop, stop_on_signals
from eqspike.training.probing import TaskAccuracies, WeightTrajectory, observe_all
from eqspike.training.progress import Progress
from eqspike.training.run import Run
from eqspike.training.tasks import Curriculum, Task, begin_task, curriculum_of, face_task

CHUNK_S = 0.25  # a kernel call is long enough to cost nothing and short enough to be interrupted


@dataclass(frozen=True)
class _Session:
    """A run on its way: what it learns from, what is recorded, who is told and who may stop it."""

    run: Run
    curriculum: Curriculum
    stop: Stop
    trajectory: WeightTrajectory | None
    accuracies: TaskAccuracies
    threads: int | None
    tell: Callable[[Progress], None]

    @property
    def task(self) -> int:
        """The task in hand; after the end, the last."""
        return self.curriculum.at(self.run.progress["epoch"])

    def report(self, stage: str) -> None:
        """Tell where the run is."""
        at, known = self.run.progress, self.run.metrics
        train_accuracy = at["correct"] / at["sample"] if at["sample"] else (known["train_accuracy"] or [None])[-1]
        self.tell(
            Progress(
                stage,
                at["epoch"],
                self.curriculum.total_epochs,
                at["sample"],
                len(self.curriculum.tasks[self.task].samples.y_train),
                train_accuracy,
                _known((known["validation_accuracy"] or [None])[-1]),
            )
        )

    def record(self) -> None:
        """Enter what the probes hold into the run."""
        if self.trajectory:
            self.run.probes |= self.trajectory.arrays()
        self.run.probes |= self.accuracies.arrays()


def accuracy(answers: np.ndarray, labels: np.ndarray) -> float | None:
    """Return the share of right answers, None where there are no samples."""
    return float(np.mean(answers == labels)) if len(labels) else None


def train(
    run: Run, dataset: Dataset, *, threads: int | None = None, on_progress: Callable[[Progress], None] | None = None
) -> Run:
    """Train ``run`` from where it stands to the last epoch of its last task, then test it.

    The result does not depend on the number of threads or on where training was stopped and resumed. The test sets are
    looked at once, after the last epoch.

    Raises
    ------
    Interrupted
        at Ctrl-C or SIGTERM, after the run file has been written.
    ConfigError, RunFileError
        if a run of several tasks is resumed with other epochs or other data.
    """
    curriculum = curriculum_of(run.spec, dataset)
    _check_tasks(run, curriculum)
    with stop_on_signals() as stop:
        trajectory = None
        if run.spec.probes.weight_trajectory:
            trajectory = WeightTrajectory(run.substrate, run.spec.probes.weight_trajectory, run.probes)
        accuracies = TaskAccuracies(curriculum.tested, curriculum.epochs, run.probes)
        session = _Session(
            run, curriculum, stop, trajectory, accuracies, threads, on_progress or (lambda progress: None)
        )
        run.status = "running"
        session.report("compile")
        _prepare(run, dataset)
        while run.progress["epoch"] < curriculum.total_epochs:
            _train_epoch(session)
        _finish(session)
    run.status = "complete"
    run.save()
    return run


def _check_tasks(run: Run, curriculum: Curriculum) -> None:
    """Refuse to go on with a run of several tasks that would no longer be the same; remember what it began with."""
    if len(curriculum.tasks) < 2:
        return
    if run.progress.setdefault("epochs_per_task", curriculum.epochs) != curriculum.epochs:
        raise ConfigError(
            f"the run has {run.progress['epochs_per_task']} epochs a task, the first of which are done.",
            field="--epochs",
            remedy="Leave it out, or train anew.",
        )
    checksums = [task.samples.checksum for task in curriculum.exams]
    if run.data.setdefault("task_checksums", checksums) != checksums:
        raise RunFileError(
            "a further task's samples are not those that the run began with.",
            field=str(run.path),
            remedy="Give it the same data sets.",
        )


def _prepare(run: Run, dataset: Dataset) -> None:
    """Compile the loop by presenting no sample, so that no epoch's time holds it."""
    order = np.arange(len(dataset.x_train))
    run.substrate.train(dataset.x_train, dataset.y_train, order, 0, 0, scale=0.0, offset=0)


def _train_epoch(session: _Session) -> None:
    run, task = session.run, session.curriculum.tasks[session.task]
    at, epoch = run.progress, run.progress["epoch"]
    turn = begin_task if epoch % session.curriculum.epochs == 0 and at["sample"] == 0 else face_task
    turn(run.substrate, session.task)
    started = time.monotonic()
    _present(session, task)
    session.report("validate")
    accuracies = _accuracies(session, "validation", counted=False)
    begun = [_number(value) for value in accuracies[: session.task + 1]]
    session.accuracies.rows.append([_number(value) for value in accuracies])
    for name, value in (
        ("epoch", epoch + 1),
        ("train_accuracy", at["correct"] / len(task.samples.y_train)),
        ("validation_accuracy", float(np.mean(begun))),
        ("learning_rate_scale", run.spec.rate_scale(epoch)),
        ("seconds", time.monotonic() - started),
    ):
        run.metrics[name].append(value)
    at.update(epoch=epoch + 1, sample=0, correct=0)
    session.report("train")
    _checkpoint(session)


def _present(session: _Session, task: Task) -> None:
    """Learn from what is left of the epoch's samples, in calls of about CHUNK_S, with checkpoints between them."""
    run, trajectory = session.run, session.trajectory
    at, epoch, batch = run.progress, run.progress["epoch"], run.spec.batch
    images, labels = task.shown(task.samples.x_train), task.samples.y_train
    n = len(labels)
    order = stream(run.spec.seed, Purpose.SHUFFLE, epoch).permutation(n)
    scale, offset = run.spec.rate_scale(epoch), epoch * session.curriculum.longest
    chunk, saved = 16 * batch, time.monotonic()
    marks = _marks(n, run.spec.probes.trajectory_points) if trajectory else []
    if trajectory and epoch == 0 and at["sample"] == 0:
        trajectory.read(run.substrate, 0)
    while at["sample"] < n:
        last = min([at["sample"] + chunk, n, *(mark for mark in marks if mark > at["sample"])])
        if last < n:
            last = max(last - last % batch, min(at["sample"] + batch, n))
        began = time.monotonic()
        answers = run.substrate.train(images, labels, order, at["sample"], last, scale=scale, offset=offset)
        chunk = _next_chunk(chunk, last - at["sample"], time.monotonic() - began)
        at["correct"] += int((answers == labels[order[at["sample"] : last]]).sum())
        at["sample"] = last
        if trajectory and last in marks:
            trajectory.read(run.substrate, epoch * n + last)
        session.report("train")
        if session.stop or time.monotonic() - saved > run.spec.training.checkpoint_s:
            _checkpoint(session)
            saved = time.monotonic()


def _accuracies(session: _Session, part: str, *, counted: bool) -> list[float | None]:
    """Return the accuracy on the ``part`` (validation, test) of every task that is tested."""
    found = []
    for number, task in enumerate(session.curriculum.exams):
        face_task(session.run.substrate, number)
        images, labels = (getattr(task.samples, f"{axis}_{part}") for axis in ("x", "y"))
        answers = session.run.substrate.infer(task.shown(images), threads=session.threads, counted=counted)
        found.append(accuracy(answers, labels))
    return found


def _marks(n: int, points: int) -> list[int]:
    return sorted({int(mark) for mark in np.linspace(0, n, points + 1)[1:]})


def _next_chunk(chunk: int, done: int, seconds: float) -> int:
    """Return the number of samples that take about CHUNK_S, not more than twice as many as last time."""
    if seconds <= 0:
        return 2 * chunk
    return max(1, min(2 * chunk, int(done * CHUNK_S / seconds)))


def _known(value: float | None) -> float | None:
    """Return None for the NaN that stands in metrics where there are no validation samples."""
    return None if value is None or np.isnan(value) else value


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _checkpoint(session: _Session) -> None:
    run, stopped = session.run, bool(session.stop)  # asked once: a later signal waits for the next checkpoint
    session.record()
    if stopped:
        run.status = "interrupted"
    run.save()
    if stopped:
        kept = run.path and shlex.quote(str(run.path))
        where = f"eqspike train --resume {kept}" if kept else "no run file was asked for: nothing is kept"
        raise Interrupted(
            f"stopped by {session.stop.reason} in epoch {run.progress['epoch'] + 1}.",
            field="train",
            remedy=f"To go on: {where}",
        )


def _finish(session: _Session) -> None:
    run = session.run
    session.report("test")
    tested = _accuracies(session, "test", counted=True)
    last = {name: values[-1] if values else None for name, values in run.metrics.items()}
    ledger = run.ledger
    run.results = {
        "test_accuracy": float(np.mean(tested)),
        "validation_accuracy": _known(last["validation_accuracy"]),
        "train_accuracy": last["train_accuracy"],
        "epochs": run.progress["epoch"],
        "seconds_per_epoch": float(np.mean(run.metrics["seconds"])) if run.metrics["seconds"] else None,
        "spikes_per_inference": ledger.per_presentation("spikes", "inference"),
        "synaptic_events_per_inference": ledger.per_presentation("synaptic_events", "inference"),
        "macs_per_inference": ledger.per_presentation("macs", "inference"),
        "spikes_per_training_sample": ledger.per_presentation("spikes", "free", "nudged"),
        "synaptic_events_per_training_sample": ledger.per_presentation("synaptic_events", "free", "nudged"),
        "macs_per_training_sample": ledger.per_presentation("macs", "free", "nudged"),
        "weight_writes_per_training_sample": ledger.per_presentation("weight_writes", "free", "nudged"),
        "accumulator_writes_per_training_sample": ledger.per_presentation("accumulator_writes", "free", "nudged"),
        **_of_tasks(tested, session.accuracies),
        **run.substrate.diagnostics(),
    }
    session.record()
    if run.spec.probes.presentations:
        (task,) = session.curriculum.exams
        run.probes |= observe_all(run.substrate, task.samples.x_test, task.samples.y_test, run.spec.probes)


def _of_tasks(tested: Sequence[float], validated: TaskAccuracies) -> dict[str, float | None]:
    """Return the test accuracy of every task, and how much of the first is kept; nothing where there is but one."""
    if len(tested) < 2:
        return {}
    return {
        **{f"test_accuracy_task{number}": value for number, value in enumerate(tested, 1)},
        "first_task_test_accuracy": tested[0],
        "last_task_test_accuracy": tested[-1],
        "first_task_kept": validated.first_kept,
    }
