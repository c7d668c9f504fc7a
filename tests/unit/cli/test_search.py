from __future__ import annotations

import json

import pytest

pytest.importorskip("optuna", reason="optuna is not installed")

SET = ("--set", "data.train_limit=40")


@pytest.fixture
def space(tmp_path):
    (tmp_path / "space.toml").write_text('[space]\n"rule.beta" = {low = 0.5, high = 4.0, log = true}\n')
    return "space.toml"


def test_json_has_the_trials_and_the_best_as_arguments_of_train(invoke, space):
    result = invoke("search", "tiny.toml", "--budget", 2, "--space", space, "--out", "found", *SET, "--json")
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert (len(said["trials"]), said["new"]) == (2, 2)
    best = max(said["trials"], key=lambda trial: trial["validation_accuracy"])
    assert said["best"]["number"] == best["number"]
    assert said["best"]["set"] == [f"rule.beta={best['settings']['rule.beta']}"]
    pairs = [part for pair in (*said["best"]["set"], SET[1]) for part in ("--set", pair)]
    trained = invoke("train", "tiny.toml", *pairs, "--json")
    assert json.loads(trained.stdout)["validation_accuracy"] == best["validation_accuracy"]


def test_the_same_command_goes_on_and_shows_the_best(invoke, space):
    arguments = ("search", "tiny.toml", "--space", space, *SET, "--budget")
    assert invoke(*arguments, 1).exit_code == 0
    result = invoke(*arguments, 2)
    assert result.exit_code == 0, result.stderr
    assert "2 trials, 1 of them now" in result.stdout
    assert "eqspike train tiny.toml --set data.train_limit=40 --set rule.beta=" in result.stdout
    assert "trial 2: validation accuracy" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--budget", 0), "--budget"),
        (("--budget", 1, "--space", "nowhere.toml"), "nowhere.toml"),
        (("--budget", 1, "--set", "rule.bata=1"), "rule.bata"),
        (("--budget", 1, "--set", "data.validation=0"), "data.validation"),
    ],
)
def test_mistakes_are_named_and_end_with_2(invoke, arguments, named):
    result = invoke("search", "tiny.toml", *arguments)
    assert result.exit_code == 2
    assert named in result.stderr
    assert result.stdout == ""
