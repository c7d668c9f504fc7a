"""Phases of convolutional networks of binary weights, with binary or real activations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eqspike.kernels import binary_maps, binary_maps_learning
from eqspike.kernels import binary_maps_layout as layout
from eqspike.kernels.binary_layout import Counts
from eqspike.kernels.binary_maps_layout import MapEnds, MapNeurons, MapWeights
from eqspike.kernels.bits import LANES
from eqspike.substrates.binary.maps import CompiledMaps, new_start, new_state
from eqspike.substrates.binary.momentum import Momentum, Step
from eqspike.substrates.binary.settings import BinaryDynamics


@dataclass(frozen=True)
class MapPhases:
    """Convolutions and dense layers: events where something changed."""

    compiled: CompiledMaps
    dynamics: BinaryDynamics

    def new_ends(self, n: int) -> MapEnds:
        """Return room for what the phases of ``n`` samples end with."""
        neurons, emits = self.compiled.n_neurons, np.float32 if self.compiled.graded else np.int8
        return MapEnds(
            np.zeros((2, n, neurons), emits),
            np.zeros((2, n, neurons), np.uint8),
            np.zeros((2, self.compiled.n_channels)),
            np.zeros((n, self.compiled.network.layers[-1].size), np.float32),
        )

    def present(
        self, weights: MapWeights, counts: Counts, ends: MapEnds, images: np.ndarray, targets: np.ndarray, beta: float,
        nudged: int,
    ) -> None:  # fmt: skip
        """Present ``images`` (n, pixels) uint8 from where states start; for answers alone without ``nudged`` steps."""
        moving, state, start = self.dynamics, new_state(self.compiled), new_start(self.compiled)
        binary_maps.find_start(self.compiled.program, weights, state, start)
        binary_maps.present(
            self.compiled.program, self._neurons(), weights, start, state, counts, ends, images, targets,
            np.float32(beta), moving.free_steps, nudged, moving.stop == "rest",
        )  # fmt: skip

    def learn(
        self, weights: MapWeights, counts: Counts, momentum: Momentum, ends: MapEnds, images: np.ndarray, step: Step,
        aligned: np.ndarray,
    ) -> None:  # fmt: skip
        """Change signs and biases by what the phases of a mini-batch differ in; ``aligned`` gets that of the scales."""
        rows = int(self.compiled.program.projections[:, layout.ROWS].max())
        rows = max(rows, int(self.compiled.program.layers[:, layout.CHANNELS].max()))
        kind = np.float32 if self.compiled.graded else np.int32
        if aligned.size > 0:
            aligned += ends.power[1] - ends.power[0]
        binary_maps_learning.learn(
            self.compiled.program, weights, counts, momentum.values, ends, images,
            np.zeros((LANES, rows), kind), np.zeros(rows, kind), *step,
        )  # fmt: skip

    def _neurons(self) -> MapNeurons:
        """Return how neurons move; real ones keep nothing."""
        inertia = 1.0 if self.compiled.graded else self.dynamics.inertia
        return MapNeurons(*map(np.float32, (1 - inertia, inertia, self.dynamics.threshold)), self.compiled.graded)
