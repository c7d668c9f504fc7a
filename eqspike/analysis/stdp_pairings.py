"""What an experimenter does to a synapse: a pattern of pre and post spikes, repeated at a rate, perhaps in bursts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from pydantic import Field

from eqspike.analysis.replay import Rule, triggers_of
from eqspike.analysis.stdp_synapse import in_ticks, weight_change
from eqspike.core.config import Config

PRE_POST_PRE, POST_PRE_POST = "pre-post-pre", "post-pre-post"


class Repetition(Config):
    """How often a pattern comes, and under which assumptions the rule is followed.

    Parameters
    ----------
    pairs : how many times the pattern comes.
    rate_hz : how many times a second, within a burst.
    burst : patterns of a burst; None: all of them in one train.
    burst_interval_s : from the beginning of a burst to that of the next, which at low rates follows the one before.
    tick_s : seconds of a tick, for rules in ticks.
    weight : the weight at the beginning.
    weights : of a contrastive rule, whether both directions share one.
    """

    pairs: int = Field(60, ge=1, le=10_000)
    rate_hz: float = Field(1.0, gt=0, le=10_000)
    burst: int | None = Field(None, ge=1)
    burst_interval_s: float = Field(10.0, gt=0)
    tick_s: float = Field(1e-3, gt=0)
    weight: float = 1.0
    weights: Literal["symmetric", "asymmetric"] = "symmetric"

    def at(self, rate_hz: float) -> Self:
        """Return the same at another rate; ConfigError where that is none."""
        return type(self).parse({**self.model_dump(), "rate_hz": rate_hz})

    def onsets_s(self) -> np.ndarray:
        """Return when each pattern begins (pairs,)."""
        k = np.arange(self.pairs)
        if self.burst is None:
            return k / self.rate_hz
        interval_s = max(self.burst_interval_s, self.burst / self.rate_hz)
        return (k // self.burst) * interval_s + (k % self.burst) / self.rate_hz


@dataclass(frozen=True)
class Pattern:
    """Offsets of the spikes of one repetition, in seconds."""

    pre_s: tuple[float, ...]
    post_s: tuple[float, ...]

    @classmethod
    def pair(cls, difference_s: float) -> Self:
        """Return a pre spike and a post spike ``difference_s`` later."""
        return cls((0.0,), (difference_s,))

    @classmethod
    def triplet(cls, first_s: float, second_s: float) -> Self:
        """Return three spikes, as Wang et al. write them: t_post - t_pre of the first two and of the last two.

        (first > 0, second < 0) is pre-post-pre, (first < 0, second > 0) post-pre-post.
        """
        if triplet_kind(first_s, second_s) == PRE_POST_PRE:
            return cls((-first_s, -second_s), (0.0,))
        return cls((0.0,), (first_s, second_s))

    def change(self, rule: Rule, how: Repetition) -> float:
        """Return the weight change that all repetitions make together."""
        triggers_of(rule, how.weights)
        offsets = [np.array(spikes) for spikes in (self.pre_s, self.post_s)]
        onsets, first = how.onsets_s(), min(*self.pre_s, *self.post_s)
        if in_ticks(rule):  # rounding each spike on its own would change the differences
            onsets, offsets = (_on_grid(onsets, how.tick_s), [_on_grid(own, how.tick_s) for own in offsets])
            first = min(float(own.min()) for own in offsets)
        trains = [(onsets[:, None] + own - first).ravel() for own in offsets]
        return weight_change(rule, *trains, weight=how.weight, tick_s=how.tick_s, weights=how.weights)


def triplet_kind(first_s: float, second_s: float) -> str | None:
    """Return which triplet two differences t_post - t_pre make, None where they make none."""
    if first_s > 0 > second_s:
        return PRE_POST_PRE
    return POST_PRE_POST if first_s < 0 < second_s else None


def _on_grid(times_s: np.ndarray, tick_s: float) -> np.ndarray:
    return np.rint(times_s / tick_s) * tick_s
