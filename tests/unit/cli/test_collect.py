from __future__ import annotations

import csv
import json

import pytest

from eqspike.costing.counts import counts_document
from eqspike.costing.run import workload_of
from eqspike.training.run import open_run

CHIPS = ("--chip", "generic-28nm", "--chip", "generic-45nm")


@pytest.fixture
def folder(tmp_path, run_file):
    """A sweep of three runs, one of them failed, one more to come."""
    run = open_run(run_file)
    (tmp_path / "sweep" / "runs").mkdir(parents=True)
    for name, hidden, status in (("a", 4, "done"), ("b", 8, "done"), ("c", 9, "failed")):
        record = {
            "id": name, "status": status, "recipe": "tiny.toml", "settings": {"network.hidden": [hidden]}, "seed": 1,
            "results": {"test_accuracy": hidden / 10, "spikes_per_inference": 3.0} if status == "done" else {},
            "counts": counts_document(workload_of(run)), "error": None if status == "done" else "ConfigError: no",
        }  # fmt: skip
        (tmp_path / "sweep" / "runs" / f"{name}.json").write_text(json.dumps(record))
    design = {"schema": 1, "runs": [{"id": name} for name in "abcd"], "prices": []}
    (tmp_path / "sweep" / "sweep.json").write_text(json.dumps(design))
    return tmp_path / "sweep"


def test_json_is_one_document_with_rows_and_front(invoke, folder):
    result = invoke("collect", folder, *CHIPS, "--json")
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert (said["runs"], said["done"], said["failed"], said["missing"], said["damaged"]) == (4, 2, 1, 1, 0)
    assert [(row["id"], row["chip"]) for row in said["rows"]] == [
        ("a", "generic-28nm"), ("a", "generic-45nm"), ("b", "generic-28nm"), ("b", "generic-45nm"), ("c", None),
    ]  # fmt: skip
    assert set(said["front"]) == {"generic-28nm", "generic-45nm"}
    (best,) = said["front"]["generic-28nm"]  # both count the same, so the better one is the front
    assert (best["accuracy"], best["front"]) == (0.8, ["low", "value", "high"])


def test_out_takes_the_rows_and_is_not_replaced_unasked(invoke, folder, tmp_path):
    result = invoke("collect", folder, "--out", "table.csv", "--json")
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert "rows" not in said
    assert (said["out"], said["front"]) == ("table.csv", {})
    with (tmp_path / "table.csv").open(newline="") as handle:
        assert [row["network.hidden"] for row in csv.DictReader(handle)] == ["[4]", "[8]", "[9]"]
    assert invoke("collect", folder, "--out", "table.csv").exit_code == 2
    assert invoke("collect", folder, "--out", "table.csv", "--force").exit_code == 0


def test_tables_show_what_varies_states_and_front(invoke, folder):
    result = invoke("collect", folder, "--chip", "generic-28nm")
    assert result.exit_code == 0, result.stderr
    for said in ("hidden [4]", "80.00 %", "failed", "2 done, 1 failed, 1 missing", "hidden [8]"):
        assert said in result.stdout


def test_a_figure_of_the_front(invoke, folder, tmp_path):
    result = invoke("collect", folder, *CHIPS, "--pareto", "front.png")
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "front.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["nowhere"], "nowhere"),
        (["sweep", "--out", "table.xlsx"], "xlsx"),
        (["sweep", "--pareto", "front.png"], "--chip"),
        (["sweep", "--chip", "no-such-chip"], "no-such-chip"),
    ],
)
def test_mistakes_are_named_and_end_with_2(invoke, folder, arguments, named):
    result = invoke("collect", *arguments)
    assert result.exit_code == 2
    assert named in result.stderr
    assert result.stdout == ""
