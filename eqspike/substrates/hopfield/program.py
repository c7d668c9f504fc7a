"""From a network to what the compiled loops need: the model, initial parameters, and how often weights are used."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eqspike.core.errors import ConfigError
from eqspike.core.rng import Purpose, stream
from eqspike.energies.model import Convolution, Dense, Model
from eqspike.network.description import Kernel, Network, Projection
from eqspike.substrates.hopfield.settings import Dynamics

Parameters = dict[str, dict[str, np.ndarray]]


def compile_network(network: Network, dynamics: Dynamics) -> Model:
    """Return the model of ``network``: its free layers are all but the input, and but a read-out.

    Raises
    ------
    ConfigError
        if a layer is not of real-valued states.
    """
    read_out = any(projection.read_out for projection in network.projections)
    free = network.layers[1 : len(network.layers) - read_out]
    for layer in network.layers[1:]:
        if layer.kind != "rate":
            raise ConfigError(f"a {layer.kind} layer has no energy.", field=layer.name, remedy="Use rate layers.")
    places = {layer.name: place for place, layer in enumerate(network.layers)}
    return Model(
        tuple(_interaction(p, places) for p in network.projections if not p.read_out),
        tuple(layer.shape for layer in free),
        tuple(layer.activation for layer in free),
        kind=dynamics.kind,
        nudge=dynamics.nudge,
        asynchronous=dynamics.update == "asynchronous",
        dt=dynamics.dt,
        clip=dynamics.clip,
        softmax=read_out,
    )


def _interaction(projection: Projection, places: dict[str, int]) -> Dense | Convolution:
    pre, post = places[projection.pre], places[projection.post]
    kernel = projection.kernel
    if kernel is None:
        return Dense(projection.name, pre, post)
    return Convolution(projection.name, pre, post, kernel.padding, kernel.pool)


def initial_parameters(
    network: Network, gains: Sequence[float], bias_gain: float, angle_degrees: float, seed: int
) -> Parameters:
    """Return weights uniform within +- gain / sqrt(fan-in), biases within +- bias_gain / sqrt(fan-in), float64.

    Backward weights of their own are the forward ones, each with its sign flipped with probability (1 - cos angle) / 2.
    """
    found: Parameters = {"weights": {}, "biases": {}}
    for index, projection in enumerate(network.projections):
        shape = network.stored(projection)
        fan_in = np.prod(shape[:-1])
        gain = gains[index if len(gains) > 1 else 0]
        random = stream(seed, Purpose.WEIGHTS, index)
        weights = random.uniform(-1, 1, shape) * gain / np.sqrt(fan_in)
        biases = random.uniform(-1, 1, shape[-1]) * bias_gain / np.sqrt(fan_in)
        if projection.read_out:
            found["readout"] = {"weights": weights, "biases": biases}
            continue
        found["weights"][projection.name] = weights
        found["biases"][str(index + 1)] = biases
        if projection.separate:
            flipped = random.random(shape) < 0.5 * (1 - np.cos(np.radians(angle_degrees)))
            found.setdefault("backward", {})[projection.name] = np.where(flipped, -weights, weights)
    return found


def uses_below(network: Network, projection: Projection) -> np.ndarray:
    """Return how often each neuron below multiplies a weight of ``projection`` in one pass, in the layer's shape."""
    pre, post = network.layer(projection.pre), network.layer(projection.post)
    if projection.kernel is None:
        return np.full(pre.shape, post.size, np.int64)
    rows, columns = (_uses_along(extent, projection.kernel) for extent in pre.shape[:2])
    return (rows[:, None, None] * columns[:, None] * projection.kernel.channels) * np.ones(pre.shape, np.int64)


def _uses_along(extent: int, kernel: Kernel) -> np.ndarray:
    """Return in how many kept positions of the kernel each row of ``extent`` rows takes part."""
    maps = extent + 2 * kernel.padding - kernel.size + 1
    kept = maps if kernel.pool == "none" else 2 * (maps // 2)
    uses = np.zeros(extent + 2 * kernel.padding, np.int64)
    for position in range(kept):
        uses[position : position + kernel.size] += 1
    return uses[kernel.padding : kernel.padding + extent]
