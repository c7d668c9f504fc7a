"""Suite ``sweeps``: what two workers gain, what a run costs beside its work, what the driver keeps, and collecting.

Start-up is in the first row, as whoever waits for a sweep has it: workers start, load the samples and read the cache.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from eqspike.bench.collecting import measure_collect
from eqspike.bench.result import Measurement
from eqspike.data import Dataset
from eqspike.sweeps.runner import sweep
from eqspike.sweeps.state import State
from eqspike.training import api, loop
from eqspike.training.run import new_run

EQUAL_RUNS, RUN_S = 16, 4.0
TINY_RUNS, SETTLED = 2000, 200  # from the second on the driver has all that it ever needs
TINY = {"network.hidden": [8], "data.train_limit": 20, "data.test_limit": 20, "training.epochs": 1}
_SPINS = 5_000_000
_RECIPE = "eqspike-digits"


def spin(turns: int) -> float:
    """Return the seconds that an empty loop takes."""
    started = time.perf_counter()
    for _ in range(turns):
        pass
    return time.perf_counter() - started


def equal_runs(repeats: int, runs: int = EQUAL_RUNS, run_s: float = RUN_S) -> Measurement:
    """Measure the gain of two workers on equal runs, beside that of two empty loops timed in turn with them."""
    fixed = {"training.epochs": _epochs(run_s), "data.validation": 0}
    gains, loops, times = [], [], []
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        list(pool.map(spin, [1000] * 2))
        for _ in range(repeats):
            before = _gain_of_loops(pool)
            one, two = (_swept(fixed, runs, workers) for workers in (1, 2))
            loops.append((before + _gain_of_loops(pool)) / 2)
            gains.append(one / two)
            times.append((one, two))
    one, two = (median(column) for column in zip(*times, strict=True))
    gain, peer = median(gains), median(loops)
    note = f"{one:.1f} s with one worker, {two:.1f} s with two, start-up included; 0.9 of the loops is asked for"
    return Measurement(
        f"{runs} equal runs, 2 workers", gain, "times one worker", "2 empty loops", peer, gain / peer, note=note
    )


def tiny_runs(runs: int = TINY_RUNS, settled: int = SETTLED) -> Iterator[Measurement]:
    """Measure what a run costs beside its training, and how the driver's memory grows, on a sweep of tiny runs."""
    marks: dict[int, tuple[float, float]] = {}

    def look(state: State) -> None:
        if state.done in (settled, runs):
            marks.setdefault(state.done, (time.perf_counter(), resident_mib()))

    work = []
    with TemporaryDirectory() as folder:
        design = {"recipe": _RECIPE, "grid": _lists(TINY) | {"seed": list(range(1, runs + 1))}}
        dataset = api.load_data(api.resolve(_RECIPE, TINY))
        _trained(0, dataset)  # compiles
        work += [_trained(seed, dataset) for seed in range(1, 21)]
        result = sweep(design, out=Path(folder), on_progress=look)
        work += [_trained(seed, dataset) for seed in range(1, 21)]
        if result.done != runs:
            raise RuntimeError(f"{result.done} of {runs} runs were done")
    (began, small), (ended, large) = marks[settled], marks[runs]
    each = (ended - began) / (runs - settled)
    note = f"{1e3 * each:.1f} ms a run, of which training {1e3 * median(work):.1f} ms; below 50 ms is asked for"
    yield Measurement("overhead a run, 1 worker", 1e3 * (each - median(work)), "ms", note=note)
    note = f"{small:.1f} MiB after {settled} runs, {large:.1f} MiB after {runs:,}"
    yield Measurement("growth of the driver's memory", large - small, "MiB", note=note)


def measure(repeats: int = 1) -> Iterator[Measurement]:
    """Yield the measurements of the suite, one by one."""
    yield equal_runs(repeats)
    yield from tiny_runs()
    yield from measure_collect(repeats)


def resident_mib() -> float:
    """Return the memory of this process that is in use now."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:  # a system without /proc tells the most that there ever was
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _epochs(run_s: float) -> int:
    """Return how many epochs take about ``run_s``."""
    run = api.train(_RECIPE, training__epochs=2, data__validation=0, threads=1)
    return max(1, round(run_s / run.metrics["seconds"][-1]))


def _swept(fixed: Mapping[str, Any], runs: int, workers: int) -> float:
    """Return the seconds of a sweep over something that changes ids and nothing else."""
    design = {"recipe": _RECIPE, "grid": _lists(fixed) | {"training.checkpoint_s": [1e3 + n for n in range(runs)]}}
    with TemporaryDirectory() as folder:
        started = time.perf_counter()
        result = sweep(design, out=Path(folder), workers=workers)
        seconds = time.perf_counter() - started
    if result.done != runs:
        raise RuntimeError(f"{result.done} of {runs} runs were done")
    return seconds


def _gain_of_loops(pool: ProcessPoolExecutor) -> float:
    alone, together = [], []
    for _ in range(5):
        alone.append(pool.submit(spin, _SPINS).result())
        together.append(max(pool.map(spin, [_SPINS] * 2)))
    return 2 * median(alone) / median(together)


def _trained(seed: int, dataset: Dataset) -> float:
    """Return the seconds of training and testing alone: samples are at hand, nothing is written."""
    run = new_run(api.resolve(_RECIPE, TINY | {"seed": seed}), dataset)
    started = time.perf_counter()
    loop.train(run, dataset, threads=1)
    return time.perf_counter() - started


def _lists(fixed: Mapping[str, Any]) -> dict[str, list]:
    return {field: [value] for field, value in fixed.items()}
