"""Convolutional networks of binary weights as the arrays that kernels run: layout, packed signs, scales of channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from eqspike.core.errors import DataError
from eqspike.core.rng import Purpose, stream
from eqspike.kernels import binary_maps_layout as layout
from eqspike.kernels.binary_layout import Counts
from eqspike.kernels.binary_maps_layout import MapProgram, MapStart, MapState, MapWeights
from eqspike.kernels.bits import LANES
from eqspike.network.description import Layer, Network
from eqspike.substrates.binary import program

LEAST_SCALE = 2.0**-20  # a channel's scale is a whole number of these: sums that come down are exact
_LARGEST_SUM = 2**31 - 1
_DECIMALS = 4  # of an initial scale, as published
_NOISE = 1000  # index of the first projection's stream of initial momentum


@dataclass(frozen=True)
class CompiledMaps:
    """A network's program and the sizes of the arrays that go with it."""

    network: Network
    program: MapProgram
    n_neurons: int
    n_channels: int
    n_words: int

    @property
    def graded(self) -> bool:
        """Whether activations are real."""
        return self.network.layers[1].activation == "real"

    def block(self, layer: int) -> slice:
        """Return where the neurons of ``layer`` stand in arrays over all neurons."""
        first = self.program.layers[layer, layout.START]
        return slice(first, first + self.program.layers[layer, layout.SIZE])

    def channels(self, layer: int) -> slice:
        """Return where the channels of ``layer`` stand in arrays over all channels."""
        first = self.program.layers[layer, layout.CHANNEL]
        return slice(first, first + self.program.layers[layer, layout.CHANNELS])


def compile_maps(network: Network) -> CompiledMaps:
    """Lay ``network``, convolutions and then dense layers, out for the kernels."""
    layers, projections = [[0, network.layers[0].size, *_extents(network.layers[0]), -1]], []
    neurons = channels = words = sums = 0
    for layer in network.layers[1:]:
        layers.append([neurons, layer.size, *_extents(layer), channels])
        neurons, channels = neurons + layer.size, channels + layers[-1][layout.CHANNELS]
    for index, projection in enumerate(network.projections):
        below, above, kernel = layers[index], layers[index + 1], projection.kernel
        tall, wide, padding, pool = below[layout.HEIGHT], below[layout.WIDTH], 0, 1
        if kernel is not None:
            tall, wide, padding, pool = kernel.size, kernel.size, kernel.padding, kernel.square
        down, across = above[layout.HEIGHT] * pool, above[layout.WIDTH] * pool
        rows, blocks = tall * wide * below[layout.CHANNELS], -(-above[layout.CHANNELS] // LANES)
        first = sums if index else 0  # those of the pixels are apart
        projections.append([words, rows, blocks, tall, wide, padding, pool, first, down, across])
        words, sums = words + rows * blocks, first + (down * across * blocks * LANES if index else 0)
    arrays = MapProgram(np.array(layers, np.int64), np.array(projections, np.int64))
    return CompiledMaps(network, arrays, neurons, channels, words)


def new_state(compiled: CompiledMaps) -> MapState:
    """Return the state of one presentation."""
    n, layers, emits = compiled.n_neurons, compiled.program.layers, _emits(compiled)
    sums, pooled = _sums(compiled), _pooled(compiled)
    most, places = (
        max(2, int(layers[:, layout.CHANNELS].max())),
        int(layers[:, layout.HEIGHT : layout.CHANNELS].prod(1).max()),
    )
    return MapState(
        np.zeros(n, np.float32),
        *[np.zeros(n, kind) for kind in (emits, emits, np.uint8, np.uint8, pooled, sums, np.float32)],
        np.zeros(_n_sums(compiled), sums),
        np.zeros(_of_projection(compiled, 0), np.int32),
        np.zeros(places, np.uint8),
        *[np.zeros(most, kind) for kind in (np.int64, sums, np.int32, pooled)],
    )


def new_start(compiled: CompiledMaps) -> MapStart:
    """Return what presentations begin with, one or (real activations) one half everywhere, the sums still unknown."""
    n, sums, value = compiled.n_neurons, _sums(compiled), 0.5 if compiled.graded else 1.0
    return MapStart(
        np.full(n, value, np.float32),
        np.full(n, value, _emits(compiled)),
        np.zeros(n, np.uint8),
        np.zeros(n, _pooled(compiled)),
        *[np.zeros(size, sums) for size in (n, _n_sums(compiled))],
        np.zeros((len(compiled.program.projections), 2), np.int64),
    )


class MapStorage:
    """Where signs, scales, biases and counts of a convolutional network lie.

    A channel's scale is a whole number of quanta 2^-20, greater than zero; a dense projection has one of its own.
    """

    def __init__(self, network: Network) -> None:
        self.network, self.compiled = network, compile_maps(network)

    @property
    def borders(self) -> Sequence[int]:
        """First word of each projection's bits, and the last one's end."""
        return [*self.compiled.program.projections[:, layout.OFFSET].tolist(), self.compiled.n_words]

    @property
    def target_width(self) -> int:
        """Length of a row of targets: the outputs."""
        return self.network.layers[-1].size

    def initial_weights(self, seed: int, bias_gain: float) -> MapWeights:
        """Return signs and scales of weights uniform within +- 1 / sqrt(fan-in), biases within bias_gain times that."""
        channels, projections = self.compiled.n_channels, len(self.network.projections)
        weights = MapWeights(
            np.zeros(self.compiled.n_words, np.uint32),
            np.zeros(channels, np.float32),
            np.zeros(channels, _pooled(self.compiled)),
            np.zeros(projections + 1, np.float32),
            np.zeros(channels, np.float32),
            np.zeros(channels),
        )
        for index, projection in enumerate(self.network.projections):
            shape = self.network.stored(projection)
            random, limit = stream(seed, Purpose.WEIGHTS, index), 1 / np.sqrt(prod(shape[:-1]))
            values = random.uniform(-limit, limit, shape)
            self._put_signs(weights, index, np.where(values >= 0, 1, -1))
            over = None if projection.kernel is None else (0, 1, 2)
            self._set_scales(weights, index, np.round(np.abs(values).mean(axis=over), _DECIMALS))
            self.biases(weights, index + 1)[:] = random.uniform(-limit, limit, shape[-1]) * bias_gain
        return weights

    def get(self, weights: MapWeights, index: int) -> np.ndarray:
        """Return a copy of a projection's weights, plus or minus their scale, float32."""
        shape = self.network.stored(self.network.projections[index])
        signs = program.unpack(np.ascontiguousarray(self._words(weights, index).T), shape[-1])
        return signs.reshape(shape) * self._scales(weights, index).astype(np.float32)

    def put(self, weights: MapWeights, index: int, values: np.ndarray) -> None:
        """Replace a projection's weights; scales of channels are rounded to whole quanta.

        Raises
        ------
        DataError
            if they have more than one modulus, of a convolution more than one a channel.
        """
        projection, moduli = self.network.projections[index], np.abs(values)
        scales = moduli.reshape(-1, moduli.shape[-1])[0] if projection.kernel else moduli.flat[0]
        if not (scales > 0).all() or not (moduli == scales).all():
            raise DataError(
                "weights are not plus or minus one scale.",
                field=projection.name,
                remedy="Give signs x scale, one for each channel of a convolution.",
            )
        self._put_signs(weights, index, values)
        self._set_scales(weights, index, scales)

    def biases(self, weights: MapWeights, index: int) -> np.ndarray:
        """Return a view of the biases of layer ``index``, one a channel."""
        return weights.bias[self.compiled.channels(index)]

    def new_aligned(self) -> np.ndarray:
        """Return room for the contrast, channel by channel, of what neurons emit x their pooled sum."""
        return np.zeros(self.compiled.n_channels)

    def change_scales(self, weights: MapWeights, index: int, aligned: np.ndarray, contrast: float, rate: float) -> int:
        """Let a channel's scale alpha grow by ``rate`` x alpha x its contrast, a dense one by half of that.

        Return how many were held within their bounds.
        """
        convolution, scales = self.network.projections[index].kernel is not None, self._scales(weights, index)
        slopes = scales / program.unit_of(index) * aligned[self.compiled.channels(index + 1)]
        if convolution:
            return self._set_scales(weights, index, scales + rate / contrast * slopes)
        return self._set_scales(weights, index, scales[0] + rate / contrast * 0.5 * slopes.sum())

    def new_counts(self) -> Counts:
        """Return counts of zero."""
        return program.new_counts(self.compiled)

    def stored_bits(self) -> float:
        """Return the bits that inference keeps in memory per weight: signs, scales and biases, padding included."""
        scales = sum(p.kernel.channels if p.kernel else 1 for p in self.network.projections)
        beside = 32 * (scales + self.compiled.n_channels)
        return (LANES * self.compiled.n_words + beside) / self.network.synapses

    def first_momentum(self, seed: int, low_passes: Sequence[float]) -> np.ndarray:
        """Return accumulators of zero, with binary activations of 2 gamma x normal numbers, as published."""
        values = np.zeros(self.compiled.n_words * LANES, np.float32)
        if not self.compiled.graded:
            for index, gamma in enumerate(low_passes):
                shape = self.network.stored(self.network.projections[index])
                noise = stream(seed, Purpose.WEIGHTS, _NOISE + index).standard_normal(shape, np.float32)
                self.accumulators(values, index)[:] = self._by_block(np.float32(2 * gamma) * noise)
        return values

    def accumulators(self, values: np.ndarray, index: int) -> np.ndarray:
        """Return a view of a projection's accumulators, (blocks, rows, 32)."""
        row, borders = self.compiled.program.projections[index], self.borders
        own = values[borders[index] * LANES : borders[index + 1] * LANES]
        return own.reshape(row[layout.BLOCKS], row[layout.ROWS], LANES)

    def block(self, index: int) -> slice:
        """Return where the neurons of a layer stand in arrays over all neurons."""
        return self.compiled.block(index)

    def _by_block(self, values: np.ndarray) -> np.ndarray:
        """Return values in the shape of weights as (blocks, rows, 32), padded with zeros."""
        flat = values.reshape(-1, values.shape[-1])
        padded = np.pad(flat, ((0, 0), (0, -flat.shape[1] % LANES)))
        return padded.reshape(len(flat), -1, LANES).transpose(1, 0, 2)

    def _words(self, weights: MapWeights, index: int) -> np.ndarray:
        """Return a view of a projection's words, (blocks, rows)."""
        row, borders = self.compiled.program.projections[index], self.borders
        return weights.bits[borders[index] : borders[index + 1]].reshape(row[layout.BLOCKS], row[layout.ROWS])

    def _put_signs(self, weights: MapWeights, index: int, signs: np.ndarray) -> None:
        self._words(weights, index)[:] = program.pack(signs.reshape(-1, signs.shape[-1])).T

    def _scales(self, weights: MapWeights, index: int) -> np.ndarray:
        """Return a view of a projection's scales, one a channel; of a dense one all the same."""
        return weights.scale[self.compiled.channels(index + 1)]

    def _set_scales(self, weights: MapWeights, index: int, scales: np.ndarray | float) -> int:
        """Store a projection's scales in all forms that kernels use; return how many were held within their bounds."""
        row, channels = self.compiled.program.projections[index], self.compiled.channels(index + 1)
        convolution = self.network.projections[index].kernel is not None
        if convolution:
            most = _LARGEST_SUM // (row[layout.TALL] * row[layout.WIDE] * (channels.stop - channels.start))
            wanted = np.rint(scales / LEAST_SCALE)
            quanta = np.clip(wanted, 1, most)
            held, kept = int((wanted != quanta).sum()), quanta * LEAST_SCALE
            weights.own[channels] = kept if self.compiled.graded else quanta
            weights.quantum[index] = 1 if self.compiled.graded else LEAST_SCALE
        else:
            kept = max(np.float32(scales), np.float32(LEAST_SCALE))
            held = int(kept > scales)
            weights.own[channels] = 1
            weights.quantum[index] = kept
        weights.scale[channels] = kept
        weights.unit[channels] = weights.scale[channels] / np.float32(program.unit_of(index))
        return held


def _extents(layer: Layer) -> tuple[int, ...]:
    """Return (height, width, channels) of a layer; dense ones are a map of one place."""
    return layer.shape if len(layer.shape) == 3 else (1, 1, layer.size)


def _emits(compiled: CompiledMaps) -> type:
    return np.float32 if compiled.graded else np.int8


def _sums(compiled: CompiledMaps) -> type:
    return np.float64 if compiled.graded else np.int32


def _pooled(compiled: CompiledMaps) -> type:
    return np.float32 if compiled.graded else np.int32


def _of_projection(compiled: CompiledMaps, index: int) -> int:
    """Return how many sums before pooling a projection has."""
    row = compiled.program.projections[index]
    return int(row[layout.DOWN] * row[layout.ACROSS] * row[layout.BLOCKS] * LANES)


def _n_sums(compiled: CompiledMaps) -> int:
    return sum(_of_projection(compiled, index) for index in range(1, len(compiled.program.projections)))
