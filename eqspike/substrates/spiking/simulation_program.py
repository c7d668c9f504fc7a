"""Networks in continuous time as the arrays of the loop in ticks, whole or in parts for threads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from eqspike.core.errors import ConfigError
from eqspike.core.ledger import LAYER_COUNTERS
from eqspike.kernels import simulation_layout as layout
from eqspike.network.description import Layer, Network, Projection
from eqspike.network.inputs import Poisson, SpikeList
from eqspike.substrates.spiking.clocks import Clocked, FixedPoint
from eqspike.substrates.spiking.program import aligned
from eqspike.substrates.spiking.units import Units, units_of
from eqspike.substrates.spiking.wiring import NARROW, Wiring

_WIRINGS = {
    "dense": layout.DENSE,
    "one-to-one": layout.ONE_TO_ONE,
    "sparse": layout.SPARSE,
    "convolution": layout.CONVOLUTION,
}
_COLUMNS = layout.UP + 1


def padded(n: int) -> int:
    """Return ``n`` rounded up to whole lanes."""
    return -(-n // layout.LANES) * layout.LANES


def delay_ticks(projection: Projection, wiring: Wiring, tick_s: float) -> np.ndarray:
    """Return the axonal delays (1,) or (n_pre,) in ticks, rounded.

    Raises
    ------
    ConfigError
        if one is shorter than a tick.
    """
    if projection.delay_s is None:
        return np.ones(1, np.int64)
    if wiring.delays_s.min() < tick_s * (1 - 1e-6):
        raise ConfigError(
            f"a delay of {wiring.delays_s.min():g} s is shorter than a tick of {tick_s:g} s.",
            field=f"{projection.name}.delay_s",
            remedy="Lengthen it, shorten clock.tick_s, or use the clock Exact.",
        )
    return np.round(wiring.delays_s / tick_s).astype(np.int64)


@dataclass
class _Arrays:
    """The flat arrays of all projections while they are put together."""

    starts: list[np.ndarray] = field(default_factory=list)
    narrow: list[np.ndarray] = field(default_factory=list)
    wide: list[np.ndarray] = field(default_factory=list)
    weights: list[np.ndarray] = field(default_factory=list)
    delays: list[np.ndarray] = field(default_factory=list)
    own_delays: list[np.ndarray] = field(default_factory=list)

    @property
    def sizes(self) -> list[int]:
        """Return the number of stored weights of every projection."""
        return [weights.size for weights in self.weights]

    def add(self, name: str, values: np.ndarray) -> int:
        """Append ``values`` to an array and return where they begin."""
        parts = getattr(self, name)
        place = sum(part.size for part in parts)
        parts.append(values)
        return place

    def add_neurons(self, numbers: np.ndarray) -> tuple[int, int]:
        """Append neuron numbers to the array of their width; return (place, whether it is the wide one)."""
        wide = numbers.dtype != np.uint16
        return self.add("wide" if wide else "narrow", numbers), int(wide)

    def joined(self, name: str, dtype: type | np.dtype) -> np.ndarray:
        """Return an array, and forget its parts."""
        parts = getattr(self, name)
        whole = np.concatenate([*parts, np.zeros(0, dtype)]) if parts else np.zeros(0, dtype)
        parts.clear()
        return whole.astype(dtype, copy=False)


@dataclass(frozen=True, eq=False)
class Part:
    """What one thread owns: ``size[layer]`` neurons of every layer, and all synapses onto them.

    The weights of projection p are ``state.weights[places[p]]``; ``room`` is the most spikes there can be in a tick.
    """

    program: layout.Program | layout.FixedProgram
    places: tuple[slice, ...]
    state: layout.State
    traces: layout.Traces
    counts: layout.Counts
    size: tuple[int, ...]
    room: int


def shares(network: Network, parts: int) -> list[list[tuple[int, int]]]:
    """Return, for each part and layer, which neurons it owns; layers of input belong to the first part."""
    found = []
    for part in range(parts):
        row = []
        for layer in network.layers:
            if layer.kind != "lif":
                row.append((0, layer.size if part == 0 else 0))
                continue
            groups = -(-layer.size // layout.GROUP)
            lo, hi = (min(layer.size, groups * k // parts * layout.GROUP) for k in (part, part + 1))
            row.append((lo, (layer.size if part == parts - 1 else hi) - lo))
        found.append(row)
    return found


def build_part(
    network: Network,
    clock: Clocked | FixedPoint,
    inputs: Mapping[str, Poisson | SpikeList],
    wirings: Sequence[Wiring],
    share: Sequence[tuple[int, int]],
    rule,
    initial: Mapping[str, np.ndarray],
) -> Part:
    """Return one part of a network: its program, state, traces and counts."""
    units = units_of(network, clock)
    starts = np.concatenate([[0], np.cumsum([padded(size) for _, size in share])]).astype(np.int64)
    n, arrays, channels = int(starts[-1]), _Arrays(), _Channels()
    rows = [
        _projection(network, index, projection, wiring, share, arrays, channels, units, rule)
        for index, (projection, wiring) in enumerate(zip(network.projections, wirings, strict=True))
    ]
    places = tuple(slice(end - size, end) for size, end in zip(arrays.sizes, np.cumsum(arrays.sizes), strict=True))
    plastic = _number_plastic([row for row, _ in rows])
    layers, neurons, constant, tails = _layers(network, inputs, share, starts, channels, units)
    kind = layout.FixedProgram if isinstance(clock, FixedPoint) else layout.Program
    program = kind(
        layers, neurons, constant,
        np.array([row for row, _ in rows], np.int64).reshape(len(rows), _COLUMNS),
        np.array([bounds for _, bounds in rows], units.dtype).reshape(len(rows), 2),
        np.array(channels.rows, np.int64).reshape(-1, 2), np.array(channels.filters, units.dtype).reshape(-1, 2),
        arrays.joined("starts", np.int64), arrays.joined("narrow", np.uint16), arrays.joined("wide", np.uint32),
        arrays.joined("delays", np.int64), arrays.joined("own_delays", np.int64), tails,
        np.zeros((0, 0), np.int64), np.zeros(0, np.int32), *units.limits,
    )  # fmt: skip
    state = _state(program, n, channels.width, arrays.joined("weights", units.weights), units)
    for layer, (lo, size), start in zip(network.layers, share, starts[:-1], strict=True):
        if layer.kind == "lif":
            given = initial.get(layer.name)
            first = np.full(size, layer.neuron.v_rest) if given is None else np.asarray(given)[lo : lo + size]
            state.v[start : start + size] = units.potential(layer, first)
    counts = layout.Counts(
        np.zeros((len(rows) + len(network.layers), 4), np.int64), np.zeros((len(network.layers), 2), np.int64)
    )
    room = (
        n
        + 1
        + sum(
            _most_given(layer, inputs[layer.name], row[layout.DRAWN], units.tick_s)
            for layer, row in zip(network.layers, layers, strict=True)
            if layer.kind == "source"
        )
    )
    return Part(
        program, places, state, _traces(network, plastic, rule, units), counts,
        tuple(size for _, size in share), room,
    )  # fmt: skip


def listed_spikes(layer: Layer, given: SpikeList, tick_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Return (ticks, neurons) of listed spikes in their order: a spike at t belongs to the tick that ends there."""
    times, neurons = given.sorted(layer.size, f"inputs.{layer.name}")
    ticks = np.maximum(np.round(times / tick_s).astype(np.int64) - 1, 0)
    order = np.lexsort((neurons, ticks))
    return ticks[order], neurons[order].astype(np.int32)


def _most_given(layer: Layer, given: Poisson | SpikeList, drawn: int, tick_s: float) -> int:
    """Return the most spikes that a layer of input has in a tick."""
    if isinstance(given, Poisson):
        return layer.size * int(drawn)
    return int(np.unique(listed_spikes(layer, given, tick_s)[0], return_counts=True)[1].max(initial=0))


class _Channels:
    """Synaptic currents, one for each time constant onto each layer."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int]] = []
        self.filters: list[tuple[float, float]] = []
        self.taus: list[tuple[int, float]] = []
        self.width = 0

    def find(self, layer: int, size: int, tau_s: float, units: Units, neuron) -> int:
        if (layer, tau_s) not in self.taus:
            self.taus.append((layer, tau_s))
            self.rows.append((layer, self.width))
            self.filters.append(units.synapse(neuron, tau_s))
            self.width += padded(size)
        return self.taus.index((layer, tau_s))


def _layers(
    network: Network, inputs: Mapping, share: Sequence, starts: np.ndarray, channels: _Channels, units: Units
) -> tuple:
    """Return the tables of layers and neurons, the constant part of a tick, and the tails of Poisson counts."""
    layers, neurons, tails = [], [], []
    constant = np.zeros(int(starts[-1]), units.dtype)
    driven = []
    for k, (layer, (first, size), start) in enumerate(zip(network.layers, share, starts[:-1], strict=True)):
        given = inputs.get(layer.name)
        through = isinstance(given, Poisson) and layer.kind == "lif" and given.tau_synapse_s > 0
        driven.append(channels.find(k, size, given.tau_synapse_s, units, layer.neuron) if through else -1)
        tails.append(units.poisson_tails(given.rate_hz, layer.name) if isinstance(given, Poisson) else [])
        if layer.kind == "lif":
            neuron = layer.neuron
            pause = units.ticks(neuron.refractory_s)
            layers.append([start, size, first, layout.NEURONS, neuron.reset == "hard", pause, -1, len(tails[-1])])
            weight = units.background(layer, given) if isinstance(given, Poisson) else 0
            neurons.append([*units.neuron(neuron), weight])
            constant[start : start + size] = units.constant(neuron)
            continue
        listed = [one.name for one in network.layers if isinstance(inputs.get(one.name), SpikeList)]
        kind = layout.LIST if isinstance(given, SpikeList) and size else layout.POISSON
        place = listed.index(layer.name) if kind == layout.LIST else -1
        layers.append([start, size, first, kind, 0, 0, place, len(tails[-1])])
        neurons.append([0] * 7)
    table = np.zeros((len(tails), max([1, *map(len, tails)])), np.uint32)
    for row, values in zip(table, tails, strict=True):
        row[: len(values)] = values
    totals = [[layer.size, channel] for layer, channel in zip(network.layers, driven, strict=True)]
    return np.hstack([np.array(layers, np.int64), totals]), np.array(neurons, units.dtype), constant, table


def _state(program, n: int, width: int, weights: np.ndarray, units: Units) -> layout.State:
    spikes = np.zeros(n, np.uint8)
    adapts = bool((program.neurons[:, layout.ADAPT_STEP] != 0).any())
    longest = int(program.layers[:, layout.REFRACTORY].max())
    return layout.State(
        aligned(n, units.dtype), aligned(width, units.dtype), aligned(n if adapts else 0, units.dtype),
        aligned(n, np.int16 if longest < 1 << 15 else np.int32), spikes, spikes.view(np.uint64), weights,
        np.zeros(layout.GROUP, np.uint32), np.zeros(layout.GROUP, np.int32),
    )  # fmt: skip


def _number_plastic(rows: list[list[int]]) -> list[list[int]]:
    plastic = [row for row in rows if row[layout.PLASTIC] >= 0]
    for number, row in enumerate(plastic):
        row[layout.PLASTIC] = number
    return plastic


def _traces(network: Network, plastic: list, rule, units: Units) -> layout.Traces:
    if rule is None:
        return layout.Traces(np.zeros((0, 1, 0), units.dtype), np.zeros(1, units.dtype), np.zeros(1, np.bool_))
    width = max(layer.size for layer in network.layers)
    keep = np.array([units.trace(tau) for tau in rule.taus_s], units.dtype)
    return layout.Traces(np.zeros((2 * len(plastic), len(keep), width), units.dtype), keep, np.array(rule.nearest))


def _projection(
    network: Network, index: int, projection: Projection, wiring: Wiring, share: Sequence, arrays: _Arrays,
    channels: _Channels, units: Units, rule,
) -> tuple[list[int], tuple[float, float]]:  # fmt: skip
    """Return the row of a projection, and the bounds of its weights where they learn."""
    names = [layer.name for layer in network.layers]
    pre, post = names.index(projection.pre), names.index(projection.post)
    lo, size = share[post]
    row = [0] * _COLUMNS
    row[layout.PRE], row[layout.POST], row[layout.WIRING] = pre, post, _WIRINGS[wiring.kind]
    target: Layer = network.layers[post]
    tau = projection.tau_synapse_s
    row[layout.CHANNEL] = channels.find(post, size, tau, units, target.neuron) if tau > 0 else -1
    plastic = projection.plastic and rule is not None
    row[layout.PLASTIC] = 0 if plastic else -1
    row[layout.UNIFORM] = int(wiring.uniform and not plastic)
    ticks = delay_ticks(projection, wiring, units.tick_s)
    distinct = np.unique(ticks)
    row[layout.DELAYS], row[layout.N_DELAYS] = arrays.add("delays", distinct), distinct.size
    row[layout.OWN_DELAYS] = arrays.add("own_delays", ticks) if distinct.size > 1 else -1
    learning = rule if plastic else None
    weights = units.weights_of(projection, target, wiring.weights, learning)
    row[layout.MULTIPLIER :], bounds = units.learning(projection, target, wiring.weights, learning)
    if wiring.kind == "dense":
        weights = _dense(row, weights, lo, size)
    elif wiring.kind == "one-to-one":
        weights = _one_to_one(row, arrays, weights, lo, size, network.layers[pre].size)
    elif wiring.kind == "sparse":
        weights = _sparse(row, arrays, wiring, weights, lo, size, plastic, network.layers[pre].size)
    else:
        before, after = network.layers[pre].shape, target.shape
        row[layout.HEIGHT : layout.OUT_WIDTH + 1] = [
            *before, projection.kernel.size, projection.kernel.padding, after[2], after[0], after[1]
        ]  # fmt: skip
    row[layout.WEIGHTS] = arrays.add("weights", weights.reshape(-1))
    return row, bounds


def _dense(row: list[int], weights: np.ndarray, lo: int, size: int) -> np.ndarray:
    row[layout.ROW] = padded(size)
    block = np.zeros((weights.shape[0], padded(size)), weights.dtype)
    block[:, :size] = weights[:, lo : lo + size]
    return block


def _one_to_one(row: list[int], arrays: _Arrays, weights: np.ndarray, lo: int, size: int, n: int) -> np.ndarray:
    places = np.full(n, -1, np.int64)
    places[lo : lo + size] = np.arange(size)
    row[layout.STARTS] = arrays.add("starts", places)
    row[layout.SOURCE_STARTS] = arrays.add("starts", np.arange(lo, lo + size))
    return weights if row[layout.UNIFORM] else weights[lo : lo + size]


def _sparse(
    row: list[int], arrays: _Arrays, wiring: Wiring, weights: np.ndarray, lo: int, size: int, plastic: bool, n_pre: int
) -> np.ndarray:
    starts, targets = wiring.starts, wiring.targets
    if lo > 0 or size <= targets.max(initial=0):  # only the synapses onto this part
        mine = (targets >= lo) & (targets < lo + size)
        before = np.concatenate([[0], np.cumsum(mine)])
        starts, targets = before[starts], targets[mine] - targets.dtype.type(lo)
        weights = weights if row[layout.UNIFORM] else weights[mine]
    row[layout.STARTS] = arrays.add("starts", starts)
    row[layout.TARGETS], row[layout.WIDE] = arrays.add_neurons(targets)
    if plastic:
        pres = np.repeat(np.arange(n_pre, dtype=np.uint16 if n_pre <= NARROW else np.uint32), np.diff(starts))
        pairs = np.unique(targets.astype(np.int64) * n_pre + pres)  # a pair joined twice is listed once
        posts, sources = np.divmod(pairs, n_pre)
        row[layout.SOURCE_STARTS] = arrays.add("starts", np.searchsorted(posts, np.arange(size + 1)))
        row[layout.SOURCES], row[layout.SOURCES_WIDE] = arrays.add_neurons(sources.astype(pres.dtype))
    return weights


def layer_counts(counts: Sequence[layout.Counts], index: int, spikes: int, updates: int) -> np.ndarray:
    """Return one layer's row of the ledger."""
    values = {
        "spikes": spikes,
        "neuron_updates": updates,
        "trace_updates": sum(int(one.layers[index, layout.TRACES_READ]) for one in counts),
        "saturations": sum(int(one.layers[index, layout.LAYER_SATURATIONS]) for one in counts),
    }
    return np.array([values[name] for name in LAYER_COUNTERS], np.int64)
