"""Suite ``engine``: EqSpike on MNIST, then networks in continuous time; one thread unless said otherwise."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from eqspike.bench.peers import dense_inference
from eqspike.bench.result import Measurement, in_turn
from eqspike.bench.roofline import roofline, rows_delivered
from eqspike.bench.simulator import against_brian2, measure_simulator
from eqspike.bench.uncounted import uncounted_present
from eqspike.data import Dataset, load_dataset
from eqspike.training.api import resolve
from eqspike.training.run import Run, new_run

_EPOCH = 60_000  # images of one epoch
_PART = 1_500  # images per timing
_WARM = 3_000  # images trained on before, so that activity is that of learning and not of random weights
_RECORDED = 40  # images whose spikes the roofline replays
# The classical lengths of the phases, for which the project's speed targets are stated.
_PHASES = {"phases.free_ticks": 120, "phases.nudged_ticks": 80, "phases.readout_ticks": 60}
_TRACES = {"rule.tau_ticks": 20, "rule.delay_ticks": 20}


def _trained(recipe: str, dataset: Dataset, changes: dict) -> Run:
    run = new_run(resolve(recipe, changes), dataset)
    order = np.arange(_WARM)
    run.substrate.train(dataset.x_train, dataset.y_train, order, 0, _WARM, scale=1.0, offset=0)
    return run


def _train_part(run: Run, dataset: Dataset) -> Callable[[], object]:
    order = np.arange(_WARM, _WARM + _PART)
    return lambda: run.substrate.train(dataset.x_train, dataset.y_train, order, 0, _PART, scale=0.01, offset=_WARM)


def training(name: str, recipe: str, dataset: Dataset, changes: dict, repeats: int) -> Measurement:
    """Measure one epoch of training on one core, with the roofline over its delivered spikes."""
    run = _trained(recipe, dataset, changes)
    jobs = rows_delivered(run.substrate, dataset.x_train[:_RECORDED], dataset.y_train[:_RECORDED])
    times = in_turn({"ours": _train_part(run, dataset), "roofline": roofline(jobs)}, repeats)
    per_image = times["ours"] / _PART
    return Measurement(
        name,
        per_image * _EPOCH,
        "s/epoch of 60,000",
        roofline_fraction=times["roofline"] / _RECORDED / per_image,
        note=_describe(run),
    )


def inference(name: str, recipe: str, dataset: Dataset, changes: dict, repeats: int) -> Iterator[Measurement]:
    """Measure inference on one core, with the roofline over its delivered spikes; with static input against peers."""
    run = _trained(recipe, dataset, changes)
    images = dataset.x_test[:_PART]
    jobs = rows_delivered(run.substrate, images[:_RECORDED], None)
    works = {"ours": lambda: run.substrate.infer(images, threads=1), "roofline": roofline(jobs)}
    static = run.network.layers[0].kind == "static"
    if static:
        works["peer"] = lambda: dense_inference(run.substrate, images[:_RECORDED])
    times = in_turn(works, repeats)
    ours = times["ours"] / _PART
    peer = times["peer"] / _RECORDED if static else None
    yield Measurement(
        name,
        ours * 1e6,
        "us/image",
        "dense NumPy loop" if static else None,
        peer * 1e6 if static else None,
        peer / ours if static else None,
        times["roofline"] / _RECORDED / ours,
        _describe(run),
    )
    if static:
        with tempfile.TemporaryDirectory() as folder:
            yield against_brian2(name, run, images, Path(folder), repeats)


def _describe(run: Run) -> str:
    phases = run.spec.phases
    return f"{phases.free_ticks} + {phases.nudged_ticks} ticks, {run.spec.encoding.kind} input"


def accumulation_follows_rate(dataset: Dataset, repeats: int) -> Measurement:
    """Measure how inference time falls when the input rate is halved: an event-driven loop does less work."""
    changes = {"data.name": "mnist", "network.hidden": [1000]}
    full = _trained("eqspike-mnist-100-spiking", dataset, changes)
    images = dataset.x_test[:200]
    rate = full.spec.encoding.max_rate
    half = new_run(resolve(full.spec, {"encoding.max_rate": rate / 2}), dataset)
    half.substrate.set_weights(*full.substrate.get_weights())
    works = {
        "full": lambda: full.substrate.infer(images, threads=1),
        "half": lambda: half.substrate.infer(images, threads=1),
    }
    times = in_turn(works, repeats)
    return Measurement(
        "inference-784-1000-10-half-rate", times["half"] / len(images) * 1e6, "us/image", "the full input rate",
        times["full"] / len(images) * 1e6, times["full"] / times["half"], note=f"max_rate {rate / 2:g} for {rate:g}",
    )  # fmt: skip


def ledger_cost(dataset: Dataset, repeats: int) -> Measurement:
    """Measure training with the ledger against the same loop with every count taken out of its source."""
    run = _trained("eqspike-mnist-100", dataset, {**_PHASES, **_TRACES})
    bare = _trained("eqspike-mnist-100", dataset, {**_PHASES, **_TRACES})
    with tempfile.TemporaryDirectory() as folder:
        bare.substrate.replace_loop(uncounted_present(Path(folder)))
        works = {"counted": _train_part(run, dataset), "uncounted": _train_part(bare, dataset)}
        in_turn(works, 1)
        times = in_turn(works, 3 * repeats)
    return Measurement(
        "ledger-784-100-10", times["counted"] / _PART * 1e6, "us/image", "the loop without counts",
        times["uncounted"] / _PART * 1e6, times["uncounted"] / times["counted"], note="training",
    )  # fmt: skip


def _spin(seconds: float) -> int:
    """Count as far as an empty loop gets in the given time."""
    turns, until = 0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        turns += 1
    return turns


def threads(dataset: Dataset, repeats: int) -> Measurement:
    """Measure inference on all cores against one, as a share of what as many empty loops gain in the same run."""
    cores = os.cpu_count() or 1
    run = _trained("eqspike-mnist-100", dataset, {})
    images = np.concatenate([dataset.x_test] * 2)
    works = {
        "one": lambda: run.substrate.infer(images, threads=1),
        "all": lambda: run.substrate.infer(images, threads=cores),
    }
    times = in_turn(works, repeats)
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        list(pool.map(_spin, [0.05] * cores))
        alone = sum(_spin(0.5) for _ in range(3)) / 3
        gain = sum(sum(pool.map(_spin, [0.5] * cores)) for _ in range(3)) / 3 / alone
    return Measurement(
        "threads-784-100-10", times["one"] / times["all"], "times one thread", f"{cores} empty loops", gain,
        times["one"] / times["all"] / gain, note=f"{cores} threads",
    )  # fmt: skip


def measure(repeats: int = 5) -> Iterator[Measurement]:
    """Yield the measurements of the suite, one by one."""
    dataset = load_dataset("mnist")
    classical = {**_PHASES, **_TRACES}
    yield training("training-784-100-10", "eqspike-mnist-100", dataset, classical, repeats)
    yield training("training-784-300-10", "eqspike-mnist-300", dataset, classical, repeats)
    yield from inference("inference-784-100-10", "eqspike-mnist-100", dataset, classical, repeats)
    yield from inference("inference-784-300-10", "eqspike-mnist-300", dataset, classical, repeats)
    yield training("training-784-100-10-recipe", "eqspike-mnist-100", dataset, {}, repeats)
    yield training("training-784-300-10-spiking", "eqspike-mnist-300-spiking", dataset, {}, repeats)
    yield from inference("inference-784-300-10-spiking", "eqspike-mnist-300-spiking", dataset, {}, repeats)
    yield accumulation_follows_rate(dataset, repeats)
    yield threads(dataset, repeats)
    yield ledger_cost(dataset, repeats)
    yield from measure_simulator(repeats)
