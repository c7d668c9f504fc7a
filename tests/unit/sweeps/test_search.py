from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from eqspike import collect, resolve, search
from eqspike.core.errors import ConfigError, Interrupted
from eqspike.data import load_dataset
from eqspike.sweeps import work
from eqspike.sweeps.space import default_space, from_optuna, read_space, to_optuna
from eqspike.sweeps.work import without_test

pytest.importorskip("optuna", reason="optuna is not installed")

TINY = {
    "data.train_limit": 30, "training.epochs": 1, "network.hidden": [4],
    "phases.free_ticks": 20, "phases.nudged_ticks": 10, "phases.readout_ticks": 10,
}  # fmt: skip
SPACE = {"space": {"rule.beta": {"low": 0.5, "high": 4.0, "log": True}, "network.hidden": [[4], [6]]}}


@pytest.fixture
def spec():
    return resolve("eqspike-digits", TINY)


def test_the_test_set_is_not_looked_at(spec, tmp_path, monkeypatch):
    """Test labels that no network could learn change nothing, nor do test images that are not there."""

    def spoilt(name, **options):
        found = load_dataset(name, **options)
        return replace(found, x_test=found.x_test[:0], y_test=np.full_like(found.y_test[:0], -1))

    plain = search(spec, 2, space=SPACE, out=tmp_path / "plain")
    work._loaded.cache_clear()
    monkeypatch.setattr("eqspike.data.load_dataset", spoilt)
    assert search(spec, 2, space=SPACE, out=tmp_path / "spoilt").trials == plain.trials
    work._loaded.cache_clear()
    assert plain.best.accuracy is not None
    assert "test_accuracy" not in collect(tmp_path / "plain").columns


def test_validation_samples_stand_where_the_test_samples_were():
    dataset = load_dataset("digits", validation=None)
    hidden = without_test(dataset)
    assert hidden.x_test is dataset.x_validation
    assert hidden.y_test is dataset.y_validation


def test_a_search_that_was_stopped_ends_as_if_it_had_not_been(spec, tmp_path, monkeypatch):
    """Enough trials for proposals that depend on all earlier ones, stopped in the middle of one."""
    budget = 14
    monkeypatch.setattr("eqspike.sweeps.search.execute", by_formula)
    whole = search(spec, budget, space=SPACE, out=tmp_path / "whole")
    monkeypatch.setattr("eqspike.sweeps.search.execute", stops_at(12))
    with pytest.raises(Interrupted, match="trial 13; 12 are done"):
        search(spec, budget, space=SPACE, out=tmp_path / "stopped")
    monkeypatch.setattr("eqspike.sweeps.search.execute", by_formula)
    resumed = search(spec, budget, space=SPACE, out=tmp_path / "stopped")
    assert resumed.trials == whole.trials
    assert resumed.new == 2
    assert len({str(trial.settings) for trial in whole.trials}) == budget


def by_formula(task, on_progress=None):
    """Stand for a run: the best nudge is 2, and a network with 6 hidden neurons is better."""
    beta, hidden = task.settings["rule.beta"], task.settings["network.hidden"]
    accuracy = 1 - abs(beta - 2) / 4 - 0.1 * (hidden == [4])
    record = {"id": task.id, "status": "done", "results": {"validation_accuracy": accuracy}}
    work.Store(task.folder).write_record(record)
    return work.Outcome(task.id, "done")


def stops_at(number):
    """Return a stand-in that is interrupted when it is called after ``number`` runs."""
    runs = iter(range(number))

    def execute(task, on_progress=None):
        return by_formula(task) if next(runs, None) is not None else work.Outcome(task.id, "interrupted")

    return execute


def test_proposals_learn_from_earlier_trials(spec, tmp_path, monkeypatch):
    monkeypatch.setattr("eqspike.sweeps.search.execute", by_formula)
    found = search(spec, 40, space=SPACE, out=tmp_path)
    errors = [abs(trial.settings["rule.beta"] - 2) for trial in found.trials]
    assert np.mean(errors[-15:]) < 0.6 * np.mean(errors[:10])
    assert found.best.settings["network.hidden"] == [6]
    assert found.best.accuracy == max(trial.accuracy for trial in found.trials)


def test_finished_trials_are_kept_and_a_larger_budget_adds_to_them(spec, tmp_path):
    first = search(spec, 1, space=SPACE, out=tmp_path)
    record = tmp_path / "runs" / f"{first.trials[0].id}.json"
    written = record.stat().st_mtime_ns
    more = search(spec, 2, space=SPACE, out=tmp_path)
    assert more.trials[:1] == first.trials
    assert (more.new, record.stat().st_mtime_ns) == (1, written)
    assert search(spec, 1, space=SPACE, out=tmp_path).new == 0
    table = collect(tmp_path, ["generic-28nm"])
    assert [row["rule.beta"] for row in table] == [trial.settings["rule.beta"] for trial in more.trials]
    assert all(row["energy_per_training_sample_j"] > 0 for row in table)


def test_a_lost_record_is_run_again_to_the_same_end(spec, tmp_path):
    first = search(spec, 2, space=SPACE, out=tmp_path)
    (tmp_path / "runs" / f"{first.trials[1].id}.json").write_text("{")
    assert search(spec, 2, space=SPACE, out=tmp_path).trials == first.trials


def test_settings_that_do_not_fit_together_fail_and_do_not_end_the_search(spec, tmp_path):
    space = {"space": {"phases.free_ticks": [10, 20], "phases.readout_ticks": [10, 20]}}
    found = search(spec, 8, space=space, out=tmp_path)
    failed = [trial for trial in found.trials if trial.accuracy is None]
    assert {tuple(trial.settings.values()) for trial in failed} == {(10, 20)}
    assert "readout_ticks must not exceed" in failed[0].error
    assert len(found.trials) == 8


@pytest.mark.parametrize(
    "changed",
    [{"space": {"space": {"rule.beta": [1.0, 2.0]}}}, {"seed": 2}, {"recipe": {"network.hidden": [5]}}],
    ids=["space", "seed", "recipe"],
)
def test_a_folder_of_another_search_is_refused(spec, tmp_path, monkeypatch, changed):
    monkeypatch.setattr("eqspike.sweeps.search.execute", by_formula)
    search(spec, 1, space=SPACE, out=tmp_path)
    options = {"space": SPACE, "out": tmp_path} | changed
    with pytest.raises(ConfigError, match="another"):
        search(resolve(spec, options.pop("recipe", {})), 1, **options)


def test_a_folder_of_a_sweep_is_refused(spec, tmp_path):
    (tmp_path / "sweep.json").write_text(json.dumps({"schema": 1, "runs": [], "prices": []}))
    with pytest.raises(ConfigError, match="holds a sweep"):
        search(spec, 1, space=SPACE, out=tmp_path)


def test_without_validation_samples_nothing_is_run(spec, tmp_path):
    with pytest.raises(ConfigError, match="no validation samples"):
        search(resolve(spec, {"data.validation": 0}), 1, space=SPACE, out=tmp_path)
    assert not (tmp_path / "runs").exists()


def test_the_default_space_is_rates_and_nudges_around_the_recipe():
    space = default_space(resolve("eqspike-digits"))
    assert set(space) == {"network.projections.0.learning_rate", "network.projections.1.learning_rate", "rule.beta"}
    assert (space["rule.beta"].low, space["rule.beta"].high, space["rule.beta"].log) == (0.5, 8.0, True)
    assert "optimiser.learning_rates.0" in default_space(resolve("hopfield-1"))
    assert "rule.learning_rate" in default_space(resolve("perceptron-8bit"))


def test_distributions_go_to_optuna_and_back(spec):
    table = {"a": [[1], None, "x"], "training.epochs": {"low": 1, "high": 9, "integer": True, "log": True}}
    table["network.hidden"] = table.pop("a")[:1]
    space = read_space({"space": table}, spec)
    whole = to_optuna(space["training.epochs"])
    assert (type(whole).__name__, whole.low, whole.high, whole.log) == ("IntDistribution", 1, 9, True)
    (choice,) = to_optuna(space["network.hidden"]).choices
    assert from_optuna(space["network.hidden"], choice) == [1]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[space]\n"rule.beta" = {low = 1.0, high = 4.0}\n"rule.bata" = [1.0]', r"line 3: rule\.bata.*'beta'"),
        ("[space]\nrule.beta = {low = 1.0}", r"line 2: rule\.beta.*'high' must be a number"),
        ("[space]\nrule.beta = {low = -1.0, high = 4.0}", r"line 2: rule\.beta.*-1\.0"),
        ("[space]\nseed = 3", "line 2: seed.*nothing to draw from"),
        ("[grid]\nseed = [3]", r"one table, \[space\]"),
        ("[space", "not valid TOML"),
    ],
)
def test_mistakes_in_a_space_name_line_and_key(spec, tmp_path, text, named):
    path = tmp_path / "space.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=f"space.toml.*{named}"):
        read_space(path, spec)
