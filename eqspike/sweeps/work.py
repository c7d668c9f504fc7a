"""The unit of a sweep: from a RunSpec to a record, wherever it runs; a run that was stopped goes on."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from eqspike.core.errors import ConfigError, DataError, EqspikeError, Interrupted, RunFileError
from eqspike.core.ledger import Ledger
from eqspike.costing.counts import counts_document
from eqspike.costing.run import workload_of
from eqspike.data import Dataset, load_dataset
from eqspike.sweeps.fingerprint import code_hash, run_id
from eqspike.sweeps.store import DONE, FAILED, Store
from eqspike.training import api, loop
from eqspike.training.run import Run, check_data, new_run, open_run
from eqspike.training.spec import DataSettings, RunSpec

TINY = {"data.train_limit": 2, "data.test_limit": 2, "training.epochs": 1}
KEEP_S = 1.0  # a run that takes no longer is cheaper done again than kept on its way
# Of results: all others are the same however often a run was stopped.
_TIMES = ("seconds_per_epoch",)


@dataclass(frozen=True)
class Task:
    """One run to do, as plain JSON types: ``base`` are the recipe's settings, ``settings`` the changes to them.

    ``validating``: the run never sees the test set; what it would have done with that it does with the validation set.
    """

    id: str
    recipe: str
    base: Mapping[str, Any]
    settings: Mapping[str, Any]
    folder: str
    code: str
    threads: int = 1
    attempt: int = 1
    validating: bool = False

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """Return the task that :meth:`to_json` took apart."""
        return cls(**said)

    def to_json(self) -> dict[str, Any]:
        """Return the task as JSON types."""
        return asdict(self)

    def spec(self) -> RunSpec:
        """Return the run, resolved."""
        return api.resolve(self.base, self.settings)


@dataclass(frozen=True)
class Outcome:
    """How a run ended: ``done``, ``failed``, or ``interrupted`` and to be gone on with.

    ``final`` says that trying again would end alike; ``seconds`` is what the run took.
    """

    id: str
    status: str
    seconds: float = 0.0
    error: str = ""
    final: bool = False


def execute(
    task: Task,
    on_progress: Callable[[loop.Progress], None] | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Do the run and write its record; of a failure only the outcome tells, for another attempt may follow.

    Parameters
    ----------
    on_progress : told where the run is.
    is_stopped : whether somebody, other than by a signal, asks for a checkpoint and the end.
    """
    started = time.monotonic()
    store = Store(task.folder)
    try:
        if store.is_done(task.id):  # by somebody else, since the sweep was begun
            return Outcome(task.id, DONE)
        run = _trained(task, store, on_progress or (lambda report: None), is_stopped)
        seconds = time.monotonic() - started
        store.write_record(_record(task, run, seconds))
    except Interrupted as error:
        return Outcome(task.id, "interrupted", time.monotonic() - started, str(error))
    except Exception as error:  # recorded by the sweep, so that one bad run does not lose the others
        reason = str(error) if isinstance(error, EqspikeError) else f"{type(error).__name__}: {error}"
        final = isinstance(error, ConfigError | DataError)
        return Outcome(task.id, FAILED, time.monotonic() - started, reason, final)
    return Outcome(task.id, DONE, seconds)


def failure(task: Task, outcome: Outcome) -> dict[str, Any]:
    """Return the record of a run that is given up."""
    return _head(task, FAILED, outcome.seconds) | {"error": outcome.error}


def check(task: Task) -> None:
    """Load the samples of a run, so that a data set that is not there is told before anything is run.

    Raises
    ------
    DataError
        if there is no such data set; where only this run asks too much of it, that is told in its turn.
    """
    spec = task.spec()
    try:
        samples = _loaded(spec.data)
    except EqspikeError:
        load_dataset(spec.data.name)
        return
    if task.validating:
        without_test(samples)


def check_code(task: Task) -> None:
    """Refuse a run that another version of the code would compute.

    Raises
    ------
    ConfigError
        if this process has not the code that gave out the run.
    """
    if code_hash() != task.code or run_id(task.spec(), task.code) != task.id:
        raise ConfigError(
            "this worker has another version of eqspike than the one that gives out the runs.",
            field=platform.node(),
            remedy="Install the same version everywhere, and start the workers again.",
        )


def warm(task: Task) -> None:
    """Compile what the run needs, by training it on two samples."""
    api.train(api.resolve(task.base, {**task.settings, **TINY}), threads=1)


def _trained(task: Task, store: Store, tell: Callable[[loop.Progress], None], is_stopped: Callable[[], bool]) -> Run:
    spec, path, began = task.spec(), store.run_file(task.id), time.monotonic()
    dataset = _samples(task, spec)
    run = _stopped(path, spec, dataset) or new_run(spec, dataset)
    if run.status == "complete":
        return run

    def progress(report: loop.Progress) -> None:
        if run.path is None and (is_stopped() or time.monotonic() - began > KEEP_S):
            run.path = path  # from here on checkpoints are written
        tell(report)

    run.substrate.clear_counts("inference")  # counted once, at the end
    loop.train(run, dataset, threads=task.threads, on_progress=progress)
    if run.path is None:
        run.path = path
        run.save()
    return run


def _stopped(path: Path, spec: RunSpec, dataset: Dataset) -> Run | None:
    """Return the run as its last checkpoint has it; None where there is none, or none of this very run."""
    if not path.exists():
        return None
    try:
        run = open_run(path)
        check_data(run, dataset)
    except RunFileError:
        path.unlink(missing_ok=True)
        return None
    return run if run.spec == spec else None


def _samples(task: Task, spec: RunSpec) -> Dataset:
    samples = _loaded(spec.data)
    return without_test(samples) if task.validating else samples


def without_test(dataset: Dataset) -> Dataset:
    """Return ``dataset`` with the validation samples also where the test samples were.

    Raises
    ------
    ConfigError
        if there are no validation samples.
    """
    if not len(dataset.y_validation):
        remedy = "Hold some training samples out: data.validation above 0."
        raise ConfigError("there are no validation samples.", field="data.validation", remedy=remedy)
    return replace(dataset, x_test=dataset.x_validation, y_test=dataset.y_validation)


@lru_cache(maxsize=2)
def _loaded(settings: DataSettings) -> Dataset:
    """Return samples; the last are kept, for runs of one sweep mostly share them."""
    dataset = load_dataset(settings.name, validation=settings.validation, scale=settings.scale)
    return dataset.limited(train=settings.train_limit, test=settings.test_limit)


def _head(task: Task, status: str, seconds: float) -> dict[str, Any]:
    return {
        "id": task.id,
        "status": status,
        "recipe": task.recipe,
        "settings": dict(task.settings),
        "seed": task.settings.get("seed", task.base.get("seed", 1)),
        "attempts": task.attempt,
        "seconds": round(seconds, 4),
        "code": task.code,
        "host": platform.node(),
    }


def _record(task: Task, run: Run, seconds: float) -> dict[str, Any]:
    hidden = (*_TIMES, "test_accuracy") if task.validating else _TIMES
    results = {name: value for name, value in run.results.items() if name not in hidden}
    times = {name: run.results[name] for name in _TIMES if name in run.results}
    found = {"dataset": run.data["name"], "results": results, "ledger": totals(run.ledger)}
    found["counts"] = counts_document(workload_of(run))  # to be priced on any chip, without the run file
    return _head(task, DONE, seconds) | times | found


def totals(ledger: Ledger) -> dict[str, dict[str, int]]:
    """Return what was counted, by phase and counter, over all layers and projections; zeros are left out."""
    found: dict[str, dict[str, int]] = {}
    for phase, _, counter, count in ledger.rows():
        counts = found.setdefault(phase, {})
        counts[counter] = counts.get(counter, 0) + count
    return found
