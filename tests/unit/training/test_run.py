"""Runs: from settings to results, to a file and back."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.core.errors import ConfigError, OutputError, ProbeError, RunFileError
from eqspike.recording import read_run, write_run
from eqspike.training import api
from eqspike.training.loop import Progress
from eqspike.training.run import open_run


def _same(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> bool:
    return ours.keys() == theirs.keys() and all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_a_run_comes_back_from_its_file_as_it_was(tiny: dict, tmp_path) -> None:
    run = api.train(tiny, out=tmp_path / "run.h5")
    again = open_run(tmp_path / "run.h5")
    assert again.status == "complete"
    assert again.spec == run.spec
    assert again.results == run.results
    assert again.metrics == run.metrics
    assert again.ledger.to_dict() == run.ledger.to_dict()
    assert _same(again.weights, run.weights)
    assert _same(again.substrate.get_weights()[1], run.substrate.get_weights()[1])


def test_results_agree_with_the_ledger(tiny: dict) -> None:
    run = api.train(tiny)
    ledger = run.ledger
    assert ledger.phases["free"].presentations == ledger.phases["nudged"].presentations == 2 * 60
    assert ledger.phases["inference"].presentations == 20
    assert ledger.phases["inference"].ticks == 20 * 12
    spikes = sum(counts[2].sum() for counts in run.substrate.spikes_per_neuron().values())
    assert run.results["spikes_per_inference"] == pytest.approx(spikes / 20)
    assert run.results["epochs"] == 2
    assert len(run.metrics["train_accuracy"]) == 2


def test_training_changes_weights_and_equal_seeds_give_equal_runs(tiny: dict) -> None:
    first, second = api.train(tiny), api.train(tiny)
    other = api.train(tiny, seed=2)
    untrained = api.train(tiny, training__epochs=0)
    assert _same(first.weights, second.weights)
    assert not _same(first.weights, other.weights)
    assert not _same(first.weights, untrained.weights)


def test_more_epochs_after_the_end_equal_a_longer_run(tiny: dict, tmp_path) -> None:
    path = tmp_path / "run.h5"
    api.train(tiny, out=path)
    longer = api.resume(path, epochs=3)
    straight = api.train(tiny, training__epochs=3)
    assert _same(longer.weights, straight.weights)
    assert longer.ledger.to_dict() == straight.ledger.to_dict()
    assert longer.results["test_accuracy"] == straight.results["test_accuracy"]


def test_a_complete_run_is_not_resumed_and_epochs_are_not_taken_back(tiny: dict, tmp_path) -> None:
    path = tmp_path / "run.h5"
    api.train(tiny, out=path)
    with pytest.raises(RunFileError, match="complete"):
        api.resume(path)
    with pytest.raises(ConfigError, match="already has 2 epochs"):
        api.resume(path, epochs=1)


def test_an_existing_file_is_not_written_over(tiny: dict, tmp_path) -> None:
    path = tmp_path / "run.h5"
    path.write_text("precious")
    with pytest.raises(OutputError, match="--force"):
        api.train(tiny, out=path)
    assert path.read_text() == "precious"


def test_a_run_file_whose_parts_do_not_fit_is_refused(tiny: dict, tmp_path) -> None:
    path = tmp_path / "run.h5"
    api.train(tiny, out=path)
    content = read_run(path)
    content.config["network"]["hidden"] = [9]
    write_run(path, content, overwrite=True)
    with pytest.raises(RunFileError, match="contradict"):
        open_run(path)


def test_probes_record_what_the_recipe_asks_for(tiny: dict, tmp_path) -> None:
    probes = {
        "presentations": 3,
        "spikes": True,
        "potentials": True,
        "rates": True,
        "tick_totals": True,
        "updates": 10_000,
        "weight_trajectory": 5,
        "trajectory_points": 4,
    }
    run = api.train(tiny | {"probes": probes}, out=tmp_path / "run.h5")
    found = read_run(tmp_path / "run.h5").probes
    assert _same(found, run.probes)
    assert found["potential/hidden"].shape == (3, 20, 8)
    assert found["rate/output"].shape == (3, 20, 10)
    by_layer = np.bincount(found["spikes/layer"], minlength=3)
    assert found["tick_totals"].sum(axis=1).tolist() == by_layer.tolist()
    assert found["spikes/tick"].max() < 20
    assert (found["updates/tick"] >= 12).all(), "weights move in the nudged phase only"
    trajectory = found["weight_trajectory/hidden->output/weight"]
    assert trajectory.shape == (1 + 2 * 4, 5)
    assert found["weight_trajectory/hidden->output/sample"].tolist() == [0, 15, 30, 45, 60, 75, 90, 105, 120]
    places = found["weight_trajectory/hidden->output/pre"], found["weight_trajectory/hidden->output/post"]
    assert np.array_equal(trajectory[-1], run.weights["hidden->output"][places])


def test_probing_does_not_change_the_run(tiny: dict) -> None:
    plain = api.train(tiny)
    probed = api.train(tiny | {"probes": {"presentations": 2, "spikes": True, "weight_trajectory": 3}})
    assert _same(plain.weights, probed.weights)
    assert plain.ledger.to_dict() == probed.ledger.to_dict()


def test_a_probe_without_room_says_how_much_it_needs(tiny: dict) -> None:
    with pytest.raises(ProbeError, match="Raise it to"):
        api.train(tiny | {"probes": {"presentations": 1, "updates": 3}})


def test_progress_is_told_and_ends_with_the_test(tiny: dict) -> None:
    told: list[Progress] = []
    api.train(tiny, on_progress=told.append)
    assert told[0].stage == "compile"
    assert told[-1].stage == "test"
    assert {p.stage for p in told} == {"compile", "train", "validate", "test"}
    assert told[-1].validation_accuracy == pytest.approx(told[-1].validation_accuracy)


def test_without_validation_samples_there_is_no_validation_accuracy(tiny: dict) -> None:
    told: list[Progress] = []
    tiny["data"] = {"name": "digits", "validation": 0, "train_limit": 40, "test_limit": 20}
    run = api.train(tiny, on_progress=told.append)
    assert run.results["validation_accuracy"] is None
    assert all(p.validation_accuracy is None for p in told)
