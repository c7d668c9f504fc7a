"""Protocols as functions: what they refuse, what they hand to scripts, pairs of a network in training."""

from __future__ import annotations

import json

import numpy as np
import pytest

from eqspike.analysis.stdp import during_training, isolated_pair, rate_ramp
from eqspike.core.errors import ConfigError
from eqspike.data import load_dataset
from eqspike.training import api


@pytest.mark.parametrize(
    ("protocol", "settings", "field"),
    [
        (rate_ramp, {"trials": 1}, "trials"),
        (rate_ramp, {"tick_s": 0.0}, "tick_s"),
        (rate_ramp, {"rates": (0.3, 0.02)}, "rates"),
        (rate_ramp, {"bin_ticks": 4}, "bin_ticks"),
        (rate_ramp, {"derivative": "felt"}, "derivative"),
        (isolated_pair, {"tick_s": -1.0}, "tick_s"),
        (isolated_pair, {"difference_ticks": ()}, "difference_ticks"),
    ],
)
def test_a_wrong_parameter_is_named(protocol, settings: dict, field: str) -> None:
    with pytest.raises(ConfigError) as error:
        protocol(**settings)
    assert field in error.value.field or field in str(error.value)


def test_a_window_is_plain_json_with_its_band_around_the_mean() -> None:
    said = json.loads(json.dumps(rate_ramp(trials=300).to_dict(), allow_nan=False))
    assert said["protocol"] == "rate_ramp"
    assert len(said["mean"]) == len(said["difference_s"]) == len(said["count"])
    assert all(low < mean < high for low, mean, high in zip(said["low_95"], said["mean"], said["high_95"], strict=True))
    assert {curve["kind"] for curve in said["curves"]} >= {"closed_form", "exact_slope", "pair_stdp"}
    assert "symmetric" in said["caption"] and "lag" in said["caption"]


@pytest.fixture(scope="module")
def trained():
    settings = {
        "name": "tiny",
        "data": {"name": "digits", "train_limit": 200, "test_limit": 60},
        "network": {"hidden": [15], "projections": [{"learning_rate": 0.05}, {"learning_rate": 0.01}]},
        "rule": {"tau_ticks": 5, "delay_ticks": 5},
        "phases": {"free_ticks": 30, "nudged_ticks": 30, "readout_ticks": 10},
        "training": {"epochs": 1},
    }
    return api.train(settings), load_dataset("digits").limited(train=200, test=60)


def test_conditions_divide_the_pairs_of_training_and_the_run_stays_as_it_was(trained) -> None:
    run, samples = trained
    before, ledger = run.weights, run.ledger.to_dict()
    windows = during_training(run, samples, presentations=40)
    assert windows.all_pairs.count.sum() > 500
    assert np.array_equal(windows.all_pairs.count, sum(window.count for window in windows.conditions))
    total = sum(np.nan_to_num(window.mean) * window.count for window in windows.conditions)
    np.testing.assert_allclose(total / windows.all_pairs.count, windows.all_pairs.mean, rtol=1e-6, atol=1e-12)
    for name, weights in run.weights.items():
        assert np.array_equal(weights, before[name])
    assert run.ledger.to_dict() == ledger


def test_a_label_neuron_pushed_up_is_potentiated_and_one_pushed_down_less(trained) -> None:
    run, samples = trained
    windows = {window.label: window for window in during_training(run, samples, presentations=60).conditions}
    means = {
        label: np.average(window.mean, weights=window.count) for label, window in windows.items() if window.count.sum()
    }
    up = next(mean for label, mean in means.items() if "β > 0, label" in label)
    down = next(mean for label, mean in means.items() if "β > 0, other" in label)
    assert up > down
