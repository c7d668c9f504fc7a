"""The feed-forward substrate: a network that learns by backpropagation, task after task, and counts what it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np

from eqspike.core.ledger import Ledger
from eqspike.core.rng import Purpose, stream
from eqspike.energies.backend import jax, jnp
from eqspike.energies.feedforward import Form, Moments
from eqspike.network.checks import check_arrays, check_samples
from eqspike.network.description import Network
from eqspike.substrates.feedforward import batches
from eqspike.substrates.feedforward.counting import Counter

_CHUNK_BYTES = 16_000_000  # of images in one call: few calls, little memory


class Rule(Protocol):
    """Backpropagation with Adam, and how much each projection's hidden weights resist."""

    learning_rate: float
    weight_decay: float

    def strengths(self, projections: int) -> tuple[float, ...]:
        """Return the metaplasticity m of each projection."""


class Normalisation(NamedTuple):
    """How one task's drives are shifted and scaled: nothing in a network without normalisation."""

    shifts: tuple[jax.Array, ...]
    gains: tuple[jax.Array, ...]
    moments: Moments


class FeedforwardSubstrate:
    """A feed-forward network, with its hidden weights, its rule and its counts.

    Parameters
    ----------
    network : dense layers, the input first and the output last.
    form : how weights are stored and what neurons do.
    rule : of learning.
    batch : samples that are learnt from together, and answered together where their own moments normalise them.
    seed : key of the initial weights.
    initial_range : initial weights are uniform within +- this.
    keeps_moments : whether answers are normalised with running moments, not with those of their mini-batch.
    separate_tasks : whether each task begins with a new optimiser, and leaves its normalisation behind for its tests.
    """

    def __init__(
        self,
        network: Network,
        form: Form,
        rule: Rule,
        *,
        batch: int = 100,
        seed: int = 1,
        initial_range: float = 0.05,
        keeps_moments: bool = False,
        separate_tasks: bool = True,
    ) -> None:
        self.network, self.form, self.batch, self.separate_tasks = network, form, batch, separate_tasks
        strengths = rule.strengths(len(network.projections))
        self.strengths = jnp.asarray(strengths, jnp.float32)
        self.plan = batches.Plan(
            form,
            any(strengths),
            rule.learning_rate,
            rule.weight_decay,
            batch,
            form.normalised and keeps_moments,
        )
        theta = _initial(network, form, initial_range, seed)
        sizes = [layer.size for layer in network.layers[1:]] if self.plan.keeps_moments else []
        moments = tuple((jnp.zeros(n), jnp.ones(n)) for n in sizes)
        self.learner = batches.Learner(theta, _zeros(theta), _zeros(theta), jnp.int32(0), moments)
        self.past: list[Normalisation] = []  # of finished tasks, as each ended
        self.task = 0
        self.counter = Counter(network, form.weights == "binary")

    def begin_task(self, task: int) -> None:
        """Turn to ``task``, from 0, for the first time; its normalisation goes on from that of the task before."""
        if self.separate_tasks and task > 0:
            self.past.append(jax.tree.map(jnp.array, self._normalisation()))  # copies: the loop takes the originals
        if self.separate_tasks:
            theta = self.learner.theta
            self.learner = self.learner._replace(first=_zeros(theta), second=_zeros(theta), count=jnp.int32(0))
        self.face_task(task)

    def face_task(self, task: int) -> None:
        """Turn to ``task`` for a test: a finished one is answered with its own normalisation."""
        self.task = task

    def _normalisation(self) -> Normalisation:
        theta = self.learner.theta
        scaled = (theta["shifts"], theta["gains"]) if self.form.normalised else ((), ())
        return Normalisation(*scaled, self.learner.moments)

    def _facing(self) -> batches.Learner:
        """Return what answers the task in hand."""
        if self.task >= len(self.past) or not self.form.normalised:
            return self.learner
        own = self.past[self.task]
        theta = self.learner.theta | {"shifts": own.shifts, "gains": own.gains}
        return self.learner._replace(theta=theta, moments=own.moments)

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
        """Learn from the samples ``order[first:last]`` in mini-batches; return what the pass forward answered.

        Parameters
        ----------
        images : (n, n_pixels) in [0, 1].
        labels : (n,) classes.
        order : (n,) the order of presentation in this epoch.
        first, last : multiples of the mini-batch, but for the end of the epoch.
        scale : factor on the learning rate.
        offset : ignored: no random number is drawn.
        """
        layers = self.network.layers
        check_samples(images, labels[order[first:last]], layers[0].size, layers[-1].size)
        answers = np.full(last - first, -1, np.int64)
        capacity = self._capacity(images.shape[1])
        for start in range(first, max(last, first + 1), capacity):  # no samples at all compile the loop
            chosen = order[start : min(start + capacity, last)]
            chunk, count = self._chunk(images[chosen], labels[chosen], capacity)
            self.learner, tally = batches.train_batches(
                self.plan, self.learner, chunk, count, jnp.float32(scale), self.strengths
            )
            self.counter.training(tally, len(chosen))
            answers[start - first : start - first + len(chosen)] = np.asarray(tally.answers)[: len(chosen)]
        return answers

    def infer(self, images: np.ndarray, *, threads: int | None = None, counted: bool = True) -> np.ndarray:
        """Return the answers (n,) to ``images``, presented in order.

        Without running moments each mini-batch is normalised by itself: an answer then depends on its company.
        ``counted``: whether the events enter the counts. ``threads`` is ignored: the compiled loops use one.
        """
        check_samples(images, np.zeros(0, np.int64), self.network.layers[0].size, self.network.layers[-1].size)
        answers = np.zeros(len(images), np.int64)
        capacity, facing = self._capacity(images.shape[1]), self._facing()
        for start in range(0, len(images), capacity):
            part = images[start : start + capacity]
            chunk, count = self._chunk(part, np.zeros(len(part), np.int64), capacity)
            said, active = batches.answer_batches(self.plan, facing, chunk, count)
            answers[start : start + len(part)] = np.asarray(said)[: len(part)]
            if counted:
                self.counter.forward("inference", np.asarray(active)[: len(part)])
        return answers

    def _capacity(self, pixels: int) -> int:
        """Return how many samples one compiled call takes: whole mini-batches, the same number every time."""
        return self.batch * max(1, min(64, _CHUNK_BYTES // (4 * pixels * self.batch)))

    def _chunk(self, images: np.ndarray, labels: np.ndarray, capacity: int) -> tuple[batches.Chunk, jax.Array]:
        """Return a chunk filled up to its capacity, and how many mini-batches hold a sample."""
        x, y = np.zeros((capacity, images.shape[1]), np.float32), np.zeros(capacity, np.int32)
        x[: len(images)], y[: len(images)] = images, labels
        valid = np.arange(capacity) < len(images)
        return batches.Chunk(*map(jnp.asarray, (x, y, valid))), jnp.int32(-(-len(images) // self.batch))

    def get_weights(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return copies of the hidden weights by projection and of the biases (shifts) by layer."""
        theta = self.learner.theta
        return (
            {p.name: np.array(w) for p, w in zip(self.network.projections, theta["weights"], strict=True)},
            {layer.name: np.array(b) for layer, b in zip(self.network.layers[1:], theta["shifts"], strict=True)},
        )

    def set_weights(self, weights: Mapping[str, np.ndarray], biases: Mapping[str, np.ndarray]) -> None:
        """Replace hidden weights and biases; missing names keep theirs.

        Raises
        ------
        DataError
            if a name is unknown or an array has the wrong shape.
        """
        known = self.get_weights()
        for given, present in zip((weights, biases), known, strict=True):
            check_arrays(given, present)
        groups = {
            group: tuple(jnp.array(values, jnp.float32) for values in {**present, **given}.values())
            for group, present, given in zip(("weights", "shifts"), known, (weights, biases), strict=True)
        }
        self.learner = self.learner._replace(theta={**self.learner.theta, **groups})

    def _state(self) -> dict[str, list[jax.Array]]:
        """Return what training goes on with beside weights and shifts, by group."""
        learner = self.learner
        groups = {"gain": learner.theta.get("gains", ()), "moments": jax.tree.leaves(learner.moments)}
        groups |= {"optimiser": jax.tree.leaves((learner.first, learner.second)), "steps": [learner.count]}
        groups["past"] = jax.tree.leaves(self.past)
        return {group: list(values) for group, values in groups.items()}

    def training_state(self) -> dict[str, np.ndarray]:
        """Return what training goes on with beside weights and counts: flat arrays by name."""
        return {
            f"{group}.{k}": np.asarray(values).reshape(-1)
            for group, found in self._state().items()
            for k, values in enumerate(found)
        }

    def set_training_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what :meth:`training_state` gave.

        Raises
        ------
        ValueError
            if an array is missing or has another size.
        """
        tasks = sum(name.startswith("past.") for name in state) // max(1, len(jax.tree.leaves(self._normalisation())))
        self.past = [self._normalisation()] * tasks
        found = {group: _restored(state, group, like) for group, like in self._state().items()}
        learner, theta = self.learner, dict(self.learner.theta)
        if "gains" in theta:
            theta["gains"] = tuple(found["gain"])
        shape = jax.tree.structure((learner.first, learner.second))
        first, second = jax.tree.unflatten(shape, found["optimiser"])
        moments = jax.tree.unflatten(jax.tree.structure(learner.moments), found["moments"])
        self.past = jax.tree.unflatten(jax.tree.structure(self.past), found["past"])
        self.learner = batches.Learner(theta, first, second, found["steps"][0], moments)

    def ledger(self) -> Ledger:
        """Return the counted events; shifts and gains are projections ``bias->layer``."""
        return Ledger.from_dict(self.counter.ledger.to_dict())

    def set_counts(self, ledger: Ledger, spikes: Mapping[str, np.ndarray]) -> None:
        """Continue counting from a stored ledger; there are no ``spikes`` here."""
        self.counter.ledger = Ledger.from_dict(ledger.to_dict())

    def clear_counts(self, *phases: str) -> None:
        """Forget what was counted in ``phases``."""
        for phase in phases:
            self.counter.clear(phase)

    def diagnostics(self) -> dict[str, float]:
        """Return the bits that a weight is stored in and, of binary ones, the flips per training sample."""
        bits = {"bits_per_weight": float(self.network.projections[0].weight_bits or 32)}
        if self.form.weights != "binary":
            return bits
        return bits | {"weight_flips_per_training_sample": self.ledger().per_presentation("weight_flips", "nudged")}

    def spikes_per_neuron(self) -> dict[str, np.ndarray]:
        """Return nothing: no neuron spikes."""
        return {}


def _initial(network: Network, form: Form, within: float, seed: int) -> batches.Theta:
    """Return weights uniform within +- ``within``, shifts 0 and, as published, gains uniform within 0 and 1."""
    sizes, n = [layer.size for layer in network.layers[1:]], len(network.projections)
    weights = tuple(
        jnp.asarray(stream(seed, Purpose.WEIGHTS, k).uniform(-within, within, network.stored(p)), jnp.float32)
        for k, p in enumerate(network.projections)
    )
    theta = {"weights": weights, "shifts": tuple(jnp.zeros(size) for size in sizes)}
    if form.normalised:
        draws = [stream(seed, Purpose.WEIGHTS, n + k).random(size) for k, size in enumerate(sizes)]
        theta["gains"] = tuple(jnp.asarray(values, jnp.float32) for values in draws)
    return theta


def _zeros(theta: batches.Theta) -> batches.Theta:
    return jax.tree.map(jnp.zeros_like, theta)


def _restored(state: Mapping[str, np.ndarray], group: str, like: list[jax.Array]) -> list[jax.Array]:
    found = []
    for k, values in enumerate(like):
        stored = state.get(f"{group}.{k}")
        if stored is None or stored.size != values.size:
            raise ValueError(f"the training state lacks {group}.{k}, or it has another size")
        found.append(jnp.asarray(stored.reshape(values.shape), values.dtype))
    return found
