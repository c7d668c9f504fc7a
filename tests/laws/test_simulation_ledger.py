"""The simulator's counts equal a recount of its recorded spikes through an explicit adjacency."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.simulation import synapses_of
from reference.simulation_cases import TICK_S, Case, cases, counted, spikes_by_tick

from eqspike.network.connectivity import FixedIndegree, FixedProbability, Normal, Uniform
from eqspike.network.description import Layer, Network, Projection
from eqspike.network.inputs import Poisson
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.clocks import Clocked
from eqspike.substrates.spiking.simulation import simulate
from eqspike.substrates.spiking.wiring import wire

pytestmark = pytest.mark.kernels
FEW = settings(max_examples=settings.default.max_examples // 4)


def recounted(network: Network, spikes: dict[str, list[tuple[int, int]]], ticks: int, seed: int) -> dict[str, int]:
    """Return, by projection, how many synapses spikes reached whose arrival lies within the run."""
    found = {}
    for number, p in enumerate(network.projections):
        wiring = wire(network, p, number, seed, spread=p.plastic)
        fan_out = np.zeros(network.layer(p.pre).size, np.int64)
        for synapse in synapses_of(network, p, wiring, wiring.weights):
            fan_out[synapse.pre] += 1
        late = np.broadcast_to(TICK_S if p.delay_s is None else wiring.delays_s, fan_out.size) / TICK_S
        found[p.name] = sum(fan_out[i] for tick, i in spikes[p.pre] if tick + round(late[i]) < ticks)
    return found


@FEW
@given(case=cases(), ticks=st.sampled_from([1, 6, 211]))
def test_synaptic_events_are_those_of_the_spikes(case: Case, ticks: int) -> None:
    engine = case.start()
    engine.run(ticks * TICK_S)
    counts = counted(engine.ledger())
    for name, events in recounted(case.network, spikes_by_tick(engine), ticks, case.seed).items():
        assert counts.get((name, "synaptic_events_forward"), 0) == events
    for layer in case.network.layers:
        assert counts.get((layer.name, "spikes"), 0) == len(engine.spikes[layer.name].t)
        assert counts.get((layer.name, "neuron_updates"), 0) == (ticks * layer.size if layer.kind == "lif" else 0)
    assert engine.ledger().total("inference", "ticks") == ticks


def test_a_larger_network_counts_the_same_on_two_threads() -> None:
    layers = (Layer("in", 60, "source"), Layer("out", 150, "lif", LIF()))
    network = Network(layers, (
        Projection("in", "out", connectivity=FixedProbability(probability=0.3), weight=0.12, delay_s=5e-3),
        Projection(
            "out", "out", connectivity=FixedIndegree(indegree=9), weight=Normal(mean=0.05, sd=0.1),
            delay_s=Uniform(low=5e-3, high=9e-3),
        ),
    ))  # fmt: skip
    clock = Clocked(tick_s=TICK_S)
    found = simulate(network, 0.301, clock=clock, inputs={"in": Poisson(rate_hz=50)}, seed=6, threads=2)
    assert len(found.parts) == 2
    assert found.outcome.kind == "completed"
    wanted = recounted(network, spikes_by_tick(found), 301, 6)
    counts = counted(found.ledger())
    assert {name: counts[name, "synaptic_events_forward"] for name in wanted} == wanted
    assert min(wanted.values()) > 1000
