"""Plasticity rules driven by given spike trains, without a network: the rule's own functions in the engine's order."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from eqspike.core.errors import ConfigError
from eqspike.kernels.rules import plain_functions
from eqspike.learning.eqspike import EqSpike
from eqspike.learning.plasticity import Plasticity
from eqspike.learning.stdp import PairSTDP, TripletSTDP
from eqspike.learning.trace_rule import TraceRule

Rule = EqSpike | PairSTDP | TripletSTDP | TraceRule | Plasticity


class Updates(NamedTuple):
    """Single weight updates: ``place`` (k, 4): tick, whether a pre spike asked for it, pre, post; ``value`` (k,)."""

    place: np.ndarray
    value: np.ndarray


class TickedTraces:
    """A rule on exponential traces as a clock of ``tick_s`` runs it, whole layers at once, for :func:`replay`."""

    contrastive = False

    def __init__(self, rule: TraceRule, tick_s: float) -> None:
        self.parameters = rule.parameters
        _, self.on_pre, self.on_post = plain_functions(type(rule.parameters))
        self.rows = len(rule.traces)
        self._keep = np.exp(-tick_s / np.array(rule.taus_s))[:, None]
        self._nearest = np.array(rule.nearest, np.float64)[:, None]

    def advance(self, parameters: tuple, traces: np.ndarray, spikes: np.ndarray, tick: int) -> None:
        """Let a spike add one to a trace, or set it to one, and let all of them decay by a tick."""
        traces *= 1 - self._nearest * spikes
        traces += spikes
        traces *= self._keep


def replay(
    rule: Plasticity | TickedTraces,
    pre: np.ndarray,
    post: np.ndarray,
    *,
    weight: float = 0.0,
    triggers: tuple[str, ...] = ("pre", "post"),
) -> Updates:
    """Return every update that spikes ask for at all-to-all synapses of a constant weight.

    In each tick all pre spikes trigger ``on_pre`` and all post spikes ``on_post``, with the traces as they stood before
    the tick's spikes; then ``advance`` runs. Updates come in the order in which the engine makes them, in 64 bits.

    Parameters
    ----------
    pre, post : (n_ticks, n_pre) and (n_ticks, n_post), 1 where a neuron spikes, else 0.
    weight : what the rule is told of the synapse.
    triggers : whose spikes are asked, ``pre``, ``post`` or both.
    """
    parameters, traces = rule.parameters, []
    trains = [np.asarray(train, np.float64) for train in (pre, post)]
    for train in trains:
        traces.append(np.zeros((rule.rows, train.shape[1])))
    places, values = [], []
    for tick in range(len(trains[0])):
        if "pre" in triggers:
            for i in np.flatnonzero(trains[0][tick]):
                for j in range(trains[1].shape[1]):
                    places.append((tick, 1, i, j))
                    values.append(rule.on_pre(parameters, weight, traces[0], i, traces[1], j))
        if "post" in triggers:
            for j in np.flatnonzero(trains[1][tick]):
                for i in range(trains[0].shape[1]):
                    places.append((tick, 0, i, j))
                    values.append(rule.on_post(parameters, weight, traces[0], i, traces[1], j))
        for train, state in zip(trains, traces, strict=True):
            rule.advance(parameters, state, train[tick], tick)
    return Updates(np.array(places, np.int64).reshape(-1, 4), np.array(values, np.float64))


def as_plasticity(rule: Rule, tick_s: float) -> Plasticity | TickedTraces:
    """Return the rule as :func:`replay` takes it, on a clock of ``tick_s``; constants in ticks stay as they are."""
    if isinstance(rule, Plasticity):
        return rule
    if isinstance(rule, EqSpike):
        return rule.plasticity()
    return TickedTraces(as_trace_rule(rule), tick_s)


def as_trace_rule(rule: PairSTDP | TripletSTDP | TraceRule) -> TraceRule:
    """Return a rule on exponential traces as the simulator takes it."""
    return rule if isinstance(rule, TraceRule) else rule.trace_rule()


def default_rule() -> EqSpike:
    """Return the rule that protocols are run with where none is given."""
    return EqSpike(tau_ticks=20, delay_ticks=20)


def name_of(rule: Rule) -> str:
    """Return the name of a rule; one of a user's own goes by the class of its parameters."""
    return type(rule.parameters).__name__ if isinstance(rule, Plasticity | TraceRule) else type(rule).__name__


def describe_rule(rule: Rule) -> dict[str, Any]:
    """Return the settings of a rule as JSON types."""
    own = isinstance(rule, Plasticity | TraceRule)
    return dict(rule.parameters._asdict()) if own else rule.model_dump(mode="json")


def is_contrastive(rule: Rule) -> bool:
    """Return whether updates scale with eta / beta, so that their size is free."""
    return isinstance(rule, EqSpike) or (isinstance(rule, Plasticity) and rule.contrastive)


def unit_of(rule: Rule) -> str:
    """Return what weight changes of ``rule`` are measured in."""
    if is_contrastive(rule):
        return "η/β"
    return "η" if isinstance(rule, Plasticity) else "weight"


def triggers_of(rule: Rule, weights: str) -> tuple[str, ...]:
    """Return whose spikes change a synapse: with asymmetric weights EqSpike's pre spikes alone.

    Raises
    ------
    ConfigError : asymmetric weights are asked of a rule that is not EqSpike's.
    """
    if weights == "symmetric":
        return ("pre", "post")
    if weights != "asymmetric" or not is_contrastive(rule):
        raise ConfigError(
            f"{name_of(rule)} has no form for weights '{weights}'.",
            field="weights",
            remedy="Only contrastive rules such as EqSpike know symmetric and asymmetric weights.",
        )
    return ("pre",)
