"""One synapse and two given spike trains: the change of its weight under any rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from eqspike.analysis.replay import Rule, as_plasticity, as_trace_rule, is_contrastive, triggers_of
from eqspike.core.errors import ConfigError
from eqspike.kernels.rules import plain_functions
from eqspike.learning.eqspike import EqSpike
from eqspike.learning.plasticity import Plasticity
from eqspike.learning.trace_rule import TraceRule

PRE, POST = 0, 1
_DIGITS = 12  # spikes closer than a picosecond are of one moment
_LONGEST = 50_000_000  # ticks


def in_ticks(rule: Rule) -> bool:
    """Return whether a rule's constants are ticks, so that it knows whole ticks only."""
    return isinstance(rule, EqSpike | Plasticity)


def weight_change(
    rule: Rule,
    pre_s: Sequence[float],
    post_s: Sequence[float],
    *,
    weight: float = 1.0,
    tick_s: float = 1e-3,
    weights: Literal["symmetric", "asymmetric"] = "symmetric",
) -> float:
    """Return by how much a synapse's weight changes while its neurons spike at given times.

    Rules on exponential traces (pair and triplet STDP, a TraceRule) are followed in continuous time, from spike to
    spike. EqSpike and a Plasticity run on a clock of ``tick_s``, to whose ticks the times are rounded. Spikes of one
    moment do not see each other, and the bounds of the weight hold.

    Parameters
    ----------
    pre_s, post_s : when pre spikes arrive and the post neuron spikes, seconds from 0.
    weight : at the beginning; it matters where the rule depends on the weight or bounds it.
    weights : ``asymmetric`` for EqSpike without its second term, which belongs to the synapse of the other direction.

    Returns
    -------
    float
        In units of weight; of a contrastive rule in eta / beta, of another Plasticity in eta.

    Raises
    ------
    ConfigError : a time is negative or no number, or there are too many ticks.
    """
    triggers = triggers_of(rule, weights)
    trains = [np.sort(np.asarray(train, np.float64)) for train in (pre_s, post_s)]
    for field, train in zip(("pre_s", "post_s"), trains, strict=True):
        if train.ndim != 1 or not np.isfinite(train).all() or (train < 0).any():
            raise ConfigError("these are not times.", field=field, remedy="Give seconds from 0 on.")
    if in_ticks(rule):
        return _in_ticks(rule, *trains, weight=weight, tick_s=tick_s, triggers=triggers)
    return _in_events(as_trace_rule(rule), *trains, weight=weight)


def _in_ticks(
    rule: EqSpike | Plasticity,
    pre_s: np.ndarray,
    post_s: np.ndarray,
    *,
    weight: float,
    tick_s: float,
    triggers: tuple[str, ...],
) -> float:
    from eqspike.kernels.synapse import run_synapse

    ticks = [np.rint(train / tick_s).astype(np.int64) for train in (pre_s, post_s)]
    last = max((int(found[-1]) for found in ticks if len(found)), default=-1)
    if last >= _LONGEST:
        raise ConfigError(
            f"the spikes last {last:,} ticks.",
            field="tick_s",
            remedy="Take a longer tick (--tick-s), fewer pairs or higher rates.",
        )
    trains = np.zeros((2, last + 1))
    for train, found in zip(trains, ticks, strict=True):
        train[found] = 1
    plasticity = as_plasticity(rule, tick_s)
    traces, now = np.zeros((2, plasticity.rows, 1)), np.zeros((2, 1))
    parameters = plasticity.typed(np.dtype(np.float64))
    return float(
        run_synapse(parameters, *trains, "post" in triggers, is_contrastive(rule), float(weight), *traces, *now)
    )


def _in_events(rule: TraceRule, pre_s: np.ndarray, post_s: np.ndarray, *, weight: float) -> float:
    times = np.round(np.concatenate([pre_s, post_s]), _DIGITS)
    kinds = np.repeat([PRE, POST], [len(pre_s), len(post_s)])
    taus, nearest = np.array(rule.taus_s)[:, None], np.array(rule.nearest)[:, None]
    _, on_pre, on_post = plain_functions(type(rule.parameters))
    traces, before, now = np.zeros((2, len(taus), 1)), 0.0, weight
    for time in np.unique(times):
        traces *= np.exp(-(time - before) / taus)
        fired = kinds[times == time]
        for kind in fired:
            ask = on_pre if kind == PRE else on_post
            now += ask(rule.parameters, now, traces[PRE], 0, traces[POST], 0)
            now = min(max(now, rule.w_min), rule.w_max)
        for kind in fired:
            traces[kind] = np.where(nearest, 1.0, traces[kind] + 1.0)
        before = time
    return now - weight
