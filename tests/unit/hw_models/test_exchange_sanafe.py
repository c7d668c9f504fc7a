"""Files for SANA-FE: its own numbers for the same small network, and every name and place that it needs."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from hw_models.errors import ChipError, WorkloadError
from hw_models.exchange import sanafe
from hw_models.exchange.graph import Edges, Group, PlacedGraph
from hw_models.exchange.performance import COLUMNS, EventPrices, count_ticks, performance, write_performance

PRICES = EventPrices(synaptic_event=1e-9, neuron_update=1e-3, spike=1e-5, packet=1e-8, hop=1e-7)
TICKS = 6
MODEL = {"threshold": 1.5, "reset": 0.0, "reset_mode": "hard", "leak_decay": 1.0, "bias": 0.0}

# What SANA-FE 2.2.9 writes into perf.csv for this network on this architecture: timestep, fired, updated, packets,
# hops, spikes, then synapse_energy, dendrite_energy, soma_energy, network_energy.
THEIRS = """\
1,2,7,6,2,6,6.000000e-09,0.000000e+00,5.000000e-03,2.600000e-07
2,3,6,6,4,6,6.000000e-09,0.000000e+00,5.020000e-03,4.600000e-07
3,2,5,1,1,1,1.000000e-09,0.000000e+00,5.020000e-03,1.100000e-07
4,2,6,3,1,3,3.000000e-09,0.000000e+00,5.010000e-03,1.300000e-07
5,1,5,2,2,2,2.000000e-09,0.000000e+00,5.010000e-03,2.200000e-07
6,0,5,0,0,0,0.000000e+00,0.000000e+00,5.000000e-03,0.000000e+00
"""


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def graph(**changes) -> PlacedGraph:
    """Two inputs, three neurons on two cores of one tile and of its neighbour, two outputs across the mesh."""
    given = {
        "name": "small",
        "groups": (
            Group("in", 2, None, (ints(0, 0, 1, 3), ints(0, 1, 1, 0))),
            Group("h", 3, MODEL, (ints(1, 1, 2, 4), ints(1, 2, 2, 1))),
            Group("o", 2, MODEL, (ints(2, 3), ints(0, 0))),
        ),
        "edges": (
            Edges("in", "h", ints(0, 0, 0, 1, 1, 1), ints(0, 1, 2, 0, 1, 2), np.array([0.5, 1.0, 1.0, 0, 0.75, 1.75])),
            Edges("h", "o", ints(1, 2, 0), ints(0, 0, 1), np.array([1.0, 2.0, 1.0])),
            Edges("h", "h", ints(1), ints(1), np.array([0.25])),
        ),
        "cores": {"in": ints(0, 0), "h": ints(0, 1, 2), "o": ints(7, 6)},
        "mesh": (2, 2),
        "cores_per_tile": 2,
    }
    return PlacedGraph(**(given | changes))


def shape(**changes) -> sanafe.ArchitectureShape:
    return sanafe.ArchitectureShape(**({"name": "chip", "mesh": (2, 2), "cores_per_tile": 2, "neurons_per_core": 64,
                                        "inputs_per_core": 8} | changes))  # fmt: skip


# ---- events and energies --------------------------------------------------------------------------------------------


def test_every_tick_has_the_peers_counts_and_joules() -> None:
    columns = performance(graph(), TICKS, 1e-3, PRICES)
    names = [name for name in COLUMNS if name not in ("sim_time", "total_energy")]
    theirs = np.array([[float(value) for value in line.split(",")] for line in THEIRS.splitlines()])
    np.testing.assert_allclose(np.transpose([columns[name] for name in names]), theirs, rtol=1e-12)
    np.testing.assert_allclose(columns["total_energy"], theirs[:, -4:].sum(axis=1), rtol=1e-12)
    assert set(columns["sim_time"]) == {1e-3}


def test_the_file_has_the_peers_columns_and_reads_back() -> None:
    file = io.StringIO()
    write_performance(performance(graph(), TICKS, 1e-3, PRICES), file)
    head, *rows = file.getvalue().splitlines()
    assert head == (
        "timestep,fired,updated,packets,hops,spikes,sim_time,"
        "synapse_energy,dendrite_energy,soma_energy,network_energy,total_energy"
    )
    assert [row.split(",")[0] for row in rows] == [str(k) for k in range(1, TICKS + 1)]


def test_a_spike_sends_one_packet_to_each_core_over_all_edges() -> None:
    of = graph()
    reach = of.reach(of.groups[0])
    assert reach.events.tolist() == [3, 3] and reach.packets.tolist() == [3, 3]
    assert reach.hops.tolist() == [1, 1]  # cores 0 and 1 share a tile, core 2 is on the next
    hidden = of.reach(of.groups[1])
    assert hidden.packets.tolist() == [1, 2, 1]
    assert hidden.hops.tolist() == [2, 2, 1]


def test_neurons_that_share_a_core_share_a_packet() -> None:
    together = graph(cores={"in": ints(0, 0), "h": ints(1, 1, 6), "o": ints(6, 1)})
    assert together.reach(together.groups[0]).packets.tolist() == [2, 2]
    assert together.reach(together.groups[0]).events.tolist() == [3, 3]
    assert together.reach(together.groups[1]).packets.tolist() == [1, 2, 1]


def test_spikes_outside_the_ticks_are_refused() -> None:
    with pytest.raises(WorkloadError, match="outside 3 ticks"):
        count_ticks(graph(), 3)


# ---- files ----------------------------------------------------------------------------------------------------------


def test_prices_stand_where_the_peer_looks_for_them() -> None:
    document = json.loads(sanafe.architecture(shape(), PRICES, latency_s=3e-9))["architecture"]
    assert document["attributes"] | {"link_buffer_size": 0} == {
        "topology": "mesh", "width": 2, "height": 2, "link_buffer_size": 0,
    }  # fmt: skip
    (tile,) = document["tile"]
    assert tile["name"] == "tile[0..3]"
    assert {tile["attributes"][f"energy_{way}_hop"] for way in ("north", "east", "south", "west")} == {PRICES.hop}
    (core,) = tile["core"]
    assert core["name"] == "core[0..1]" and core["attributes"]["max_neurons_supported"] == 72
    neuron, inputs = core["soma"]
    assert (neuron["attributes"]["model"], inputs["attributes"]["model"]) == ("leaky_integrate_fire", "input")
    assert (neuron["attributes"]["energy_update_neuron"], neuron["attributes"]["energy_spike_out"]) == (1e-3, 1e-5)
    assert {value for key, value in inputs["attributes"].items() if key.startswith("energy")} == {0.0}
    assert core["synapse"][0]["attributes"] == {
        "model": "current_based", "energy_process_spike": 1e-9, "latency_process_spike": 3e-9,
    }  # fmt: skip
    assert core["axon_out"][0]["attributes"]["energy_message_out"] == PRICES.packet


def test_the_network_says_groups_edges_and_the_core_of_every_neuron() -> None:
    document = json.loads(sanafe.network(graph(), TICKS))
    inputs, hidden, _ = document["network"]["groups"]
    assert inputs["neurons"][1] == {"1": [{"spikes": [1, 1, 0, 0, 0, 0]}]}
    assert hidden["neurons"] == [{"0..2": []}] and {"force_update": True} in hidden["attributes"]
    assert {"threshold": 1.5} in hidden["attributes"]
    edges = document["network"]["edges"]
    assert edges[0] == {"in -> h": [{"type": "dense"}, {"weight": [0.5, 1.0, 1.0, 0.0, 0.75, 1.75]}]}
    assert edges[1:3] == [{"h.1 -> o.0": [{"weight": 1.0}]}, {"h.2 -> o.0": [{"weight": 2.0}]}]
    assert document["mappings"] == [
        {"in.0": [{"core": "0.0"}, {"soma": "input[0]"}]},
        {"in.1": [{"core": "0.0"}, {"soma": "input[1]"}]},
        {"h.0": [{"core": "0.0"}, {"soma": "neuron"}]},
        {"h.1": [{"core": "0.1"}, {"soma": "neuron"}]},
        {"h.2": [{"core": "1.0"}, {"soma": "neuron"}]},
        {"o.0": [{"core": "3.1"}, {"soma": "neuron"}]},
        {"o.1": [{"core": "3.0"}, {"soma": "neuron"}]},
    ]


def test_stretches_of_neurons_on_a_core_are_mapped_together() -> None:
    document = json.loads(sanafe.network(graph(cores={"in": ints(0, 4), "h": ints(3, 3, 2), "o": ints(1, 1)}), TICKS))
    who = [next(iter(entry)) for entry in document["mappings"]]
    assert who == ["in.0", "in.1", "h.0..1", "h.2", "o.0..1"]
    assert [entry["in.1"][1] for entry in document["mappings"] if "in.1" in entry] == [{"soma": "input[0]"}]


def test_a_text_that_nothing_could_read_is_refused() -> None:
    with pytest.raises(WorkloadError, match="20,000,010 synapses and input ticks"):
        sanafe.network(graph(), 10_000_000)


@pytest.mark.parametrize("name", ["a.b", "a b", "", "0a", 'a"', "a->b", "a[0]"])
def test_names_that_the_format_would_misread_are_refused(name: str) -> None:
    groups = (Group(name, 1, MODEL), *graph().groups)
    with pytest.raises(WorkloadError, match="cannot be a name"):
        sanafe.network(graph(groups=groups, cores={name: ints(0), **graph().cores}), TICKS)
    with pytest.raises(WorkloadError, match="cannot be a name"):
        sanafe.network(graph(name=name), TICKS)


@pytest.mark.parametrize(
    "cores", [{"in": ints(0, 0)}, {"in": ints(0), "h": ints(0, 1, 2)}, {"in": ints(0, 8)}, {"in": ints(0, -1)}]
)
def test_every_neuron_needs_a_core_that_exists(cores: dict) -> None:
    with pytest.raises(WorkloadError) as caught:
        graph(cores={"h": ints(0, 1), "o": ints(0, 0)} | cores)
    assert caught.value.remedy and caught.value.field in ("in", "h")


def test_edges_stay_within_their_groups() -> None:
    with pytest.raises(WorkloadError, match="leaves the group 'o'"):
        graph(edges=(Edges("h", "o", ints(0), ints(2), np.ones(1)),))
    with pytest.raises(WorkloadError, match="leaves the group 'x'"):
        graph(edges=(Edges("x", "o", ints(0), ints(0), np.ones(1)),))


@pytest.mark.parametrize(
    "changes", [{"mesh": (0, 2)}, {"cores_per_tile": 0}, {"neurons_per_core": 0}, {"inputs_per_core": 0}]
)
def test_an_architecture_without_room_is_refused(changes: dict) -> None:
    with pytest.raises(ChipError, match="none"):
        shape(**changes)
