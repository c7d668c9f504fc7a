"""Spikes replayed through a network's synapses cause the events that the simulation itself counted."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.core.errors import ConfigError, DataError
from eqspike.costing.fit import graph_of_spec
from eqspike.costing.run import workload_of_simulation
from eqspike.costing.spike_files import read_spikes
from eqspike.costing.spikes import replay, with_spikes
from eqspike.recording.simulations import write_simulation
from eqspike.training.simulation_spec import SimulationSpec, parse_simulation

LIF = {"tau_membrane_s": 10e-3}
SETTINGS = {
    "name": "five-ways",
    "duration_s": 0.05,
    "seed": 5,
    "layers": [
        {"name": "in", "size": 32, "poisson": {"rate_hz": 120.0}, "shape": [4, 4, 2]},
        {"name": "maps", "size": 27, "neuron": LIF, "shape": [3, 3, 3]},
        {"name": "out", "size": 27, "neuron": LIF},
    ],
    "projections": [
        {"pre": "in", "post": "maps", "kernel": {"channels": 3, "size": 4, "padding": 1, "pool": "none"},
         "weight": 0.6, "delay_s": 1e-3},
        {"pre": "maps", "post": "out", "connectivity": {"kind": "one-to-one"}, "weight": 2.0},
        {"pre": "in", "post": "out", "connectivity": {"kind": "fixed-indegree", "indegree": 3}, "weight": 0.5,
         "delay_s": {"kind": "uniform", "low": 1e-3, "high": 9e-3}},
        {"pre": "out", "post": "maps", "connectivity": {"kind": "fixed-probability", "probability": 0.2},
         "weight": 0.1, "delay_s": 2e-3},
        {"pre": "out", "post": "out", "connectivity": {"kind": "all-to-all"}, "weight": -0.01, "delay_s": 7e-3},
    ],
}  # fmt: skip


def simulated(**changes):
    spec = parse_simulation(SETTINGS | changes)
    simulation = spec.prepare()
    simulation.run(spec.duration_s)
    return spec, simulation, {name: (found.t, found.i) for name, found in simulation.spikes.items()}


@pytest.mark.parametrize("clock", ["clocked", "fixed-point"])
def test_a_replay_counts_what_the_simulation_counted(clock) -> None:
    spec, simulation, spikes = simulated(clock={"kind": clock})
    own = workload_of_simulation(simulation, spec.name)
    again = replay(spec, spikes, simulation.time_s).workload
    (phase,) = (phase for phase in own.phases if phase.presentations)
    counts = {key: count for key, count in phase.counts.items() if key[1] != "saturations"}
    assert dict(again.phases[0].counts) == counts
    assert min(count for (_, counter), count in counts.items() if counter == "synaptic_events_forward") > 50
    assert (again.layers, again.projections, again.tick_s) == (own.layers, own.projections, own.tick_s)
    assert again.phases[0].ticks == phase.ticks == 500


def test_spikes_that_arrive_after_the_end_reach_nothing() -> None:
    spec = parse_simulation(SETTINGS)
    late = {"out": (np.array([0.0429, 0.0430, 0.0431]), np.array([0, 1, 2]))}
    found = replay(spec, late, 0.05).workload.phases[0].counts
    assert found["out->out", "synaptic_events_forward"] == 2 * 27, "7 ms on the way"


def test_a_spike_at_the_start_belongs_to_the_first_tick() -> None:
    first = {"out": (np.array([0.0]), np.array([0]))}
    reached = [replay(parse_simulation(SETTINGS), first, s).workload.total("inference", "synaptic_events")
               for s in (0.007, 0.0071)]  # fmt: skip
    assert reached[1] - reached[0] == 27


def test_a_replay_says_what_it_cannot_know() -> None:
    layers = [*SETTINGS["layers"][:2], SETTINGS["layers"][2] | {"poisson": {"rate_hz": 5.0, "weight": 0.1}}]
    spec = SimulationSpec.parse(SETTINGS | {"layers": layers})
    notes = " ".join(replay(spec, {"maps": (np.zeros(0), np.zeros(0, int))}, 0.05).notes)
    assert "of in, out: taken as silent" in notes and "background events of out" in notes


def test_a_graph_has_the_spikes_of_every_neuron() -> None:
    spec = parse_simulation(SETTINGS)
    graph = with_spikes(graph_of_spec(spec), {"out": (np.array([0.01, 0.02, 0.03]), np.array([4, 4, 26]))}, 500)
    assert graph.layer("out").spikes.tolist() == [2.0 * (k == 4) + (k == 26) for k in range(27)]
    assert not graph.layer("maps").spikes.any() and graph.ticks == 500


@pytest.mark.parametrize(
    ("spikes", "words"),
    [
        ({"outt": ([0.01], [0])}, ("'outt'", "in, maps, out")),
        ({"out": ([0.01], [27])}, ("out", "0 to 26")),
        ({"out": ([0.01], [-1])}, ("out", "0 to 26")),
        ({"out": ([0.06], [0])}, ("0.06 s", "after the end")),
    ],
)
def test_spikes_of_another_network_are_refused(spikes, words) -> None:
    given = {name: (np.array(times), np.array(neurons)) for name, (times, neurons) in spikes.items()}
    with pytest.raises(DataError) as caught:
        replay(parse_simulation(SETTINGS), given, 0.05)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_without_ticks_nothing_is_replayed() -> None:
    with pytest.raises(ConfigError, match="exact clock"):
        replay(parse_simulation(SETTINGS | {"clock": {"kind": "exact"}}), {}, 0.05)
    with pytest.raises(ConfigError, match="no duration"):
        replay(parse_simulation(SETTINGS), {}, 0.0)


def test_files_hold_spikes(tmp_path) -> None:
    spec, simulation, spikes = simulated()
    settings = spec.model_dump(mode="json", exclude_none=True)
    write_simulation(tmp_path / "own.npz", spikes, {}, simulation.ledger(), settings, {"time_s": simulation.time_s})
    rows = [f"{name},{i},{float(t)!r}" for name, (ts, ids) in spikes.items() for t, i in zip(ts, ids, strict=True)]
    (tmp_path / "own.csv").write_text("\n".join(["layer,neuron,time_s", *rows, ""]))
    stored, table = read_spikes(tmp_path / "own.npz"), read_spikes(tmp_path / "own.csv")
    assert parse_simulation(stored.settings) == spec and stored.time_s == simulation.time_s
    for found in (stored, table):
        assert {name: (t.tolist(), i.tolist()) for name, (t, i) in found.spikes.items()} == {
            name: (t.tolist(), i.tolist()) for name, (t, i) in spikes.items()
        }


@pytest.mark.parametrize(
    ("name", "arrays", "words"),
    [
        ("a.npz", {"x": np.zeros(3)}, ("spikes/LAYER/t",)),
        ("a.npz", {"spikes/a/t": np.zeros(3)}, ("spikes/a/i",)),
        ("a.npz", {"spikes/a/t": np.zeros(3), "spikes/a/i": np.zeros(3)}, ("neurons of float64",)),
        ("a.npz", {"spikes/a/t": np.zeros(3), "spikes/a/i": np.zeros(2, int)}, ("a.npz: a", "one neuron to each")),
        ("a.npz", {"spikes/a/t": np.array([-1.0]), "spikes/a/i": np.zeros(1, int)}, ("a.npz: a", "negative")),
        ("a.npz", {"spikes/a/t": np.array([{}], object), "spikes/a/i": np.zeros(1, int)}, ("a.npz",)),
        ("a.csv", "layer,neuron\na,1\n", ("first line",)),
        ("a.csv", "layer,neuron,time_s\na,1.5,0\n", ("line 2", "a,1.5,0")),
        ("a.csv", "layer,neuron,time_s\na,1\n", ("line 2",)),
        ("a.csv", "layer,neuron,time_s\na,1,nan\n", ("a.csv: a",)),
        ("a.txt", "", (".npz or .csv",)),
        ("a.npz", "no archive", ("a.npz",)),
    ],
)
def test_what_is_no_file_of_spikes_is_refused(tmp_path, name, arrays, words) -> None:
    if isinstance(arrays, str):
        (tmp_path / name).write_text(arrays)
    else:
        np.savez(tmp_path / name, **arrays)
    with pytest.raises(DataError) as caught:
        read_spikes(tmp_path / name)
    assert all(word in str(caught.value) for word in words), str(caught.value)
