"""The spiking substrate: presents samples to a network, counts every event, learns in the loop."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from eqspike.core.errors import ConfigError, DataError
from eqspike.core.ledger import PHASES, Ledger, PhaseCounts
from eqspike.core.protocols import InLoopRule
from eqspike.core.rng import Purpose
from eqspike.kernels import encoders
from eqspike.kernels.inference_lanes import infer_together
from eqspike.kernels.layout import Counts, Record, State
from eqspike.kernels.presentations import present_cached, present_uncached
from eqspike.network.checks import check_arrays, check_samples
from eqspike.network.description import Network, Neuron
from eqspike.substrates.spiking import program
from eqspike.substrates.spiking.settings import Encoding, Phases

_ENCODINGS = {"static": encoders.STATIC, "regular": encoders.REGULAR, "poisson": encoders.POISSON}


class SpikingSubstrate:
    """A network compiled for the clocked engine, with its weights, its rule and its counts.

    Parameters
    ----------
    network : layers and projections, the input first and the output last.
    rule : the plasticity rule of the loop.
    phases, encoding : ticks of the phases and how images become input.
    seed : key of every random number.
    beta, random_sign, target_rate : the nudge of a contrastive rule.
    precision : bits of weights and states, 32 or 64.

    Raises
    ------
    ConfigError
        if the rule cannot run on the network (a contrastive rule without a nudged phase, say).
    """

    def __init__(
        self,
        network: Network,
        rule: InLoopRule,
        phases: Phases,
        encoding: Encoding,
        *,
        seed: int = 1,
        beta: float = 1.0,
        random_sign: bool = False,
        target_rate: float = 1.0,
        precision: int = 32,
    ) -> None:
        _check_fit(network, rule, phases, encoding, beta, precision)
        self.network, self.rule, self.phases, self.encoding, self.seed = network, rule, phases, encoding, seed
        self.dtype = np.dtype(np.float32 if precision == 32 else np.float64)
        self.compiled = program.compile_network(network, traces_sources=rule.traces_sources, dtype=self.dtype)
        self.weights = program.initial_weights(self.compiled, seed)
        self.counts = program.new_counts(self.compiled)
        self._nudge = (self.dtype.type(beta), random_sign, self.dtype.type(target_rate))
        self._present = present_cached if type(rule.parameters).__module__.startswith("eqspike.") else present_uncached
        self._side_by_side = program.runs_together(self.compiled)
        self._state: State | None = None
        self._off = program.new_record(self.compiled)

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
        """Learn from the samples ``order[first:last]``, one at a time; return what their free phases answered.

        Parameters
        ----------
        images : (n, n_pixels) in [0, 1].
        labels : (n,) classes.
        order : (n,) the order of presentation in this epoch.
        scale : factor on every learning rate.
        offset : number of presentations before this epoch, so that no random number is used twice.
        """
        if self._state is None:
            self._state = self._new_state(learns=True)
        answers = np.full(len(order), -1, np.int64)
        self._run(self._state, self.counts, images, labels, order, (first, last), answers, True, scale, offset)
        return answers[first:last]

    def infer(self, images: np.ndarray, *, threads: int | None = None, counted: bool = True) -> np.ndarray:
        """Return the answers (n,) to ``images``; the same for any number of threads.

        ``counted``: whether the events enter the substrate's counts.
        """
        counts = self.counts if counted else program.new_counts(self.compiled)
        answers = np.zeros(len(images), np.int64)
        order = np.arange(len(images))
        threads = min(threads or os.cpu_count() or 1, max(1, len(images) // 8))
        borders = np.linspace(0, len(images), 8 * threads + 1).astype(np.int64) if threads > 1 else [0, len(images)]
        spans = list(pairwise(borders))

        def work(span: tuple[int, int]) -> Counts:
            own = program.new_counts(self.compiled)
            state = self._new_state(learns=False)
            if self._side_by_side:
                self._infer_together(state, own, images, (int(span[0]), int(span[1])), answers)
            else:
                self._run(state, own, images, order, order, (int(span[0]), int(span[1])), answers, False, 0.0, 0)
            return own

        with ThreadPoolExecutor(threads) as pool:
            for own in map(work, spans) if threads == 1 else pool.map(work, spans):  # a thread takes 0.2 ms to start
                for total, part in zip(counts, own, strict=True):
                    total += part
        return answers

    def observe(
        self,
        images: np.ndarray,
        labels: np.ndarray | None,
        index: int,
        *,
        updates: int = 0,
        states: bool = True,
        injected: np.ndarray | None = None,
        scale: float = 1.0,
    ) -> Record:
        """Present sample ``index`` once more with probes on, leaving weights and counts as they were.

        Parameters
        ----------
        labels : (n,) classes for a learning presentation, None for inference.
        updates : room for individual weight updates, 0 for none.
        states : whether potentials and rates are recorded beside spikes.
        injected : (ticks, n_neurons) current added at each tick.

        Returns
        -------
        Record
            raster, potential and rate (ticks, n_neurons); update_place (k, 5): tick, projection, from_pre, pre, post;
            update_value (k,); n_updates (1,) how many there were, also where there was no room.
        """
        learns = labels is not None
        record = program.new_record(self.compiled, ticks=self._ticks(learns), states=states, updates=updates)
        kept = [array.copy() for array in self.weights]
        answers = np.zeros(len(images), np.int64)
        given = labels if learns else np.zeros(len(images), np.int64)
        self._run(
            self._new_state(learns=learns), program.new_counts(self.compiled), images, given, np.arange(len(images)),
            (index, index + 1), answers, learns, scale, 0, record, injected,
        )  # fmt: skip
        for array, before in zip(self.weights, kept, strict=True):
            array[:] = before
        return record

    def replace_loop(self, present: Callable) -> None:
        """Run another loop over samples in place of the engine's, with the same arguments (for benchmarks)."""
        self._present, self._side_by_side = present, False

    def _infer_together(
        self, state: State, counts: Counts, images: np.ndarray, span: tuple[int, int], answers: np.ndarray
    ) -> None:
        check_samples(images, np.zeros(0, np.int64), self.network.layers[0].size, self.network.layers[-1].size)
        infer_together(
            self.compiled.program, self.weights, state, program.new_block(self.compiled), counts,
            images.astype(self.dtype, copy=False), *span, self.phases.free_ticks,
            self.phases.free_ticks - self.phases.readout_ticks, answers,
        )  # fmt: skip

    def _ticks(self, learns: bool) -> int:
        return self.phases.free_ticks + (self.phases.nudged_ticks if learns else 0)

    def _new_state(self, *, learns: bool) -> State:
        return program.new_state(self.compiled, self.rule.rows, self._ticks(learns), learns=learns)

    def _run(
        self, state: State, counts: Counts, images: np.ndarray, labels: np.ndarray, order: np.ndarray,
        span: tuple[int, int], answers: np.ndarray, learns: bool, scale: float, offset: int,
        record: Record | None = None, injected: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        projections, layers = self.network.projections, self.network.layers
        self._check_samples(images, labels[order[span[0] : span[1]]], learns, injected)
        rates = np.array([scale * p.synapse.learning_rate for p in projections], self.dtype)
        bias_rates = np.zeros(len(layers), self.dtype)
        if self.rule.contrastive:  # a bias is the weight from an always active unit
            names = [layer.name for layer in layers]
            for rate, projection in zip(rates, projections, strict=True):
                place = names.index(projection.post)
                bias_rates[place] = max(bias_rates[place], rate if projection.synapse.plastic else 0)
        beta, random_sign, target_rate = self._nudge
        phases = self.phases
        setting = (
            phases.free_ticks, phases.nudged_ticks, phases.free_ticks - phases.readout_ticks,
            _ENCODINGS[self.encoding.kind], float(self.encoding.max_rate), int(self.seed),
            int(Purpose.INPUT_SPIKES), int(Purpose.NUDGE_SIGN),
        )  # fmt: skip
        always = learns and not self.rule.contrastive
        teaching = (learns, always, beta, random_sign, target_rate, int(offset))
        self._present(
            self.compiled.program, self.weights, state, counts, images.astype(self.dtype, copy=False), labels, order,
            span[0], span[1], setting, teaching, self.rule.typed(self.dtype), self.rule.traits,
            rates, bias_rates, np.zeros_like(rates), np.zeros_like(bias_rates), answers,
            np.zeros((0, 0), self.dtype) if injected is None else injected.astype(self.dtype),
            self._off if record is None else record,
        )  # fmt: skip

    def _check_samples(self, images: np.ndarray, labels: np.ndarray, learns: bool, injected: np.ndarray | None) -> None:
        layers = self.network.layers
        check_samples(images, labels if learns else labels[:0], layers[0].size, layers[-1].size)
        if injected is not None and injected.shape[1:] != (self.compiled.n_neurons,):
            raise DataError(
                f"the array has shape {injected.shape}.",
                field="injected",
                remedy=f"Give (ticks, {self.compiled.n_neurons}), a column for every neuron with padding.",
            )

    def get_weights(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return copies of the weights by projection, (n_pre, n_post), and of the biases by layer, (n,)."""
        weights = {
            projection.name: program.get_projection(self.compiled, self.weights, index)
            for index, projection in enumerate(self.network.projections)
        }
        lif = [layer.name for layer in self.network.layers if layer.kind == "lif"]
        return weights, {name: self.weights.bias[self.compiled.block(name)].copy() for name in lif}

    def set_weights(self, weights: Mapping[str, np.ndarray], biases: Mapping[str, np.ndarray]) -> None:
        """Replace weights (n_pre, n_post) and biases (n,); missing names keep theirs.

        Raises
        ------
        DataError
            if a name is unknown or an array has the wrong shape.
        """
        ours = self.get_weights()
        for given, known in zip((weights, biases), ours, strict=True):
            check_arrays(given, known)
        names = [projection.name for projection in self.network.projections]
        for name, values in weights.items():
            program.set_projection(self.compiled, self.weights, names.index(name), values)
        for name, values in biases.items():
            self.weights.bias[self.compiled.block(name)] = values

    def training_state(self) -> dict[str, np.ndarray]:
        """Return what training goes on with beside weights and counts: nothing."""
        return {}

    def set_training_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what :meth:`training_state` gave."""

    def diagnostics(self) -> dict[str, float]:
        """Return nothing: a clocked phase always ends."""
        return {}

    def clear_counts(self, *phases: str) -> None:
        """Forget what was counted in ``phases``."""
        for table in self.counts:
            for phase in phases:
                table[PHASES.index(phase)] = 0

    def ledger(self) -> Ledger:
        """Return the counted events; biases are projections ``bias->layer``."""
        counts = self.counts
        layers = tuple(layer.name for layer in self.network.layers)
        biased = [k for k, layer in enumerate(self.network.layers) if layer.kind == "lif"]
        projections = tuple(p.name for p in self.network.projections)
        rows = [*range(len(projections)), *(len(projections) + k for k in biased)]
        ledger = Ledger(layers, projections + tuple(f"bias->{layers[k]}" for k in biased))
        for index, phase in enumerate(PHASES):
            ticks, presentations = (int(x) for x in counts.run[index])
            ledger.phases[phase] += PhaseCounts(
                counts.layers[index].copy(), counts.projections[index][rows], ticks, presentations
            )
        return ledger

    def set_counts(self, ledger: Ledger, spikes: Mapping[str, np.ndarray]) -> None:
        """Continue counting from a stored ledger and the spikes (n_phases, n) of each layer."""
        self.counts = program.new_counts(self.compiled)
        biased = [k for k, layer in enumerate(self.network.layers) if layer.kind == "lif"]
        rows = [*range(len(self.network.projections)), *(len(self.network.projections) + k for k in biased)]
        for index, phase in enumerate(PHASES):
            stored = ledger.phases[phase]
            self.counts.layers[index] = stored.layers
            self.counts.projections[index][rows] = stored.projections
            self.counts.run[index] = stored.ticks, stored.presentations
        for name, values in spikes.items():
            self.counts.spikes[:, self.compiled.block(name)] = values

    def spikes_per_neuron(self) -> dict[str, np.ndarray]:
        """Return the spikes counted so far per layer, (n_phases, n), in the order of the ledger's phases."""
        return {
            layer.name: self.counts.spikes[:, self.compiled.block(layer.name)].copy() for layer in self.network.layers
        }


def _check_fit(
    network: Network, rule: InLoopRule, phases: Phases, encoding: Encoding, beta: float, precision: int
) -> None:
    for wrong, field, problem, remedy in (
        (len(network.layers) < 2, "network", "a network has an input and at least one further layer.", "Add a layer."),
        (
            any(layer.kind == "source" for layer in network.layers[1:]),
            "network",
            "only the first layer can be the input of presentations.",
            "Use eqspike.simulate for several.",
        ),
        *(
            (
                layer.kind == "lif" and not isinstance(layer.neuron, Neuron),
                layer.name,
                "it counts seconds.",
                "Neuron().",
            )
            for layer in network.layers
        ),
        *(
            (p.synapse is None, p.name, "it has no synapse settings.", "Pass Synapse(...), or use eqspike.simulate.")
            for p in network.projections
        ),
    ):
        if wrong:
            raise ConfigError(problem, field=field, remedy=remedy)
    static = network.layers[0].kind == "static"
    unlike = static != (encoding.kind == "static")
    no_nudge = rule.contrastive and phases.nudged_ticks == 0
    for wrong, field, problem, remedy in (
        (no_nudge, "phases.nudged_ticks", "a contrastive rule needs a nudged phase.", "Raise it."),
        (rule.contrastive and beta == 0, "beta", "a contrastive rule divides by beta.", "Use a value other than 0."),
        (precision not in (32, 64), "precision", f"{precision} bits are not offered.", "Use 32 or 64."),
        (unlike, "encoding.kind", f"'{encoding.kind}' does not fit the input layer.", "static for a static one only."),
    ):
        if wrong:
            raise ConfigError(problem, field=field, remedy=remedy)
