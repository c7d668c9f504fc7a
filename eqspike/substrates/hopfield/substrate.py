"""The Hopfield substrate: settles networks of real-valued states, learns by contrasts, counts what it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from math import prod
from typing import Protocol

import numpy as np

from eqspike.core.contrast import Contrast
from eqspike.core.ledger import PHASES, Ledger
from eqspike.core.rng import Purpose, stream
from eqspike.energies.backend import jax, jnp
from eqspike.energies.model import States, Theta, zero_states
from eqspike.energies.settling import Outcome
from eqspike.network.checks import check_arrays, check_samples
from eqspike.network.description import Network
from eqspike.substrates.hopfield import batches, program
from eqspike.substrates.hopfield.counting import Counter
from eqspike.substrates.hopfield.settings import Dynamics, Images, Optimiser

_CHUNK_BYTES = 16_000_000  # of images in one call: few calls, little memory
_ANSWERED = 200  # images settled together for answers


class Rule(Protocol):
    """A contrastive rule: what it is called, and the phases that it asks for."""

    name: str

    def contrast(self) -> Contrast:
        """Return the phases and their weights."""


class HopfieldSubstrate:
    """A network that settles, with its weights, its rule and its counts.

    Parameters
    ----------
    network : layers of real-valued states, the input first and the output last.
    dynamics, images, optimiser : how states move, what an image goes through, how weights change.
    rule : a contrastive rule, or a continual one (name "continual").
    image_shape : of an image as given, before padding.
    batch : samples that are learnt from together.
    seed : key of every random number.
    precision : bits of the states; weights have at least 32.
    gains, bias_gain, feedback_angle_degrees : of the initial parameters.

    Raises
    ------
    ConfigError
        if the network is none of real-valued states, or images do not fit it.
    """

    def __init__(
        self,
        network: Network,
        dynamics: Dynamics,
        rule: Rule,
        optimiser: Optimiser,
        images: Images,
        *,
        image_shape: tuple[int, ...],
        batch: int = 20,
        seed: int = 1,
        precision: int = 32,
        gains: Sequence[float] = (1.0,),
        bias_gain: float = 1.0,
        feedback_angle_degrees: float = 0.0,
    ) -> None:
        images.check_shape(image_shape)
        self.network, self.dynamics, self.rule, self.batch, self.seed = network, dynamics, rule, batch, seed
        self.dtype = np.dtype(f"float{max(32, precision)}")
        model = program.compile_network(network, dynamics)
        self.plan = batches.Plan(
            model, dynamics, images, optimiser, rule.contrast(), rule.name == "continual",
            getattr(rule, "feedback", "") == "kolen-pollack", tuple(image_shape), batch, seed, f"float{precision}",
        )  # fmt: skip
        initial = program.initial_parameters(network, gains, bias_gain, feedback_angle_degrees, seed)
        with self.exact():
            theta = jax.tree.map(lambda values: jnp.asarray(values.astype(self.dtype)), initial)
            memory = batches.make_optimiser(optimiser).init(theta)
            last = zero_states(model, batch, jnp.dtype(self.plan.dtype)) if dynamics.persistent == "batch" else ()
        self.learner = batches.Learner(theta, memory, last)
        self.kept: tuple[np.ndarray, ...] = ()  # the free state of every training sample, where they persist
        self.counter = Counter(network, len(model.shapes), self.plan.contrast)

    @property
    def theta(self) -> Theta:
        """Parameters: weights and backward weights by projection, biases by place of the layer, the read-out."""
        return self.learner.theta

    @property
    def unsettled(self) -> dict[str, int]:
        """Samples that had not settled when their free phase ended, by phase."""
        return self.counter.unsettled

    def exact(self) -> AbstractContextManager:
        """Return the context in which this substrate's arrays live: 64 bits where they are that wide."""
        return jax.enable_x64(True) if self.dtype == np.float64 else nullcontext()

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
        images : (n, n_pixels) in [0, 1].
        labels : (n,) classes.
        order : (n,) the order of presentation in this epoch.
        first, last : multiples of the mini-batch, but for the end of the epoch.
        scale : factor on every learning rate.
        offset : number of presentations before this epoch, so that no random number is used twice.
        """
        check_samples(images, labels[order[first:last]], prod(self.plan.image_shape), self.network.layers[-1].size)
        answers = np.full(last - first, -1, np.int64)
        if self.dynamics.persistent == "sample" and not self.kept:
            shapes = self.plan.model.shapes
            self.kept = tuple(np.zeros((len(images), *shape), self.plan.dtype) for shape in shapes)
        capacity = self._capacity(images.shape[1])
        with self.exact():
            for start in range(first, max(last, first + 1), capacity):  # no samples at all compile the loop
                chosen = order[start : min(start + capacity, last)]
                answers[start - first : start - first + len(chosen)] = self._train_chunk(
                    images[chosen], labels[chosen], chosen, capacity, scale, offset + start
                )
        return answers

    def _capacity(self, pixels: int) -> int:
        """Return how many samples one compiled call takes: whole mini-batches, the same number every time."""
        return self.batch * max(1, min(64, _CHUNK_BYTES // (4 * pixels * self.batch)))

    def _train_chunk(
        self, images: np.ndarray, labels: np.ndarray, chosen: np.ndarray, capacity: int, scale: float, number: int
    ) -> np.ndarray:
        n, sizes = len(images), capacity // self.batch
        chunk = batches.Chunk(
            jnp.asarray(_padded(images.astype(self.dtype, copy=False), capacity)),
            jnp.asarray(_padded(labels.astype(np.int32), capacity)),
            jnp.asarray((number + np.arange(capacity)).astype(np.uint32)),
            jnp.asarray(np.arange(capacity) < n),
            jnp.asarray(self._signs(number, sizes)),
            jnp.asarray(self.counter.input_uses),
        )
        starts = tuple(jnp.asarray(_padded(kept[chosen], capacity)) for kept in self.kept)
        count = -(-n // self.batch)
        self.learner, tally, ended = batches.train_batches(
            self.plan, self.learner, chunk, jnp.int32(count), starts, jnp.asarray(scale, self.dtype)
        )
        for kept, new in zip(self.kept, ended, strict=True):
            kept[chosen] = np.asarray(new)[:n]
        self.counter.training(tally, n)
        return np.asarray(tally.answers)[:n]

    def _signs(self, number: int, sizes: int) -> np.ndarray:
        if not self.plan.contrast.random_sign:
            return np.ones(sizes, np.float32)
        draws = [stream(self.seed, Purpose.NUDGE_SIGN, number + k * self.batch).random() for k in range(sizes)]
        return np.where(np.array(draws) < 0.5, 1, -1).astype(np.float32)

    def infer(self, images: np.ndarray, *, threads: int | None = None, counted: bool = True) -> np.ndarray:
        """Return the answers (n,) to ``images``, each settled freely from rest.

        ``counted``: whether the events enter the counts. ``threads`` is ignored: the compiled loops use one.
        """
        check_samples(images, np.zeros(0, np.int64), prod(self.plan.image_shape), self.network.layers[-1].size)
        answers = np.zeros(len(images), np.int64)
        together = min(_ANSWERED, 1 << max(0, len(images) - 1).bit_length())  # few sizes, as each is compiled
        for start in range(0, len(images), together):
            part = images[start : start + together].astype(self.dtype, copy=False)
            with self.exact():
                found = batches.answer_batch(
                    self.plan, self.theta, jnp.asarray(_padded(part, together)), jnp.asarray(self.counter.input_uses)
                )
            said, used, iterations, outcome = (np.asarray(values)[: len(part)].astype(np.int64) for values in found)
            answers[start : start + len(part)] = said
            if counted:
                failed = int((outcome == Outcome.NOT_CONVERGED).sum())
                self.counter.free("inference", len(part), int(iterations.sum()), int(used.sum()), failed)
        return answers

    def get_weights(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return copies of the weights by projection and of the biases by layer (of a map, by channel)."""
        theta = jax.tree.map(np.array, self.theta)
        weights, biases = dict(theta["weights"]), {}
        for place, layer in enumerate(self.network.layers):
            if str(place) in theta["biases"]:
                biases[layer.name] = theta["biases"][str(place)]
        if "readout" in theta:
            weights[self.network.projections[-1].name] = theta["readout"]["weights"]
            biases[self.network.layers[-1].name] = theta["readout"]["biases"]
        return weights, biases

    def set_weights(self, weights: Mapping[str, np.ndarray], biases: Mapping[str, np.ndarray]) -> None:
        """Replace weights and biases; missing names keep theirs.

        Raises
        ------
        DataError
            if a name is unknown or an array has the wrong shape.
        """
        for given, known in zip((weights, biases), self.get_weights(), strict=True):
            check_arrays(given, known)
        theta = {group: dict(values) for group, values in self.theta.items()}
        layers, read_out = [layer.name for layer in self.network.layers], self.plan.model.softmax
        with self.exact():
            for name, values in weights.items():
                last = read_out and name == self.network.projections[-1].name
                theta["readout" if last else "weights"]["weights" if last else name] = jnp.array(values, self.dtype)
            for name, values in biases.items():
                last = read_out and name == layers[-1]
                place = "biases" if last else str(layers.index(name))
                theta["readout" if last else "biases"][place] = jnp.array(values, self.dtype)
        self.learner = self.learner._replace(theta=theta)

    def training_state(self) -> dict[str, np.ndarray]:
        """Return what training goes on with beside weights and counts: flat arrays by name."""
        backward = self.theta.get("backward", {})
        groups = {
            "backward": list(backward.values()),
            "optimiser": jax.tree.leaves(self.learner.memory),
            "last": list(self.learner.last),
            "kept": list(self.kept),
            "unsettled": [np.array(list(self.counter.unsettled.values()), np.int64)],
        }
        return {
            f"{group}.{k}": _stored(np.asarray(values))
            for group, found in groups.items()
            for k, values in enumerate(found)
        }

    def set_training_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what :meth:`training_state` gave.

        Raises
        ------
        ValueError
            if an array is missing or has another size.
        """
        with self.exact():
            learner, theta = self.learner, dict(self.learner.theta)
            if "backward" in theta:
                restored = _restored(state, "backward", list(theta["backward"].values()))
                theta["backward"] = dict(zip(theta["backward"], restored, strict=True))
            leaves, shape = jax.tree.flatten(learner.memory)
            memory = jax.tree.unflatten(shape, _restored(state, "optimiser", leaves))
            last = tuple(_restored(state, "last", learner.last))
        self.learner = batches.Learner(theta, memory, last)
        if self.dynamics.persistent == "sample" and "kept.0" in state:
            n = state["kept.0"].size // prod(self.plan.model.shapes[0])
            shapes = self.plan.model.shapes
            self.kept = tuple(
                state[f"kept.{k}"].reshape(n, *shape).astype(self.plan.dtype) for k, shape in enumerate(shapes)
            )
        self.counter.unsettled = dict(zip(PHASES, state["unsettled.0"].tolist(), strict=True))

    def ledger(self) -> Ledger:
        """Return the counted events; biases are projections ``bias->layer``."""
        return Ledger.from_dict(self.counter.ledger.to_dict())

    def set_counts(self, ledger: Ledger, spikes: Mapping[str, np.ndarray]) -> None:
        """Continue counting from a stored ledger; there are no ``spikes`` here."""
        self.counter.ledger = Ledger.from_dict(ledger.to_dict())

    def diagnostics(self) -> dict[str, float]:
        """Return the share of presentations that had not settled when their free phase ended."""
        if self.dynamics.tolerance == 0:
            return {}
        names = {"free": "unsettled_per_training_sample", "inference": "unsettled_per_inference"}
        seen = {phase: max(1, self.counter.ledger.phases[phase].presentations) for phase in names}
        return {name: self.unsettled[phase] / seen[phase] for phase, name in names.items()}

    def clear_counts(self, *phases: str) -> None:
        """Forget what was counted in ``phases``."""
        for phase in phases:
            self.counter.clear(phase)

    def spikes_per_neuron(self) -> dict[str, np.ndarray]:
        """Return nothing: states are real numbers."""
        return {}


def _padded(values: np.ndarray, rows: int) -> np.ndarray:
    if len(values) == rows:
        return values
    return np.concatenate([values, np.zeros((rows - len(values), *values.shape[1:]), values.dtype)])


def _stored(values: np.ndarray) -> np.ndarray:
    """Return ``values`` flattened, 16-bit floats as 32-bit ones, which hold them exactly."""
    return values.reshape(-1).astype(np.float32 if values.dtype.itemsize == 2 else values.dtype)


def _restored(state: Mapping[str, np.ndarray], group: str, like: Sequence[jax.Array] | States) -> list[jax.Array]:
    found = []
    for k, values in enumerate(like):
        stored = state.get(f"{group}.{k}")
        if stored is None or stored.size != values.size:
            raise ValueError(f"the training state lacks {group}.{k}, or it has another size")
        found.append(jnp.asarray(stored.reshape(values.shape), values.dtype))
    return found
