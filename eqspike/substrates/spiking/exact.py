"""Simulations in continuous time: work is done where an event happens, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Protocol

import numpy as np

from eqspike.core.errors import ConfigError
from eqspike.core.ledger import LAYER_COUNTERS, PROJECTION_COUNTERS, Ledger, PhaseCounts
from eqspike.kernels import exact_layout as at
from eqspike.kernels.exact import WINDOW, begin, proceed, proceed_uncached
from eqspike.kernels.exact_layout import Counts, Log
from eqspike.network.description import Network
from eqspike.network.inputs import Input, Poisson
from eqspike.substrates.spiking import exact_program as build
from eqspike.substrates.spiking import exact_state as start
from eqspike.substrates.spiking.clocks import Exact, Outcome, Spikes
from eqspike.substrates.spiking.display import simulation_html
from eqspike.substrates.spiking.wiring import check_bounds, stored_synapses

_LOGGED = 1 << 16  # spikes that the loop may log before it hands them over
_EVENTS = 1 << 20  # events between two looks at whether the user wants to stop


class TraceRule(Protocol):
    """What is asked of a rule on exponential traces; its functions are found by the class of ``parameters``."""

    parameters: tuple
    taus_s: tuple[float, ...]
    nearest: tuple[bool, ...]
    w_min: float
    w_max: float


class ExactSimulation:
    """A network whose time is continuous: neurons of class LIF with delta synapses and a constant drive.

    Events of one moment come in rounds: spikes due, by layer and neuron, then arrivals due, by projection and order of
    emission, then again spikes of neurons that these lifted to the threshold, until nothing is due. A run takes in its
    end: what happens at exactly ``time_s`` has happened. Potentials and times have 64 bits, and so has the one weight
    of a projection whose synapses share it; weights stored by synapse have ``precision``.

    Parameters
    ----------
    network : layers of kind source and lif, projections with delta synapses.
    clock : the exact clock.
    inputs : by layer.
    seed : key of every random number.
    rule : how plastic projections learn; without one they do not.
    initial : potentials at time 0 by layer, one number or (n,); by default v_rest.
    max_rate_hz : mean rate of a layer over 10 ms above which the run stops as a runaway; by default 10,000 Hz, or 0.8 /
        refractory_s where that is less, and at least 100 spikes.
    precision : bits of a stored weight, 32 or 64.

    Raises
    ------
    ConfigError
        if the network has no exact clock (adaptation, exponential synapses, neurons in ticks, plastic convolutions),
        or potentials do not fit it.
    """

    def __init__(
        self,
        network: Network,
        clock: Exact,
        inputs: Mapping[str, Input],
        *,
        seed: int,
        rule: TraceRule | None = None,
        initial: Mapping[str, np.ndarray] | None = None,
        max_rate_hz: float | None = None,
        precision: int = 32,
    ) -> None:
        build.check(network)
        self.network, self.clock, self.seed, self.rule = network, clock, seed, rule
        self._learns = rule is not None
        wirings = build.wire_all(network, seed, self._learns)
        for projection, wiring in zip(network.projections, wirings, strict=True):
            check_bounds(projection, wiring, rule)
        self.synapses = {
            p.name: stored_synapses(network, p, w) for p, w in zip(network.projections, wirings, strict=True)
        }
        self._shapes = [wiring.weights.shape for wiring in wirings]
        dtype = np.dtype(np.float32 if precision == 32 else np.float64)
        self._program, weights = build.build_program(network, wirings, self._learns, max_rate_hz, dtype)
        self._state = start.build_state(network, self._program, weights, initial or {})
        self._traces, self._parameters = start.build_traces(self._program, rule)
        self._inputs = start.build_inputs(network, inputs)
        self._arrivals = start.build_arrivals(self._program)
        layers, rows = len(network.layers), len(network.projections) + len(network.layers)
        self._counts = Counts(
            np.zeros((layers, len(LAYER_COUNTERS)), np.int64), np.zeros((rows, len(PROJECTION_COUNTERS)), np.int64)
        )
        self._backgrounds = [
            number for number, layer in enumerate(network.layers)
            if layer.kind == "lif" and isinstance(inputs.get(layer.name), Poisson)
        ]  # fmt: skip
        self._log = Log(np.zeros(_LOGGED), np.zeros(_LOGGED, np.int32))
        self._past: list[tuple[np.ndarray, np.ndarray]] = []
        own = rule is not None and not type(rule.parameters).__module__.startswith("eqspike.")
        self._proceed = proceed_uncached if own else proceed
        self.time_s, self.outcome = 0.0, Outcome("completed", 0.0)
        begin(self._program, self._state, self._inputs, seed)

    def _repr_html_(self) -> str:
        return simulation_html(self)

    def run(self, duration_s: float) -> Outcome:
        """Go on for ``duration_s``, to its end included; a run in pieces is the run in one.

        Raises
        ------
        ConfigError
            if the duration is negative or not finite.
        """
        if not 0 <= duration_s < np.inf:
            raise ConfigError(f"{duration_s} s is no duration.", field="duration_s", remedy="Give 0 s or more.")
        self.outcome = self._run_until(self.time_s + duration_s)
        return self.outcome

    def _run_until(self, end: float) -> Outcome:
        """Process all events up to ``end``, or until something is wrong."""
        code = at.PAUSED
        while code in (at.PAUSED, at.LOG_FULL, at.QUEUE_FULL):
            code = self._proceed(
                self._program, self._state, self._traces, self._arrivals, self._inputs, self._counts, self._log,
                self._parameters, self.seed, end, _EVENTS,
            )  # fmt: skip
            if code == at.QUEUE_FULL:
                self._arrivals = start.with_room(self._arrivals, int(self._state.marks[at.WHERE]))
            elif code != at.PAUSED:
                self._keep_log()
        if code == at.DONE:
            self.time_s = end
            return Outcome("completed", end)
        self.time_s = float(self._state.now[0])
        layer = int(self._state.marks[at.WHERE])
        name = self.network.layers[layer].name
        if code == at.NOT_FINITE:
            message = f"a potential of layer {name} is not finite"
            return Outcome("not-finite", self.time_s, name, message)
        rate = self._program.neurons[layer, at.MOST] / WINDOW / self.network.layers[layer].size
        message = f"layer {name} fires at more than the limit of {rate:.4g} Hz within {1e3 * WINDOW:g} ms"
        return Outcome("runaway", self.time_s, name, message)

    def _keep_log(self) -> None:
        logged = int(self._state.marks[at.LOGGED])
        if logged:
            self._past.append((self._log.times[:logged].copy(), self._log.neurons[:logged].copy()))
            self._state.marks[at.LOGGED] = 0

    @property
    def spikes(self) -> dict[str, Spikes]:
        """Spikes of every layer, inputs included, in the order of events."""
        times = np.concatenate([np.zeros(0), *(times for times, _ in self._past)])
        neurons = np.concatenate([np.zeros(0, np.int32), *(neurons for _, neurons in self._past)])
        found = {}
        for layer, (first, size) in zip(self.network.layers, self._program.layers[:, : at.KIND], strict=True):
            own = (neurons >= first) & (neurons < first + size)
            found[layer.name] = Spikes(times[own], (neurons[own] - first).astype(np.int32))
        return found

    def ledger(self) -> Ledger:
        """Return what was counted; there are no ticks, and backgrounds are rows of their own."""
        layers = tuple(layer.name for layer in self.network.layers)
        kept = [*range(len(self.network.projections)), *(len(self.network.projections) + n for n in self._backgrounds)]
        rows = [projection.name for projection in self.network.projections]
        ledger = Ledger(layers, (*rows, *(f"poisson->{layers[number]}" for number in self._backgrounds)))
        phase = "free" if self._learns else "inference"
        ledger.phases[phase] += PhaseCounts(self._counts.layers, self._counts.projections[kept], 0, 1)
        return ledger

    def potentials(self) -> dict[str, np.ndarray]:
        """Return the potentials of every layer of neurons at ``time_s``."""
        found = {}
        for number, layer in enumerate(self.network.layers):
            if layer.kind == "lif":
                first, constants = self._program.layers[number, at.START], self._program.neurons[number]
                v, since = self._state.potential[first : first + layer.size].T
                gaps = np.maximum(self.time_s - since, 0.0)
                decay, level = constants[at.DECAY], constants[at.LEVEL]
                found[layer.name] = level + (v - level) * np.exp(-decay * gaps) if decay > 0 else v + level * gaps
        return found

    def weights(self) -> dict[str, np.ndarray]:
        """Return the weights of every projection in the order and shape of its wiring, (1,) where all are one."""
        found = {}
        for p, (projection, shape) in enumerate(zip(self.network.projections, self._shapes, strict=True)):
            place = self._program.projections[p, at.WEIGHTS]
            stored = self._program.common[p : p + 1] if place < 0 else self._state.weights[place : place + prod(shape)]
            found[projection.name] = stored.reshape(shape).copy()
        return found
