"""The binary substrate: settles networks whose weights are bits, learns by flipping them, counts what it does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from eqspike.core.errors import DataError
from eqspike.core.ledger import PHASES, PROJECTION_COUNTERS, Ledger, PhaseCounts
from eqspike.core.rng import Purpose, stream
from eqspike.kernels.binary_layout import Counts
from eqspike.network.checks import check_arrays, check_samples
from eqspike.network.description import Network
from eqspike.substrates.binary.momentum import ACCUMULATOR_BITS, Momentum, Rule
from eqspike.substrates.binary.phases import make_phases
from eqspike.substrates.binary.program import PIXEL_MAX, unit_of
from eqspike.substrates.binary.settings import BinaryDynamics
from eqspike.substrates.binary.storage import make_storage

_ANSWERED = 64  # samples in one call for answers


class BinarySubstrate:
    """A network of binary weights, with its rule and its counts.

    Parameters
    ----------
    network : an input and layers of binary or real activations, the output last, weights of one bit.
    dynamics : how states move.
    rule : how signs flip, and biases and scales change.
    expand : output neurons of each class; class c owns those from c x expand on.
    batch : samples that are learnt from together.
    seed : key of every random number.
    bias_gain : of the initial biases.
    """

    def __init__(
        self,
        network: Network,
        dynamics: BinaryDynamics,
        rule: Rule,
        *,
        expand: int = 1,
        batch: int = 64,
        seed: int = 1,
        bias_gain: float = 1.0,
    ) -> None:
        self.network, self.dynamics, self.rule = network, dynamics, rule
        self.expand, self.batch, self.seed = expand, batch, seed
        self.storage = make_storage(network)
        self.weights = self.storage.initial_weights(seed, bias_gain)
        self.momentum = Momentum(
            rule,
            self.storage.borders,
            [unit_of(index) for index in range(len(network.projections))],
            lambda: self.storage.first_momentum(seed, rule.low_passes),
        )
        self.counts = self.storage.new_counts()
        self._phases = make_phases(self.storage.compiled, dynamics)

    @property
    def classes(self) -> int:
        """How many classes the output tells apart."""
        return self.network.layers[-1].size // self.expand

    def train(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        order: np.ndarray,
        first: int,
        last: int,
        *,
        scale: float,
        offset: int,
    ) -> np.ndarray:
        """Learn from the samples ``order[first:last]`` in mini-batches; return what their free phases answered.

        Parameters
        ----------
        images : (n, n_pixels) in [0, 1], seen as integers of 8 bits.
        labels : (n,) classes.
        order : (n,) the order of presentation in this epoch.
        first, last : multiples of the mini-batch, but for the end of the epoch.
        scale : factor on every gradient.
        offset : number of presentations before this epoch, so that no random number is used twice.
        """
        check_samples(images, labels[order[first:last]], self.network.layers[0].size, self.classes)
        answers = np.full(last - first, -1, np.int64)
        for start in range(first, max(last, first + 1), self.batch):  # no samples at all compile the kernels
            chosen = order[start : min(start + self.batch, last)]
            sign = stream(self.seed, Purpose.NUDGE_SIGN, offset + start).random() < 0.5
            beta = -self.rule.beta if self.rule.random_sign and not sign else self.rule.beta
            answers[start - first : start - first + len(chosen)] = self._learn(
                as_pixels(images[chosen]), labels[chosen], beta, scale
            )
        return answers

    def _learn(self, pixels: np.ndarray, labels: np.ndarray, beta: float, scale: float) -> np.ndarray:
        """Learn from one mini-batch; return what its free phases answered."""
        ends, targets = self._phases.new_ends(len(pixels)), self._targets(labels)
        self._phases.present(self.weights, self.counts, ends, pixels, targets, beta, self.dynamics.nudged_steps)
        if len(pixels):
            contrast = beta * len(pixels) / scale if scale else np.inf
            aligned = self.storage.new_aligned() if self.rule.learn_scales else np.zeros(0)
            step = self.momentum.step(contrast)
            self._phases.learn(self.weights, self.counts, self.momentum, ends, pixels, step, aligned)
            self.momentum.renew()
            if self.rule.learn_scales:
                self._change_scales(aligned, contrast)
        return self._answers(ends.output)

    def _change_scales(self, aligned: np.ndarray, contrast: float) -> None:
        """Let every scale grow by its rate x its gradient; those held within their bounds are saturations."""
        nudged, column = self.counts.projections[PHASES.index("nudged")], PROJECTION_COUNTERS.index("saturations")
        for index, rate in enumerate(self.rule.scale_rates):
            nudged[index, column] += self.storage.change_scales(self.weights, index, aligned, contrast, rate)

    def _targets(self, labels: np.ndarray) -> np.ndarray:
        """Return 1 at the outputs of a sample's class, 0 elsewhere, float32; at least one row."""
        outputs = np.arange(self.storage.target_width) // self.expand
        given = labels if len(labels) else np.full(1, -1)
        return (outputs == given[:, None]).astype(np.float32)

    def _answers(self, output: np.ndarray) -> np.ndarray:
        """Return the class with the largest sum over its outputs, added in order, the lowest of equals."""
        by_class = output.reshape(len(output), self.classes, self.expand)
        total = by_class[..., 0].copy()
        for k in range(1, self.expand):
            total += by_class[..., k]
        return total.argmax(axis=1)

    def infer(self, images: np.ndarray, *, threads: int | None = None, counted: bool = True) -> np.ndarray:
        """Return the answers (n,) to ``images``, each from rest; the same for any number of threads.

        ``counted``: whether the events enter the substrate's counts.
        """
        check_samples(images, np.zeros(0, np.int64), self.network.layers[0].size, self.classes)
        counts = self.counts if counted else self.storage.new_counts()
        answers = np.zeros(len(images), np.int64)

        def work(first: int) -> Counts:
            pixels, own = as_pixels(images[first : first + _ANSWERED]), self.storage.new_counts()
            ends = self._phases.new_ends(len(pixels))
            self._phases.present(self.weights, own, ends, pixels, self._targets(np.zeros(0)), 0.0, 0)
            answers[first : first + _ANSWERED] = self._answers(ends.output)
            return own

        with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
            for own in pool.map(work, range(0, len(images), _ANSWERED)):
                for total, part in zip(counts, own, strict=True):
                    total += part
        return answers

    def get_weights(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return copies of the weights by projection, plus or minus the scale, and of the biases by layer."""
        weights = {
            projection.name: self.storage.get(self.weights, index)
            for index, projection in enumerate(self.network.projections)
        }
        biases = {
            layer.name: self.storage.biases(self.weights, index).copy()
            for index, layer in enumerate(self.network.layers)
            if index > 0
        }
        return weights, biases

    def set_weights(self, weights: Mapping[str, np.ndarray], biases: Mapping[str, np.ndarray]) -> None:
        """Replace weights, plus or minus one scale (of a convolution one a channel), and biases; others keep theirs.

        Raises
        ------
        DataError
            if a name is unknown, an array has the wrong shape, or weights have more than one modulus.
        """
        shapes = {p.name: np.broadcast_to(0, self.network.stored(p)) for p in self.network.projections}
        check_arrays(weights, shapes)
        check_arrays(biases, self.get_weights()[1])
        for index, projection in enumerate(self.network.projections):
            if projection.name in weights:
                self.storage.put(self.weights, index, np.asarray(weights[projection.name], np.float32))
        for index, layer in enumerate(self.network.layers):
            if layer.name in biases:
                self.storage.biases(self.weights, index)[:] = biases[layer.name]

    def training_state(self) -> dict[str, np.ndarray]:
        """Return what training goes on with beside weights and counts: the accumulators."""
        return self.momentum.state()

    def set_training_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what :meth:`training_state` gave.

        Raises
        ------
        ValueError
            if an array is missing or has another size.
        """
        self.momentum.set_state(state)

    def ledger(self) -> Ledger:
        """Return the counted events; biases are projections ``bias->layer``."""
        names = [layer.name for layer in self.network.layers]
        projections = [p.name for p in self.network.projections] + [f"bias->{name}" for name in names[1:]]
        ledger = Ledger(tuple(names), tuple(projections))
        for index, phase in enumerate(PHASES):
            ticks, presentations = (int(x) for x in self.counts.run[index])
            ledger.phases[phase] += PhaseCounts(
                self.counts.layers[index].copy(), self.counts.projections[index].copy(), ticks, presentations
            )
        return ledger

    def set_counts(self, ledger: Ledger, spikes: Mapping[str, np.ndarray]) -> None:
        """Continue counting from a stored ledger and the spikes (n_phases, n) of each layer."""
        for index, phase in enumerate(PHASES):
            stored = ledger.phases[phase]
            self.counts.layers[index] = stored.layers
            self.counts.projections[index] = stored.projections
            self.counts.run[index] = stored.ticks, stored.presentations
        names = [layer.name for layer in self.network.layers]
        for name, values in spikes.items():
            self.counts.spikes[:, self.storage.block(names.index(name))] = values

    def clear_counts(self, *phases: str) -> None:
        """Forget what was counted in ``phases``."""
        for table in self.counts:
            for phase in phases:
                table[PHASES.index(phase)] = 0

    def diagnostics(self) -> dict[str, float]:
        """Return flips per training sample and bits per weight, in inference and with the accumulators of training."""
        ledger, bits = self.ledger(), self.storage.stored_bits()
        return {
            "weight_flips_per_training_sample": ledger.per_presentation("weight_flips", "free", "nudged"),
            "bits_per_weight": bits,
            "training_bits_per_weight": bits + ACCUMULATOR_BITS,
        }

    def spikes_per_neuron(self) -> dict[str, np.ndarray]:
        """Return the flips counted so far per layer, (n_phases, n), in the order of the ledger's phases."""
        if self.dynamics.activation == "real":
            return {}
        return {
            layer.name: self.counts.spikes[:, self.storage.block(index)].copy()
            for index, layer in enumerate(self.network.layers)
            if index > 0
        }


def as_pixels(images: np.ndarray) -> np.ndarray:
    """Return images (n, pixels) in [0, 1] as integers of 8 bits, uint8.

    Raises
    ------
    DataError
        if a pixel lies outside, or is not a number.
    """
    pixels = np.rint(images * float(PIXEL_MAX))
    if pixels.size and not (pixels.min() >= 0 and pixels.max() <= PIXEL_MAX):
        raise DataError(
            "a pixel lies outside [0, 1] and fits no 8 bits.", field="images", remedy="Scale images to [0, 1]."
        )
    return pixels.astype(np.uint8)
