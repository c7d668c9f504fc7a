"""Rules on traces: what is refused, and how shipped rules say theirs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from eqspike.core.errors import ConfigError, PlasticityError
from eqspike.learning.stdp import PairSTDP, TripletSTDP
from eqspike.learning.trace_rule import Trace, TraceRule


class Own(NamedTuple):
    """Parameters of a rule of this module."""

    gain: float
    steps: int


def on_pre(parameters, weight, pre, i, post, j):
    return parameters.gain * post[0, j]


def on_post(parameters, weight, pre, i, post, j):
    return parameters.gain * pre[0, i]


ONE = (Trace("x", 0.02),)


def rule(parameters=None, traces=ONE, functions=(on_pre, on_post), **bounds) -> TraceRule:
    return TraceRule(Own(0.1, 3) if parameters is None else parameters, traces, *functions, **bounds)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"parameters": (0.1,)}, "parameters"),
        ({"traces": ()}, "traces"),
        ({"traces": (Trace("x", 0.0),)}, "traces"),
        ({"traces": (Trace("x", float("nan")),)}, "traces"),
        ({"w_min": 1.0, "w_max": 1.0}, "w_min"),
        ({"w_min": float("nan")}, "w_min"),
    ],
)
def test_what_is_no_rule_is_refused(settings: dict, field: str) -> None:
    with pytest.raises(PlasticityError) as error:
        rule(**settings)
    assert error.value.field == field
    assert error.value.remedy


def test_a_class_of_parameters_belongs_to_one_pair_of_functions() -> None:
    rule()
    with pytest.raises(PlasticityError, match="already belongs to other functions"):
        rule(functions=(on_post, on_pre))


def test_parameters_take_the_precision_of_the_engine() -> None:
    typed = rule().typed(np.dtype(np.float32))
    assert typed.gain.dtype == np.float32
    assert typed.steps == 3
    assert isinstance(typed.steps, int)


def test_traces_are_told_in_seconds() -> None:
    made = rule(traces=(Trace("a", 0.02), Trace("b", 0.1, nearest=True)), w_max=2)
    assert made.taus_s == (0.02, 0.1)
    assert made.nearest == (False, True)
    assert (made.w_min, made.w_max) == (-np.inf, 2.0)


@pytest.mark.parametrize(("pairs", "nearest"), [("all-to-all", False), ("nearest-neighbour", True)])
def test_shipped_rules_say_their_traces(pairs: str, nearest: bool) -> None:
    pair = PairSTDP(tau_plus=0.01, tau_minus=0.03, pairs=pairs, w_min=-1).trace_rule()
    assert (pair.taus_s, pair.nearest, pair.w_min, pair.w_max) == ((0.01, 0.03), (nearest,) * 2, -1, np.inf)
    triplet = TripletSTDP(pairs=pairs, w_max=1).trace_rule()
    assert (triplet.taus_s, triplet.nearest) == ((16.8e-3, 33.7e-3, 101e-3, 125e-3), (nearest,) * 4)
    assert (triplet.w_min, triplet.w_max) == (-np.inf, 1)


@pytest.mark.parametrize("kind", [PairSTDP, TripletSTDP])
@pytest.mark.parametrize("settings", [{"tau_plus": 0}, {"w_min": 0.5, "w_max": 0.5}, {"pairs": "some"}])
def test_stdp_out_of_range_is_refused(kind, settings: dict) -> None:
    with pytest.raises(ConfigError):
        kind.parse(settings)
