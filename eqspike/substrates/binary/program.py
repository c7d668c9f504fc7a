"""Networks of binary weights as the arrays that kernels run: layout, packed signs, scales."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from eqspike.core.ledger import LAYER_COUNTERS, PHASES, PROJECTION_COUNTERS
from eqspike.core.rng import Purpose, stream
from eqspike.kernels import binary_layout as layout
from eqspike.kernels.binary_layout import Counts, GradedState, Lesson, Program, SpikingState, Start, Weights
from eqspike.kernels.bits import LANES
from eqspike.network.description import Network

_DECIMALS = 4  # of an initial scale, as published
PIXEL_MAX = 255  # pixels are 8-bit integers
_BLOCK = 16  # rows whose partial sums are kept at a time


@dataclass(frozen=True)
class Compiled:
    """A network's program and the sizes of the arrays that go with it."""

    network: Network
    program: Program
    n_neurons: int
    n_words: int

    def block(self, layer: int) -> slice:
        """Return where the neurons of ``layer`` stand in arrays over all neurons."""
        first = self.program.layers[layer, layout.START]
        return slice(first, first + self.program.layers[layer, layout.SIZE])


def compile_network(network: Network) -> Compiled:
    """Lay ``network``, dense layers in order, out for the kernels: signs along the wider side of each projection."""
    layers, projections = [[-1, network.layers[0].size, -1, 0]], []
    neurons = words = 0
    for layer in network.layers[1:]:
        own = -(-layer.size // LANES)
        layers.append([neurons, layer.size, words, own])
        neurons, words = neurons + own * LANES, words + own
    offset = 0
    for pre in range(len(network.layers) - 1):
        sizes = network.layers[pre].size, network.layers[pre + 1].size
        along_pre = pre > 0 and sizes[0] >= sizes[1]
        rows, width = (sizes[1], layers[pre][3]) if along_pre else (sizes[0], layers[pre + 1][3])
        projections.append([pre, pre + 1, int(along_pre), offset, rows, width])
        offset += rows * width
    program = Program(np.array(layers, np.int64), np.array(projections, np.int64))
    return Compiled(network, program, neurons, words)


def pack(signs: np.ndarray) -> np.ndarray:
    """Return rows of signs (rows, n) as words (rows, ceil(n / 32)) uint32, set for +1, from the lowest bit on."""
    lanes = -(-signs.shape[1] // LANES) * LANES
    padded = np.zeros((len(signs), lanes), bool)
    padded[:, : signs.shape[1]] = signs > 0
    return np.packbits(padded, axis=1, bitorder="little").view("<u4").astype(np.uint32)


def unpack(words: np.ndarray, n: int) -> np.ndarray:
    """Return the rows of bits (rows, n) as +1 and -1, int8."""
    held = np.unpackbits(words.astype("<u4").view(np.uint8), axis=1, bitorder="little")[:, :n]
    return (2 * held.astype(np.int8) - 1).astype(np.int8)


def new_weights(compiled: Compiled) -> Weights:
    """Return weights of -1, scales of one and biases of zero; neurons that only pad a word can never be active."""
    bias = np.full(compiled.n_neurons, -np.inf, np.float32)
    for layer in range(1, len(compiled.program.layers)):
        bias[compiled.block(layer)] = 0
    n = len(compiled.program.projections)
    weights = Weights(
        np.zeros(word_borders(compiled)[-1], np.uint32), np.ones(n, np.float32), np.ones(n, np.float32), bias
    )
    for index in range(n):
        set_scale(weights, index, 1.0)
    return weights


def set_scale(weights: Weights, index: int, scale: float) -> None:
    """Store the scale of a projection; that of pixels, which are integers, includes their unit."""
    weights.scale[index] = scale
    weights.unit[index] = np.float64(weights.scale[index]) / unit_of(index)


def stored_rows(compiled: Compiled, index: int, words: np.ndarray) -> np.ndarray:
    """Return a view of a projection's words as (rows, words of a row)."""
    row = compiled.program.projections[index]
    n = row[layout.ROWS] * row[layout.ROW]
    return words[row[layout.OFFSET] :][:n].reshape(row[layout.ROWS], row[layout.ROW])


def set_signs(compiled: Compiled, weights: Weights, index: int, signs: np.ndarray) -> None:
    """Store ``signs`` (n_pre, n_post) as the bits of projection ``index``."""
    across = compiled.program.projections[index, layout.ALONG_PRE] == 1
    stored_rows(compiled, index, weights.bits)[:] = pack(signs.T if across else signs)


def get_signs(compiled: Compiled, weights: Weights, index: int) -> np.ndarray:
    """Return the signs (n_pre, n_post) of projection ``index``, int8."""
    row = compiled.program.projections[index]
    across = row[layout.ALONG_PRE] == 1
    lanes = compiled.program.layers[row[layout.PRE] if across else row[layout.POST], layout.SIZE]
    signs = unpack(stored_rows(compiled, index, weights.bits), lanes)
    return np.ascontiguousarray(signs.T) if across else signs


def spiking_state(compiled: Compiled) -> SpikingState:
    """Return the state of one presentation with binary activations."""
    n, words, layers = compiled.n_neurons, compiled.n_words, compiled.program.layers
    places, pixels = _lists(compiled)
    return SpikingState(
        *[np.zeros(n, np.float32) for _ in range(2)],
        *[np.zeros(words, np.uint32) for _ in range(3)],
        *[np.zeros(n, np.int32) for _ in range(2)],
        np.zeros((2, len(layers)), np.int64),
        np.zeros(len(layers), np.uint8),
        places,
        np.zeros(n, np.int32),
        pixels,
        np.zeros(LANES, np.float32),
    )


def graded_state(compiled: Compiled) -> GradedState:
    """Return the state of one presentation with real activations."""
    layers = compiled.program.layers
    return GradedState(
        *[np.zeros(compiled.n_neurons, np.float32) for _ in range(4)],
        np.zeros(len(layers), np.int64),
        np.zeros(int(layers[1, layout.WORDS]) * LANES, np.int32),
        *_lists(compiled),
        np.zeros((_BLOCK, LANES), np.float32),
    )


def _lists(compiled: Compiled) -> tuple[np.ndarray, np.ndarray]:
    layers = compiled.program.layers
    words, pixels = int(layers[:, layout.WORDS].max()), int(layers[0, layout.SIZE])
    return np.zeros(words, np.int32), np.zeros(pixels, np.int32)


def new_lesson(compiled: Compiled, samples: int, sums: type) -> Lesson:
    """Return scratch of learning from a mini-batch; ``sums`` are integers, or real where activations are."""
    return Lesson(
        np.zeros(compiled.n_neurons, sums),
        np.zeros(compiled.n_words, np.uint8),
        np.zeros((samples, compiled.n_neurons), np.int32),
        np.zeros(samples, np.int64),
        np.zeros((samples, 2), np.int64),
    )


def new_start(compiled: Compiled) -> Start:
    """Return what presentations begin with, the sums still unknown."""
    s, on = np.zeros(compiled.n_neurons, np.float32), np.zeros(compiled.n_words, np.uint32)
    for layer in range(1, len(compiled.program.layers)):
        s[compiled.block(layer)] = 1
    on[:] = pack(s[None])[0]
    return Start(s, on, np.zeros(compiled.n_neurons, np.int32), np.zeros(compiled.n_neurons, np.int32))


def new_counts(compiled: Compiled) -> Counts:
    """Return counts of zero; rows of the projections' table after the projections are the layers' biases."""
    n_layers, n_projections = len(compiled.program.layers), len(compiled.program.projections)
    return Counts(
        np.zeros((len(PHASES), n_layers, len(LAYER_COUNTERS)), np.int64),
        np.zeros((len(PHASES), n_projections + n_layers - 1, len(PROJECTION_COUNTERS)), np.int64),
        np.zeros((len(PHASES), compiled.n_neurons), np.int64),
        np.zeros((len(PHASES), 2), np.int64),
    )


def word_borders(compiled: Compiled) -> list[int]:
    """Return the first word of each projection, and where the last one ends."""
    rows = compiled.program.projections
    return [0, *np.cumsum(rows[:, layout.ROWS] * rows[:, layout.ROW]).tolist()]


def unit_of(index: int) -> float:
    """Return what sums and gradients of projection ``index`` are divided by: pixels are integers."""
    return float(PIXEL_MAX) if index == 0 else 1.0


def stored_bits(compiled: Compiled) -> float:
    """Return the bits that inference keeps in memory per weight: signs, scales and biases, padding included."""
    words = word_borders(compiled)[-1]
    beside = 32 * (2 * len(compiled.program.projections) + compiled.n_neurons)
    return (LANES * words + beside) / sum(prod(compiled.network.stored(p)) for p in compiled.network.projections)


def initial_weights(compiled: Compiled, seed: int, bias_gain: float) -> Weights:
    """Return signs and scales of weights uniform within +- 1 / sqrt(fan-in), and biases within bias_gain times that."""
    weights = new_weights(compiled)
    for index, projection in enumerate(compiled.network.projections):
        shape = compiled.network.stored(projection)
        random, limit = stream(seed, Purpose.WEIGHTS, index), 1 / np.sqrt(shape[0])
        values = random.uniform(-limit, limit, shape)
        set_signs(compiled, weights, index, np.where(values >= 0, 1, -1))
        set_scale(weights, index, round(float(np.abs(values).mean()), _DECIMALS))
        weights.bias[compiled.block(index + 1)] = random.uniform(-limit, limit, shape[1]) * bias_gain
    return weights
