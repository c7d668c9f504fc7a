from __future__ import annotations

import csv
import json
import tracemalloc

import pytest

from eqspike import collect, price, train
from eqspike.core.errors import ConfigError, OutputError
from eqspike.costing.counts import counts_document
from eqspike.costing.run import workload_of
from eqspike.costing.summary import energy_summary
from hw_models import load_chip
from hw_models.errors import HardwareError

TINY = {"data__train_limit": 20, "data__test_limit": 10, "training__epochs": 1, "network__hidden": [4]}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train("eqspike-digits", out=tmp_path_factory.mktemp("run") / "run.h5", **TINY)


@pytest.fixture
def sweep(tmp_path, run):
    """Return a function that writes a record of ``run``, under other settings, into a folder of a sweep."""
    (tmp_path / "runs").mkdir()

    def write(name, seed=1, *, counts=True, **changes):
        record = {
            "id": name, "status": "done", "recipe": "eqspike-digits", "settings": {"training.epochs": 1},
            "seed": seed, "attempts": 1, "seconds": 0.5, "results": {"test_accuracy": 0.5, "epochs": 1},
            "ledger": {"inference": {"spikes": 7}}, "error": None, "code": "c", "host": "h",
        }  # fmt: skip
        if counts:
            record["counts"] = counts_document(workload_of(run))
        (tmp_path / "runs" / f"{name}.json").write_text(json.dumps(record | changes))
        return tmp_path

    return write


def test_fields_that_vary_come_first_and_what_is_the_same_last(sweep):
    sweep("a", settings={"training.epochs": 1, "network.hidden": [4], "rule.beta": 1.0})
    table = collect(sweep("b", 2, settings={"training.epochs": 1, "network.hidden": [5], "rule.beta": 1.0}))
    assert table.varied == ("network.hidden", "seed")
    assert table.columns[:4] == ("id", "network.hidden", "seed", "status")
    assert table.columns[-3:] == ("recipe", "training.epochs", "rule.beta")
    first, second = table
    assert (first["network.hidden"], second["network.hidden"]) == ("[4]", "[5]")
    assert (first["test_accuracy"], first["inference.spikes"], first["training.epochs"]) == (0.5, 7, 1)


def test_a_field_that_one_run_leaves_out_varies(sweep):
    sweep("a", settings={"rule.beta": 1.0})
    assert collect(sweep("b", settings={})).varied == ("rule.beta",)


def test_equal_numbers_of_another_type_are_one_value_only_if_they_are_written_alike(sweep):
    sweep("a", settings={"rule.random_sign": True})
    assert collect(sweep("b", settings={"rule.random_sign": 1})).varied == ("rule.random_sign",)


@pytest.mark.parametrize("counts", [True, False], ids=["from the record", "from the run file"])
def test_energies_are_those_that_the_run_itself_has(sweep, run, counts):
    folder = sweep("a", counts=counts)
    (folder / "runs" / "a.h5").write_bytes(run.path.read_bytes())
    (row,) = collect(folder, ["generic-28nm"])
    said = energy_summary(price(run, "generic-28nm"))
    for name in ("energy_per_inference", "energy_per_training_sample"):
        found = {"value": row[f"{name}_j"], "low": row[f"{name}_low_j"], "high": row[f"{name}_high_j"]}
        assert found == pytest.approx(said[f"{name}_j"], rel=1e-12)


def test_a_row_for_each_chip_and_no_energy_without_one(sweep):
    folder = sweep("a")
    chips = ["generic-28nm", "generic-45nm"]
    assert [row["chip"] for row in collect(folder, chips)] == chips
    assert "energy_per_inference_j" not in collect(folder).columns


def test_the_sweep_names_chips_and_knobs(sweep):
    folder = sweep("a")
    prices = [{"chip": "generic-45nm", "knobs": {}}, {"chip": "generic-45nm", "knobs": {"vdd": 0.7}}]
    (folder / "sweep.json").write_text(json.dumps({"schema": 1, "runs": [{"id": "a"}], "prices": prices}))
    full, lowered = collect(folder)
    assert (full["chip.vdd"], lowered["chip.vdd"]) == (None, 0.7)
    assert lowered["energy_per_inference_j"] < full["energy_per_inference_j"]
    own = load_chip("generic-45nm").at(vdd=0.7)
    assert [row["energy_per_inference_j"] for row in collect(folder, [own])] == [lowered["energy_per_inference_j"]]


def test_only_the_runs_of_the_design_count_and_those_to_come_are_missing(sweep):
    sweep("a")
    folder = sweep("of-another-sweep")
    (folder / "sweep.json").write_text(json.dumps({"schema": 1, "runs": [{"id": "b"}, {"id": "a"}], "prices": []}))
    table = collect(folder)
    assert [row["id"] for row in table] == ["a"]
    assert (table.runs, table.done, table.missing) == (2, 1, 1)


def test_failed_runs_are_rows_and_damaged_records_are_counted(sweep):
    sweep("a")
    folder = sweep("b", status="failed", results={}, error="ConfigError: too much")
    (folder / "runs" / "c.json").write_text('{"id": "c", "status": "do')
    table = collect(folder, ["generic-45nm"])
    assert (table.done, table.failed, table.damaged) == (1, 1, 1)
    assert [(row["id"], row["error"]) for row in table] == [("a", None), ("b", "ConfigError: too much")]
    assert list(table)[1]["energy_per_inference_j"] is None


def test_a_chip_that_cannot_learn_still_infers(sweep):
    (row,) = collect(sweep("a"), ["truenorth"])
    assert row["energy_per_training_sample_j"] is None
    assert "energy_per_training_sample" in row["not_priced"]


def test_a_run_without_counts_is_a_row_that_says_so(sweep):
    (row,) = collect(sweep("a", counts=False), ["generic-45nm"])
    assert row["energy_per_inference_j"] is None
    assert "there is no such file" in row["not_priced"]


def test_a_folder_without_a_sweep_and_an_unknown_chip_are_refused(tmp_path, sweep):
    with pytest.raises(ConfigError, match=r"no sweep\.json"):
        collect(tmp_path / "nothing")
    with pytest.raises(HardwareError, match="no-chip"):
        collect(sweep("a"), ["no-chip"])


def test_csv_has_every_row_and_column(sweep):
    sweep("a", results={"test_accuracy": 0.5, "steady": True})
    folder = sweep("b", 2, results={"test_accuracy": None})
    table = collect(folder, ["generic-45nm"])
    table.write(folder / "table.csv")
    with (folder / "table.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert list(rows[0]) == list(table.columns)
    assert [(row["seed"], row["test_accuracy"], row["steady"]) for row in rows] == [("1", "0.5", "true"), ("2", "", "")]
    assert float(rows[1]["energy_per_inference_j"]) == list(table)[1]["energy_per_inference_j"]
    with pytest.raises(OutputError, match="exists"):
        table.write(folder / "table.csv")


def test_parquet_gives_the_rows_back_with_their_types(sweep):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    sweep("a", settings={"size": 1}, results={"test_accuracy": 1, "steady": True})
    folder = sweep("b", settings={"size": "all"}, results={"test_accuracy": 0.25})
    table = collect(folder, ["generic-45nm"])
    table.write(folder / "table.parquet")
    found = parquet.read_table(folder / "table.parquet").to_pylist()
    assert [row["size"] for row in found] == ["1", "all"]
    assert [(row["test_accuracy"], row["steady"]) for row in found] == [(1.0, True), (0.25, None)]
    assert [row["energy_per_inference_j"] for row in found] == [row["energy_per_inference_j"] for row in table]


def test_a_data_frame_has_the_columns(sweep):
    pytest.importorskip("pandas", reason="pandas is not installed")
    frame = collect(sweep("a")).to_pandas()
    assert list(frame.columns)[:2] == ["id", "status"]
    assert frame["test_accuracy"].tolist() == [0.5]


def test_another_suffix_is_refused(sweep):
    folder = sweep("a")
    with pytest.raises(OutputError, match="xlsx"):
        collect(folder).write(folder / "table.xlsx")


def test_a_table_that_breaks_off_leaves_no_file(sweep, monkeypatch):
    folder = sweep("a")
    table = collect(folder)
    monkeypatch.setattr("eqspike.sweeps.collect._plain_cells", lambda record: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        table.write(folder / "table.csv")
    assert [path.name for path in folder.iterdir()] == ["runs"]


def test_rows_are_read_as_they_are_asked_for_and_not_kept(sweep):
    for number in range(200):
        folder = sweep(f"{number:03}", number, counts=False, results={"padding": "x" * 20_000})
    tracemalloc.start()
    try:
        collect(folder).write(folder / "table.csv")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (folder / "table.csv").stat().st_size > 4_000_000
    assert peak < 2_000_000
