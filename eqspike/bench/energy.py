"""Suite ``energy``: energy-based networks against PyTorch stepping them eagerly, one thread each."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median

import numpy as np

from eqspike.bench import torch_peers
from eqspike.bench.result import Measurement
from eqspike.data import Dataset, load_dataset
from eqspike.energies.backend import jax, jnp
from eqspike.energies.model import Convolution, Dense, Model, fixed_drive, zero_states
from eqspike.energies.settling import Drive, settle
from eqspike.training.api import resolve
from eqspike.training.run import new_run

PEER_VARIABLE = "EQSPIKE_TORCH_PYTHON"  # a Python that has torch, where this one has not
_EPOCH = 60_000
_OURS, _THEIRS = 640, 40  # mini-batches of a timing
_ITERATIONS, _SETTLINGS = 20, 3


def _python() -> str:
    return os.environ.get(PEER_VARIABLE, sys.executable)


def prototypical(dataset: Dataset, repeats: int) -> Measurement:
    """Measure the CPU seconds of an epoch of 784-512-10 prototypical EP."""
    spec = resolve("ep-512")
    run, batch = new_run(spec, dataset), spec.batch
    order = np.arange(len(dataset.x_train))
    images = _OURS * batch

    def ours() -> float:
        started = time.process_time()
        run.substrate.train(dataset.x_train, dataset.y_train, order, 0, images, scale=1.0, offset=0)
        return (time.process_time() - started) * _EPOCH / images

    weights, biases = run.substrate.get_weights()
    few = _THEIRS * batch
    arrays = {
        "images": dataset.x_train[:few],
        "targets": np.eye(10, dtype=np.float32)[dataset.y_train[:few]],
        "w_in": weights["input->hidden"],
        "w_out": weights["hidden->output"],
        "b_hidden": biases["hidden"],
        "b_out": biases["output"],
    }

    def theirs() -> float:
        report, _ = torch_peers.measure("prototypical", arrays, python=_python(), minibatches=_THEIRS)
        return report["cpu_seconds_per_epoch"]

    ours()  # compiles
    found = _in_turn({"ours": ours, "theirs": theirs}, repeats)
    return Measurement(
        "training-784-512-10-prototypical",
        found["ours"],
        "CPU-s/epoch of 60,000",
        "PyTorch, step-synchronous",
        found["theirs"],
        found["theirs"] / found["ours"],
        note="40 + 15 steps, mini-batches of 20",
    )


def convolution(repeats: int) -> Measurement:
    """Measure how many images a second of 3-64-128 channels, 32 x 32, settle in 20 iterations."""
    arrays = torch_peers.convolution_arrays()
    interactions = (Convolution("a", 0, 1, 1, "average"), Convolution("b", 1, 2, 1, "average"), Dense("c", 2, 3))
    activations = ("hard-sigmoid", "hard-sigmoid", "identity")
    model = Model(interactions, ((16, 16, 64), (8, 8, 128), (10,)), activations)
    theta = {
        "weights": {"a": arrays["kernel_0"], "b": arrays["kernel_1"], "c": arrays["dense"]},
        "biases": {str(place): np.zeros(shape[-1], np.float32) for place, shape in enumerate(model.shapes, 1)},
    }
    theta, images = jax.tree.map(jnp.asarray, theta), jnp.asarray(arrays["images"])

    @jax.jit
    def settled(theta: dict, images: jax.Array) -> tuple:
        drive = Drive(fixed_drive(model, theta, images, jnp.float32), jnp.zeros((len(images), 10), jnp.float32))
        return settle(model, theta, drive, zero_states(model, len(images), jnp.float32), steps=_ITERATIONS).states

    def ours() -> float:
        started = time.perf_counter()
        for _ in range(_SETTLINGS):
            jax.block_until_ready(settled(theta, images))
        return len(images) * _SETTLINGS / (time.perf_counter() - started)

    def theirs() -> float:
        device = "cuda" if jax.default_backend() == "gpu" else "cpu"
        report, _ = torch_peers.measure(
            "convolution", arrays, python=_python(), iterations=_ITERATIONS, repeats=_SETTLINGS, device=device
        )
        return report["images_per_s"]["autograd"]

    ours()  # compiles
    found = _in_turn({"ours": ours, "theirs": theirs}, repeats)
    return Measurement(
        "settling-3-64-128-average",
        found["ours"],
        "images/s",
        "PyTorch, eager, gradient of phi",
        found["theirs"],
        found["ours"] / found["theirs"],
        note=f"batch 64, {_ITERATIONS} iterations, {jax.default_backend()}",
    )


def _in_turn(works: dict[str, Callable[[], float]], repeats: int) -> dict[str, float]:
    """Return the median of what each work says of itself, all asked in turn."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            found[name].append(work())
    return {name: median(values) for name, values in found.items()}


def measure(repeats: int = 5) -> Iterator[Measurement]:
    """Yield the measurements of the suite, one by one."""
    yield prototypical(load_dataset("mnist"), repeats)
    yield convolution(repeats)
