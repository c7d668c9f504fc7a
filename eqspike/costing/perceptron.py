"""An ordinary multilayer perceptron: trained by backpropagation, its weights rounded, its work counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil

import numpy as np

from eqspike.data import Dataset
from hw_models.workload import LayerShape, PhaseCounts, ProjectionShape, Workload

BATCH = 50
PATIENCE = 5  # epochs without a better validation accuracy
ACCUMULATOR_BITS = 32
_CHUNK = 2048  # images at a time: activations of wide layers are large


@dataclass(frozen=True, eq=False)
class Perceptron:
    """Layers of ReLU units and a linear output: ``weights`` (n_pre, n_post) and ``biases`` (n_post,) by layer."""

    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units of every layer, the input first."""
        return (self.weights[0].shape[0], *(one.shape[1] for one in self.weights))

    def activations(self, images: np.ndarray) -> list[np.ndarray]:
        """Return the activations of every layer, the images first and the output last, (n, n_units) each."""
        found = [np.asarray(images, np.float32)]
        for k, (weights, biases) in enumerate(zip(self.weights, self.biases, strict=True)):
            driven = found[-1] @ weights + biases
            found.append(np.maximum(driven, 0) if k + 1 < len(self.weights) else driven)
        return found

    def accuracy(self, images: np.ndarray, labels: np.ndarray) -> float:
        """Return the share of images answered rightly."""
        answers = [self.activations(chunk)[-1].argmax(axis=1) for chunk in _chunks(images)]
        return float(np.mean(np.concatenate(answers) == labels))


@dataclass(frozen=True)
class Trained:
    """A trained perceptron in its rounded form and how it came about.

    ``history`` has the test accuracy of the rounded network after every epoch of ``epoch_samples`` training samples.
    """

    network: Perceptron
    bits: int
    accuracy: float
    exact_accuracy: float
    history: tuple[float, ...]
    epoch_samples: int
    batch: int

    def samples_to(self, accuracy: float) -> int | None:
        """Return the training samples seen when the rounded network first reached ``accuracy``; None if never."""
        for epoch, reached in enumerate(self.history, 1):
            if reached >= accuracy:
                return epoch * self.epoch_samples
        return None


def train_perceptron(hidden: tuple[int, ...], data: Dataset, *, bits: int, seed: int, epochs: int) -> Trained:
    """Train a perceptron by backpropagation with Adam in batches of :data:`BATCH`, ``epochs`` at most.

    All other settings are scikit-learn's own. The epoch with the best validation accuracy of the rounded
    network is kept; training ends :data:`PATIENCE` epochs after it. Without validation samples the last is kept.
    """
    from sklearn.neural_network import MLPClassifier

    batch = min(BATCH, len(data.y_train))
    model = MLPClassifier(hidden, random_state=np.random.RandomState(seed % 2**32), batch_size=batch)
    validated = len(data.y_validation) > 0
    best, best_score, since, history = None, -1.0, 0, []
    for _ in range(epochs):
        model.partial_fit(data.x_train, data.y_train, classes=np.arange(data.n_classes))
        exact = _of(model, data.n_classes)
        rounded = quantised(exact, bits)
        history.append(rounded.accuracy(data.x_test, data.y_test))
        score = rounded.accuracy(data.x_validation, data.y_validation) if validated else float(len(history))
        since += 1
        if score > best_score:
            best, best_score, since = (exact, rounded), score, 0
        if since >= PATIENCE:
            break
    accuracies = (one.accuracy(data.x_test, data.y_test) for one in reversed(best))
    return Trained(best[1], bits, *accuracies, tuple(history), len(data.y_train), batch)


def _of(model, n_classes: int) -> Perceptron:
    weights = [one.astype(np.float32) for one in model.coefs_]
    biases = [one.astype(np.float32) for one in model.intercepts_]
    if n_classes == 2:  # scikit-learn keeps one logistic unit: the difference of two
        weights[-1], biases[-1] = (np.concatenate([-one, one], axis=-1) / 2 for one in (weights[-1], biases[-1]))
    return Perceptron(tuple(weights), tuple(biases))


def quantised(network: Perceptron, bits: int) -> Perceptron:
    """Return ``network`` with weights w = s round(w / s), s = max |w| / (2^(bits-1) - 1), each layer with its own s.

    Of one bit, w = sign(w) mean |w|.
    """
    return replace(network, weights=tuple(_rounded(one, bits) for one in network.weights))


def _rounded(weights: np.ndarray, bits: int) -> np.ndarray:
    if bits == 1:
        return np.where(weights < 0, -1, 1).astype(np.float32) * np.abs(weights).mean()
    step = np.abs(weights).max().astype(np.float64) / (2 ** (bits - 1) - 1)
    return (np.round(weights / step) * step).astype(np.float32) if step > 0 else weights


def perceptron_workload(trained: Trained, data: Dataset, samples: int, tick_s: float, *, dense: bool) -> Workload:
    """Return what inference of the test set, and learning from ``samples`` training samples, counts.

    Forward, MACs are those of inputs and activations that are not zero (all of them if ``dense``). Backward, an error
    is carried from a unit to those below it that were active, and every weight between an active unit and one with an
    error takes one more MAC for its gradient; errors of rectified units that were silent are zero. Every batch writes
    every weight. A layer takes one tick. Activity in learning is that of the trained network on the training set.
    """
    network, n_test, n_train = trained.network, len(data.y_test), len(data.y_train)
    test = _counted(network, data.x_test, _forward, dense)
    free, nudged = (
        {key: _scaled(count, samples, n_train) for key, count in _counted(network, data.x_train, way, dense).items()}
        for way in (_forward, _backward)
    )
    batches = ceil(samples / trained.batch)
    for projection in _projections(network.sizes, trained.bits):
        nudged[projection.name, "weight_writes"] = batches * projection.synapses
    depth = len(network.weights)
    phases = (
        PhaseCounts("free", samples, samples * depth, free, learning=True),
        PhaseCounts("nudged", samples, samples * depth, nudged, learning=True),
        PhaseCounts("inference", n_test, n_test * depth, test),
    )
    layers = tuple(LayerShape(_name(k), size, k > 0) for k, size in enumerate(network.sizes))
    shape = "-".join(map(str, network.sizes))
    return Workload(f"perceptron {shape}", layers, tuple(_projections(network.sizes, trained.bits)), phases, tick_s)


def _name(layer: int) -> str:
    return f"layer{layer}" if layer else "input"


def _counted(network: Perceptron, images: np.ndarray, way: Callable, dense: bool) -> Counter:
    """Return the counts of all ``images`` in one direction."""
    total: Counter = Counter()
    for chunk in _chunks(images):
        total.update(way(network.sizes, _active(network.activations(chunk), dense)))
    return total


def _chunks(images: np.ndarray) -> Iterator[np.ndarray]:
    return (images[first : first + _CHUNK] for first in range(0, len(images), _CHUNK))


def _active(activations: list[np.ndarray], dense: bool) -> list[np.ndarray]:
    """Return which units take part, (n, n_units) by layer; the outputs all do."""
    return [np.ones_like(one, bool) if dense or one is activations[-1] else one != 0 for one in activations]


def _forward(sizes: tuple[int, ...], active: list[np.ndarray]) -> dict[tuple[str, str], int]:
    counts = {}
    for k, (post, units) in enumerate(zip(sizes[1:], active, strict=False), 1):
        counts[f"{_name(k - 1)}->{_name(k)}", "macs_forward"] = int(units.sum(dtype=np.int64)) * post
        counts[_name(k), "neuron_updates"] = len(units) * post
    return counts


def _backward(sizes: tuple[int, ...], active: list[np.ndarray]) -> dict[tuple[str, str], int]:
    counts = {}
    for k in range(1, len(sizes)):
        below, above = (one.sum(axis=1, dtype=np.int64) for one in (active[k - 1], active[k]))
        passes = 2 if k > 1 else 1  # the gradient; and the error, which never goes down to the input
        counts[f"{_name(k - 1)}->{_name(k)}", "macs_backward"] = passes * int((below * above).sum())
        counts[_name(k), "neuron_updates"] = len(below) * sizes[k]
    return counts


def _projections(sizes: tuple[int, ...], bits: int) -> Iterator[ProjectionShape]:
    for k, (pre, post) in enumerate(pairwise(sizes), 1):
        ends = (_name(k - 1), _name(k))
        yield ProjectionShape("->".join(ends), *ends, pre * post, bits, k > 1, True, ACCUMULATOR_BITS)
        yield ProjectionShape(f"bias->{_name(k)}", _name(k), _name(k), post, bits, False, True, ACCUMULATOR_BITS)


def _scaled(count: int, samples: int, of: int) -> int:
    return (count * samples + of // 2) // of
