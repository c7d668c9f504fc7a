"""The roofline: nothing but adding weight rows of a fixed width, over the spikes that a run really had."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from eqspike.core.jit import kernel
from eqspike.substrates.spiking.program import padded
from eqspike.substrates.spiking.substrate import SpikingSubstrate


def accumulator(width: int) -> Callable:
    """Return a compiled loop that adds rows of exactly ``width`` elements, eight rows a pass."""

    def accumulate(weights, spikes, total):
        e = 0
        while e + 8 <= spikes.size:
            a, b, c, d = weights[spikes[e]], weights[spikes[e + 1]], weights[spikes[e + 2]], weights[spikes[e + 3]]
            f, g, h, i = weights[spikes[e + 4]], weights[spikes[e + 5]], weights[spikes[e + 6]], weights[spikes[e + 7]]
            for k in range(width):
                total[k] += ((a[k] + b[k]) + (c[k] + d[k])) + ((f[k] + g[k]) + (h[k] + i[k]))
            e += 8
        while e < spikes.size:
            a = weights[spikes[e]]
            for k in range(width):
                total[k] += a[k]
            e += 1

    return kernel(accumulate, cache=False)


def rows_delivered(substrate: SpikingSubstrate, images: np.ndarray, labels: np.ndarray | None) -> list[tuple]:
    """Return (weight rows, spike list) for every projection and direction, from the recorded spikes of ``images``."""
    network = substrate.network
    weights, _ = substrate.get_weights()
    spikes: dict[str, list[np.ndarray]] = {layer.name: [] for layer in network.layers}
    for index in range(len(images)):
        record = substrate.observe(images, labels, index, states=False)
        for layer in network.layers:
            spikes[layer.name].append(np.nonzero(record.raster[:, substrate.compiled.block(layer.name)])[1])
    joined = {name: np.concatenate(parts).astype(np.int64) for name, parts in spikes.items()}
    jobs = []
    for projection in network.projections:
        if network.layer(projection.pre).kind != "static":
            jobs.append((_rows(weights[projection.name], substrate.dtype), joined[projection.pre]))
        if projection.symmetric:
            jobs.append((_rows(weights[projection.name].T, substrate.dtype), joined[projection.post]))
    return jobs


def _rows(weights: np.ndarray, dtype: np.dtype) -> np.ndarray:
    rows = np.zeros((weights.shape[0], padded(weights.shape[1])), dtype)
    rows[:, : weights.shape[1]] = weights
    return rows


def roofline(jobs: list[tuple]) -> Callable[[], None]:
    """Return a function that accumulates all ``jobs`` with loops compiled for their widths."""
    loops = {rows.shape[1]: accumulator(rows.shape[1]) for rows, _ in jobs}
    totals = [np.zeros(rows.shape[1], rows.dtype) for rows, _ in jobs]
    for (rows, spikes), total in zip(jobs, totals, strict=True):
        loops[rows.shape[1]](rows, spikes[:8], total)

    def work() -> None:
        for (rows, spikes), total in zip(jobs, totals, strict=True):
            loops[rows.shape[1]](rows, spikes, total)

    return work
