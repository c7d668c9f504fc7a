"""What the loop in continuous time runs on: a network description as arrays."""

from __future__ import annotations

import numpy as np

from eqspike.core.errors import ConfigError
from eqspike.kernels import exact_layout as at
from eqspike.kernels.exact import WINDOW, list_sources
from eqspike.kernels.exact_layout import Program
from eqspike.network.description import Layer, Network
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.wiring import NARROW, Wiring, wire

MAX_RATE_HZ = 10_000.0
_REFRACTORY_SHARE = 0.8  # a layer that fires at this share of what its refractory time allows has run away
_FEWEST = 100  # spikes within a window: fewer are no runaway unless a rate was asked for
_CLOCKED = "Use the clock Clocked."


def check(network: Network) -> None:
    """Refuse what has no closed form.

    Raises
    ------
    ConfigError
        naming the layer or the projection, and the remedy.
    """
    for layer in network.layers:
        if layer.kind == "lif" and not isinstance(layer.neuron, LIF):
            problem, remedy = "its neuron counts ticks.", "Describe it as LIF(...), in seconds."
            raise ConfigError(problem, field=f"{layer.name}.neuron", remedy=remedy)
        if layer.kind == "lif" and layer.neuron.adaptation_step != 0:
            problem = "with adaptation the next threshold crossing has no closed form."
            raise ConfigError(problem, field=f"{layer.name}.neuron.adaptation_step", remedy=_CLOCKED)
    for projection in network.projections:
        if projection.tau_synapse_s > 0:
            problem = "with an exponential synapse the next threshold crossing has no closed form."
            remedy = "Set it to 0 (a delta synapse), or use the clock Clocked."
            raise ConfigError(problem, field=f"{projection.name}.tau_synapse_s", remedy=remedy)
        if projection.plastic and projection.kernel is not None:
            problem, remedy = "shared weights of a convolution do not learn.", "Use Pairs with weights of their own."
            raise ConfigError(problem, field=f"{projection.name}.plastic", remedy=remedy)


def build_program(
    network: Network, wirings: list[Wiring], learns: bool, max_rate_hz: float | None, dtype: np.dtype
) -> tuple[Program, np.ndarray]:
    """Return the program of ``network`` and the weights of its synapses, one projection after the other."""
    names = [layer.name for layer in network.layers]
    sizes = np.array([layer.size for layer in network.layers])
    starts_of = np.concatenate([[0], np.cumsum(sizes)])
    layers = np.zeros((len(names), 8), np.int64)
    neurons = np.zeros((len(names), 6))
    links: list[int] = []
    for number, layer in enumerate(network.layers):
        out = [p for p, projection in enumerate(network.projections) if projection.pre == layer.name]
        into = [
            p for p, projection in enumerate(network.projections)
            if learns and projection.plastic and projection.post == layer.name
        ]  # fmt: skip
        kind = at.NEURONS if layer.kind == "lif" else at.SOURCE
        hard = layer.kind == "lif" and layer.neuron.reset == "hard"
        middle, last = len(links) + len(out), len(links) + len(out) + len(into)
        layers[number] = starts_of[number], layer.size, kind, hard, len(links), middle, middle, last
        links += out + into
        neurons[number] = _constants(layer, max_rate_hz)
    parts = _Parts(dtype)
    rows = np.zeros((len(wirings), 21), np.int64)
    traced = 0
    for p, (projection, wiring) in enumerate(zip(network.projections, wirings, strict=True)):
        pre, post = network.layer(projection.pre), network.layer(projection.post)
        row = rows[p]
        row[at.PRE], row[at.POST] = names.index(pre.name), names.index(post.name)
        row[at.PLASTIC] = learns and projection.plastic
        parts.add(row, wiring, pre.size, post.size)
        if projection.kernel is not None:
            kernel, (_, width, depth) = projection.kernel, pre.shape
            row[at.WIDTH :] = width, depth, kernel.size, kernel.padding, post.shape[2], post.shape[0], post.shape[1]
        if row[at.PLASTIC]:
            row[at.PRE_TRACES], row[at.POST_TRACES] = traced, traced + pre.size
            traced += pre.size + post.size
    program = Program(
        layers, neurons, rows, np.array(links, np.int64), parts.joined("delays", float), parts.joined("starts", int),
        parts.joined("narrow", np.uint16), parts.joined("wide", np.uint32), np.array(parts.common, float),
    )  # fmt: skip
    return program, parts.joined("weights", dtype)


def _constants(layer: Layer, max_rate_hz: float | None) -> tuple[float, ...]:
    """Return a row of Program.neurons."""
    if layer.kind != "lif":
        return (0.0, 0.0, np.inf, 0.0, 0.0, np.inf)
    neuron = layer.neuron
    rate, fewest = max_rate_hz, 0.0
    if rate is None:
        refractory = neuron.refractory_s
        rate, fewest = min(MAX_RATE_HZ, _REFRACTORY_SHARE / refractory) if refractory > 0 else MAX_RATE_HZ, _FEWEST
    leaks = neuron.tau_membrane_s is not None
    return (
        1 / neuron.tau_membrane_s if leaks else 0.0,
        neuron.v_rest + neuron.drive if leaks else neuron.drive,
        neuron.v_threshold,
        neuron.v_reset,
        neuron.refractory_s,
        max(fewest, layer.size * rate * WINDOW),
    )


class _Parts:
    """Arrays of all projections, one after the other, and one weight each where all synapses share it."""

    def __init__(self, dtype: np.dtype) -> None:
        self.dtype = dtype
        self.arrays: dict[str, list[np.ndarray]] = {
            name: [] for name in ("weights", "delays", "starts", "narrow", "wide")
        }
        self.size = dict.fromkeys(self.arrays, 0)
        self.common: list[float] = []

    def _put(self, name: str, array: np.ndarray) -> int:
        place = self.size[name]
        self.arrays[name].append(array)
        self.size[name] += array.size
        return place

    def joined(self, name: str, dtype: type | np.dtype) -> np.ndarray:
        """Return all arrays called ``name`` as one."""
        arrays = self.arrays.pop(name)
        return np.concatenate(arrays).astype(dtype, copy=False) if arrays else np.zeros(0, dtype)

    def add(self, row: np.ndarray, wiring: Wiring, n_pre: int, n_post: int) -> None:
        """Enter a projection and where its arrays lie in ``row``; where it is plastic the sources too."""
        uniform = wiring.uniform and not row[at.PLASTIC]
        self.common.append(float(wiring.weights.reshape(-1)[0]) if uniform else 0.0)
        row[at.WEIGHTS] = -1 if uniform else self._put("weights", wiring.weights.reshape(-1).astype(self.dtype))
        row[at.DELAY], row[at.OWN_DELAY] = self._put("delays", wiring.delays_s), wiring.delays_s.size > 1
        kinds = {"dense": at.DENSE, "one-to-one": at.ONE_TO_ONE, "convolution": at.CONVOLUTION}
        row[at.WIRING] = kinds.get(wiring.kind, at.NARROW if n_post <= NARROW else at.WIDE)
        if wiring.kind != "sparse":
            return
        row[at.STARTS] = self._put("starts", wiring.starts)
        row[at.TARGETS] = self._put("narrow" if n_post <= NARROW else "wide", wiring.targets)
        if row[at.PLASTIC]:
            counts = np.bincount(wiring.targets, minlength=n_post)
            starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
            sources = np.zeros(wiring.targets.size, np.uint16 if n_pre <= NARROW else np.uint32)
            list_sources(wiring.starts, wiring.targets, starts.copy(), sources)
            row[at.SOURCE_STARTS] = self._put("starts", starts)
            row[at.SOURCES_WIDE] = n_pre > NARROW
            row[at.SOURCES] = self._put("wide" if n_pre > NARROW else "narrow", sources)


def wire_all(network: Network, seed: int, learns: bool) -> list[Wiring]:
    """Return the synapses of every projection, told apart where they learn."""
    return [
        wire(network, projection, number, seed, spread=learns and projection.plastic)
        for number, projection in enumerate(network.projections)
    ]
