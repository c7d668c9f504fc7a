"""Networks as the integer arrays of the fixed-point loop: layout, stored synapses and state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eqspike.core.errors import ConfigError
from eqspike.core.ledger import LAYER_COUNTERS, PHASES, PROJECTION_COUNTERS
from eqspike.core.rng import Purpose, stream
from eqspike.kernels import fixed_layout as layout
from eqspike.kernels.fixed_layout import FixedCounts, FixedProgram, FixedRecord, FixedState, FixedWeights
from eqspike.network.description import Network
from eqspike.network.initialisers import glorot_uniform
from eqspike.substrates.spiking.fixed_scales import Scale, neuron_row, scale_of
from eqspike.substrates.spiking.fixed_settings import FixedPoint


def padded(n: int) -> int:
    """Return ``n`` rounded up to whole lanes."""
    return -(-n // layout.LANES) * layout.LANES


@dataclass(frozen=True)
class FixedCompiled:
    """A network's program, the scales of its projections, and the sizes of the arrays that go with it.

    ``potential_unit`` is the real value of a potential's last bit. In recorded arrays the input layer stands last.
    """

    network: Network
    fixed: FixedPoint
    program: FixedProgram
    scales: tuple[Scale, ...]
    potential_unit: float
    n_neurons: int
    n_stored: int
    n_current: int
    dtype: np.dtype

    def block(self, name: str) -> slice:
        """Return where the neurons of layer ``name`` stand in arrays over all neurons."""
        row = self.program.layers[[layer.name for layer in self.network.layers].index(name)]
        return slice(row[layout.START], row[layout.START] + row[layout.SIZE])

    def grid(self, index: int) -> tuple[slice, tuple[int, int], int]:
        """Return where projection ``index`` is stored: slice, shape with padding, and true row length."""
        row, layers = self.program.projections[index], self.program.layers
        n_pre, n_post = layers[row[layout.PRE], layout.SIZE], layers[row[layout.POST], layout.SIZE]
        start = row[layout.OFFSET]
        return slice(start, start + n_pre * row[layout.ROW]), (n_pre, row[layout.ROW]), n_post


def compile_fixed(network: Network, fixed: FixedPoint) -> FixedCompiled:
    """Lay ``network`` out in integers.

    Raises
    ------
    ConfigError
        if the network needs what the fixed-point loop has not, or a constant is no shift.
    """
    _check_network(network, fixed)
    sizes, first = [layer.size for layer in network.layers], network.layers[0]
    starts = np.concatenate([[0], np.cumsum([padded(n) for n in sizes[1:]])])
    threshold = network.layers[-1].neuron.threshold
    layers = [[int(starts[-1]), first.size, padded(first.size), layout.STATIC, 0, 0, 0]]
    neurons = [[0] * 6]
    for layer, start in zip(network.layers[1:], starts[:-1], strict=True):
        constants, leak = neuron_row(layer, fixed)
        reset = int(layer.neuron.reset == "hard")
        ticks = layer.neuron.refractory_ticks
        layers.append([int(start), layer.size, padded(layer.size), layout.LIF, reset, ticks, leak])
        neurons.append(constants)
    scales = tuple(scale_of(fixed, network, index, threshold) for index in range(len(network.projections)))
    rows, n_stored, n_current = _projection_rows(network, fixed, scales)
    dtype = np.dtype(np.int32 if _widest_sum(network, fixed, scales) < 2**31 else np.int64)
    program = FixedProgram(
        np.array(layers, np.int64), np.array(neurons, dtype), np.array(rows, np.int64).reshape(len(rows), 14)
    )
    unit = threshold / 2**fixed.potential_exponent
    return FixedCompiled(network, fixed, program, scales, unit, int(starts[-1]), n_stored, n_current, dtype)


def _check_network(network: Network, fixed: FixedPoint) -> None:
    thresholds = {layer.neuron.threshold for layer in network.layers if layer.kind == "lif"}
    kinds = {layer.kind for layer in network.layers[1:]}
    filtered = any(p.synapse is None or p.synapse.tau_synapse_ticks > 0 for p in network.projections)
    exponents = fixed.weight_exponents
    counted = exponents is None or len(exponents) == len(network.projections)
    steep = exponents is not None and not all(-40 <= e <= 8 for e in exponents)
    for wrong, field, problem, remedy in (
        (
            network.layers[0].kind != "static" or kinds != {"lif"},
            "encoding.kind",
            "fixed point takes a static input of 8-bit pixels.",
            "Use encoding.kind=static.",
        ),
        (len(thresholds) > 1, "network.neuron.threshold", "layers have different thresholds.", "Give them the same."),
        (filtered, "network.projections", "fixed point has delta synapses only.", "Set tau_synapse_ticks to 0."),
        (
            not counted,
            "network.fixed_point.weight_exponents",
            f"there are {len(network.projections)} projections.",
            "Give one exponent for each.",
        ),
        (steep, "network.fixed_point.weight_exponents", "an exponent is out of range.", "Use -40 to 8."),
    ):
        if wrong:
            raise ConfigError(problem, field=field, remedy=remedy)


def _projection_rows(
    network: Network, fixed: FixedPoint, scales: tuple[Scale, ...]
) -> tuple[list[list[int]], int, int]:
    names, residue = [layer.name for layer in network.layers], fixed.accumulator_bits
    rows, stored, columns, current = [], 0, 0, 0
    for projection, scale in zip(network.projections, scales, strict=True):
        pre, post = names.index(projection.pre), names.index(projection.post)
        n_pre, width, back = (
            network.layers[pre].size,
            padded(network.layers[post].size),
            padded(network.layers[pre].size),
        )
        spikes = network.layers[pre].kind == "lif"
        forward_at = current if spikes else -1
        current += width if spikes else 0
        backward_at = current if projection.symmetric else -1
        current += back if projection.symmetric else 0
        rows.append(
            [
                pre, post, stored, width, columns, back, scale.low << residue,
                (scale.high << residue) + (1 << residue) - 1, scale.exponent + fixed.potential_exponent,
                int(projection.symmetric), int(projection.synapse.plastic),
                int(spikes and projection.synapse.commit == "end_of_phase"), forward_at, backward_at,
            ]
        )  # fmt: skip
        stored, columns = stored + n_pre * width, columns + width * back
    return rows, stored, current


def _widest_sum(network: Network, fixed: FixedPoint, scales: tuple[Scale, ...]) -> int:
    """Return what no sum of the loop can exceed, so that its integers are wide enough to be exact."""
    totals = {layer.name: 3 << fixed.potential_bits for layer in network.layers}
    widest = 0
    for projection, scale in zip(network.projections, scales, strict=True):
        n_pre, n_post = (network.layer(name).size for name in (projection.pre, projection.post))
        static = network.layer(projection.pre).kind == "static"
        weight = 2 * max(-scale.low, scale.high) + 1 if fixed.odd else max(-scale.low, scale.high)
        shift = scale.exponent + fixed.potential_exponent - (layout.PIXEL_BITS if static else 0)
        for name, sources in ((projection.post, n_pre), (projection.pre, n_post if projection.symmetric else 0)):
            total = weight * sources * (255 if static else 1) + (1 << max(0, -shift))
            widest = max(widest, total, total << max(0, shift))
            totals[name] += (total << shift) if shift >= 0 else (total >> -shift) + 1
    return max(widest, *totals.values())


def quantise(compiled: FixedCompiled, index: int, values: np.ndarray) -> np.ndarray:
    """Return the nearest numbers that weight registers of projection ``index`` can hold, unbounded, as int64."""
    scale, odd = compiled.scales[index], int(compiled.fixed.odd)
    return np.rint((np.asarray(values, np.float64) / scale.unit - odd) / (1 + odd)).astype(np.int64)


def set_projection(compiled: FixedCompiled, weights: FixedWeights, index: int, codes: np.ndarray) -> None:
    """Store ``codes`` (n_pre, n_post) as the weights of projection ``index``, residues half way to the next weight."""
    place, shape, n_post = compiled.grid(index)
    residue = compiled.fixed.accumulator_bits
    weights.stored[place].reshape(shape)[:, :n_post] = (codes << residue) + ((1 << residue) >> 1)


def get_codes(compiled: FixedCompiled, weights: FixedWeights, index: int) -> np.ndarray:
    """Return a copy of what the synapses of projection ``index`` store (n_pre, n_post), residues included."""
    place, shape, n_post = compiled.grid(index)
    return weights.stored[place].reshape(shape)[:, :n_post].copy()


def get_projection(compiled: FixedCompiled, weights: FixedWeights, index: int) -> np.ndarray:
    """Return the weights (n_pre, n_post) of projection ``index`` as real numbers, exact."""
    codes, odd = get_codes(compiled, weights, index) >> compiled.fixed.accumulator_bits, int(compiled.fixed.odd)
    return ((codes << odd) + odd) * compiled.scales[index].unit


def new_weights(compiled: FixedCompiled) -> FixedWeights:
    """Return weights of code zero and biases of zero."""
    return FixedWeights(np.zeros(compiled.n_stored, np.int32), np.zeros(compiled.n_neurons, compiled.dtype))


def initial_weights(compiled: FixedCompiled, seed: int) -> FixedWeights:
    """Return Glorot-uniform weights, scaled by each projection's gain, rounded stochastically, and biases of zero."""
    weights, network, odd = new_weights(compiled), compiled.network, int(compiled.fixed.odd)
    for index, (projection, scale) in enumerate(zip(network.projections, compiled.scales, strict=True)):
        shape = network.layer(projection.pre).size, network.layer(projection.post).size
        wanted = (glorot_uniform(*shape, projection.synapse.gain, seed, index) / scale.unit - odd) / (1 + odd)
        draws = stream(seed, Purpose.WEIGHT_ROUNDING, index).random(shape)
        codes = np.floor(wanted + draws).astype(np.int64)
        set_projection(compiled, weights, index, np.clip(codes, scale.low, scale.high))
    return weights


def new_state(compiled: FixedCompiled, delay: int, *, learns: bool) -> FixedState:
    """Return the state of one presentation; traces and accumulators only where it ``learns``."""
    n, layers, rows = compiled.n_neurons, compiled.program.layers, compiled.program.projections
    held = learns and bool(rows[:, layout.HELD].any())
    ends = [(rows[:, layout.PRE], layout.ROW), (rows[:, layout.POST], layout.COLUMN)]
    words = max([n, *(int((layers[end, layout.SIZE] * rows[:, width]).max(initial=0)) for end, width in ends)])
    return FixedState(
        np.zeros((3, n), compiled.dtype),
        np.zeros((layout.MEMORY + delay, n), np.int32),
        np.zeros((4, n), np.int32),
        np.zeros(n, np.uint8),
        np.zeros(len(layers), np.int64),
        np.zeros(compiled.n_current, compiled.dtype),
        np.zeros(compiled.n_stored if held else 0, np.int32),
        np.zeros(words if learns else 0, np.uint32),
        np.zeros(n, compiled.dtype),
        np.zeros(int(layers[0, layout.SIZE]) + 1, np.int32),
    )


def new_counts(compiled: FixedCompiled) -> FixedCounts:
    """Return counts of zero; rows of the projections' table after the projections are the layers' biases."""
    layers, projections = compiled.network.layers, compiled.network.projections
    return FixedCounts(
        np.zeros((len(PHASES), len(layers), len(LAYER_COUNTERS)), np.int64),
        np.zeros((len(PHASES), len(projections) + len(layers), len(PROJECTION_COUNTERS)), np.int64),
        np.zeros((len(PHASES), compiled.n_neurons), np.int64),
        np.zeros((len(PHASES), 2), np.int64),
    )


def new_record(compiled: FixedCompiled, *, ticks: int = 0, states: bool = False, updates: int = 0) -> FixedRecord:
    """Return a record of ``ticks`` (0: off) with room for ``updates`` (0: off)."""
    rows, n = (ticks if states else 0), compiled.n_neurons
    return FixedRecord(
        np.zeros((ticks, n), np.uint8),
        np.zeros((rows, n), compiled.dtype),
        np.zeros((rows, n), np.int32),
        np.zeros((updates, 5), np.int32),
        np.zeros(updates, np.int64),
        np.zeros(1, np.int64),
    )
