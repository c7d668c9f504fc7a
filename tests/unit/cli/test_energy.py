"""``eqspike energy``: counts from anywhere, what-if on the chip, figures, and mistakes."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest
from matplotlib.figure import Figure
from reference.cost_cases import TABLE

NETWORK = """
name = "pair"
duration_s = 0.02
[[layers]]
name = "in"
size = 2
spikes = { times_s = [1e-3, 2e-3, 2e-3], neurons = [0, 0, 1] }
[[layers]]
name = "out"
size = 2
neuron = { tau_membrane_s = 10e-3 }
[[projections]]
pre = "in"
post = "out"
connectivity = { kind = "all-to-all" }
weight = 2.0
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "mine.csv").write_text(TABLE)
    (tmp_path / "pair.toml").write_text(NETWORK)


def said(result) -> dict:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def total(invoke, *arguments) -> float:
    return said(invoke("energy", *arguments, "--json"))["total_j"]["value"]


def test_saved_counts_cost_what_the_run_costs(invoke, run_file):
    own = said(invoke("energy", run_file, "--json", "--save-counts", "counts.json"))
    for name in ("counts.toml", "counts.csv"):
        assert invoke("energy", "--counts", "counts.json", "--save-counts", name).exit_code == 0
        again = said(invoke("energy", "--counts", name, "--json"))
        assert again["report"] == own["report"]
    assert own["run_file"] == str(run_file) and again["run_file"] is None and again["source"] == "counts.csv"


def test_a_table_of_counts_is_priced(invoke, files):
    found = said(invoke("energy", "--counts", "mine.csv", "--json"))
    rows = found["report"]["rows"]
    assert {"chip", "phase", "component", "energy_j", "low", "high", "includes", "evidence"} <= set(rows[0])
    assert found["total_j"]["value"] == pytest.approx(sum(row["energy_j"] for row in rows))
    assert found["energy_per_inference_j"] is None and found["report"]["phases"]["go"]["total"] == found["total_j"]
    assert found["tornado"]["phases"] == ["go"]
    shown = invoke("energy", "--counts", "mine.csv")
    assert shown.exit_code == 0, shown.stderr
    for words in ("weakest evidence", "time of a sample", "energy x delay", "footprint", "what decides, of go"):
        assert words in shown.stdout


def test_published_operating_points_variants_and_area_are_in_the_report(invoke, run_file):
    shown = invoke("energy", run_file, "--chip", "loihi").stdout
    for words in ("published operating points", "variants", "board", "mm2", "endurance"):
        assert words in shown


@pytest.mark.parametrize(
    "knob",
    [("--node", 22), ("--vdd", 0.7), ("--weight-bits", 4), ("--tick-s", 1e-4), ("--overhead", 1.5),
     ("--transposition", "column_walk")],
)  # fmt: skip
def test_every_knob_changes_the_answer(invoke, run_file, knob):
    assert total(invoke, run_file, *knob) != pytest.approx(total(invoke, run_file), rel=1e-4)


def test_the_generic_chip_is_named_after_its_node(invoke, files):
    found = said(invoke("energy", "--counts", "mine.csv", "--node", "22", "--json"))
    assert (found["chip"], found["report"]["node_nm"]) == ("generic-22nm", 22)


def test_a_ledger_of_another_schema_is_refused(invoke, run_file):
    with h5py.File(run_file, "r+") as file:
        file["ledger/version"][...] = 2
    result = invoke("energy", run_file)
    assert result.exit_code == 2 and result.stdout == "" and len(result.stderr.splitlines()) == 1
    assert "ledger" in result.stderr and "version" in result.stderr


def test_fewer_bits_leave_the_accuracy_open(invoke, run_file):
    report = said(invoke("energy", run_file, "--weight-bits", "4", "--json"))["report"]
    assert any("accuracy was not re-evaluated" in warning for warning in report["warnings"])


def test_recorded_spikes_cost_what_their_simulation_counted(invoke, files, tmp_path):
    simulated = said(invoke("simulate", "pair.toml", "--out", "found.npz", "--json"))
    found = said(invoke("energy", "--spikes", "found.npz", "--json"))
    assert found["total_j"]["value"] == pytest.approx(simulated["energy_j"]["value"])
    with np.load(tmp_path / "found.npz") as file:
        rows = [
            f"{layer},{i},{t}"
            for layer in ("in", "out")
            for t, i in zip(file[f"spikes/{layer}/t"], file[f"spikes/{layer}/i"], strict=True)
        ]
    (tmp_path / "found.csv").write_text("\n".join(["layer,neuron,time_s", *rows]))
    again = said(invoke("energy", "--spikes", "found.csv", "--network", "pair.toml", "--json"))
    assert again["report"]["rows"] == found["report"]["rows"] and "saturations" in again["notes"][-1]


def test_a_nir_model_is_simulated_on_samples(invoke, tmp_path):
    nir = pytest.importorskip("nir")
    nodes = {
        "in": nir.Input(np.array([3])),
        "fc": nir.Linear(np.full((4, 3), 5.0)),
        "h": nir.IF(np.full(4, 1e3), np.ones(4)),
        "out": nir.Output(np.array([4])),
    }
    edges = [("in", "fc"), ("fc", "h"), ("h", "out")]
    nir.write(str(tmp_path / "model.nir"), nir.NIRGraph(nodes, edges, metadata={"dt": 1e-3}, type_check=False))
    spikes = np.zeros((2, 10, 3))
    spikes[0, 1, 0] = spikes[1, 2, :] = 1
    np.savez(tmp_path / "samples.npz", spikes=spikes)
    found = said(invoke("energy", "--nir", "model.nir", "--data", "samples.npz", "--json"))
    assert found["report"]["phases"]["inference"]["synaptic_events"] == 4 * 4
    assert found["report"]["phases"]["inference"]["presentations"] == 2 and found["report"]["workload"] == "model"


def test_a_tornado_is_about_one_presentation(invoke, files, monkeypatch):
    drawn = []
    monkeypatch.setattr("eqspike.plots.costs.draw_tornado", lambda *given: drawn.append(given) or Figure())
    found = said(invoke("energy", "--counts", "mine.csv", "--tornado", "t.png", "--json"))
    ((swings, value, what, _),) = drawn
    assert value == pytest.approx(found["total_j"]["value"] / 10) and "presentation (go)" in what
    assert [one[0] for one in swings] == [one["constant"] for one in found["tornado"]["constants"]]
    assert [one[2] for one in swings] == pytest.approx([one["high"] / 10 for one in found["tornado"]["constants"]])


def test_a_placed_network_pays_for_what_it_routes(invoke, run_file):
    arguments = ("energy", run_file, "--chip", "loihi", "--weight-bits", 8)
    apart, placed = (said(invoke(*arguments, *more, "--json"))["report"] for more in ((), ("--place",)))
    assert apart["placement"] is None and placed["placement"]["cores"] == 1
    assert "routing was taken" in " ".join(apart["warnings"]) and "routing was taken" not in " ".join(
        placed["warnings"]
    )
    shown = invoke(*arguments, "--place").stdout
    assert "1 core of 1 chip" in shown and "hops a presentation" in shown


def test_what_does_not_fit_ends_with_the_wall_and_a_code_of_its_own(invoke, run_file):
    result = invoke("energy", run_file, "--chip", "odin", "--place")
    assert result.exit_code == 3 and result.stdout == ""
    assert "weight_bits" in result.stderr and "the wall is 3" in result.stderr and "Would fit" in result.stderr


def test_a_replay_is_placed_with_its_own_spikes(invoke, files):
    invoke("simulate", "pair.toml", "--out", "found.npz")
    arguments = ("energy", "--spikes", "found.npz", "--chip", "loihi", "--weight-bits", 8, "--place", "--json")
    assert said(invoke(*arguments))["report"]["placement"]["neurons"] == 2


def test_figures_are_drawn_and_kept(invoke, files, tmp_path):
    arguments = ("energy", "--counts", "mine.csv", "--figure", "bars.png", "--tornado", "tornado.svg")
    assert invoke(*arguments).exit_code == 0
    assert (tmp_path / "bars.png").read_bytes().startswith(b"\x89PNG") and (tmp_path / "tornado.svg").stat().st_size
    again = invoke(*arguments)
    assert again.exit_code == 2 and "exists already" in again.stderr
    assert invoke(*arguments, "--force").exit_code == 0


CHIP = 'schema = 1\nname = "x"\ntitle = "x"\ndescription = "x"\ndevice = "x"\nnode_nm = 28\n'


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), ("nothing", "RUN, --counts, --spikes or --nir")),
        (("nowhere.h5", "--counts", "mine.csv"), ("RUN and --counts", "one of")),
        (("--counts", "nowhere.csv"), ("nowhere.csv",)),
        (("--counts", "pair.toml"), ("pair.toml: schema", "do not say")),
        (("--counts", "future.csv"), ("future.csv: schema", "ledger schema 2")),
        (("--counts", "mine.csv", "--network", "pair.toml"), ("--network", "--spikes")),
        (("--counts", "mine.csv", "--duration", "1"), ("--duration", "--spikes or --nir")),
        (("--counts", "mine.csv", "--place"), ("--place", "without the synapses")),
        (("--spikes", "found.csv"), ("--network", "Name the network")),
        (("--spikes", "mine.csv", "--network", "pair.toml"), ("mine.csv", "layer,neuron,time_s")),
        (("--spikes", "found.csv", "--network", "pair.toml"), ("'nobody'", "in, out")),
        (("--nir", "model.nir"), ("--data", "samples")),
        (("--nir", "model.nir", "--data", "found.csv"), ("model.nir", "no such file")),
        (("--counts", "mine.csv", "--chip", "dynapse"), ("dynapse", "limits")),
        (("--counts", "mine.csv", "--chip", "own.toml"), ("own.toml", "constants")),
        (("--counts", "mine.csv", "--chip", "minus.toml"), ("minus.toml, line 7: constants.c", "-1")),
        (("--counts", "mine.csv", "--chip", "unit.toml"), ("unit.toml, line 7", "'potatoes'")),
        (("--counts", "mine.csv", "--chip", "bare.toml"), ("bare.toml, line 7", "bare value")),
        (("--counts", "mine.csv", "--chip", "recalled.toml"), ("constants.c", "recalled")),
        (("--counts", "mine.csv", "--chip", "recalled.toml", "--json"), ("constants.c", "recalled")),
        (("--counts", "mine.csv", "--node", "3"), ("node_nm", "Nodes")),
        (("--counts", "mine.csv", "--node", "-22"), ("--node", "above zero")),
        (("--counts", "mine.csv", "--vdd", "nan"), ("--vdd", "above zero")),
        (("--counts", "mine.csv", "--vdd", "9"), ("vdd",)),
        (("--counts", "mine.csv", "--weight-bits", "0"), ("weight_bits", "1 or more")),
        (("--counts", "mine.csv", "--overhead", "0"), ("--overhead",)),
        (("--counts", "mine.csv", "--clock-hz", "1e6"), ("clock_hz",)),
        (("--counts", "mine.csv", "--transposition", "mirror"), ("transposition", "Policies")),
        (("--counts", "mine.csv", "--variant", "board"), ("variant", "Variants")),
        (("--counts", "mine.csv", "--tick-s", "0"), ("--tick-s",)),
        (("--counts", "mine.csv", "--save-counts", "counts.xls"), ("counts.xls", ".csv")),
        (("--counts", "mine.csv", "--save-counts", "mine.csv"), ("mine.csv", "exists already")),
        (("--counts", "mine.csv", "--figure", "bars.bmp"), ("bars.bmp",)),
    ],
)
def test_mistakes_end_in_one_message(invoke, files, tmp_path, arguments, words):
    constant = (
        '{ value = %s, low = 0, high = 2, unit = "%s", includes = "x", evidence = "%s", source = "p", year = 2000 }'
    )
    head = f'{CHIP}constants.c = %s\nparts = {{ static = "s", dynamic = "d", periphery = "p" }}\nnot_modelled = ["x"]\n'
    head += 'transposition = { policy = "crossbar", reason = "r" }\nfree = { spikes = "f", neuron_updates = "f" }\n'
    tail = '[[actions.synaptic_events]]\ncomponent = "c"\nprice = "c"\n'
    for name, given in (
        ("minus", constant % (-1, "pJ", "measured")),
        ("unit", constant % (1, "potatoes", "measured")),
        ("bare", "3"),
        ("recalled", constant % (1, "pJ", "recalled")),
    ):
        (tmp_path / f"{name}.toml").write_text(head % given + tail)
    (tmp_path / "own.toml").write_text(CHIP)
    (tmp_path / "future.csv").write_text(TABLE.replace("schema,1", "schema,2"))
    (tmp_path / "found.csv").write_text("layer,neuron,time_s\nnobody,0,0.001\n")
    before = sorted(path.name for path in tmp_path.iterdir())
    result = invoke("energy", *arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == "" and len(result.stderr.splitlines()) == 1 and result.stderr.startswith("error: ")
    assert all(word in result.stderr for word in words), result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_phase_alone(invoke, run_file):
    alone = said(invoke("energy", run_file, "--phase", "inference", "--json"))
    assert set(alone["report"]["phases"]) == {"inference"}
    whole = said(invoke("energy", run_file, "--json"))["report"]["phases"]["inference"]
    assert alone["report"]["phases"]["inference"]["dynamic"] == whole["dynamic"]
    refused = invoke("energy", run_file, "--phase", "nosuch")
    assert refused.exit_code == 2 and "inference" in refused.stderr
