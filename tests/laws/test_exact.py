"""The exact clock against closed forms, the rule for events of one moment, and counts made again from spikes."""

from __future__ import annotations

from math import exp, log
from typing import NamedTuple

import numpy as np
import pytest

from eqspike.learning.stdp import PairSTDP
from eqspike.learning.trace_rule import Trace, TraceRule
from eqspike.network.connectivity import AllToAll
from eqspike.network.description import Layer, Network, Projection
from eqspike.network.inputs import SpikeList
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.clocks import Exact
from eqspike.substrates.spiking.exact import ExactSimulation

pytestmark = pytest.mark.kernels
TAU = 0.01


def given(*spikes: tuple[float, int]) -> SpikeList:
    """Return listed spikes (time, neuron)."""
    return SpikeList(np.array([t for t, _ in spikes]), np.array([k for _, k in spikes], int))


def fed(neuron: LIF, spikes: SpikeList, weight, n: int = 1, **options) -> ExactSimulation:
    """Return one neuron that receives from ``n`` sources."""
    delay = options.pop("delay_s", None)
    layers = (Layer("in", n, "source"), Layer("out", 1, "lif", neuron))
    weight = np.asarray(weight, float).reshape(n, 1)
    projection = Projection(
        "in", "out", connectivity=AllToAll(), weight=weight, delay_s=delay, plastic="rule" in options
    )
    return ExactSimulation(Network(layers, (projection,)), Exact(), {"in": spikes}, seed=1, precision=64, **options)


def alone(neuron: LIF, **options) -> ExactSimulation:
    """Return one neuron without synapses."""
    return ExactSimulation(Network((Layer("out", 1, "lif", neuron),), ()), Exact(), {}, seed=1, **options)


def times(simulation: ExactSimulation, duration: float, layer: str = "out") -> list[float]:
    assert simulation.run(duration).kind == "completed"
    return list(simulation.spikes[layer].t)


@pytest.mark.parametrize("refractory", [0.0, 3e-3])
def test_a_driven_neuron_fires_at_the_rate_of_the_closed_form(refractory: float) -> None:
    neuron = LIF(tau_membrane_s=TAU, v_rest=-1.0, v_reset=-0.5, v_threshold=1.0, drive=3.0, refractory_s=refractory)
    period = refractory + TAU * log((2.0 + 0.5) / (2.0 - 1.0))
    first = TAU * log((2.0 + 1.0) / (2.0 - 1.0))
    found = times(alone(neuron), 1.0)
    np.testing.assert_allclose(found, first + period * np.arange(len(found)), rtol=0, atol=1e-12)
    assert len(found) == 1 + int((1.0 - first) / period)


@pytest.mark.parametrize("reset", ["hard", "soft"])
def test_an_integrating_neuron_fires_at_its_drive_and_a_run_takes_in_its_end(reset: str) -> None:
    neuron = LIF(tau_membrane_s=None, drive=8.0, reset=reset)
    assert times(alone(neuron), 1.0) == [k / 8 for k in range(1, 9)]


def test_a_drive_that_ends_at_the_threshold_never_fires() -> None:
    simulation = alone(LIF(tau_membrane_s=TAU, drive=1.0))
    assert times(simulation, 100.0) == []
    assert simulation.potentials()["out"][0] == pytest.approx(1.0)


def test_postsynaptic_potentials_add_up() -> None:
    spikes = given((1e-3, 0), (4e-3, 1), (9e-3, 0))
    simulation = fed(LIF(tau_membrane_s=TAU), spikes, [0.25, -0.1875], 2, delay_s=np.array([2e-3, 0.0]))
    for now in (2e-3, 5e-3, 0.02):
        simulation.run(now - simulation.time_s)
        parts = [w * exp(-(now - t) / TAU) for w, t in ((0.25, 3e-3), (-0.1875, 4e-3), (0.25, 11e-3)) if t <= now]
        assert simulation.potentials()["out"][0] == pytest.approx(sum(parts), abs=1e-15)
    assert simulation.spikes["out"].t.size == 0


def test_a_jump_over_the_threshold_fires_when_it_arrives() -> None:
    simulation = fed(LIF(tau_membrane_s=TAU, reset="soft"), given((0.5, 0)), [1.25], delay_s=0.25)
    assert times(simulation, 0.75) == [0.75]
    assert simulation.potentials()["out"][0] == 0.25


def test_what_arrives_while_refractory_is_lost_but_counted() -> None:
    neuron = LIF(tau_membrane_s=None, refractory_s=0.5, v_reset=-1.0)
    spikes = given((1.0, 0), (1.25, 0), (1.4375, 0), (1.5, 0), (2.0, 0))
    simulation = fed(neuron, spikes, [1.0])
    assert times(simulation, 4.0) == [1.0, 2.0]
    assert simulation.potentials()["out"][0] == -1.0
    counted = {(row, counter): n for _, row, counter, n in simulation.ledger().rows()}
    assert counted["in->out", "synaptic_events_forward"] == 5
    assert counted["out", "neuron_updates"] == 3 + 2  # arrivals that act, and crossings


@pytest.mark.parametrize("delays", [0.25, np.array([0.25, 0.5, 0.125])])
def test_axonal_delays_are_those_of_the_pre_neuron(delays) -> None:
    simulation = fed(LIF(tau_membrane_s=None), given((1.0, 0), (2.0, 1), (3.0, 2)), [1.0, 1.0, 1.0], 3, delay_s=delays)
    assert times(simulation, 9.0) == list(np.array([1.0, 2.0, 3.0]) + delays)


def test_slow_axons_are_overtaken() -> None:
    spikes = given((0.0, 0), (1.0, 1), (2.0, 0))
    simulation = fed(LIF(tau_membrane_s=None), spikes, [1.0, 2.0], 2, delay_s=np.array([4.0, 1.0]))
    assert times(simulation, 9.0) == [2.0, 4.0, 6.0]


# What happens in one moment -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [[1.25, -0.5], [-0.5, 1.25]])
def test_simultaneous_arrivals_add_up_before_anyone_fires(weights: list[float]) -> None:
    simulation = fed(LIF(tau_membrane_s=None), given((1.0, 0), (1.0, 1)), weights, 2)
    assert times(simulation, 1.0) == []
    assert simulation.potentials()["out"][0] == 0.75


@pytest.mark.parametrize(("reset", "fired", "left"), [("hard", 1, 0.0), ("soft", 3, 0.25)])
def test_a_volley_far_over_the_threshold(reset: str, fired: int, left: float) -> None:
    simulation = fed(LIF(tau_membrane_s=None, reset=reset), given((1.0, 0), (1.0, 1)), [1.25, 2.0], 2)
    assert times(simulation, 1.0) == [1.0] * fired
    assert simulation.potentials()["out"][0] == left


def test_an_arrival_in_the_moment_of_a_crossing_comes_after_it() -> None:
    simulation = fed(LIF(tau_membrane_s=None, drive=8.0), given((0.125, 0)), [-1.0])
    assert times(simulation, 0.375) == [0.125, 0.375]


def inhibited(a: LIF, from_in: float) -> ExactSimulation:
    """Return b, lifted by the input at time 1, and a, which inhibits it without delay and may fire at time 1 too."""
    layers = (Layer("in", 1, "source"), Layer("a", 1, "lif", a), Layer("b", 1, "lif", LIF(tau_membrane_s=None)))
    joined = {"connectivity": AllToAll()}
    projections = (
        Projection("in", "b", weight=1.25, **joined),
        Projection("in", "a", weight=from_in, **joined),
        Projection("a", "b", weight=-0.5, **joined),
    )
    return ExactSimulation(Network(layers, projections), Exact(), {"in": given((1.0, 0))}, seed=1)


def test_rounds_of_one_moment() -> None:
    together = inhibited(LIF(tau_membrane_s=None, drive=1.0), 0.0)  # a reaches its threshold by itself: same round
    assert times(together, 1.0, "a") == [1.0]
    assert list(together.spikes["b"].t) == []
    assert together.potentials()["b"][0] == 0.75
    after = inhibited(LIF(tau_membrane_s=None), 1.0)  # the input lifts a and b: both fire in the next round
    assert times(after, 1.0, "a") == [1.0]
    assert list(after.spikes["b"].t) == [1.0]
    assert after.potentials()["b"][0] == -0.5


def test_spikes_of_one_moment_stand_by_neuron() -> None:
    network = Network((Layer("out", 5, "lif", LIF(tau_membrane_s=None, drive=4.0)),), ())
    simulation = ExactSimulation(network, Exact(), {}, seed=1)
    simulation.run(0.5)
    assert list(simulation.spikes["out"].t) == [0.25] * 5 + [0.5] * 5
    assert list(simulation.spikes["out"].i) == [0, 1, 2, 3, 4] * 2


# Learning -----------------------------------------------------------------------------------------------------------

A_PLUS, A_MINUS, TAU_PLUS, TAU_MINUS = 0.02, 0.03, 0.017, 0.034


def taught(pre: list[float], post: list[float], delay: float = 0.0, pairs: str = "all-to-all", **bounds) -> float:
    """Return the weight, 0 at first, of a synapse with these spikes of its two neurons."""
    layers = (Layer("pre", 1, "source"), Layer("force", 1, "source"), Layer("out", 1, "lif", LIF(tau_membrane_s=None)))
    projections = (
        Projection("pre", "out", connectivity=AllToAll(), weight=0.0, delay_s=delay, plastic=True),
        Projection("force", "out", connectivity=AllToAll(), weight=2.0),
    )
    rule = PairSTDP(A_plus=A_PLUS, A_minus=A_MINUS, tau_plus=TAU_PLUS, tau_minus=TAU_MINUS, pairs=pairs, **bounds)
    inputs = {name: given(*((t, 0) for t in spikes)) for name, spikes in (("pre", pre), ("force", post))}
    network = Network(layers, projections)
    simulation = ExactSimulation(network, Exact(), inputs, seed=1, rule=rule.trace_rule(), precision=64)
    assert times(simulation, 1.0) == post
    return float(simulation.weights()["pre->out"][0, 0])


@pytest.mark.parametrize("delay", [0.0, 4e-3])
@pytest.mark.parametrize("lag", [-0.05, -0.01, -1e-4, 1e-4, 0.01, 0.05])
def test_a_pair_of_spikes_changes_the_weight_by_the_closed_form(lag: float, delay: float) -> None:
    expected = A_PLUS * exp(-lag / TAU_PLUS) if lag > 0 else -A_MINUS * exp(lag / TAU_MINUS)
    assert taught([0.2], [0.2 + delay + lag], delay) == pytest.approx(expected, rel=1e-11)


def test_nearest_spikes_pair_once() -> None:
    far, near = A_PLUS * exp(-0.03 / TAU_PLUS), A_PLUS * exp(-0.01 / TAU_PLUS)
    assert taught([0.1, 0.12], [0.13]) == pytest.approx(far + near, rel=1e-11)
    assert taught([0.1, 0.12], [0.13], pairs="nearest-neighbour") == pytest.approx(near, rel=1e-11)


def test_weights_stay_within_their_bounds() -> None:
    assert taught([0.1], [0.1001], w_max=0.01) == 0.01
    assert taught([0.1001], [0.1], w_min=-0.01) == -0.01


def test_the_spike_that_an_arrival_sets_off_pairs_with_it() -> None:
    neuron = LIF(tau_membrane_s=None)
    rule = PairSTDP(A_plus=0.25, A_minus=0.5).trace_rule()
    simulation = fed(neuron, given((1.0, 0)), [1.5], rule=rule)
    assert times(simulation, 1.0) == [1.0]
    assert simulation.weights()["in->out"][0, 0] == 1.75
    simulation = fed(LIF(tau_membrane_s=None, drive=1.0), given((1.0, 0)), [0.0], rule=rule)
    assert times(simulation, 1.0) == [1.0]  # by itself, before the arrival
    assert simulation.weights()["in->out"][0, 0] == -0.5


class Halving(NamedTuple):
    """A rule of one's own: an arrival takes ``share`` of the weight, a post spike gives the pre neuron's trace."""

    share: float


def halve(parameters, weight, pre, i, post, j):
    return -parameters.share * weight


def give(parameters, weight, pre, i, post, j):
    return pre[0, i]


def test_a_rule_of_ones_own() -> None:
    rule = TraceRule(Halving(0.5), (Trace("calcium", 0.25),), halve, give)
    simulation = fed(LIF(tau_membrane_s=None, drive=1.0), given((0.25, 0), (0.5, 0)), [0.25], rule=rule)
    assert times(simulation, 0.75) == [0.625]  # 0.25 arrives, then half of it
    traces = exp(-0.375 / 0.25) + exp(-0.125 / 0.25)
    assert simulation.weights()["in->out"][0, 0] == pytest.approx(0.0625 + traces, rel=1e-6)
