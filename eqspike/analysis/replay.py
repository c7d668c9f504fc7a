"""Plasticity rules driven by given spike trains, without a network: the rule's own functions in the engine's order."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from eqspike.learning.eqspike import EqSpike
from eqspike.learning.plasticity import Plasticity
from eqspike.learning.stdp import PairSTDP

Rule = EqSpike | PairSTDP | Plasticity


class Updates(NamedTuple):
    """Single weight updates: ``place`` (k, 4): tick, whether a pre spike asked for it, pre, post; ``value`` (k,)."""

    place: np.ndarray
    value: np.ndarray


def replay(
    rule: Plasticity,
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


def as_plasticity(rule: Rule) -> Plasticity:
    """Return the rule as the engine takes it."""
    return rule if isinstance(rule, Plasticity) else rule.plasticity()


def default_rule() -> EqSpike:
    """Return the rule that protocols are run with where none is given."""
    return EqSpike(tau_ticks=20, delay_ticks=20)


def describe_rule(rule: Rule) -> dict[str, Any]:
    """Return the settings of a rule as JSON types."""
    return dict(rule.parameters._asdict()) if isinstance(rule, Plasticity) else rule.model_dump(mode="json")


def unit_of(rule: Rule) -> str:
    """Return what weight changes of ``rule`` are measured in."""
    return "η/β" if as_plasticity(rule).contrastive else "η"
