"""Weight changes of STDP from whole spike histories: sums over pairs or the last pair, no trace carried along."""

from __future__ import annotations

from math import exp

import numpy as np

from eqspike.learning.stdp import PairSTDP, TripletSTDP


def remembered(ticks: list[int], now: int, tau: float, nearest: bool) -> float:
    """Sum exp(-age / tau) over the events before ``now``, or over the last of them alone."""
    past = [tick for tick in ticks if tick < now]
    return sum(exp(-(now - tick) / tau) for tick in (past[-1:] if nearest else past))


class PairTwin:
    """Pairs of an arrival and a post spike; each change sees what came in earlier ticks."""

    traces = 2

    def __init__(self, rule: PairSTDP | TripletSTDP, tick_s: float) -> None:
        self.rule, self.tick_s, self.nearest = rule, tick_s, rule.pairs == "nearest-neighbour"
        self.w_min = -np.inf if rule.w_min is None else rule.w_min
        self.w_max = np.inf if rule.w_max is None else rule.w_max

    def left(self, ticks: list[int], now: int, tau_s: float) -> float:
        return remembered(ticks, now, tau_s / self.tick_s, self.nearest)

    def at_arrival(self, pre: list[int], post: list[int], now: int) -> float:
        return -self.rule.A_minus * self.left(post, now, self.rule.tau_minus)

    def at_spike(self, pre: list[int], post: list[int], now: int) -> float:
        return self.rule.A_plus * self.left(pre, now, self.rule.tau_plus)


class TripletTwin(PairTwin):
    """Pairs, and pairs together with an earlier spike of the neuron that fires."""

    traces = 4

    def at_arrival(self, pre: list[int], post: list[int], now: int) -> float:
        rule = self.rule
        triplets = rule.A3_minus * self.left(pre, now, rule.tau_x)
        return -self.left(post, now, rule.tau_minus) * (rule.A2_minus + triplets)

    def at_spike(self, pre: list[int], post: list[int], now: int) -> float:
        rule = self.rule
        triplets = rule.A3_plus * self.left(post, now, rule.tau_y)
        return self.left(pre, now, rule.tau_plus) * (rule.A2_plus + triplets)


def rule_twin_of(rule: PairSTDP | TripletSTDP, tick_s: float) -> PairTwin:
    """Return the twin of a rule on a clock of ``tick_s``."""
    return TripletTwin(rule, tick_s) if isinstance(rule, TripletSTDP) else PairTwin(rule, tick_s)
