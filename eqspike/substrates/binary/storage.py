"""How a binary network lies in the arrays of its kernels: dense layers alone, or convolutions below them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from eqspike.core.errors import DataError
from eqspike.kernels import binary_layout as layout
from eqspike.kernels.binary_layout import Counts, Weights
from eqspike.kernels.bits import LANES
from eqspike.network.description import Network
from eqspike.substrates.binary import program
from eqspike.substrates.binary.maps import LEAST_SCALE, MapStorage


class Storage(Protocol):
    """Where signs, scales, biases and counts of a network lie; ``index`` is that of a projection or of a layer."""

    network: Network
    compiled: Any

    @property
    def borders(self) -> Sequence[int]:
        """First word of each projection's bits, and the last one's end."""

    @property
    def target_width(self) -> int:
        """Length of a row of targets."""

    def initial_weights(self, seed: int, bias_gain: float) -> Any:
        """Return the weights that training begins with."""

    def get(self, weights: Any, index: int) -> np.ndarray:
        """Return a copy of a projection's weights, plus or minus their scale, float32."""

    def put(self, weights: Any, index: int, values: np.ndarray) -> None:
        """Replace a projection's weights."""

    def biases(self, weights: Any, index: int) -> np.ndarray:
        """Return a view of the biases of layer ``index``."""

    def new_aligned(self) -> np.ndarray:
        """Return room for what learning scales needs to know of a mini-batch."""

    def change_scales(self, weights: Any, index: int, aligned: np.ndarray, contrast: float, rate: float) -> int:
        """Let a projection's scales grow by ``rate`` x their gradient; return how many were held within bounds."""

    def new_counts(self) -> Counts:
        """Return counts of zero."""

    def stored_bits(self) -> float:
        """Return the bits that inference keeps in memory per weight."""

    def first_momentum(self, seed: int, low_passes: Sequence[float]) -> np.ndarray:
        """Return the accumulators that training begins with, in the order of the bits, 32 a word."""

    def block(self, index: int) -> slice:
        """Return where the neurons of a layer stand in arrays over all neurons."""


class DenseStorage:
    """Dense layers: see :mod:`eqspike.substrates.binary.program`."""

    def __init__(self, network: Network) -> None:
        self.network, self.compiled = network, program.compile_network(network)

    @property
    def borders(self) -> Sequence[int]:
        """First word of each projection's bits, and the last one's end."""
        return program.word_borders(self.compiled)

    @property
    def target_width(self) -> int:
        """Length of a row of targets: the outputs, padded to whole words."""
        return int(self.compiled.program.layers[-1, layout.WORDS]) * LANES

    def initial_weights(self, seed: int, bias_gain: float) -> Weights:
        """Return the weights that training begins with."""
        return program.initial_weights(self.compiled, seed, bias_gain)

    def get(self, weights: Weights, index: int) -> np.ndarray:
        """Return a copy of a projection's weights (n_pre, n_post), plus or minus their scale, float32."""
        return program.get_signs(self.compiled, weights, index) * weights.scale[index]

    def put(self, weights: Weights, index: int, values: np.ndarray) -> None:
        """Replace a projection's weights (n_pre, n_post).

        Raises
        ------
        DataError
            if they have more than one modulus.
        """
        scale = np.abs(values.flat[0])
        if not 0 < scale < np.inf or not (np.abs(values) == scale).all():
            raise DataError(
                "weights are not plus or minus one scale.",
                field=self.network.projections[index].name,
                remedy="Give signs x scale.",
            )
        program.set_signs(self.compiled, weights, index, values)
        program.set_scale(weights, index, scale)

    def biases(self, weights: Weights, index: int) -> np.ndarray:
        """Return a view of the biases of layer ``index``."""
        return weights.bias[self.block(index)]

    def new_aligned(self) -> np.ndarray:
        """Return room for the sum of sign x gradient of each projection."""
        return np.zeros(len(self.network.projections))

    def change_scales(self, weights: Weights, index: int, aligned: np.ndarray, contrast: float, rate: float) -> int:
        """Let a scale alpha grow by ``rate`` x alpha / 2 x the contrast of post^T S; return 1 if it met its bound."""
        alpha = float(weights.scale[index])
        gradient = 0.5 / contrast * alpha * aligned[index] / program.unit_of(index)
        program.set_scale(weights, index, max(alpha + rate * gradient, LEAST_SCALE))
        return int(alpha + rate * gradient < LEAST_SCALE)

    def new_counts(self) -> Counts:
        """Return counts of zero."""
        return program.new_counts(self.compiled)

    def stored_bits(self) -> float:
        """Return the bits that inference keeps in memory per weight: signs, scales and biases, padding included."""
        return program.stored_bits(self.compiled)

    def first_momentum(self, seed: int, low_passes: Sequence[float]) -> np.ndarray:
        """Return accumulators of zero."""
        return np.zeros(self.borders[-1] * LANES, np.float32)

    def block(self, index: int) -> slice:
        """Return where the neurons of a layer stand in arrays over all neurons."""
        return self.compiled.block(index)


def make_storage(network: Network) -> Storage:
    """Return how ``network`` is stored."""
    convolutional = any(projection.kernel for projection in network.projections)
    return MapStorage(network) if convolutional else DenseStorage(network)
