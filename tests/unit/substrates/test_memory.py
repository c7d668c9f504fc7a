"""Memory is told before it is taken: the arrays have the bytes that were announced."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.core.errors import ConfigError
from eqspike.learning.stdp import PairSTDP
from eqspike.network.connectivity import AllToAll, FixedIndegree, FixedProbability, Normal, OneToOne, Pairs
from eqspike.network.description import Kernel, Layer, Network, Projection
from eqspike.network.inputs import Poisson
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking import memory
from eqspike.substrates.spiking import wiring as wirings
from eqspike.substrates.spiking.clocks import Clocked, Exact, FixedPoint
from eqspike.substrates.spiking.memory import clock_bits, memory_bytes, synapse_bytes
from eqspike.substrates.spiking.simulation import prepare

RULE = PairSTDP()


def network(joined, weight=0.1, *, plastic: bool = False, sizes: tuple[int, int] = (64, 4096)) -> Network:
    layers = (Layer("in", sizes[0], "source"), Layer("out", sizes[1], "lif", LIF()))
    return Network(layers, (Projection("in", "out", connectivity=joined, weight=weight, plastic=plastic),))


def measured(of: Network, clock) -> tuple[int, int]:
    """Return the bytes of all arrays of synapses, and those of them that go with neurons."""
    plastic = of.projections[0].plastic
    part = prepare(of, clock=clock, inputs={"in": Poisson(rate_hz=1)}, rule=RULE if plastic else None).parts[0]
    program = part.program
    arrays = (program.starts, program.narrow, program.wide, part.state.weights)
    return sum(array.nbytes for array in arrays), program.starts.nbytes


@pytest.mark.parametrize("clock", [Clocked(), Clocked(precision=64), FixedPoint()], ids=["32", "64", "integers"])
@pytest.mark.parametrize(
    ("joined", "weight", "plastic"),
    [
        (FixedProbability(probability=0.4), 0.1, False),
        (FixedProbability(probability=0.4), Normal(mean=0.2, sd=0.02), False),
        (FixedProbability(probability=0.5), 0.1, True),
        (AllToAll(), 0.1, True),
    ],
)
def test_synapses_take_the_bytes_announced(joined, weight, plastic: bool, clock) -> None:
    if plastic and isinstance(clock, FixedPoint):
        pytest.skip("weights in fixed point do not learn")
    of = network(joined, weight, plastic=plastic)
    n = joined.synapses(64, 4096)
    each = synapse_bytes(of, of.projections[0], clock)
    taken, by_neuron = measured(of, clock)
    assert taken - by_neuron == pytest.approx(each * n, rel=0.02)
    if clock != Clocked(precision=64):
        assert each <= (4 if isinstance(joined, AllToAll) else 8)
    running, building = memory_bytes(of, clock, RULE.trace_rule() if plastic else None)
    assert taken < running < building


def test_one_to_one_takes_the_bytes_announced() -> None:
    of = network(OneToOne(), np.linspace(0, 1, 900), sizes=(900, 900))
    assert measured(of, Clocked())[0] == synapse_bytes(of, of.projections[0], Clocked()) * 900


def test_wide_layers_take_four_bytes_a_target() -> None:
    wide = network(FixedIndegree(indegree=1), sizes=(4, 70_000))
    assert synapse_bytes(wide, wide.projections[0], Clocked()) == 4
    taken, by_neuron = measured(wide, Clocked())
    assert taken - by_neuron == pytest.approx(4 * 70_000, rel=0.02)


@pytest.mark.parametrize("clock", [Clocked(), Exact(), FixedPoint()], ids=["clocked", "exact", "integers"])
def test_a_network_that_does_not_fit_is_refused_before_it_is_built(clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(*arguments, **settings):
        raise AssertionError("something was allocated")

    monkeypatch.setattr(memory, "available_bytes", lambda: 3_000_000)
    monkeypatch.setattr(wirings, "stream", build)
    with pytest.raises(ConfigError) as error:
        prepare(network(FixedProbability(probability=0.9)), clock=clock, inputs={"in": Poisson(rate_hz=1)})
    assert error.value.field == "network"
    assert "0.003 GB are free" in str(error.value)
    assert error.value.remedy


def test_where_free_memory_is_not_known_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: None)
    memory.check_memory(network(AllToAll(), sizes=(10**6, 10**6)), Clocked(), None)


def test_a_kernel_is_stored_once() -> None:
    layers = (Layer("in", 400, "source", shape=(20, 20, 1)), Layer("out", 1600, "lif", LIF(), shape=(20, 20, 4)))
    kernel = Projection("in", "out", kernel=Kernel(channels=4, pool="none"), weight=0.1)
    plain = Projection("in", "out", connectivity=Pairs(np.zeros(0, int), np.zeros(0, int)), weight=0.1)
    shared, none = (memory_bytes(Network(layers, (p,)), Clocked(), None)[0] for p in (kernel, plain))
    assert shared - (none - 8 * 401) == 4 * 36


def test_bits_of_a_weight_are_those_of_the_hardware() -> None:
    assert [clock_bits(clock) for clock in (Clocked(), Clocked(precision=64), FixedPoint(weight_bits=5))] == [32, 64, 5]
