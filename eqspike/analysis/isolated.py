"""The isolated pair: one pre and one post spike, both neurons otherwise silent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from eqspike.analysis.closed_forms import estimator_lag, isolated_eqspike, isolated_pair_stdp
from eqspike.analysis.replay import (
    Rule,
    as_plasticity,
    default_rule,
    describe_rule,
    name_of,
    replay,
    triggers_of,
    unit_of,
)
from eqspike.analysis.window import Curve, StdpWindow, spoken
from eqspike.core.config import Config
from eqspike.learning.eqspike import EqSpike
from eqspike.learning.stdp import PairSTDP

_PLAIN = r"\Delta W(\Delta t),\quad \Delta t = t_{post} - t_{pre}"
_KERNEL = r"\Delta W = \frac{\eta}{\beta}\,K(|\Delta t|),\quad \Delta t = t_{post} - t_{pre}"
_ONE_SIDED = r"\Delta W = \frac{\eta}{\beta}\,K(-\Delta t)\;(\Delta t < 0),\quad 0\;(\Delta t > 0)"
_PAIR = r"\Delta W = A_+ e^{-\Delta t/\tau_+}\;(\Delta t > 0),\quad -A_- e^{\Delta t/\tau_-}\;(\Delta t < 0)"


class _Asked(Config):
    """What can be asked of the isolated pair."""

    tick_s: float = Field(gt=0)
    difference_ticks: tuple[int, ...] = Field(min_length=1, max_length=2001)

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if max(abs(dt) for dt in self.difference_ticks) > 10_000:
            raise ValueError("difference_ticks must lie within 10000 ticks")
        return self


def isolated_pair(
    rule: Rule | None = None,
    difference_ticks: Sequence[int] | None = None,
    *,
    tick_s: float = 1e-3,
    weights: Literal["symmetric", "asymmetric"] = "symmetric",
) -> StdpWindow:
    r"""Return the update of one pre and one post spike, both neurons otherwise silent: dW(dt), dt = t_post - t_pre.

    Both spikes trigger the rule and their updates are summed. EqSpike gives (eta / beta) K(|dt| - 1), its estimator's
    impulse response, and 0 at dt = 0; pair-based STDP gives its own window. A synapse whose weight is not shared with
    one in the other direction (``asymmetric``) learns from pre spikes alone: what is left is dt < 0.

    Parameters
    ----------
    rule : EqSpike(tau_ticks=20, delay_ticks=20) where not given.
    difference_ticks : whole ticks, by default -80 ... 80.
    tick_s : seconds that a tick emulates.
    weights : ``asymmetric`` for EqSpike without its second term, which belongs to the synapse of the other direction.

    Raises
    ------
    ConfigError : a parameter is of the wrong type or out of range.
    """
    rule = default_rule() if rule is None else rule
    wanted = range(-80, 81) if difference_ticks is None else difference_ticks
    asked = _Asked.parse({"tick_s": tick_s, "difference_ticks": tuple(wanted)})
    ticks = np.array(asked.difference_ticks)
    triggers = triggers_of(rule, weights)
    change = pair_updates(rule, ticks, tick_s, triggers)
    equation, caption = _words(rule, tick_s, triggers)
    return StdpWindow(
        protocol="isolated_pair",
        rule=name_of(rule),
        tick_s=tick_s,
        unit=unit_of(rule),
        difference_s=ticks * tick_s,
        mean=change,
        standard_error=np.zeros_like(change),
        count=np.ones(len(change), np.int64),
        points_s=ticks * tick_s,
        points=change,
        equation=equation,
        caption=caption,
        parameters={"rule": describe_rule(rule), "weights": weights, **asked.model_dump(mode="json")},
        curves=_curves(rule, ticks, tick_s, triggers),
        lag_s=estimator_lag(rule) * tick_s if isinstance(rule, EqSpike) else None,
    )


def pair_updates(
    rule: Rule, ticks: np.ndarray, tick_s: float, triggers: tuple[str, ...] = ("pre", "post")
) -> np.ndarray:
    """Let one pre neuron spike once, and one post neuron per difference; return the summed updates (n,)."""
    reach = int(np.abs(ticks).max())
    pre, post = np.zeros((2 * reach + 1, 1)), np.zeros((2 * reach + 1, len(ticks)))
    pre[reach] = 1
    post[reach + ticks, np.arange(len(ticks))] = 1
    updates = replay(as_plasticity(rule, tick_s), pre, post, triggers=triggers)
    return np.bincount(updates.place[:, 3], updates.value, len(ticks))


def pair_stdp_curve(ticks: np.ndarray, tick_s: float) -> Curve:
    """Return the window of pair-based STDP, replayed pair by pair: its pairs add up, so it has no other window."""
    return Curve("pair_stdp", "pair-based STDP", ticks * tick_s, pair_updates(PairSTDP(), ticks, tick_s))


def _curves(rule: Rule, ticks: np.ndarray, tick_s: float, triggers: tuple[str, ...]) -> tuple[Curve, ...]:
    if isinstance(rule, PairSTDP):
        return (Curve("closed_form", "closed form", ticks * tick_s, isolated_pair_stdp(rule, ticks * tick_s)),)
    reference = pair_stdp_curve(ticks, tick_s)
    if not isinstance(rule, EqSpike):
        return (reference,)
    closed = isolated_eqspike(rule, ticks)
    if "post" not in triggers:
        closed = np.where(ticks < 0, closed, 0.0)
    return Curve("closed_form", "closed form", ticks * tick_s, closed), reference


def _words(rule: Rule, tick_s: float, triggers: tuple[str, ...]) -> tuple[str, str]:
    opening = "One presynaptic and one postsynaptic spike, both neurons otherwise silent"
    if isinstance(rule, EqSpike) and "post" not in triggers:
        return _ONE_SIDED, (
            f"{opening}; asymmetric weights: the synapse learns at presynaptic spikes alone, from the estimated rate "
            f"derivative of the postsynaptic neuron. Only a postsynaptic spike that came before is seen, so the side "
            "dt > 0, where biology potentiates, is empty for a single pair."
        )
    if isinstance(rule, EqSpike):
        return _KERNEL, (
            f"{opening}: the later spike reads the estimated rate derivative of the other neuron, so the curve is the "
            f"estimator's impulse response K (time constant {spoken(rule.tau_ticks * tick_s)}), one tick late. It is "
            "symmetric in time and its sign turns with β: a kernel, not spike-timing-dependent plasticity, because "
            "nothing in it depends on which neuron spiked first. Spikes of the same tick do not see each other."
        )
    if isinstance(rule, PairSTDP):
        return _PAIR, f"{opening}: the window of pair-based STDP. Spikes of the same tick change nothing."
    return _PLAIN, f"{opening}: the sum of what the rule asks for at both spikes."
