"""Suite ``binary``: networks of binary weights against dense NumPy products at every step, in CPU time of one thread.

The peer is the tests' slow twin, twice: summing the input at every step, as published code does, and summing it once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from eqspike.bench.result import Measurement, in_turn
from eqspike.core.errors import ConfigError
from eqspike.core.rng import Purpose, stream
from eqspike.data import Dataset, load_dataset
from eqspike.kernels import binary_layout as layout
from eqspike.kernels.bits import LANES
from eqspike.substrates.binary import program
from eqspike.substrates.binary.phases import make_phases
from eqspike.substrates.binary.program import Compiled
from eqspike.substrates.binary.substrate import BinarySubstrate, as_pixels
from eqspike.training.api import resolve
from eqspike.training.run import Run, new_run

PEER_FILE = Path("tests", "reference", "binary.py")
PEERS = {"dense NumPy, input at every step": False, "dense NumPy, input once": True}  # whether the input is cached
_EPOCH = 60_000
_WARM = 100  # mini-batches trained on before, so that activity is that of learning
_OURS, _THEIRS = 40, 2  # mini-batches of a timing
_ANSWERED, _ANSWERED_THEIRS = 2_048, 256  # images of a timing


def load_peer(start: Path | None = None) -> ModuleType:
    """Return the module of the peer, from the checkout that holds ``start`` (by default the present folder).

    Raises
    ------
    ConfigError
        outside a checkout.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / PEER_FILE).is_file():
            found = util.spec_from_file_location("eqspike_binary_peer", folder / PEER_FILE)
            module = util.module_from_spec(found)
            found.loader.exec_module(module)
            return module
    raise ConfigError(
        f"there is no {PEER_FILE} here: the peer is part of the tests and not installed with the package.",
        field="bench binary",
        remedy="Run this in a checkout of the repository.",
    )


def twin_of(run: Run, peer: ModuleType, *, cached_input: bool) -> Any:
    """Return the peer as ``run`` stands: signs, scales, biases and accumulators."""
    spec, substrate = run.spec, run.substrate
    weights, biases = substrate.get_weights()
    rule, moving = spec.rule, spec.dynamics
    twin = peer.DenseStepping(
        [np.sign(values) for values in weights.values()], [np.abs(values).max() for values in weights.values()],
        list(biases.values()), setting={"real": "A", "binary": "B"}[moving.activation], free_steps=moving.free_steps,
        nudged_steps=moving.nudged_steps, beta=rule.beta, gamma=rule.low_passes, tau=rule.flip_thresholds,
        rate_bias=rule.bias_rates, rate_scale=rule.scale_rates if rule.learn_scales else None,
        expand=spec.network.expand, theta=moving.threshold, inertia=moving.inertia, cached_input=cached_input,
    )  # fmt: skip
    for flips, values, n in zip(twin.flips, accumulators(substrate), substrate.momentum.batches, strict=True):
        flips.momentum[:], flips.batches = values, int(n)
    return twin


def accumulators(substrate: BinarySubstrate) -> list[np.ndarray]:
    """Return views of the accumulators M of each projection, (n_pre, n_post), of a network that has learnt."""
    compiled, found, first = program.compile_network(substrate.network), [], 0
    for projection, row in zip(substrate.network.projections, compiled.program.projections, strict=True):
        shape = row[layout.ROWS], row[layout.ROW] * LANES
        held = substrate.momentum.values[first : first + shape[0] * shape[1]].reshape(shape)
        first += held.size
        n_pre, n_post = substrate.network.stored(projection)
        found.append(held[:, :n_pre].T if row[layout.ALONG_PRE] else held[:, :n_post])
    return found


def phase_ends(substrate: BinarySubstrate, images: np.ndarray, labels: np.ndarray, beta: float) -> list[np.ndarray]:
    """Return the states that both phases of ``images`` end in, layer by layer, free and then nudged, and the output.

    Binary activations are given as 0 and 1, the output as its real states after the free phase.
    """
    compiled, dynamics = program.compile_network(substrate.network), substrate.dynamics
    phases, outputs = make_phases(compiled, dynamics), substrate.network.layers[-1].size
    ends = phases.new_ends(len(images))
    targets = np.zeros((len(images), -(-outputs // LANES) * LANES), np.float32)
    targets[:, :outputs] = np.arange(outputs) // substrate.expand == labels[:, None]
    counts = program.new_counts(compiled)
    phases.present(substrate.weights, counts, ends, as_pixels(images), targets, beta, dynamics.nudged_steps)
    states = [_unpacked(compiled, held) for held in (ends.free, ends.nudged)]
    return [*states[0], *states[1], ends.output]


def _unpacked(compiled: Compiled, held: np.ndarray) -> list[np.ndarray]:
    """Return states (n, size) of each layer above the input, from bits or from real states of all neurons."""
    if held.dtype == np.uint32:
        held = (program.unpack(held, compiled.n_neurons) + 1) // 2
    return [held[:, compiled.block(layer)] for layer in range(1, len(compiled.program.layers))]


def agreement(run: Run, twin: Any, dataset: Dataset) -> str:
    """Let both learn the next mini-batch and return in words how far states and changes agree."""
    substrate, first = run.substrate, _WARM * run.spec.batch
    chosen = np.arange(first, first + run.spec.batch)
    images, labels = dataset.x_train[chosen], dataset.y_train[chosen]
    sign = 1 if stream(run.spec.seed, Purpose.NUDGE_SIGN, first).random() < 0.5 else -1  # as the substrate draws it
    ours = phase_ends(substrate, images, labels, sign * twin.beta)
    free = twin.settle_free(as_pixels(images))
    nudged = twin.settle_nudged(free, labels, sign * twin.beta)
    theirs = [*twin.emitted(free), *twin.emitted(nudged), free[-1]]
    worst = max(float(np.abs(a - b).max()) for a, b in zip(ours, theirs, strict=True))
    _learn(run, dataset, _WARM, 1)
    twin.update(free, nudged, sign * twin.beta)
    signs = [np.sign(values) for values in substrate.get_weights()[0].values()]
    differing = sum(int((a != b).sum()) for a, b in zip(signs, twin.signs, strict=True))
    equal = all(np.array_equal(a, f.momentum) for a, f in zip(accumulators(substrate), twin.flips, strict=True))
    if worst == 0 and differing == 0 and equal:
        return "states, signs and accumulators equal bit for bit"
    return f"states equal to {worst:.1e}, {differing} of {sum(s.size for s in signs)} signs differ"


def _learn(run: Run, dataset: Dataset, first: int, batches: int) -> None:
    """Learn ``batches`` mini-batches of the training set in order, from mini-batch ``first`` on."""
    start, n = first * run.spec.batch, batches * run.spec.batch
    order = np.arange(start, start + n) % len(dataset.x_train)
    run.substrate.train(dataset.x_train, dataset.y_train, order, 0, n, scale=1.0, offset=start)


def _warm(recipe: str, dataset: Dataset, changes: dict) -> Run:
    run = new_run(resolve(recipe, changes), dataset)
    _learn(run, dataset, 0, _WARM)
    return run


def training(
    name: str, recipe: str, dataset: Dataset, peer: ModuleType, repeats: int, changes: dict | None = None
) -> Iterator[Measurement]:
    """Measure the CPU seconds of an epoch of training, from mini-batches after the first few."""
    run = _warm(recipe, dataset, changes or {})
    twins = {said: twin_of(run, peer, cached_input=cached) for said, cached in PEERS.items()}
    agreed = agreement(run, next(iter(twins.values())), dataset)
    batch, first = run.spec.batch, _WARM + 1

    def theirs(twin: Any) -> None:
        for k in range(first, first + _THEIRS):
            part = slice(k * batch, (k + 1) * batch)
            twin.learn(as_pixels(dataset.x_train[part]), dataset.y_train[part], 1)

    works = {"ours": lambda: _learn(run, dataset, first, _OURS)}
    works |= {said: lambda twin=twin: theirs(twin) for said, twin in twins.items()}
    taken = in_turn(works, repeats, time.process_time)
    per_batch = _EPOCH / batch
    ours = taken["ours"] / _OURS * per_batch
    for said in twins:
        value = taken[said] / _THEIRS * per_batch
        yield Measurement(name, ours, "CPU-s/epoch of 60,000", said, value, value / ours, note=agreed)


def inference(
    name: str, recipe: str, dataset: Dataset, peer: ModuleType, repeats: int, changes: dict | None = None
) -> Iterator[Measurement]:
    """Measure how many images a CPU second answers, every step of the schedule taken."""
    run = _warm(recipe, dataset, (changes or {}) | {"dynamics.stop": "schedule"})
    twins = {said: twin_of(run, peer, cached_input=cached) for said, cached in PEERS.items()}
    images, few = dataset.x_test[:_ANSWERED], dataset.x_test[:_ANSWERED_THEIRS]
    pixels = as_pixels(few)
    works = {"ours": lambda: run.substrate.infer(images, threads=1, counted=False)}
    works |= {said: lambda twin=twin: twin.settle_free(pixels) for said, twin in twins.items()}
    taken = in_turn(works, repeats, time.process_time)
    twin = next(iter(twins.values()))
    answers = run.substrate.infer(few, threads=1, counted=False)
    same = int((twin.answers(twin.settle_free(pixels)) == answers).sum())
    bits = run.substrate.diagnostics()["bits_per_weight"]
    note = f"{bits:.3f} bits a weight (peer: 32), {same} of {len(few)} answers equal"
    ours = len(images) / taken["ours"]
    for said in twins:
        value = len(few) / taken[said]
        yield Measurement(name, ours, "images/CPU-s", said, value, ours / value, note=note)


def measure(repeats: int = 5) -> Iterator[Measurement]:
    """Yield the measurements of the suite, one by one; matrix products use one thread meanwhile."""
    peer, dataset = load_peer(), load_dataset("mnist")
    with threadpool_limits(1, "blas"):
        yield from training("training-784-8192-100-b", "binary-ep-b-8192", dataset, peer, repeats)
        yield from training("training-784-4096-10-a", "binary-ep-a-4096", dataset, peer, repeats)
        yield from inference("inference-784-8192-100-b", "binary-ep-b-8192", dataset, peer, repeats)
