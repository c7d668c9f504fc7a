"""Tables: the same numbers as the run's own, a row each, in NumPy and in pandas."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from eqspike.bridges.tables import frames, recording_of, tables
from eqspike.core.errors import ModelError, ProbeError
from eqspike.core.ledger import LAYER_COUNTERS, PHASES, PROJECTION_COUNTERS
from eqspike.network.connectivity import AllToAll
from eqspike.network.description import Layer, Network, Projection
from eqspike.network.inputs import SpikeList
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.simulation import simulate
from eqspike.training.api import train
from eqspike.training.run import Run, open_run


def test_every_table_of_a_run_has_columns_of_one_length(probed: Run) -> None:
    found = tables(probed)
    assert set(found) == {
        "ledger", "metrics", "spikes", "spikes_per_neuron", "updates", "tick_totals", "weight_trajectory",
    }  # fmt: skip
    for name, columns in found.items():
        assert len({len(values) for values in columns.values()}) == 1, name
        assert all(values.ndim == 1 and values.dtype != object for values in columns.values()), name


def test_the_ledger_comes_back_whole(probed: Run) -> None:
    table, ledger = tables(probed)["ledger"], probed.ledger
    for phase in PHASES:
        of_phase = table["phase"] == phase
        for counter in (*LAYER_COUNTERS, *PROJECTION_COUNTERS, "ticks", "presentations"):
            rows = of_phase & (table["counter"] == counter)
            assert table["count"][rows].sum() == ledger.total(phase, counter)


def test_spikes_are_those_of_the_probes(probed: Run) -> None:
    table, probes = tables(probed)["spikes"], probed.probes
    names = np.array([layer.name for layer in probed.network.layers])
    theirs = zip(table["segment"], table["layer"], np.rint(table["time_s"] / 1e-3) - 1, table["neuron"], strict=True)
    ours = zip(
        probes["spikes/sample"],
        names[probes["spikes/layer"]],
        probes["spikes/tick"],
        probes["spikes/neuron"],
        strict=True,
    )
    assert sorted(theirs) == sorted(ours)
    assert len(table["time_s"]) > 50


def test_long_tables_hold_what_the_arrays_hold(probed: Run) -> None:
    found, probes = tables(probed), probed.probes
    totals = found["tick_totals"]
    assert totals["spikes"][(totals["layer"] == "output")].tolist() == probes["tick_totals"][2].tolist()
    path = found["weight_trajectory"]
    of = path["projection"] == "hidden->output"
    last = of & (path["sample"] == path["sample"].max())
    weights = probed.weights["hidden->output"]
    assert np.array_equal(path["weight"][last], weights[path["pre"][last], path["post"][last]].astype(np.float64))
    assert of.sum() == probes["weight_trajectory/hidden->output/weight"].size
    neurons = found["spikes_per_neuron"]
    for phase in PHASES:
        rows = neurons["phase"] == phase
        assert neurons["count"][rows].sum() == probed.ledger.total(phase, "spikes")
    assert found["metrics"]["epoch"].tolist() == [1, 2]
    assert set(found["updates"]["projection"]) == {"hidden->output"}


def test_a_run_file_gives_the_same_tables(probed: Run, tmp_path) -> None:
    probed.path = tmp_path / "run.h5"
    probed.save()
    again = tables(open_run(probed.path))
    for name, columns in tables(probed).items():
        for column, values in columns.items():
            assert np.array_equal(again[name][column], values), (name, column)
    probed.path = None


def test_a_simulation_has_its_spikes_and_ledger() -> None:
    layers = (Layer("in", 2, "source"), Layer("out", 1, "lif", LIF(tau_membrane_s=0.02)))
    network = Network(layers, (Projection("in", "out", connectivity=AllToAll(), weight=1.5),))
    spikes = SpikeList(np.array([0.002, 0.001]), np.array([1, 0]))
    simulation = simulate(network, 0.01, inputs={"in": spikes})
    found = tables(simulation)
    assert set(found) == {"ledger", "spikes"}
    assert found["spikes"]["layer"].tolist() == ["in", "in", "out", "out"]
    assert found["spikes"]["neuron"][:2].tolist() == [0, 1]
    assert found["spikes"]["time_s"][:2] == pytest.approx([0.001, 0.002])


def test_pandas_shows_the_same(probed: Run) -> None:
    pytest.importorskip("pandas")
    shown = frames(probed)
    for name, columns in tables(probed).items():
        assert list(shown[name].columns) == list(columns)
        assert all(np.array_equal(shown[name][column].to_numpy(), values) for column, values in columns.items())
    per_layer = shown["spikes"].groupby("layer").size()
    assert per_layer["hidden"] == (probed.probes["spikes/layer"] == 1).sum()


def test_without_pandas_the_extra_is_named(probed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ModelError, match=r"pip install 'eqspike\[interop\]'"):
        frames(probed)


def test_what_was_not_recorded_is_not_invented() -> None:
    run = train("eqspike-digits", data__train_limit=20, data__test_limit=10, network__hidden=[5], training__epochs=0)
    found = tables(run)
    assert "spikes" not in found and len(found["metrics"]["epoch"]) == 0
    with pytest.raises(ProbeError, match="recorded no spikes"):
        recording_of(run)
    with pytest.raises(ModelError, match="holds no tables"):
        tables(3)
    with pytest.raises(ModelError, match="holds no spikes"):
        recording_of({})
