"""Running claims: real training on digits, and what is run, skipped, kept and refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eqspike.claims import runner
from eqspike.claims.runner import Report, run_claim
from eqspike.claims.schema import read_claim
from eqspike.core.errors import ConfigError, DataError, Interrupted
from eqspike.sweeps.fingerprint import configuration_hash
from eqspike.training.spec import RunSpec


class Fake:
    """Stands for training: remembers what was asked, answers the seed as accuracy."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.error: Exception | None = None

    def __call__(
        self, spec: RunSpec, threads: int | None = None, on_progress: object = None, kind: str = "training"
    ) -> dict:
        if self.error:
            raise self.error
        self.asked.append((spec.phases.free_ticks, spec.seed))
        return {
            "status": "complete",
            "configuration": configuration_hash(spec),
            "code": runner.code_hash(),
            "results": {"test_accuracy": spec.seed / 10},
        }


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    made = Fake()
    monkeypatch.setattr(runner, "measure", made)
    return made


ALL = [(60, 1), (60, 2), (30, 1)]


def test_every_case_is_run_with_every_seed(folder: Path, fake: Fake) -> None:
    document = run_claim(folder)
    assert fake.asked == ALL
    assert document["cases"]["base"]["outcomes"][0]["values"] == {"1": 0.1, "2": 0.2}
    assert document == json.loads((folder / "measured.json").read_text())


def test_what_is_finished_is_skipped(folder: Path, fake: Fake) -> None:
    run_claim(folder, cases=["base"], seeds=[2])
    run_claim(folder)
    assert fake.asked == [(60, 2), (60, 1), (30, 1)]
    run_claim(folder, again=True)
    assert fake.asked[3:] == ALL


def test_another_code_or_configuration_is_run_anew(
    folder: Path, fake: Fake, claim_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_claim(folder)
    (folder / "claim.toml").write_text(claim_text.replace("free_ticks = 30", "free_ticks = 35"))
    run_claim(folder)
    assert fake.asked[3:] == [(35, 1)]
    monkeypatch.setattr(runner, "code_hash", lambda: "sha256:other")
    run_claim(folder)
    assert fake.asked[4:] == [(60, 1), (60, 2), (35, 1)]


def test_a_failed_run_is_tried_again(folder: Path, fake: Fake) -> None:
    run_claim(folder)
    path = folder / "measured.json"
    path.write_text(path.read_text().replace('"status": "complete"', '"status": "failed"', 1))
    run_claim(folder)
    assert fake.asked[3:] == [(60, 1)]


def test_an_interruption_keeps_what_is_finished(folder: Path, fake: Fake) -> None:
    def interrupt(report: Report) -> None:
        if report.record:
            fake.error = Interrupted("stopped by SIGINT in epoch 3.")

    with pytest.raises(Interrupted, match=r"stopped by SIGINT in epoch 3\. Finished runs are kept"):
        run_claim(folder, on_progress=interrupt)
    fake.error = None
    run_claim(folder)
    assert fake.asked == ALL


def test_quick_changes_settings_and_runs_the_first_seed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    specs = []
    monkeypatch.setattr(runner, "measure", lambda spec, *_: specs.append(spec) or {"configuration": "sha256:q"})
    run_claim(folder, quick=True)
    assert [(spec.seed, spec.data.train_limit, spec.network.hidden) for spec in specs] == [(1, 20, [8]), (1, 20, [8])]
    assert not (folder / "measured.json").exists()


def test_the_command_says_how_to_do_it_again(folder: Path, fake: Fake) -> None:
    document = run_claim(folder, cases=["base"], seeds=[2])
    command = document["cases"]["base"]["runs"]["2"]["command"]
    assert command == "eqspike reproduce digits_learnt --case base --seed 2"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"cases": ["bas"]}, "no case 'bas'. Did you mean 'base'"),
        ({"seeds": [5]}, "5 is no seed of case 'base'. Its seeds are 1, 2"),
        ({"seeds": [2], "quick": True}, "Its seeds are 1 with --quick"),
    ],
)
def test_a_wrong_choice_is_named(folder: Path, fake: Fake, options: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        run_claim(folder, **options)
    assert fake.asked == []


@pytest.mark.parametrize(
    ("old", "new", "error", "said"),
    [
        ('"eqspike-digits"', '"eqspike-digit"', ConfigError, "no recipe 'eqspike-digit'. Did you mean"),
        ('"eqspike-digits"', '"own.toml"', ConfigError, "own.toml: there is no such file"),
        ("phases.free_ticks", "phases.free_tick", ConfigError, "phases.free_tick"),
        ("train_limit = 60", 'train_limit = 60, name = "digitz"', DataError, "no data set 'digitz'"),
    ],
)
def test_a_wrong_recipe_stops_before_anything_is_run(
    folder: Path, fake: Fake, claim_text: str, old: str, new: str, error: type[Exception], said: str
) -> None:
    (folder / "claim.toml").write_text(claim_text.replace(old, new))
    with pytest.raises(error, match=said):
        run_claim(folder)
    assert fake.asked == [] and not (folder / "measured.json").exists()


def test_a_recipe_may_lie_in_the_claims_folder(folder: Path, claim_text: str) -> None:
    (folder / "own.toml").write_text(
        'name = "own"\n[network]\nhidden = [5]\n[[network.projections]]\nlearning_rate = 0.1\n'
        "[[network.projections]]\nlearning_rate = 0.1\n[phases]\nreadout_ticks = 20\n"
    )
    text = claim_text.replace('"eqspike-digits"', '"own.toml"').replace("network.hidden = [8]", "")
    (folder / "claim.toml").write_text(text)
    assert [job.spec.network.hidden for job in runner.jobs(folder, read_claim(folder))] == [[5]] * 3


def test_real_training_is_recorded_whole(folder: Path) -> None:
    document = run_claim(folder, cases=["short"])
    run = document["cases"]["short"]["runs"]["1"]
    assert run["status"] == "complete" and run["wall_s"] > 0 and run["data"]["name"] == "digits"
    layers = run["counts"]["inference"]["spikes"]
    assert sum(layers.values()) == pytest.approx(run["results"]["spikes_per_inference"])
    events = run["counts"]["training_sample"]["synaptic_events"]  # both directions of the symmetric projection
    assert sum(events.values()) == pytest.approx(run["results"]["synaptic_events_per_training_sample"])
    writes = run["counts"]["training_sample"]["weight_writes"]
    assert sum(writes.values()) == pytest.approx(run["results"]["weight_writes_per_training_sample"])
    assert {"input->hidden", "hidden->output"} <= set(writes)
    assert set(run["energies"]) == {"generic-45nm", "eqspike-analog-65nm"}
    band = run["energies"]["generic-45nm"]["energy_per_inference_j"]
    assert 0 < band["low"] < band["value"] < band["high"]
    assert len(run["epochs"]["train_accuracy"]) == 1
    assert {"python", "numpy", "numba", "cpu", "cpu_count", "created"} <= set(run["environment"])
    text = (folder / "measured.json").read_text()
    assert str(folder) not in text and str(Path.home()) + "/" not in text


def test_a_run_that_fails_is_recorded_and_the_next_one_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train = runner.api.train

    def failing(spec: RunSpec, **options: object) -> object:
        if spec.seed == 1:
            raise MemoryError("no room")
        return train(spec, **options)

    monkeypatch.setattr("eqspike.claims.measuring.api.train", failing)
    case = run_claim(folder, cases=["base"])["cases"]["base"]
    assert case["runs"]["1"]["status"] == "failed" and case["runs"]["1"]["error"] == "MemoryError: no room"
    assert case["runs"]["2"]["status"] == "complete"
    assert case["outcomes"][0]["reason"] == "1 of 2 seeds measured"


def test_an_interrupted_run_is_not_recorded_as_failed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise Interrupted("stopped by SIGTERM in epoch 1.")

    monkeypatch.setattr("eqspike.claims.measuring.api.train", stopped)
    with pytest.raises(Interrupted, match="Finished runs are kept"):
        run_claim(folder, cases=["short"])
    assert not (folder / "measured.json").exists()


def test_processes_give_the_same_results(folder: Path) -> None:
    heard: list[Report] = []
    alone = run_claim(folder, cases=["base"])["cases"]["base"]["runs"]
    both = run_claim(folder, cases=["base"], again=True, workers=2, on_progress=heard.append)["cases"]["base"]["runs"]
    assert {report.seed for report in heard if report.record} == {1, 2}
    for seed in ("1", "2"):
        assert both[seed]["counts"] == alone[seed]["counts"]
        assert both[seed]["results"]["test_accuracy"] == alone[seed]["results"]["test_accuracy"]
