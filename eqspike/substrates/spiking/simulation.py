"""Run a network in continuous time on any of the three clocks."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Protocol

import numpy as np

from eqspike.core import notebook
from eqspike.core.errors import ConfigError
from eqspike.core.ledger import Ledger
from eqspike.network.description import Network
from eqspike.network.inputs import Input, Poisson, SpikeList
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.clocks import Clock, Clocked, Exact, FixedPoint, Outcome, Spikes
from eqspike.substrates.spiking.memory import check_memory

_SLICES = 50  # of a run that is watched


class Simulation(Protocol):
    """A network while it runs: more time by ``run``, and what came of it so far."""

    network: Network
    clock: Clock
    synapses: Mapping[str, int]
    time_s: float
    outcome: Outcome

    def run(self, duration_s: float) -> Outcome:
        """Go on for ``duration_s``; return how that ended."""

    @property
    def spikes(self) -> dict[str, Spikes]:
        """Spikes by layer: times ``t`` in seconds and neurons ``i``."""

    def potentials(self) -> dict[str, np.ndarray]:
        """Return the potentials now, by layer."""

    def weights(self) -> dict[str, np.ndarray]:
        """Return the weights now, by projection."""

    def ledger(self) -> Ledger:
        """Return the counted events."""


def prepare(
    network: Network,
    *,
    clock: Clock | None = None,
    inputs: Mapping[str, Input] | None = None,
    rule=None,
    seed: int = 1,
    initial: Mapping[str, np.ndarray] | None = None,
    threads: int = 1,
    max_rate_hz: float | None = None,
) -> Simulation:
    """Return ``network`` ready to run; the arguments are those of :func:`simulate`.

    Raises
    ------
    ConfigError
        if something does not fit, or the memory would not suffice: nothing is allocated before.
    """
    clock, inputs, initial = clock or Clocked(), inputs or {}, initial or {}
    rule = rule.trace_rule() if hasattr(rule, "trace_rule") else rule
    _check_kinds(clock, rule)
    _check_settings(seed, threads, max_rate_hz)
    _check(network, clock, inputs, rule, initial)
    check_memory(network, clock, rule)
    if isinstance(clock, Exact):
        from eqspike.substrates.spiking.exact import ExactSimulation

        return ExactSimulation(network, clock, inputs, seed=seed, rule=rule, initial=initial, max_rate_hz=max_rate_hz)
    from eqspike.substrates.spiking.clocked_simulation import ClockedSimulation

    return ClockedSimulation(
        network, clock, inputs, seed=seed, rule=rule, initial=initial, threads=threads, max_rate_hz=max_rate_hz
    )


def simulate(
    network: Network,
    duration_s: float,
    *,
    clock: Clock | None = None,
    inputs: Mapping[str, Input] | None = None,
    rule=None,
    seed: int = 1,
    initial: Mapping[str, np.ndarray] | None = None,
    threads: int = 1,
    max_rate_hz: float | None = None,
) -> Simulation:
    """Run ``network`` for ``duration_s`` and return the simulation, which can go on.

    Parameters
    ----------
    clock : ``Clocked`` (default: 0.1 ms, 32 bits), ``FixedPoint`` or ``Exact``.
    inputs : by layer: ``Poisson`` or ``SpikeList`` of source layers, ``Poisson`` background of layers of neurons.
    rule : ``PairSTDP``, ``TripletSTDP`` or a ``TraceRule`` for the plastic projections.
    seed : key of every random number.
    initial : potentials (n,) by layer; by default v_rest.
    threads : of the clocks in ticks; results do not depend on it. Networks whose shortest delay is under 5 ticks, and
        those with convolutions, use one.
    max_rate_hz : mean rate of a layer over 200 ticks at which the run stops as a runaway; by default 0.8 of what the
        refractory time allows, without one 0.4 spikes a tick.

    Returns
    -------
    Simulation
        with ``outcome`` (how it ended), ``spikes``, ``potentials()``, ``weights()`` and ``ledger()``.

    Raises
    ------
    ConfigError
        if something does not fit, or the memory would not suffice.
    """
    if not 0 < duration_s < np.inf:
        raise ConfigError(f"{duration_s} s is no duration.", field="duration_s", remedy="Give seconds above 0.")
    simulation = prepare(
        network, clock=clock, inputs=inputs, rule=rule, seed=seed, initial=initial, threads=threads,
        max_rate_hz=max_rate_hz,
    )  # fmt: skip
    _run(simulation, duration_s)
    return simulation


def _run(simulation: Simulation, duration_s: float) -> None:
    """Run at once; in a notebook in slices of ticks, so that a bar moves: a run in slices is the run in one."""
    tick_s = getattr(simulation.clock, "tick_s", None)
    if tick_s is None or not notebook.running():
        simulation.run(duration_s)
        return
    live, ticks = notebook.Live(), max(1, round(duration_s / tick_s))
    ends = np.unique(np.linspace(0, ticks, min(ticks, _SLICES) + 1).astype(np.int64))
    for begin, end in pairwise(ends.tolist()):
        simulation.run((end - begin) * tick_s)
        live.show(f"{simulation.time_s:.4g} of {ticks * tick_s:.4g} s", end / ticks, last=end == ticks)
        if simulation.outcome.kind != "completed":
            break


def _check_kinds(clock: Clock, rule) -> None:
    for wrong, field, given, remedy in (
        (not isinstance(clock, Clock), "clock", clock, "Give Clocked(...), FixedPoint(...) or Exact()."),
        (
            rule is not None and not hasattr(rule, "taus_s"),
            "rule",
            rule,
            "Give PairSTDP(...), TripletSTDP(...) or a TraceRule; EqSpike runs in a SpikingSubstrate.",
        ),
    ):
        if wrong:
            raise ConfigError(f"this is a {type(given).__name__}.", field=field, remedy=remedy)


def _check_settings(seed: int, threads: int, max_rate_hz: float | None) -> None:
    for wrong, field, given, remedy in (
        (not 0 <= seed < 2**63, "seed", seed, "Give a whole number from 0 to 2^63 - 1."),
        (threads < 1, "threads", threads, "Give at least 1."),
        (max_rate_hz is not None and not max_rate_hz > 0, "max_rate_hz", max_rate_hz, "Give a rate above 0."),
    ):
        if wrong:
            raise ConfigError(f"{given} is out of range.", field=field, remedy=remedy)


def _check(
    network: Network, clock: Clock, inputs: Mapping[str, Input], rule, initial: Mapping[str, np.ndarray]
) -> None:
    """Refuse what no clock could run."""
    names = [layer.name for layer in network.layers]
    if not network.projections:
        raise ConfigError("the network has no synapses.", field="projections", remedy="Join layers by a Projection.")
    for field, given in (("inputs", inputs), ("initial", initial)):
        for name in given:
            if name not in names:
                raise ConfigError(f"there is no layer '{name}'.", field=field, remedy=f"Layers: {', '.join(names)}.")
    for layer in network.layers:
        _check_layer(layer, inputs.get(layer.name), initial.get(layer.name))
    currents = [name for name, given in inputs.items() if isinstance(given, Poisson) and given.tau_synapse_s > 0]
    if currents and isinstance(clock, Exact):
        raise ConfigError(
            "with an exponential current the next threshold crossing has no closed form.",
            field=f"inputs.{currents[0]}.tau_synapse_s",
            remedy="Set it to 0, or use the clock Clocked.",
        )
    for projection in network.projections:
        joined = (projection.kernel is not None) + (projection.connectivity is not None)
        for wrong, field, problem, remedy in (
            (joined != 1, "connectivity", "the projection does not say whom it joins.", "Give one, or a kernel."),
            (projection.tau_synapse_s < 0, "tau_synapse_s", "a time constant is negative.", "0 is a delta synapse."),
            (
                projection.symmetric,
                "symmetric",
                "symmetric synapses belong to networks of phases.",
                "Project both ways.",
            ),
            (
                projection.plastic and rule is None,
                "plastic",
                "the synapses have no rule.",
                "Pass rule=PairSTDP(...), or plastic=False.",
            ),
            (
                projection.plastic and projection.kernel is not None,
                "plastic",
                "shared weights of a convolution do not learn.",
                "Use Pairs with weights of their own.",
            ),
            (
                projection.kernel is not None and len(network.layer(projection.pre).shape) != 3,
                "kernel",
                "a convolution reads maps.",
                "Give the pre layer shape=(height, width, channels).",
            ),
            (
                projection.plastic and isinstance(clock, FixedPoint) and rule is not None and not rule.amplitudes,
                "plastic",
                "in fixed point a rule must be linear in its amplitudes and in one trace, and name those.",
                "Use PairSTDP, or the clock Clocked or Exact.",
            ),
        ):
            if wrong:
                raise ConfigError(problem, field=f"{projection.name}.{field}", remedy=remedy)


def _check_layer(layer, given: Input | None, potentials: np.ndarray | None) -> None:
    source = layer.kind == "source"
    poisson = isinstance(given, Poisson)
    for wrong, field, problem, remedy in (
        (
            layer.kind not in ("source", "lif"),
            layer.name,
            f"a layer of kind '{layer.kind}' has no time.",
            "source, lif.",
        ),
        (layer.kind == "lif" and not isinstance(layer.neuron, LIF), layer.name, "its neuron counts ticks.", "Use LIF."),
        (source and given is None, f"inputs.{layer.name}", "a source needs input.", "Give Poisson or SpikeList."),
        (not source and isinstance(given, SpikeList), f"inputs.{layer.name}", "only sources fire by list.", "Add one."),
        (
            not source and poisson and given.weight is None,
            f"inputs.{layer.name}.weight",
            "background events need a weight.",
            "Give one.",
        ),
        (
            potentials is not None and (source or np.shape(potentials) != (layer.size,)),
            f"initial.{layer.name}",
            f"potentials of shape {np.shape(potentials)}.",
            f"Give ({layer.size},) for a layer of neurons.",
        ),
        (
            potentials is not None and not np.isfinite(potentials).all(),
            f"initial.{layer.name}",
            "a potential is not a finite number.",
            "Check the array.",
        ),
    ):
        if wrong:
            raise ConfigError(problem, field=field, remedy=remedy)
    if isinstance(given, SpikeList):
        given.sorted(layer.size, f"inputs.{layer.name}")
