"""The training loop: epochs of single presentations, validation after each, checkpoints, one look at the test set."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from eqspike.core.errors import Interrupted
from eqspike.core.rng import Purpose, stream
from eqspike.data import Dataset
from eqspike.training.interruption import Stop, stop_on_signals
from eqspike.training.probing import WeightTrajectory, observe_all
from eqspike.training.run import Run

CHUNK_S = 0.25  # a kernel call is long enough to cost nothing and short enough to be interrupted


@dataclass(frozen=True)
class Progress:
    """Where a run is: ``stage`` is compile, train, validate or test; accuracies are None until known."""

    stage: str
    epoch: int
    epochs: int
    sample: int
    samples: int
    train_accuracy: float | None = None
    validation_accuracy: float | None = None


def accuracy(answers: np.ndarray, labels: np.ndarray) -> float | None:
    """Return the share of right answers, None where there are no samples."""
    return float(np.mean(answers == labels)) if len(labels) else None


def train(
    run: Run, dataset: Dataset, *, threads: int | None = None, on_progress: Callable[[Progress], None] | None = None
) -> Run:
    """Train ``run`` from where it stands to the last epoch, then test it.

    The result does not depend on the number of threads or on where training was stopped and resumed. The test set is
    looked at once, after the last epoch.

    Raises
    ------
    Interrupted
        at Ctrl-C or SIGTERM, after the run file has been written.
    """
    tell = on_progress or (lambda progress: None)
    with stop_on_signals() as stop:
        trajectory = None
        if run.spec.probes.weight_trajectory:
            trajectory = WeightTrajectory(run.substrate, run.spec.probes.weight_trajectory, run.probes)
        run.status = "running"
        tell(_progress(run, dataset, "compile"))
        _prepare(run, dataset)
        while run.progress["epoch"] < run.spec.training.epochs:
            _train_epoch(run, dataset, stop, trajectory, threads, tell)
        _finish(run, dataset, trajectory, threads, tell)
    run.status = "complete"
    run.save()
    return run


def _prepare(run: Run, dataset: Dataset) -> None:
    """Compile the loop by presenting no sample, so that no epoch's time holds it."""
    order = np.arange(len(dataset.x_train))
    run.substrate.train(dataset.x_train, dataset.y_train, order, 0, 0, scale=0.0, offset=0)


def _train_epoch(
    run: Run,
    dataset: Dataset,
    stop: Stop,
    trajectory: WeightTrajectory | None,
    threads: int | None,
    tell: Callable[[Progress], None],
) -> None:
    settings, at = run.spec.training, run.progress
    epoch, n = at["epoch"], len(dataset.x_train)
    order = stream(run.spec.seed, Purpose.SHUFFLE, epoch).permutation(n)
    scale = run.spec.rate_scale(epoch)
    batch = run.spec.batch
    started = saved = time.monotonic()
    chunk = 16 * batch
    marks = _marks(n, run.spec.probes.trajectory_points) if trajectory else []
    if trajectory and epoch == 0 and at["sample"] == 0:
        trajectory.read(run.substrate, 0)
    while at["sample"] < n:
        last = min([at["sample"] + chunk, n, *(mark for mark in marks if mark > at["sample"])])
        if last < n:
            last = max(last - last % batch, min(at["sample"] + batch, n))
        began = time.monotonic()
        answers = run.substrate.train(
            dataset.x_train, dataset.y_train, order, at["sample"], last, scale=scale, offset=epoch * n
        )
        chunk = _next_chunk(chunk, last - at["sample"], time.monotonic() - began)
        at["correct"] += int((answers == dataset.y_train[order[at["sample"] : last]]).sum())
        at["sample"] = last
        if trajectory and last in marks:
            trajectory.read(run.substrate, epoch * n + last)
        tell(_progress(run, dataset, "train"))
        if stop or time.monotonic() - saved > settings.checkpoint_s:
            _checkpoint(run, trajectory, stop)
            saved = time.monotonic()
    tell(_progress(run, dataset, "validate"))
    answers = run.substrate.infer(dataset.x_validation, threads=threads, counted=False)
    seconds = time.monotonic() - started
    for name, value in (
        ("epoch", epoch + 1),
        ("train_accuracy", at["correct"] / n),
        ("validation_accuracy", _number(accuracy(answers, dataset.y_validation))),
        ("learning_rate_scale", scale),
        ("seconds", seconds),
    ):
        run.metrics[name].append(value)
    at.update(epoch=epoch + 1, sample=0, correct=0)
    tell(_progress(run, dataset, "train"))
    _checkpoint(run, trajectory, stop)


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


def _progress(run: Run, dataset: Dataset, stage: str) -> Progress:
    at, known = run.progress, run.metrics
    train_accuracy = at["correct"] / at["sample"] if at["sample"] else (known["train_accuracy"] or [None])[-1]
    return Progress(
        stage,
        at["epoch"],
        run.spec.training.epochs,
        at["sample"],
        len(dataset.x_train),
        train_accuracy,
        _known((known["validation_accuracy"] or [None])[-1]),
    )


def _checkpoint(run: Run, trajectory: WeightTrajectory | None, stop: Stop) -> None:
    stopped = bool(stop)  # asked once: a signal that comes while the file is written waits for the next checkpoint
    if trajectory:
        run.probes |= trajectory.arrays()
    if stopped:
        run.status = "interrupted"
    run.save()
    if stopped:
        kept = run.path and shlex.quote(str(run.path))
        where = f"eqspike train --resume {kept}" if kept else "no run file was asked for: nothing is kept"
        raise Interrupted(
            f"stopped by {stop.reason} in epoch {run.progress['epoch'] + 1}.",
            field="train",
            remedy=f"To go on: {where}",
        )


def _finish(
    run: Run,
    dataset: Dataset,
    trajectory: WeightTrajectory | None,
    threads: int | None,
    tell: Callable[[Progress], None],
) -> None:
    tell(_progress(run, dataset, "test"))
    answers = run.substrate.infer(dataset.x_test, threads=threads)
    last = {name: values[-1] if values else None for name, values in run.metrics.items()}
    ledger = run.ledger
    run.results = {
        "test_accuracy": accuracy(answers, dataset.y_test),
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
        **run.substrate.diagnostics(),
    }
    if trajectory:
        run.probes |= trajectory.arrays()
    if run.spec.probes.presentations:
        run.probes |= observe_all(run.substrate, dataset.x_test, dataset.y_test, run.spec.probes)
