"""One run of a claim: train, test, count, price; everything that came out as plain JSON types."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from eqspike import __version__
from eqspike.claims.schema import CHIPS
from eqspike.core.errors import Interrupted
from eqspike.core.ledger import Ledger
from eqspike.costing.run import price
from eqspike.costing.summary import energy_summary
from eqspike.recording import current_environment
from eqspike.sweeps.fingerprint import code_hash, configuration_hash
from eqspike.training import api
from eqspike.training.loop import Progress
from eqspike.training.run import Run
from eqspike.training.spec import RunSpec
from hw_models.errors import HardwareError

PRESENTATIONS = {"inference": ("inference",), "training_sample": ("free", "nudged")}
COUNTERS = ("spikes", "synaptic_events", "macs", "weight_writes", "accumulator_writes", "suppressed_updates")
_PRICE_KEYS = ("chip_operating_point", "tick_s", "tick_source", "weakest_evidence")


def measure(
    spec: RunSpec,
    threads: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    kind: Literal["training", "gradients"] = "training",
) -> dict[str, Any]:
    """Train and test ``spec`` and return the record of it; what fails is recorded too, with its message.

    Parameters
    ----------
    kind : what the case measures; ``gradients`` adds how the run's own rule compares with the true gradient.

    Raises
    ------
    Interrupted
        at Ctrl-C or SIGTERM.
    """
    record = {
        "status": "complete",
        "kind": kind,
        "configuration": configuration_hash(spec),
        "code": code_hash(),
        "environment": environment(),
    }
    started = time.monotonic()
    try:
        run = api.train(spec, threads=threads, on_progress=on_progress)
        record |= outcome(run)
        if kind == "gradients":
            record["results"] |= gradient_results(run)
    except Interrupted:
        raise
    except Exception as error:  # recorded, so that one failing run does not lose the others
        record |= failure(error)
    return record | {"wall_s": round(time.monotonic() - started, 3)}


def outcome(run: Run) -> dict[str, Any]:
    """Return results, metrics per epoch, counts per presentation and energies of a finished run."""
    return {
        "data": dict(run.data),
        "results": dict(run.results),
        "epochs": {name: [_finite(value) for value in values] for name, values in run.metrics.items()},
        "counts": {name: counts(run.ledger, *phases) for name, phases in PRESENTATIONS.items()},
        "energies": {chip: _energies(run, chip) for chip in CHIPS},
    }


def gradient_results(run: Run, samples: int = 4) -> dict[str, float | None]:
    """Return how the run's own rule compares with the implicit gradient: the slope of its error, and both at its beta.

    Raises
    ------
    ConfigError
        if the network has no energy.
    """
    from eqspike.analysis.gradient_rules import check_spec

    check_spec(run.spec)
    from eqspike.analysis.gradients import agreement  # needs JAX, which other runs do without

    rules, references = [run.spec.rule], ("implicit",)
    (found,) = agreement(run, api.load_data(run.spec), samples=samples, rules=rules, references=references)
    return {
        "gradient_slope": found.slope,
        "gradient_relative_error": found.relative_error,
        "gradient_angle_degrees": found.angle_degrees,
    }


def failure(error: BaseException) -> dict[str, str]:
    """Return what a record says of a run that failed."""
    return {"status": "failed", "error": f"{type(error).__name__}: {error}"}


def counts(ledger: Ledger, *phases: str) -> dict[str, dict[str, float]]:
    """Return the mean of each counter per presentation of ``phases``, by layer or projection."""
    presentations = max(ledger.phases[phase].presentations for phase in phases)
    totals: dict[str, dict[str, float]] = {counter: {} for counter in COUNTERS}
    for phase, row, counter, count in ledger.rows():
        name = counter.removesuffix("_forward").removesuffix("_backward")
        if phase in phases and name in totals:
            totals[name][row] = totals[name].get(row, 0) + count
    return {
        counter: {row: count / presentations for row, count in rows.items()} for counter, rows in totals.items() if rows
    }


def environment() -> dict[str, str]:
    """Return versions, processor and time (UTC); neither the host's name nor its paths."""
    found = current_environment() | {"eqspike": __version__}
    return found | {"platform": f"{platform.system()} {platform.machine()}"}


def _energies(run: Run, chip: str) -> dict[str, Any]:
    try:
        found: Mapping[str, Any] = energy_summary(price(run, chip))
    except HardwareError as error:
        return {"not_priced": str(error)}
    return {key: value for key, value in found.items() if key.startswith("energy_per_") or key in _PRICE_KEYS}


def _finite(value: float) -> float | None:
    return value if value == value else None
