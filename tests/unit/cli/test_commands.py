from __future__ import annotations

import json

import pytest

from eqspike import __version__
from eqspike.recipes import shipped_recipes
from eqspike.training.run import open_run
from hw_models import available_chips


def document(result) -> dict:
    """Return the one document on stdout."""
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_version(invoke):
    assert invoke("--version").stdout == f"eqspike {__version__}\n"


def test_evaluating_repeats_the_test(invoke, run_file, said):
    before = run_file.read_bytes()
    found = document(invoke("evaluate", run_file, "--json", "--threads", 2))
    same = ("test_accuracy", "spikes_per_inference", "synaptic_events_per_inference", "energy_per_inference_j")
    assert {key: found[key] for key in same} == {key: said[key] for key in same}
    assert run_file.read_bytes() == before


def test_the_ledger_of_an_inference_is_of_that_inference_alone(invoke, run_file):
    found = document(invoke("evaluate", run_file, "--json"))
    assert {row["phase"] for row in found["ledger"]} == {"inference"}
    counted = {(row["of"], row["counter"]): row["count"] for row in found["ledger"]}
    ledger = open_run(run_file).ledger
    assert counted["run", "presentations"] == found["samples"] == 40
    assert counted["hidden->output", "synaptic_events_forward"] == 10 * counted["hidden", "spikes"]
    assert counted["hidden", "spikes"] + counted["output", "spikes"] == ledger.total("inference", "spikes")


def test_evaluating_another_data_set(invoke, run_file, tmp_path):
    import numpy as np
    from sklearn.datasets import load_digits

    digits = load_digits()
    np.savez(
        tmp_path / "own.npz", x_train=digits.images[:100], y_train=digits.target[:100],
        x_test=digits.images[:30], y_test=digits.target[:30],
    )  # fmt: skip
    found = document(invoke("evaluate", run_file, "--dataset", "own.npz", "--json"))
    assert (found["dataset"], found["samples"]) == ("own.npz", 30)
    assert invoke("evaluate", run_file).exit_code == 0


def test_the_report_adds_up(invoke, run_file, said):
    found = document(invoke("energy", run_file, "--json"))
    assert found["energy_per_inference_j"] == said["energy_per_inference_j"]
    inference = [row["energy_j"] for row in found["report"]["rows"] if row["phase"] == "inference"]
    assert sum(inference) / 40 == pytest.approx(said["energy_per_inference_j"]["value"])


def test_static_energy_follows_the_tick(invoke, run_file):
    static = []
    for tick in (1e-6, 1e-3):
        report = document(invoke("energy", run_file, "--tick-s", tick, "--json"))["report"]
        assert (report["tick_s"], report["tick_source"]) == (tick, "given")
        static.append(report["phases"]["inference"]["static"]["value"])
    assert static[1] == pytest.approx(1000 * static[0])


def test_the_report_as_tables(invoke, run_file):
    result = invoke("energy", run_file, "--chip", "eqspike-analog-65nm")
    assert result.exit_code == 0, result.stderr
    for words in ("free", "nudged", "inference", "static", "warnings", "not modelled", "constants", "the chip's own"):
        assert words in result.stdout


@pytest.mark.parametrize("protocol", ["isolated-pair", "ramp", "training"])
def test_windows_of_a_run(invoke, run_file, protocol):
    arguments = ("stdp", run_file, "--protocol", protocol)
    found = document(invoke(*arguments, "--json"))
    assert found["figure"] == str(run_file.with_name(f"run-stdp-{protocol}.png"))
    assert found["tick_s"] == 1e-3
    again = invoke(*arguments)
    assert again.exit_code == 0, again.stderr
    assert run_file.with_name(f"run-stdp-{protocol}-2.png").stat().st_size > 10_000
    assert "what it shows" in again.stdout


def test_recipes(invoke):
    found = document(invoke("recipes", "--json"))["recipes"]
    assert [entry["name"] for entry in found] == list(shipped_recipes())
    listed = invoke("recipes").stdout
    assert all(entry["name"] in listed for entry in found)


def test_the_settings_of_a_recipe_are_what_set_takes(invoke):
    result = invoke("recipes", "tiny.toml")
    rows = [line.split() for line in result.stdout.splitlines() if line.strip().endswith(("recipe", "default"))]
    settings = {row[0]: (" ".join(row[1:-1]), row[-1]) for row in rows}
    assert settings["network.projections.1.learning_rate"] == ("0.01", "recipe")
    assert settings["network.neuron.leak"] == ("0.0", "default")
    changes = [("--set", f"{key}={value}") for key, (value, _) in settings.items()]
    assert invoke("train", "tiny.toml", *(part for change in changes for part in change)).exit_code == 0
    stored = document(invoke("recipes", "tiny.toml", "--json"))["settings"]
    assert open_run("runs/tiny-seed1.h5").spec.model_dump(mode="json", exclude_none=True) == stored


def test_datasets(invoke):
    found = document(invoke("datasets", "--json"))["datasets"]
    assert [entry["name"] for entry in found] == ["digits", "mnist", "fashion-mnist", "cifar10"]
    assert found[0]["n_test"] == 359
    assert "CC BY 4.0" in invoke("datasets").stdout


def test_chips(invoke):
    found = {entry["name"]: entry for entry in document(invoke("chips", "--json"))["chips"]}
    assert list(found) == [info.name for info in available_chips()]
    assert found["generic-45nm"]["vdd"] == 0.9 and found["generic-45nm"]["evidence"] == "derived"
    assert found["loihi2"]["unpriced"] and found["loihi2"]["evidence"] is None
    listed = invoke("chips").stdout
    assert "45 nm" in listed and "limits only" in listed


TASKS = """
name = "tasks"
substrate = "feedforward"
data = { name = "digits", train_limit = 300, test_limit = 100 }
network.hidden = [24]
tasks = { kind = "permuted", count = 2 }
training = { epochs = 2, batch = 20 }
"""


def test_a_run_of_several_tasks_is_evaluated_task_by_task(invoke, tmp_path):
    (tmp_path / "tasks.toml").write_text(TASKS)
    trained = document(invoke("train", "tasks.toml", "--out", "tasks.h5", "--json"))
    found = document(invoke("evaluate", "tasks.h5", "--json"))
    for name in ("test_accuracy", "test_accuracy_task1", "test_accuracy_task2"):
        assert found[name] == trained[name]
    assert found["samples"] == 200
    assert trained["test_accuracy_task2"] > 0.5


def test_another_rule_leaves_behind_what_it_does_not_know(invoke, tmp_path):
    (tmp_path / "tasks.toml").write_text(TASKS + "rule = { name = 'metaplastic', m = 2.0 }\n")
    found = invoke("train", "tasks.toml", "--set", "rule.name=backprop", "--json")
    assert found.exit_code == 0, found.stderr
