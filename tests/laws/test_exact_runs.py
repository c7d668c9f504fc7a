"""The exact clock's runs: counts made again from spikes, pieces, Poisson input, runaways, memory, and silence."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from reference.exact import pairs_of

from eqspike.core.errors import ConfigError
from eqspike.core.ledger import PROJECTION_COUNTERS
from eqspike.learning.stdp import PairSTDP
from eqspike.network.connectivity import AllToAll, FixedProbability, Normal, OneToOne, Uniform
from eqspike.network.description import Kernel, Layer, Network, Neuron, Projection
from eqspike.network.inputs import Poisson
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking import exact, exact_state
from eqspike.substrates.spiking.clocks import Exact
from eqspike.substrates.spiking.exact import ExactSimulation
from eqspike.substrates.spiking.wiring import wire

pytestmark = pytest.mark.kernels
LEAKY = LIF(tau_membrane_s=0.01, refractory_s=1e-3, drive=0.5)
INTEGRATOR = LIF(tau_membrane_s=None)
RULE = PairSTDP(A_plus=0.02, A_minus=0.02, w_min=-1.0, w_max=1.0).trace_rule()


def recurrent(learns: bool = False) -> ExactSimulation:
    """Return a recurrent network with input, background and delays of every kind."""
    layers = (Layer("in", 6, "source"), Layer("E", 12, "lif", LEAKY), Layer("I", 4, "lif", LEAKY))
    sparse = FixedProbability(probability=0.4)
    projections = (
        Projection("in", "E", connectivity=AllToAll(), weight=Uniform(low=0.1, high=0.4), delay_s=1e-3, plastic=learns),
        Projection("E", "E", connectivity=sparse, weight=0.1, delay_s=Uniform(low=1e-3, high=4e-3), plastic=learns),
        Projection("E", "I", connectivity=sparse, weight=0.3, delay_s=2e-3),
        Projection("I", "E", connectivity=sparse, weight=Normal(mean=-0.2, sd=0.1)),
    )
    inputs = {"in": Poisson(rate_hz=80), "E": Poisson(rate_hz=200, weight=0.2)}
    return ExactSimulation(Network(layers, projections), Exact(), inputs, seed=5, rule=RULE if learns else None)


def everything(simulation: ExactSimulation) -> list[bytes]:
    """Return all that can be seen, bit for bit."""
    seen = [array.tobytes() for spikes in simulation.spikes.values() for array in (spikes.t, spikes.i)]
    seen += [array.tobytes() for array in simulation.potentials().values()]
    seen += [array.tobytes() for array in simulation.weights().values()]
    return [*seen, str(simulation.ledger().to_dict()).encode()]


@pytest.mark.parametrize("learns", [False, True])
def test_a_run_in_pieces_is_the_run_in_one(learns: bool) -> None:
    whole, pieces = recurrent(learns), recurrent(learns)
    whole.run(0.25)
    for _ in range(4):
        pieces.run(0.0625)
        pieces.potentials(), pieces.spikes, pieces.weights()
    assert whole.spikes["E"].t.size > 50
    assert everything(whole) == everything(pieces)
    assert whole.time_s == pieces.time_s == 0.25


def test_small_logs_and_queues_change_nothing(monkeypatch) -> None:
    plain = recurrent(learns=True)
    monkeypatch.setattr(exact, "_LOGGED", 3)
    monkeypatch.setattr(exact, "_EVENTS", 7)
    monkeypatch.setattr(exact_state, "_FIRST_ROOM", 1)
    tight = recurrent(learns=True)
    plain.run(0.1)
    tight.run(0.1)
    assert everything(plain) == everything(tight)


def test_counts_are_those_of_the_spikes_through_the_adjacency() -> None:
    simulation = recurrent()
    simulation.run(0.3)
    spikes, counted = simulation.spikes, {(row, name): n for _, row, name, n in simulation.ledger().rows()}
    for name, found in spikes.items():
        assert counted[name, "spikes"] == found.t.size > 0
        assert (np.diff(found.t) >= 0).all()
    for index, projection in enumerate(simulation.network.projections):
        wiring = wire(simulation.network, projection, index, 5)
        pairs, sent = pairs_of(simulation.network, projection, wiring), spikes[projection.pre]
        delays = np.broadcast_to(wiring.delays_s, simulation.network.layer(projection.pre).size)
        reached = sum(
            1 for t, i in zip(sent.t, sent.i, strict=True) for pre, *_ in pairs if pre == i and t + delays[i] <= 0.3
        )
        assert counted[projection.name, "synaptic_events_forward"] == reached
    assert counted["poisson->E", "synaptic_events_forward"] == pytest.approx(12 * 200 * 0.3, abs=4 * sqrt(720))


def test_poisson_input_has_its_rate_and_no_memory() -> None:
    network = Network((Layer("in", 50, "source"), Layer("out", 1, "lif", LEAKY)), ())
    simulation = ExactSimulation(network, Exact(), {"in": Poisson(rate_hz=40)}, seed=11)
    simulation.run(2.5)
    found = simulation.spikes["in"]
    expected = 50 * 40 * 2.5
    assert abs(found.t.size - expected) < 4 * sqrt(expected)
    gaps = np.diff(found.t) * 50 * 40
    assert abs(gaps.std() / gaps.mean() - 1) < 4 / sqrt(gaps.size)
    assert abs(np.corrcoef(gaps[:-1], gaps[1:])[0, 1]) < 4 / sqrt(gaps.size)
    each = np.bincount(found.i, minlength=50)
    assert np.sum((each - 100) ** 2 / 100) < 85.4  # chi squared, 49 degrees of freedom, 0.1 %


def looped(weight: float, delay: float | None, neuron: LIF = INTEGRATOR) -> Network:
    """Return five neurons that all excite, or inhibit, each other and themselves."""
    everyone = FixedProbability(probability=1.0)
    projection = Projection("E", "E", connectivity=everyone, weight=weight, delay_s=delay)
    return Network((Layer("E", 5, "lif", neuron),), (projection,))


@pytest.mark.parametrize("delay", [None, 1e-4])
def test_a_runaway_stops_and_says_where(delay: float | None) -> None:
    simulation = ExactSimulation(looped(1.5, delay), Exact(), {}, seed=1, initial={"E": np.full(5, 2.0)})
    outcome = simulation.run(1.0)
    assert (outcome.kind, outcome.layer) == ("runaway", "E")
    assert outcome.time_s == simulation.time_s <= (0.01 if delay else 0.0)
    assert simulation.spikes["E"].t.size == 5 * 100 + 1
    assert simulation.ledger().total("inference", "spikes") == 501
    assert simulation.run(1.0).kind == "runaway"


def test_a_limit_of_the_rate_can_be_given() -> None:
    network = Network((Layer("E", 1, "lif", LIF(tau_membrane_s=None, drive=300.0)),), ())
    assert ExactSimulation(network, Exact(), {}, seed=1).run(1.0).kind == "completed"
    assert ExactSimulation(network, Exact(), {}, seed=1, max_rate_hz=400).run(1.0).kind == "completed"
    stopped = ExactSimulation(network, Exact(), {}, seed=1, max_rate_hz=200).run(1.0)
    assert stopped.kind == "runaway"
    assert stopped.time_s == pytest.approx(0.01)


def test_a_potential_that_overflows_stops_the_run() -> None:
    network = looped(-1.7e308, 1e-3, LIF(tau_membrane_s=None, drive=1.0, v_reset=0.0))
    simulation = ExactSimulation(network, Exact(), {}, seed=1)
    with np.errstate(over="ignore"):
        outcome = simulation.run(2.0)
    assert (outcome.kind, outcome.layer, outcome.time_s) == ("not-finite", "E", 1.001)
    assert simulation.spikes["E"].t.size == 5


@pytest.mark.parametrize(
    ("neuron", "projection", "field"),
    [
        (LIF(tau_adaptation_s=0.1, adaptation_step=0.1), {}, "E.neuron.adaptation_step"),
        (Neuron(), {}, "E.neuron"),
        (LIF(), {"tau_synapse_s": 5e-3}, "E->E.tau_synapse_s"),
    ],
)
def test_what_has_no_closed_form_is_refused(neuron, projection: dict, field: str) -> None:
    joined = Projection("E", "E", connectivity=OneToOne(), weight=0.1, **projection)
    with pytest.raises(ConfigError) as error:
        ExactSimulation(Network((Layer("E", 2, "lif", neuron),), (joined,)), Exact(), {}, seed=1)
    assert error.value.field == field
    assert error.value.remedy


def test_convolutions_do_not_learn() -> None:
    layers = (Layer("in", 16, "source", shape=(4, 4, 1)), Layer("map", 16, "lif", LIF(), shape=(4, 4, 1)))
    projection = Projection("in", "map", kernel=Kernel(channels=1, pool="none"), weight=0.1, plastic=True)
    with pytest.raises(ConfigError, match=r"in->map\.plastic"):
        ExactSimulation(Network(layers, (projection,)), Exact(), {}, seed=1, rule=RULE)


@pytest.mark.parametrize(
    ("plastic", "weight", "most"), [(False, 0.1, 2), (False, Normal(mean=0.1, sd=0.1), 6), (True, 0.1, 8)]
)
def test_bytes_of_a_sparse_synapse(plastic: bool, weight, most: int) -> None:
    sparse = FixedProbability(probability=0.5)
    projection = Projection("E", "E", connectivity=sparse, weight=weight, plastic=plastic)
    network = Network((Layer("E", 400, "lif", LIF()),), (projection,))
    simulation = ExactSimulation(network, Exact(), {}, seed=1, rule=RULE)
    held = (*simulation._program, simulation._state.weights, *simulation._traces)
    synapses = wire(network, projection, 0, 1).targets.size
    assert sum(array.nbytes for array in held) - most * synapses < 80 * 400


def test_silence_costs_nothing() -> None:
    projection = Projection("E", "E", connectivity=OneToOne(), weight=1.0, delay_s=1e-3)
    network = Network((Layer("E", 100_000, "lif", LIF(drive=0.9)),), (projection,))
    simulation = ExactSimulation(network, Exact(), {}, seed=1)
    simulation.run(1e6)
    assert simulation.time_s == 1e6
    assert simulation.ledger().total("inference", "neuron_updates") == 0
    assert list(simulation.ledger().rows()) == [("inference", "run", "presentations", 1)]
    assert simulation.ledger().phases["inference"].projections.shape == (1, len(PROJECTION_COUNTERS))
    np.testing.assert_allclose(simulation.potentials()["E"], 0.9)
