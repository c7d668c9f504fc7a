"""A simulation in SANA-FE's files: neurons, weights and events as they are, and what the format lacks refused."""

from __future__ import annotations

import csv
import json
from io import StringIO
from types import SimpleNamespace

import numpy as np
import pytest

from eqspike.core.errors import ConfigError
from eqspike.costing.export import event_prices, neurobench_document, sana_fe_files
from eqspike.costing.placed import contiguous_cores, neuron_model, placed_graph
from eqspike.costing.run import workload_of_simulation
from eqspike.network.connectivity import AllToAll, FixedProbability, OneToOne, Uniform
from eqspike.network.description import Kernel, Layer, Network, Projection
from eqspike.network.inputs import Poisson, SpikeList
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.clocks import Clocked, Exact
from eqspike.substrates.spiking.simulation import simulate
from hw_models import load_chip, price
from hw_models.errors import UnpricedError
from hw_models.exchange.graph import GraphPlacement
from hw_models.exchange.performance import performance

TICK = 1e-3
NEURON = LIF(tau_membrane_s=20e-3, v_rest=0.5, v_reset=0.25, v_threshold=2.5, drive=0.2)


def run(neuron: LIF = NEURON, clock=None, background=None, **changes):
    ticks, who = np.arange(1, 81), np.arange(80) % 4
    projections = (
        Projection("in", "h", connectivity=AllToAll(), weight=Uniform(low=0.2, high=1.2)),
        Projection("h", "h", connectivity=FixedProbability(probability=0.5), weight=Uniform(low=-0.1, high=0.1)),
        Projection("h", "o", connectivity=OneToOne(), **({"weight": 0.9} | changes)),
    )
    network = Network(
        (Layer("in", 4, "source"), Layer("h", 3, "lif", neuron), Layer("o", 3, "lif", neuron)), projections
    )
    inputs = {"in": SpikeList(ticks * TICK, who)} | (background or {})
    clock = clock or Clocked(tick_s=TICK, precision=64)
    return simulate(network, 0.1, clock=clock, inputs=inputs, max_rate_hz=1e5)


def test_the_written_neurons_fire_the_spikes_that_were_recorded() -> None:
    """What was written, stepped as the format defines it but with arrivals a tick later, as they are here."""
    simulation = run()
    graph = placed_graph(simulation, "g", cores=contiguous_cores(simulation.network, 4, 3), mesh=(3, 1))
    groups = {group.name: group for group in graph.groups}
    fired = {name: np.zeros((103, group.neurons), bool) for name, group in groups.items()}
    fired["in"][groups["in"].spikes[0], groups["in"].spikes[1]] = True
    v = {name: np.zeros(3) for name in ("h", "o")}
    for tick in range(100):
        for name in v:
            arriving = np.zeros(3)
            for edge in graph.edges:
                if edge.post == name:  # 2 ticks after the spike, its leak is in the weight
                    sent = fired[edge.pre][tick - 2] if tick >= 2 else np.zeros(len(fired[edge.pre][0]), bool)
                    np.add.at(arriving, edge.targets, edge.weights * sent[edge.sources])
            model = groups[name].model
            v[name] = model["leak_decay"] * v[name] + model["bias"] + arriving
            over = v[name] > model["threshold"]
            fired[name][tick] = over
            v[name] = np.where(over, model["reset"], v[name])
    for name in v:
        wanted = np.zeros((103, 3), bool)
        wanted[groups[name].spikes] = True
        assert wanted.sum() > 5
        assert np.array_equal(fired[name], wanted)


def test_events_and_energy_are_those_of_pricing_the_ledger() -> None:
    simulation, chip = run(), load_chip("loihi")
    cores = {"in": np.zeros(4, int), "h": np.array([4, 4, 40]), "o": np.array([127, 0, 5])}
    graph = placed_graph(simulation, "g", cores=cores, mesh=(8, 4), cores_per_tile=4)
    prices = event_prices(chip, 64)
    columns = performance(graph, simulation.ticks, TICK, prices)
    ledger = simulation.ledger()
    assert columns["spikes"].sum() == ledger.total("inference", "synaptic_events")
    assert columns["fired"].sum() == ledger.total("inference", "spikes")
    placement = GraphPlacement(graph)
    assert columns["hops"].sum() == sum(n for (_, counter), n in placement.counts("inference", None).items()
                                        if counter == "hops")  # fmt: skip
    assert placement.counts("free", None) == {} and placement.summary()["cores"] == 5
    report = price(workload_of_simulation(simulation, "g"), chip, placement=placement)
    assert prices.spike == 0  # the chip prices a spike by its packets
    events = sum(report.energy(part=part).value for part in ("dynamic", "periphery"))
    assert columns["total_energy"].sum() == pytest.approx(events, rel=1e-12)


def test_the_files_are_whole() -> None:
    files = sana_fe_files(run(), "small", load_chip("loihi"))
    assert set(files) == {"architecture.yaml", "network.yaml", "perf.csv"}
    assert json.loads(files["architecture.yaml"])["architecture"]["attributes"]["width"] == 8
    assert [group["name"] for group in json.loads(files["network.yaml"])["network"]["groups"]] == ["in", "h", "o"]
    rows = list(csv.DictReader(StringIO(files["perf.csv"])))
    assert len(rows) == 100 and {row["sim_time"] for row in rows} == {rows[0]["sim_time"]}
    without_mesh = json.loads(sana_fe_files(run(), "small", load_chip("generic-45nm"))["architecture.yaml"])
    assert without_mesh["architecture"]["attributes"] | {} == {
        "topology": "mesh", "width": 2, "height": 2, "link_buffer_size": 16,
    }  # fmt: skip
    for name in ("loihi2", "brainscales2"):  # nothing published, and a power alone
        with pytest.raises(UnpricedError):
            sana_fe_files(run(), "small", load_chip(name))


def test_a_placement_keeps_its_distances() -> None:
    mesh = SimpleNamespace(width=3, height=2, x=np.array([2, 0, 2, 1]), y=np.array([1, 0, 1, 0]))
    core = {"in": np.full(4, -1), "h": np.array([0, 2, 1]), "o": np.array([3, 3, 0])}
    placement = SimpleNamespace(core=core, mesh=mesh, serves={})
    files = sana_fe_files(run(), "small", load_chip("loihi"), placement)
    attributes = json.loads(files["architecture.yaml"])["architecture"]["attributes"]
    assert (attributes["width"], attributes["height"]) == (3, 2)
    mapped = {}
    for entry in json.loads(files["network.yaml"])["mappings"]:
        ((who, where),) = entry.items()
        mapped[who] = where[0]["core"]
    # tile x * 2 + y; two cores share the router (2, 1), and the inputs stand apart at the first
    assert mapped == {
        "in.0": "0.2", "in.1": "0.2", "in.2": "0.2", "in.3": "0.2", "h.0": "5.0", "h.1": "5.1", "h.2": "0.0",
        "o.0..1": "2.0", "o.2": "5.0",
    }  # fmt: skip
    placement.serves = {"relay": "h"}
    with pytest.raises(ConfigError, match="relay"):
        sana_fe_files(run(), "small", load_chip("loihi"), placement)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"neuron": LIF(refractory_s=2e-3)}, "refractory"),
        ({"neuron": LIF(tau_adaptation_s=0.1, adaptation_step=0.1)}, "adaptation"),
        ({"neuron": LIF(reset="soft", v_reset=-1.0)}, "soft reset"),
        ({"background": {"h": Poisson(rate_hz=5.0, weight=0.1)}}, "background"),
        ({"tau_synapse_s": 5e-3}, "delta synapses"),
        ({"delay_s": 3e-3}, "delays of one tick"),
        ({"clock": Exact()}, "not from exact"),
    ],
)
def test_what_the_format_lacks_is_refused(given: dict, said: str) -> None:
    simulation = run(**given)
    with pytest.raises(ConfigError, match=said):
        placed_graph(simulation, "g", cores=contiguous_cores(simulation.network, 4, 3), mesh=(3, 1))


def test_convolutions_and_double_spikes_are_refused() -> None:
    shape, after = (4, 4, 1), (4, 4, 2)
    network = Network(
        (Layer("in", 16, "source", shape=shape), Layer("h", 32, "lif", LIF(), shape=after)),
        (Projection("in", "h", kernel=Kernel(channels=2, pool="none"), weight=0.1),),
    )
    cores = contiguous_cores(network, 32, 2)
    for times, said in (([1e-3], "convolutions"), ([1e-3, 1e-3], "twice within a tick")):
        given = {"in": SpikeList(np.array(times), np.zeros(len(times), int))}
        simulation = simulate(network, 0.01, clock=Clocked(tick_s=TICK), inputs=given)
        with pytest.raises(ConfigError, match=said):
            placed_graph(simulation, "g", cores=cores, mesh=(2, 1))
    with pytest.raises(ConfigError, match="2 cores of 32 neurons are needed, 1"):
        contiguous_cores(network, 32, 1)


def test_a_neuron_without_leak_keeps_its_potential() -> None:
    model = neuron_model(LIF(tau_membrane_s=None, drive=5.0, v_threshold=2.0), Clocked(tick_s=TICK))
    assert model["leak_decay"] == 1.0
    assert model["bias"] / model["threshold"] == pytest.approx(5.0 * TICK / 2.0)


def test_neurobench_counts_pairs_without_a_synapse_as_zeros() -> None:
    simulation = run()
    workload = workload_of_simulation(simulation, "g")
    document = neurobench_document(workload, {"h->h": np.array([1.0, 0.0, 2.0])}, {"h->h": 9})
    assert document["phases"]["inference"]["connection_sparsity"] == round(7 / 9, 4)
    assert list(document["phases"]) == ["inference"] and document["notes"]
