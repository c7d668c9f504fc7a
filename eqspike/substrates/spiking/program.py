"""Networks as the arrays that kernels run: layout, weights and state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eqspike.core.ledger import LAYER_COUNTERS, PHASES, PROJECTION_COUNTERS
from eqspike.kernels import layout
from eqspike.kernels.layout import Block, Counts, Program, Record, State, Weights
from eqspike.network.description import Layer, Network, Projection
from eqspike.network.initialisers import glorot_uniform

_KINDS = {"static": layout.STATIC, "source": layout.SOURCE, "lif": layout.LIF}
_CACHE_LINE = 64
_IMAGES_TOGETHER = 16
_COMMITS = {"immediate": layout.IMMEDIATE, "end_of_phase": layout.END_OF_PHASE}


def padded(n: int) -> int:
    """Return ``n`` rounded up to whole lanes."""
    return -(-n // layout.LANES) * layout.LANES


@dataclass(frozen=True)
class Compiled:
    """A network's program and the sizes of the arrays that go with it."""

    network: Network
    program: Program
    n_neurons: int
    n_weights: int
    n_transposed: int
    n_current: int
    n_rows_back: int
    dtype: np.dtype

    def block(self, name: str) -> slice:
        """Return where the neurons of layer ``name`` stand in arrays over all neurons."""
        row = self.program.layers[[layer.name for layer in self.network.layers].index(name)]
        return slice(row[layout.START], row[layout.START] + row[layout.SIZE])


class _Channels:
    """Synaptic currents, one for each decay onto each layer; projections of equal decay share theirs."""

    def __init__(self, sizes: list[int], dtype: np.dtype) -> None:
        self.sizes, self.dtype = sizes, dtype
        self.rows: list[tuple[int, int]] = []
        self.filters: list[tuple[float, float]] = []
        self.width = 0

    def ending_on(self, layer: int) -> list[int]:
        return [index for index, (there, _) in enumerate(self.rows) if there == layer]

    def find(self, layer: int, tau: float) -> int:
        decay = self.dtype.type(np.exp(-1.0 / tau)) if tau > 0 else self.dtype.type(0)
        for index, (row, (known, _)) in enumerate(zip(self.rows, self.filters, strict=True)):
            if row[0] == layer and known == decay:
                return index
        self.rows.append((layer, self.width))
        self.filters.append((decay, self.dtype.type(1) - decay))
        self.width += padded(self.sizes[layer])
        return len(self.rows) - 1


def compile_network(network: Network, *, traces_sources: bool, dtype: np.dtype) -> Compiled:
    """Lay ``network`` out for the kernels.

    A transposed copy of a projection's weights is kept where spikes travel back or post spikes trigger updates.
    """
    sizes = [layer.size for layer in network.layers]
    starts = np.concatenate([[0], np.cumsum([padded(n) for n in sizes])])
    channels = _Channels(sizes, dtype)
    rows, at, back, stale = [], 0, 0, 0
    for projection in network.projections:
        row, at, back = _projection_row(network, projection, channels, traces_sources, at, back)
        rows.append([*row, stale])
        stale += network.layer(projection.post).size
    layer_rows = [
        _layer_row(layer, index, start, channels)
        for index, (layer, start) in enumerate(zip(network.layers, starts[:-1], strict=True))
    ]
    program = Program(
        np.array(layer_rows, np.int64),
        np.array([_neuron_row(layer) for layer in network.layers], dtype),
        np.array(rows, np.int64).reshape(len(rows), 11),
        np.array([_bounds(projection) for projection in network.projections], dtype).reshape(len(rows), 2),
        np.array(channels.rows, np.int64).reshape(-1, 2),
        np.array(channels.filters, dtype).reshape(-1, 2),
    )
    return Compiled(network, program, int(starts[-1]), at, back, channels.width, stale, dtype)


def _layer_row(layer: Layer, index: int, start: int, channels: _Channels) -> list[int]:
    neuron = layer.neuron
    reset = layout.HARD if neuron and neuron.reset == "hard" else layout.SOFT
    pause = neuron.refractory_ticks if neuron else 0
    main, plain = -1, 0
    if neuron and not pause:
        ending = channels.ending_on(index) or [channels.find(index, 0.0)]
        main, plain = ending[0], int(len(ending) == 1)
    return [start, layer.size, padded(layer.size), _KINDS[layer.kind], reset, pause, main, plain]


def _neuron_row(layer: Layer) -> list[float]:
    neuron = layer.neuron
    if neuron is None:
        return [1.0, 1.0, 0.0, 0.0, 0.0]
    return [1.0 - neuron.leak, neuron.threshold, neuron.v_min, neuron.v_max, neuron.reset_value]


def _bounds(projection: Projection) -> tuple[float, float]:
    low, high = projection.synapse.w_min, projection.synapse.w_max
    return -np.inf if low is None else low, np.inf if high is None else high


def _projection_row(
    network: Network, projection: Projection, channels: _Channels, traces_sources: bool, at: int, back: int
) -> tuple[list[int], int, int]:
    names = [layer.name for layer in network.layers]
    pre, post = names.index(projection.pre), names.index(projection.post)
    synapse, kind = projection.synapse, network.layers[pre].kind
    n_pre, n_post = network.layers[pre].size, network.layers[post].size
    triggered_by_post = synapse.plastic and (kind == "lif" or (kind == "source" and traces_sources))
    two_ways = projection.symmetric or triggered_by_post
    row = [
        pre,
        post,
        at,
        padded(n_post),
        back if two_ways else -1,
        padded(n_pre),
        -1 if kind == "static" else channels.find(post, synapse.tau_synapse_ticks),
        channels.find(pre, synapse.tau_synapse_ticks) if projection.symmetric else -1,
        int(synapse.plastic),
        _COMMITS[synapse.commit],
    ]
    return row, at + n_pre * padded(n_post), back + (n_post * padded(n_pre) if two_ways else 0)


def aligned(shape: int | tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
    """Return zeros that begin at a cache line, so that lanes never lie in two."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.zeros(size + _CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % _CACHE_LINE
    return memory[start : start + size].view(dtype).reshape(shape)


def new_weights(compiled: Compiled) -> Weights:
    """Return weights and biases of zero."""
    return Weights(
        aligned(compiled.n_weights, compiled.dtype),
        aligned(compiled.n_transposed, compiled.dtype),
        aligned(compiled.n_neurons, compiled.dtype),
    )


def set_projection(compiled: Compiled, weights: Weights, index: int, values: np.ndarray) -> None:
    """Store ``values`` (n_pre, n_post) as the weights of projection ``index``, in both orders where both are kept."""
    row = compiled.program.projections[index]
    n_pre, n_post = values.shape
    block = weights.w[row[layout.OFFSET] :][: n_pre * row[layout.ROW]].reshape(n_pre, row[layout.ROW])
    block[:, :n_post] = values
    if row[layout.TRANSPOSED] >= 0:
        across = weights.wt[row[layout.TRANSPOSED] :][: n_post * row[layout.COLUMN]].reshape(n_post, row[layout.COLUMN])
        across[:, :n_pre] = block[:, :n_post].T


def get_projection(compiled: Compiled, weights: Weights, index: int) -> np.ndarray:
    """Return a copy of the weights (n_pre, n_post) of projection ``index``."""
    row = compiled.program.projections[index]
    n_pre = compiled.program.layers[row[layout.PRE], layout.SIZE]
    n_post = compiled.program.layers[row[layout.POST], layout.SIZE]
    block = weights.w[row[layout.OFFSET] :][: n_pre * row[layout.ROW]].reshape(n_pre, row[layout.ROW])
    return block[:, :n_post].copy()


def initial_weights(compiled: Compiled, seed: int) -> Weights:
    """Return Glorot-uniform weights, scaled by each projection's gain, and biases of zero."""
    weights = new_weights(compiled)
    for index, projection in enumerate(compiled.network.projections):
        n_pre = compiled.network.layer(projection.pre).size
        n_post = compiled.network.layer(projection.post).size
        values = glorot_uniform(n_pre, n_post, projection.synapse.gain, seed, index)
        set_projection(compiled, weights, index, np.clip(values, *_bounds(projection)))
    return weights


def new_state(compiled: Compiled, n_traces: int, ticks: int, *, learns: bool) -> State:
    """Return the state of one presentation of at most ``ticks``; accumulators only where it ``learns``."""
    n, layers = compiled.n_neurons, compiled.program.layers
    held = learns and bool((compiled.program.projections[:, layout.COMMIT] == layout.END_OF_PHASE).any())
    spiking = layers[0, layout.KIND] == layout.SOURCE
    events = int(layers[0, layout.SIZE]) * (ticks if spiking else 1)
    return State(
        aligned((4, n), compiled.dtype),
        aligned((5, n), np.int32),
        aligned(n, np.uint8),
        np.zeros(len(layers), np.int64),
        aligned(compiled.n_current, compiled.dtype),
        aligned((len(layers), n_traces, int(layers[:, layout.PADDED].max())), compiled.dtype),
        aligned(compiled.n_weights if held else 0, compiled.dtype),
        aligned(compiled.n_transposed if held else 0, compiled.dtype),
        np.zeros(compiled.n_rows_back, np.int32),
        np.zeros(ticks + 1, np.int64),
        np.zeros(events + layout.LANES, np.int32),
        np.zeros((2, events if spiking else 0), np.int32),
    )


def runs_together(compiled: Compiled) -> bool:
    """Return whether several images can take their ticks side by side: static input, no memory but the potential."""
    layers = compiled.program.layers
    return bool(
        layers[0, layout.KIND] == layout.STATIC
        and (layers[1:, layout.PLAIN] == 1).all()  # neither a refractory time nor a second time constant
        and (compiled.program.filters[:, layout.DECAY] == 0).all()
    )


def new_block(compiled: Compiled) -> Block:
    """Return the state of images side by side; lanes between them keep them apart in the cache's sets."""
    images, rooms = _IMAGES_TOGETHER, compiled.program.layers[:, layout.PADDED] + layout.LANES
    size = (compiled.n_neurons - int(compiled.program.layers[1, layout.START]) + layout.LANES) * images
    return Block(
        *(aligned(size, compiled.dtype) for _ in range(3)),
        aligned((len(rooms), int(rooms[1:].max()) * images), np.int32),
        rooms,
        np.zeros((len(rooms), images), np.int64),
        aligned(images * int(compiled.program.layers[-1, layout.PADDED]), np.int32),
    )


def new_counts(compiled: Compiled) -> Counts:
    """Return counts of zero; rows of the projections' table after the projections are the layers' biases."""
    n_layers, n_projections = len(compiled.network.layers), len(compiled.network.projections)
    return Counts(
        np.zeros((len(PHASES), n_layers, len(LAYER_COUNTERS)), np.int64),
        np.zeros((len(PHASES), n_projections + n_layers, len(PROJECTION_COUNTERS)), np.int64),
        np.zeros((len(PHASES), compiled.n_neurons), np.int64),
        np.zeros((len(PHASES), 2), np.int64),
    )


def new_record(compiled: Compiled, *, ticks: int = 0, states: bool = False, updates: int = 0) -> Record:
    """Return a record of ``ticks`` (0: off) with room for ``updates`` weight updates (0: off)."""
    rows, n = (ticks if states else 0), compiled.n_neurons
    return Record(
        np.zeros((ticks, n), np.uint8),
        np.zeros((rows, n), compiled.dtype),
        np.zeros((rows, n), compiled.dtype),
        np.zeros((updates, 5), np.int32),
        np.zeros(updates, compiled.dtype),
        np.zeros(1, np.int64),
    )
