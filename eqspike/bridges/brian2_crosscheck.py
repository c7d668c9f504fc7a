"""Our engine beside Brian2: the exported script is run as it is, and spikes, rates, weights are compared."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from eqspike.bridges.brian2 import check_spiking, require_brian2, write_brian2
from eqspike.core.errors import ModelError
from eqspike.training.spec import with_settings
from eqspike.training.specs import parse_spec

if TYPE_CHECKING:
    from eqspike.training.run import Run


class Train(NamedTuple):
    """Spikes of a layer, all samples: (n,) each."""

    sample: np.ndarray
    tick: np.ndarray
    neuron: np.ndarray


class Side(NamedTuple):
    """What one of the two did: spikes by layer, weights by projection, biases by layer, answers (n,)."""

    spikes: Mapping[str, Train]
    weights: Mapping[str, np.ndarray]
    biases: Mapping[str, np.ndarray]
    answers: np.ndarray


def crosscheck(
    run: Run,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    learning: int = 2,
    on_progress: Callable[[str], None] = lambda stage: None,
) -> dict[str, Any]:
    """Show ``images`` (n, n_pixels) to ``run`` and to its Brian2 script, both in 64 bits, and compare what they do.

    Then both learn from the first ``learning`` samples. ``run`` itself stays as it is.

    Returns
    -------
    dict
        JSON types: ``samples``, ``spikes_ours``, ``spikes_brian2``, ``identical_trains``, ``differing_trains`` (of
        ``trains``: one a sample and neuron), ``worst_difference_s`` between the k-th spikes of a train on either side,
        ``unpaired_spikes`` that have no such partner, ``identical_answers``, ``layers`` with rates in Hz, and
        ``learning``: the same over both phases, with the largest difference of each array of weights and biases.

    Raises
    ------
    ModelError
        if Brian2 is not installed or fails, or has no words for the run.
    DataError
        if the samples do not fit the network.
    """
    require_brian2()
    check_spiking(run)
    ours = _in_64_bits(run)
    with TemporaryDirectory() as folder:
        script, _ = write_brian2(ours, images, labels, Path(folder) / "network.py")
        on_progress("showing the samples to Brian2")
        theirs = _run_script(script, ours, "--samples", str(len(labels)))
        found = _compared(ours, _inferred(ours, images), theirs, ours.spec.phases.free_ticks)
        if learning := min(learning, len(labels)):
            on_progress("learning in Brian2")
            theirs = _run_script(script, ours, "--samples", str(learning), "--learn")
            found["learning"] = _learning(ours, images[:learning], labels[:learning], theirs)
    return {"brian2": version("brian2"), "precision": 64, "samples": len(labels), **found}


def _in_64_bits(run: Run) -> Run:
    """Return a copy of ``run`` that computes in 64 bits with the same weights and has counted nothing."""
    from eqspike.training.run import Run

    settings = run.spec.model_dump(exclude_none=True)
    spec = parse_spec(with_settings(settings, {"network.precision": 64}))
    substrate = spec.build_substrate(run.network, run.network.layers[0].shape)
    weights, biases = run.substrate.get_weights()
    for projection in run.network.projections:  # a bound rounded to 32 bits may lie outside itself
        low, high = projection.synapse.w_min, projection.synapse.w_max
        if low is not None or high is not None:
            weights[projection.name] = np.clip(weights[projection.name].astype(np.float64), low, high)
    substrate.set_weights(weights, biases)
    return Run(spec, run.network, substrate, run.data)


def _run_script(script: Path, run: Run, *arguments: str) -> Side:
    out = script.with_name("results.npz")
    command = [sys.executable, str(script), *arguments, "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=script.parent)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ModelError(f"the script failed in Brian2: {last}.", field="brian2", remedy="Check its installation.")
    with np.load(out, allow_pickle=False) as results:
        spikes = {
            layer.name: Train(*(results[f"spikes/{layer.name}/{column}"] for column in Train._fields))
            for layer in run.network.layers
            if layer.kind != "static"
        }
        weights, biases = (
            {name: results[f"{folder}/{name}"] for name in arrays}
            for folder, arrays in zip(("weights", "biases"), run.substrate.get_weights(), strict=True)
        )
        return Side(spikes, weights, biases, results["answers"])


def _inferred(run: Run, images: np.ndarray) -> Side:
    records = [run.substrate.observe(images, None, k, states=False).raster for k in range(len(images))]
    answers = run.substrate.infer(images, threads=1, counted=False)
    return Side(_trains(run, records), *run.substrate.get_weights(), answers)


def _learnt(run: Run, images: np.ndarray, labels: np.ndarray) -> Side:
    order, rasters, answers = np.arange(len(labels)), [], []
    for k in range(len(labels)):  # watched once, then learnt from: both draw the same random numbers
        rasters.append(run.substrate.observe(images, labels, k, states=False).raster)
        answers.append(run.substrate.train(images, labels, order, k, k + 1, scale=1.0, offset=0))
    return Side(_trains(run, rasters), *run.substrate.get_weights(), np.concatenate(answers))


def _trains(run: Run, rasters: list[np.ndarray]) -> dict[str, Train]:
    found = {}
    for layer in run.network.layers:
        if layer.kind != "static":
            block = run.substrate.compiled.block(layer.name)
            found[layer.name] = Train(*np.nonzero(np.stack([raster[:, block] for raster in rasters])))
    return found


def _learning(run: Run, images: np.ndarray, labels: np.ndarray, theirs: Side) -> dict[str, Any]:
    before = run.substrate.get_weights()
    ours = _learnt(run, images, labels)
    found = {"samples": len(labels)}
    found |= _compared(run, ours, theirs, run.spec.phases.free_ticks + run.spec.phases.nudged_ticks)
    for name, at_first in zip(("weights", "biases"), before, strict=True):
        mine, other = getattr(ours, name), getattr(theirs, name)
        found[name] = {
            key: {
                "largest": float(np.abs(mine[key]).max()),
                "largest_change": float(np.abs(mine[key] - at_first[key]).max()),
                "worst_difference": float(np.abs(mine[key] - other[key]).max()),
            }
            for key in mine
        }
    return found


def _compared(run: Run, ours: Side, theirs: Side, ticks: int) -> dict[str, Any]:
    """Return how the spikes, rates and answers of ``ticks`` a sample agree."""
    samples, tick_s = len(ours.answers), run.spec.tick_s
    layers, trains, differing, unpaired, worst = {}, 0, 0, 0, 0
    for name, mine in ours.spikes.items():
        other, size = theirs.spikes[name], run.network.layer(name).size
        differs, alone, apart = compare_trains(mine, other, size, samples)
        trains, differing, unpaired = trains + samples * size, differing + differs, unpaired + alone
        worst = max(worst, apart)
        rates = [len(train.tick) / (samples * size * ticks * tick_s) for train in (mine, other)]
        layers[name] = {"spikes_ours": len(mine.tick), "spikes_brian2": len(other.tick),
                        "rate_ours_hz": rates[0], "rate_brian2_hz": rates[1]}  # fmt: skip
    return {
        "spikes_ours": sum(layer["spikes_ours"] for layer in layers.values()),
        "spikes_brian2": sum(layer["spikes_brian2"] for layer in layers.values()),
        "identical_trains": differing == 0,
        "trains": trains,
        "differing_trains": differing,
        "unpaired_spikes": unpaired,
        "worst_difference_s": worst * tick_s,
        "identical_answers": bool(np.array_equal(ours.answers, theirs.answers)),
        "layers": layers,
    }


def compare_trains(ours: Train, theirs: Train, size: int, samples: int) -> tuple[int, int, int]:
    """Return how many trains of ``size`` neurons differ, how many spikes have no partner, and the worst ticks apart.

    A train is one neuron's spikes in one sample; the k-th spike of one side is the partner of the k-th of the other.
    """
    sides = []
    for side in (ours, theirs):
        of = side.sample * size + side.neuron
        order = np.lexsort((side.tick, of))
        counts = np.bincount(of, minlength=samples * size)
        rank = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
        sides.append((of[order], rank, side.tick[order], counts))
    common = np.minimum(sides[0][3], sides[1][3])
    paired = [tick[rank < common[of]] for of, rank, tick, _ in sides]
    apart = np.abs(paired[0] - paired[1])
    differs = sides[0][3] != sides[1][3]
    differs[np.repeat(np.arange(samples * size), common)[apart > 0]] = True
    unpaired = int(np.abs(sides[0][3] - sides[1][3]).sum())
    return int(differs.sum()), unpaired, int(apart.max(initial=0))
