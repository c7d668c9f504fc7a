"""Binary and real activations behind one interface: present samples, learn from what their phases ended in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from eqspike.kernels import binary_graded, binary_layout, binary_learning, binary_spiking
from eqspike.kernels.binary_layout import Counts, Ends, Weights
from eqspike.substrates.binary import program
from eqspike.substrates.binary.maps import CompiledMaps
from eqspike.substrates.binary.maps_phases import MapPhases
from eqspike.substrates.binary.momentum import Momentum, Step
from eqspike.substrates.binary.program import Compiled
from eqspike.substrates.binary.settings import BinaryDynamics


class Phases(Protocol):
    """Free and nudged phases of many samples, and the change of weights that follows from them."""

    def new_ends(self, n: int) -> Ends:
        """Return room for what the phases of ``n`` samples end with."""

    def present(
        self, weights: Weights, counts: Counts, ends: Ends, images: np.ndarray, targets: np.ndarray, beta: float,
        nudged: int,
    ) -> None:  # fmt: skip
        """Present ``images`` (n, pixels) uint8 from rest; for answers alone without ``nudged`` steps."""

    def learn(
        self, weights: Weights, counts: Counts, momentum: Momentum, ends: Ends, images: np.ndarray, step: Step,
        aligned: np.ndarray,
    ) -> None:  # fmt: skip
        """Change signs and biases by what the phases of a mini-batch differ in; ``aligned``: as the kernels take it."""


@dataclass(frozen=True)
class SpikingPhases:
    """Binary activations: neurons that flip send events."""

    compiled: Compiled
    dynamics: BinaryDynamics

    def new_ends(self, n: int) -> Ends:
        """Return room for what the phases of ``n`` samples end with."""
        words = self.compiled.n_words
        return Ends(*[np.zeros((n, words), np.uint32) for _ in range(2)], _outputs(self.compiled, n))

    def present(
        self, weights: Weights, counts: Counts, ends: Ends, images: np.ndarray, targets: np.ndarray, beta: float,
        nudged: int,
    ) -> None:  # fmt: skip
        """Present ``images`` (n, pixels) uint8 from rest; for answers alone without ``nudged`` steps."""
        compiled, moving = self.compiled, self.dynamics
        keep, move, threshold = map(np.float32, (1 - moving.inertia, moving.inertia, moving.threshold))
        neurons = binary_layout.Neurons(keep, move, threshold, np.nextafter(threshold, np.float32(0)))
        start = program.new_start(compiled)
        binary_spiking.find_start(compiled.program, weights, start)
        binary_spiking.present(
            compiled.program, neurons, weights, start, program.spiking_state(compiled), counts, ends, images, targets,
            np.float32(beta), moving.free_steps, nudged, moving.stop == "rest",
        )  # fmt: skip

    def learn(
        self, weights: Weights, counts: Counts, momentum: Momentum, ends: Ends, images: np.ndarray, step: Step,
        aligned: np.ndarray,
    ) -> None:  # fmt: skip
        """Change signs and biases by what the phases of a mini-batch differ in; ``aligned``: as the kernels take it."""
        binary_learning.learn_spiking(
            self.compiled.program, weights, counts, momentum.values, ends, images,
            program.new_lesson(self.compiled, len(images), np.int32), *step, aligned,
        )  # fmt: skip


@dataclass(frozen=True)
class GradedPhases:
    """Real activations: neurons whose activation changed send the difference."""

    compiled: Compiled
    dynamics: BinaryDynamics

    def new_ends(self, n: int) -> Ends:
        """Return room for what the phases of ``n`` samples end with."""
        neurons = self.compiled.n_neurons
        return Ends(*[np.zeros((n, neurons), np.float32) for _ in range(2)], _outputs(self.compiled, n))

    def present(
        self, weights: Weights, counts: Counts, ends: Ends, images: np.ndarray, targets: np.ndarray, beta: float,
        nudged: int,
    ) -> None:  # fmt: skip
        """Present ``images`` (n, pixels) uint8 from rest; for answers alone without ``nudged`` steps."""
        binary_graded.present(
            self.compiled.program, weights, program.graded_state(self.compiled), counts, ends, images, targets,
            np.float32(beta), self.dynamics.free_steps, nudged, self.dynamics.stop == "rest",
        )  # fmt: skip

    def learn(
        self, weights: Weights, counts: Counts, momentum: Momentum, ends: Ends, images: np.ndarray, step: Step,
        aligned: np.ndarray,
    ) -> None:  # fmt: skip
        """Change signs and biases by what the phases of a mini-batch differ in; ``aligned``: as the kernels take it."""
        binary_learning.learn_graded(
            self.compiled.program, weights, counts, momentum.values, ends, np.ascontiguousarray(images.T),
            program.new_lesson(self.compiled, len(images), np.float32),
            np.zeros((len(images), self.compiled.n_neurons), np.float32), *step, aligned,
        )  # fmt: skip


def make_phases(compiled: Compiled | CompiledMaps, dynamics: BinaryDynamics) -> Phases:
    """Return the phases of a network in the setting that ``dynamics`` name."""
    if isinstance(compiled, CompiledMaps):
        return MapPhases(compiled, dynamics)
    return (SpikingPhases if dynamics.activation == "binary" else GradedPhases)(compiled, dynamics)


def _outputs(compiled: Compiled, n: int) -> np.ndarray:
    return np.zeros((n, compiled.network.layers[-1].size), np.float32)
