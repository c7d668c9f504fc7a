"""A user's own rule runs in the engine's loop as its twin says; what is no rule is refused."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from reference.cases import assert_same_record, assert_same_weights, counts_of, plain_case
from reference.rules import decayed_counts, smoothed

from eqspike.core.errors import ConfigError, PlasticityError
from eqspike.learning.eqspike import EqSpike
from eqspike.learning.plasticity import Plasticity
from eqspike.learning.stdp import PairSTDP


class SoftBound(NamedTuple):
    """Pair STDP whose steps shrink near the bounds 0 and ``top``, with a cost for every second tick's post spikes."""

    keep: float
    up: float
    down: float
    top: float
    period: int


def advance(parameters, traces, spikes, tick):
    for i in range(spikes.size):
        traces[0, i] = parameters.keep * (traces[0, i] + spikes[i])
        traces[1, i] += (spikes[i] - traces[1, i]) * 0.125
        if tick % parameters.period == 0:
            traces[2, i] += spikes[i]


def on_pre(parameters, weight, pre, i, post, j):
    return -parameters.down * (weight + 1.0) * post[0, j] - 0.01 * post[2, j]


def on_post(parameters, weight, pre, i, post, j):
    return parameters.up * (parameters.top - weight) * pre[0, i]


class SoftBoundTwin:
    """The same from whole histories."""

    traces_sources, named_traces = True, 2

    def __init__(self, parameters: SoftBound, contrastive: bool) -> None:
        self.parameters, self.contrastive = parameters, contrastive

    def read(self, spikes: np.ndarray) -> tuple:
        p, n = self.parameters, spikes.shape[1]
        rate = smoothed(spikes, 8.0)[-1] if len(spikes) else np.zeros(n)
        return decayed_counts(spikes, -1 / np.log(p.keep)), rate, spikes[:: p.period].sum(axis=0)

    def rate(self, reading: tuple) -> np.ndarray:
        return reading[1]

    def on_pre(self, weight: float, pre, i: int, post, j: int) -> float:
        return -self.parameters.down * (1 + weight) * post[0][j] - 0.01 * post[2][j]

    def on_post(self, weight: float, pre, i: int, post, j: int) -> float:
        return self.parameters.up * (self.parameters.top - weight) * pre[0][i]


PARAMETERS = SoftBound(0.8, 0.3, 0.2, 1.5, 2)


@pytest.mark.kernels
@pytest.mark.parametrize("contrastive", [False, True])
@pytest.mark.parametrize("commit", ["immediate", "end_of_phase"])
@pytest.mark.parametrize("kind", ["static", "regular"])
def test_own_rule_runs_in_the_loop(kind: str, commit: str, contrastive: bool) -> None:
    rule = Plasticity(
        PARAMETERS, ("trace", "rate"), advance, on_pre, on_post, memory=1, rate_trace=1, contrastive=contrastive
    )
    case = plain_case(kind, commit=commit)
    engine, twin = case.build(rule, SoftBoundTwin(PARAMETERS, contrastive))
    images, labels = case.images(3), case.labels(3)
    record = engine.observe(images, labels, 2, updates=20_000)
    assert_same_record(engine, record, twin.present(images[2], labels[2], 2))
    engine, twin = case.build(rule, SoftBoundTwin(PARAMETERS, contrastive))
    answers = engine.train(images, labels, np.arange(3), 0, 3, scale=0.5, offset=0)
    assert answers.tolist() == [twin.present(images[s], labels[s], s, scale=0.5).answer for s in range(3)]
    assert counts_of(engine.ledger()) == +twin.counts
    assert_same_weights(engine, twin)


def test_traits_and_types_follow_the_declaration() -> None:
    rule = Plasticity(PARAMETERS, ("trace", "rate"), advance, on_pre, on_post, memory=1, rate_trace=1)
    assert rule.rows == 3
    assert rule.traits == (1, 2, True)
    typed = rule.typed(np.dtype(np.float32))
    assert isinstance(typed, SoftBound)
    assert [type(value) for value in typed] == [np.float32] * 4 + [int]


def lone_argument(parameters):
    return 0.0


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("parameters", {"parameters": (0.8, 0.3)}),
        ("parameters", {"parameters": 0.8}),
        ("advance", {"advance": lone_argument}),
        ("on_pre", {"on_pre": lone_argument}),
        ("on_post", {"on_post": advance}),
        ("traces", {"traces": ()}),
        ("traces", {"rate_trace": 2}),
        ("traces", {"rate_trace": -1}),
    ],
)
def test_what_is_no_rule_is_refused(field: str, changed: dict) -> None:
    good = {
        "parameters": PARAMETERS,
        "traces": ("trace", "rate"),
        "advance": advance,
        "on_pre": on_pre,
        "on_post": on_post,
    }
    Plasticity(**good)
    with pytest.raises(PlasticityError) as error:
        Plasticity(**good | changed)
    assert error.value.field == field
    assert error.value.remedy


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"beta": 0}, "beta"),
        ({"target_rate": 1.5}, "target_rate"),
        ({"tau_ticks": 0.5}, "tau_ticks"),
        ({"delay_ticks": 0}, "delay_ticks"),
        ({"derivative": "exact"}, "derivative"),
        ({"derivative": "slow_trace", "tau_slow_ticks": 0}, "tau_slow_ticks"),
        ({"tau": 3}, "tau"),
    ],
)
def test_eqspike_settings_are_checked(settings: dict, field: str) -> None:
    with pytest.raises(ConfigError) as error:
        EqSpike.parse(settings)
    assert error.value.field == field


@pytest.mark.parametrize("name", ["tau_plus", "tau_minus", "A_plus", "A_minus"])
def test_pair_stdp_settings_are_checked(name: str) -> None:
    with pytest.raises(ConfigError) as error:
        PairSTDP.parse({name: -1})
    assert error.value.field == name


def test_a_class_of_parameters_stands_for_one_set_of_functions_only() -> None:
    class Once(NamedTuple):
        rate: float

    def advance(parameters, traces, spikes, tick):
        pass

    def up(parameters, weight, pre, i, post, j):
        return 1.0

    def down(parameters, weight, pre, i, post, j):
        return -1.0

    Plasticity(Once(1.0), ("a",), advance, up, up)
    Plasticity(Once(2.0), ("a",), advance, up, up)
    with pytest.raises(PlasticityError, match="already belongs"):
        Plasticity(Once(1.0), ("a",), advance, down, down)
