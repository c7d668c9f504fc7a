"""Small dense binary networks, each built twice: as a substrate of packed bits, and as its slow twin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from unittest import mock

import numpy as np

from eqspike.core.rng import Purpose, stream
from eqspike.learning.binary_ep import BinaryEP
from eqspike.network.layered import layered_binary
from eqspike.substrates.binary import program
from eqspike.substrates.binary.settings import BinaryDynamics
from eqspike.substrates.binary.substrate import BinarySubstrate
from reference.binary import DenseStepping

F = np.float32
LANES = 32
SETTINGS = {"A": "real", "B": "binary"}
# One and two hidden layers, narrower and wider than the output, of whole words and broken ones. Rows of a projection
# belong to its narrower side, so that events are gathered and scattered both ways.
SHAPES = {
    "wide hidden": (45, 70, 12),
    "narrow hidden": (21, 9, 36),
    "growing": (18, 33, 35, 36),
    "shrinking": (20, 66, 33, 6),
    "whole words": (12, 64, 32, 32),
    "narrow waist": (16, 50, 7, 40),
}


@dataclass(frozen=True)
class Case:
    """A network with its physics and rule; ``seed`` fills in weights, biases, images and labels.

    ``gain`` multiplies scales of 1 / sqrt(fan-in); ``theta`` and ``inertia`` belong to setting "B".
    """

    setting: str
    sizes: tuple[int, ...]
    seed: int = 3
    expand: int = 2
    batch: int = 4
    gain: float = 0.9
    theta: float = 0.5
    inertia: float = 0.5
    free_steps: int = 9
    nudged_steps: int = 5
    stop: str = "rest"
    beta: float = 0.7
    rule: dict = field(default_factory=dict)

    def changed(self, **changes: object) -> Case:
        return replace(self, **changes)

    @property
    def classes(self) -> int:
        return self.sizes[-1] // self.expand

    def images(self, n: int) -> np.ndarray:
        """Return ``n`` images (n, n_pixels) in [0, 1], a third of the pixels dark."""
        rng = np.random.default_rng([self.seed, 1])
        x8 = rng.integers(0, 256, (n, self.sizes[0])) * (rng.random((n, self.sizes[0])) > 0.3)
        return (x8 / 255).astype(F)

    def labels(self, n: int) -> np.ndarray:
        return np.random.default_rng([self.seed, 2]).integers(0, self.classes, n)

    def parameters(self) -> tuple[list, list, list]:
        """Return signs, scales and biases."""
        rng, pairs = np.random.default_rng([self.seed, 3]), list(pairwise(self.sizes))
        signs = [rng.choice(np.array([-1, 1], np.int8), pair) for pair in pairs]
        scales = [F(self.gain / np.sqrt(n)) for n, _ in pairs]
        return signs, scales, [rng.uniform(-0.3, 0.6, n).astype(F) for _, n in pairs]

    def numbers(self) -> dict:
        """Return one value per projection of the rule's numbers."""
        depth = len(self.sizes) - 1
        given = {"gamma": 0.05, "tau": 2e-3, "rate_bias": 0.03, "rate_scale": 0.0} | self.rule
        return {name: np.broadcast_to(value, depth).tolist() for name, value in given.items()}

    def substrate(self, *, random_sign: bool = True) -> BinarySubstrate:
        """Return the network as bits, with the case's weights."""
        numbers = self.numbers()
        rule = BinaryEP(
            beta=self.beta, random_sign=random_sign, low_passes=numbers["gamma"], flip_thresholds=numbers["tau"],
            bias_rates=numbers["rate_bias"], learn_scales=any(numbers["rate_scale"]), scale_rates=numbers["rate_scale"],
        )  # fmt: skip
        dynamics = BinaryDynamics(
            activation=SETTINGS[self.setting], threshold=self.theta, inertia=self.inertia, stop=self.stop,
            free_steps=self.free_steps, nudged_steps=self.nudged_steps,
        )  # fmt: skip
        network = layered_binary((self.sizes[0],), list(self.sizes[1:-1]), self.sizes[-1], SETTINGS[self.setting])
        made = BinarySubstrate(network, dynamics, rule, expand=self.expand, batch=self.batch, seed=self.seed)
        signs, scales, biases = self.parameters()
        made.set_weights(
            {p.name: s * a for p, s, a in zip(network.projections, signs, scales, strict=True)},
            {layer.name: b for layer, b in zip(network.layers[1:], biases, strict=True)},
        )
        return made

    def twin(self) -> DenseStepping:
        """Return the network as matrices, with the case's weights."""
        return DenseStepping(
            *self.parameters(), setting=self.setting, free_steps=self.free_steps, nudged_steps=self.nudged_steps,
            beta=self.beta, expand=self.expand, theta=self.theta, inertia=self.inertia, **self.numbers(),
        )  # fmt: skip


def eight_bits(images: np.ndarray) -> np.ndarray:
    """Return what images in [0, 1] are as integers (n, n_pixels) of 8 bits."""
    return np.rint(images.astype(np.float64) * 255).astype(np.int64)


def sign_of(made: BinarySubstrate, presentation: int) -> int:
    """Return the sign of beta of the mini-batch that begins with ``presentation``."""
    return 1 if stream(made.seed, Purpose.NUDGE_SIGN, presentation).random() < 0.5 else -1


def states_of(
    made: BinarySubstrate, image: np.ndarray, *, free: int, nudged: int = 0, label: int = 0, beta: float = 0.0
) -> list[np.ndarray]:
    """Return the state of every layer after ``free`` and ``nudged`` steps of one image, counting nothing.

    The substrate keeps what phases end with only: its scratch is caught where it is made.
    """
    dynamics = made.dynamics.model_copy(update={"free_steps": free, "nudged_steps": max(1, nudged)})
    phases, kept = replace(made._phases, dynamics=dynamics), []
    name = "spiking_state" if dynamics.activation == "binary" else "graded_state"
    make = getattr(program, name)
    counts, ends = program.new_counts(phases.compiled), phases.new_ends(1)

    def catch(compiled: program.Compiled) -> tuple:
        kept.append(make(compiled))
        return kept[-1]

    with mock.patch.object(program, name, catch):
        pixels = eight_bits(image[None]).astype(np.uint8)
        phases.present(made.weights, counts, ends, pixels, made._targets(np.array([label])), beta, nudged)
    return [kept[0].s[phases.compiled.block(k)].copy() for k in range(1, len(made.network.layers))]


def signs_of(made: BinarySubstrate) -> list[np.ndarray]:
    """Return the signs (n_pre, n_post) of every projection."""
    return [np.sign(values).astype(np.int8) for values in made.get_weights()[0].values()]


def scales_of(made: BinarySubstrate) -> list[np.float32]:
    return [np.abs(values).flat[0] for values in made.get_weights()[0].values()]


def momenta_of(made: BinarySubstrate) -> list[np.ndarray]:
    """Return M (n_pre, n_post) of every projection: in the order of the bits, rows along the wider side."""
    values, found, start = made.training_state()["momentum"], [], 0
    for k, (pre, post) in enumerate(pairwise(layer.size for layer in made.network.layers)):
        along_pre = k > 0 and pre >= post
        rows, lanes = (post, pre) if along_pre else (pre, post)
        width = -(-lanes // LANES) * LANES
        held = values[start : start + rows * width].reshape(rows, width)[:, :lanes]
        found.append(held.T if along_pre else held)
        start += rows * width
    assert start == values.size
    return found


def same(found: Sequence[np.ndarray], expected: Sequence[np.ndarray]) -> bool:
    """Return whether all arrays are equal, bit for bit."""
    return all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))
