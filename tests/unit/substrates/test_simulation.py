"""Running networks in ticks: what is refused and how, how runs end, and that they can go on."""

from __future__ import annotations

import numpy as np
import pytest
from reference.simulation_cases import counted

from eqspike.core.errors import ConfigError
from eqspike.learning.eqspike import EqSpike
from eqspike.learning.stdp import PairSTDP
from eqspike.network.connectivity import AllToAll, OneToOne, Pairs
from eqspike.network.description import Kernel, Layer, Network, Neuron, Projection
from eqspike.network.inputs import Poisson, SpikeList
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.clocks import Clocked
from eqspike.substrates.spiking.simulation import prepare, simulate

LAYERS = (Layer("in", 3, "source"), Layer("out", 4, "lif", LIF()))
JOINED = {"connectivity": AllToAll(), "weight": 0.2}
INPUTS = {"in": Poisson(rate_hz=10)}
DOUBLE = Clocked(tick_s=1e-3, precision=64)


def network(**said) -> Network:
    return Network(LAYERS, (Projection("in", "out", **JOINED | said),))


def one(neuron: LIF, **said) -> Network:
    layers = (Layer("in", 1, "source"), Layer("out", 1, "lif", neuron))
    return Network(layers, (Projection("in", "out", **JOINED | said),))


def listed(*times_s: float) -> dict[str, SpikeList]:
    return {"in": SpikeList(np.array(times_s), np.zeros(len(times_s), np.int64))}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"delay_s": 5e-5}, "in->out.delay_s"),
        ({"delay_s": 0.0}, "in->out.delay_s"),
        ({"delay_s": np.array([1e-3, 0, 1e-3])}, "in->out.delay_s"),
        ({"connectivity": None}, "in->out.connectivity"),
        ({"kernel": Kernel(channels=1, pool="none")}, "in->out.connectivity"),
        ({"kernel": Kernel(channels=1, pool="none"), "connectivity": None}, "in->out.kernel"),
        ({"connectivity": OneToOne()}, "in->out.connectivity"),
        ({"connectivity": Pairs(np.array([3]), np.array([0]))}, "in->out.connectivity"),
        ({"weight": np.zeros((4, 3))}, "in->out.weight"),
        ({"weight": float("nan")}, "in->out.weight"),
        ({"tau_synapse_s": -1e-3}, "in->out.tau_synapse_s"),
        ({"plastic": True}, "in->out.plastic"),
    ],
)
def test_projections_that_cannot_run_are_refused(said: dict, field: str) -> None:
    with pytest.raises(ConfigError) as error:
        prepare(network(**said), inputs=INPUTS)
    assert error.value.field == field
    assert error.value.remedy


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"inputs": {}}, "inputs.in"),
        ({"inputs": INPUTS | {"on": Poisson(rate_hz=1)}}, "inputs"),
        ({"inputs": INPUTS | {"out": Poisson(rate_hz=1)}}, "inputs.out.weight"),
        ({"inputs": INPUTS | {"out": SpikeList(np.zeros(1), np.zeros(1))}}, "inputs.out"),
        ({"inputs": {"in": SpikeList(np.zeros(1), np.array([3]))}}, "inputs.in"),
        ({"inputs": {"in": Poisson(rate_hz=2e7)}}, "inputs.in.rate_hz"),
        ({"initial": {"on": np.zeros(4)}}, "initial"),
        ({"initial": {"out": np.zeros(3)}}, "initial.out"),
        ({"initial": {"out": np.array([0, 0, 0, np.nan])}}, "initial.out"),
        ({"initial": {"in": np.zeros(3)}}, "initial.in"),
        ({"threads": 0}, "threads"),
        ({"seed": -1}, "seed"),
        ({"max_rate_hz": 0.0}, "max_rate_hz"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(given: dict, field: str) -> None:
    with pytest.raises(ConfigError) as error:
        prepare(network(), **{"inputs": INPUTS} | given)
    assert error.value.field == field
    assert error.value.remedy


@pytest.mark.parametrize(
    ("layer", "problem"),
    [
        (Layer("out", 4, "rate", activation="relu"), "has no time"),
        (Layer("out", 4, "lif", Neuron()), "its neuron counts ticks"),
    ],
)
def test_layers_of_other_clocks_are_refused(layer: Layer, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as error:
        prepare(Network((LAYERS[0], layer), (Projection("in", "out", **JOINED),)), inputs=INPUTS)
    assert error.value.field == "out"


def test_a_network_without_synapses_is_refused() -> None:
    with pytest.raises(ConfigError) as error:
        prepare(Network(LAYERS, ()), inputs=INPUTS)
    assert error.value.field == "projections"


@pytest.mark.parametrize("duration", [0, -1.0, float("nan"), float("inf")])
def test_durations_must_be_some_time(duration: float) -> None:
    with pytest.raises(ConfigError) as error:
        simulate(network(), duration, inputs=INPUTS)
    assert error.value.field == "duration_s"
    if duration != 0:
        with pytest.raises(ConfigError):
            prepare(network(), inputs=INPUTS).run(duration)


def test_weights_out_of_the_rules_range_are_refused() -> None:
    with pytest.raises(ConfigError, match="leave the bounds") as error:
        prepare(network(plastic=True), inputs=INPUTS, rule=PairSTDP(w_max=0.1), clock=DOUBLE)
    assert error.value.field == "in->out.weight"


@pytest.mark.parametrize(
    ("settings", "field"),
    [({"clock": "exact"}, "clock"), ({"rule": EqSpike()}, "rule"), ({"rule": 0.5}, "rule")],
)
def test_what_is_no_clock_and_no_rule_is_refused(settings: dict, field: str) -> None:
    with pytest.raises(ConfigError) as error:
        prepare(one(LIF()), inputs=INPUTS, **settings)
    assert error.value.field == field and error.value.remedy


def test_neurons_that_excite_each_other_run_away_in_every_other_tick() -> None:
    layer = Layer("x", 5, "lif", LIF(drive=5.0))
    loop = Projection("x", "x", connectivity=AllToAll(), weight=1.0)
    found = simulate(Network((layer,), (loop,)), 3.0, clock=DOUBLE)
    assert found.outcome.kind == "runaway" and found.time_s < 1
    assert len(found.spikes["x"].t) > 5 * 80


def test_learning_of_kernels_is_refused() -> None:
    layers = (Layer("in", 9, "source", shape=(3, 3, 1)), Layer("out", 9, "lif", LIF(), shape=(3, 3, 1)))
    shared = Projection("in", "out", kernel=Kernel(channels=1, pool="none"), weight=0.1, plastic=True)
    with pytest.raises(ConfigError, match="of a convolution do not learn"):
        prepare(Network(layers, (shared,)), inputs=INPUTS, rule=PairSTDP())


def test_a_listed_spike_belongs_to_the_tick_that_ends_there() -> None:
    found = simulate(one(LIF(), weight=5.0), 0.02, clock=DOUBLE, inputs=listed(0.0, 1e-3, 5.4e-3, 5.6e-3, 0.5))
    assert np.rint(found.spikes["in"].t * 1e3).tolist() == [1, 1, 5, 6]
    assert np.rint(found.spikes["out"].t * 1e3).tolist() == [3, 7, 8], "one tick of delay, fired by the next"
    assert found.spikes["in"].i.dtype == np.int32
    assert found.time_s == pytest.approx(0.02)
    assert found.outcome.kind == "completed"


def test_a_neuron_may_fire_several_times_in_a_tick() -> None:
    """More spikes of one tick than there are neurons: all are kept and delivered, over and over."""
    times = np.repeat(1e-3 * (1 + np.arange(50)), 4000)
    found = simulate(
        one(LIF(tau_membrane_s=None, v_threshold=1e9), weight=1.0), 0.06, clock=DOUBLE,
        inputs={"in": SpikeList(times, np.zeros(times.size, np.int64))},
    )  # fmt: skip
    assert len(found.spikes["in"].t) == 200_000
    assert found.potentials()["out"].tolist() == [200_000.0]
    assert counted(found.ledger())["in->out", "synaptic_events_forward"] == 200_000


def test_a_shorter_run_than_a_tick_is_one_and_nothing_is_none() -> None:
    found = prepare(one(LIF()), clock=DOUBLE, inputs=INPUTS)
    assert found.run(1e-5).time_s == pytest.approx(1e-3)
    assert found.run(0.0).time_s == pytest.approx(1e-3)


def test_a_runaway_stops_is_named_and_can_go_on() -> None:
    found = prepare(one(LIF(tau_membrane_s=None, drive=1500.0)), clock=DOUBLE, inputs=INPUTS)
    outcome = found.run(1.0)
    assert (outcome.kind, outcome.layer, outcome.time_s) == ("runaway", "out", pytest.approx(0.2))
    assert "out" in outcome.message
    assert "400 Hz" in outcome.message
    assert found.outcome == outcome
    assert len(found.spikes["out"].t) == 200
    assert found.run(1.0).time_s == pytest.approx(0.4)
    assert len(found.spikes["out"].t) == 400


def test_the_limit_of_a_runaway_follows_rest_or_is_given() -> None:
    resting = one(LIF(tau_membrane_s=None, drive=1500.0, refractory_s=4e-3))
    assert simulate(resting, 0.3, clock=DOUBLE, inputs=INPUTS).outcome.message.endswith("over the limit of 160 Hz")
    assert simulate(resting, 0.3, clock=DOUBLE, inputs=INPUTS, max_rate_hz=201).outcome.kind == "completed"
    assert simulate(resting, 0.3, clock=DOUBLE, inputs=INPUTS, max_rate_hz=150).outcome.kind == "runaway"


@pytest.mark.parametrize("duration", [0.05, 1.0])
def test_potentials_that_are_no_numbers_end_a_run(duration: float) -> None:
    """Two currents beyond the largest number cancel to none; the spikes so far stay readable."""
    layers = (Layer("in", 1, "source"), Layer("out", 1, "lif", LIF()))
    huge = [{"weight": sign * 1.7e308, "tau_synapse_s": 50.0 + sign, "label": str(sign)} for sign in (1, -1)]
    both = Network(layers, tuple(Projection("in", "out", connectivity=AllToAll(), **said) for said in huge))
    inputs = listed(*[4e-3] * 6)
    found = simulate(both, duration, clock=DOUBLE, inputs=inputs, max_rate_hz=1e9)
    assert found.outcome.kind == "not-finite"
    assert found.outcome.layer == "out"
    assert "out" in found.outcome.message
    assert found.outcome.time_s == pytest.approx(min(duration, 0.2))
    assert len(found.spikes["in"].t) == 6
    assert found.run(0.01).kind == "not-finite"


def test_convolutions_and_short_delays_use_one_thread() -> None:
    layers = (Layer("in", 3, "source"), Layer("out", 200, "lif", LIF()))
    for delay, parts in ((4e-3, 1), (5e-3, 2)):
        of = Network(layers, (Projection("in", "out", **JOINED, delay_s=delay),))
        assert len(prepare(of, clock=DOUBLE, inputs=INPUTS, threads=2).parts) == parts


def test_weights_have_the_shape_of_their_connectivity() -> None:
    layers = (Layer("in", 9, "source", shape=(3, 3, 1)), Layer("out", 9, "lif", LIF(), shape=(3, 3, 1)))
    kernel = np.arange(9.0).reshape(3, 3, 1, 1)
    pairs = Pairs(np.array([5, 2]), np.array([1, 8]))
    said = {
        "a": {"connectivity": AllToAll(), "weight": np.arange(81.0).reshape(9, 9)},
        "b": {"connectivity": OneToOne(), "weight": np.arange(9.0)},
        "c": {"connectivity": pairs, "weight": np.array([0.5, 0.2])},
        "d": {"kernel": Kernel(channels=1, pool="none"), "weight": kernel},
        "e": {"connectivity": pairs, "weight": 0.7},
    }
    of = Network(layers, tuple(Projection("in", "out", label=label, **one) for label, one in said.items()))
    found = prepare(of, clock=DOUBLE, inputs=INPUTS).weights()
    for label in "abd":
        assert np.array_equal(found[f"in->out:{label}"], said[label]["weight"])
    assert found["in->out:c"].tolist() == [0.2, 0.5], "in order of the pre neuron"
    assert found["in->out:e"].tolist() == [0.7]
