"""``eqspike compare``: a run beside its opponents, and mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eqspike.training.api import load_data, resolve
from eqspike.training.run import new_run


def document(result) -> list[dict]:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)["comparisons"]


def test_a_run_is_priced_beside_its_opponents(invoke, run_file, tmp_path):
    arguments = ("compare", run_file, "--chip", "generic-45nm", "--chip", "truenorth", "--figure", "ratios.png")
    (found,) = document(invoke(*arguments, "--json"))
    energy = json.loads(invoke("energy", run_file, "--json").stdout)
    own, rival, silent, _, a100, h100 = found["contenders"]
    assert [one["chip"] for one in found["contenders"]][2:] == ["truenorth", "truenorth", "gpu-a100", "gpu-h100"]
    assert own["energy_inference_j"] == pytest.approx(energy["energy_per_inference_j"])
    assert own["energy_training_sample_j"]["value"] == pytest.approx(energy["energy_per_training_sample_j"]["value"])
    assert own["samples_to_accuracy"] == 60 and silent["energy_training_sample_j"] is None and silent["not_priced"]
    against = {(one["chip"], one["opponent_chip"]): one for one in found["comparisons"]}
    assert len(against) == 6
    (between,) = found["between_chips"]
    assert (between["chip"], between["opponent_chip"]) == ("generic-45nm", "truenorth")
    ratio = silent["energy_inference_j"]["value"] / own["energy_inference_j"]["value"]
    assert between["ratios"]["inference"]["value"] == pytest.approx(ratio)
    assert between["ratios"]["training_sample"] is None, "truenorth does not learn"
    gain = against["generic-45nm", "generic-45nm"]["ratios"]["inference"]
    assert gain["value"] == pytest.approx(rival["energy_inference_j"]["value"] / own["energy_inference_j"]["value"])
    assert gain["low"] <= gain["value"] <= gain["high"]
    apart = [one["energy_inference_j"]["high"] / one["energy_inference_j"]["low"] for one in (own, rival)]
    assert gain["high"] / gain["low"] < apart[0] * apart[1] / 2, "shared constants move together"
    assert a100["energy_inference_j"]["value"] == pytest.approx((64 * 8 + 8 * 10 + 18) * 1.2821e-12), "dense MACs"
    assert h100["energy_inference_j"]["value"] < a100["energy_inference_j"]["value"]
    assert found["perceptron"]["sizes"] == [64, 8, 10] and found["perceptron"]["weight_bits"] == 32
    assert found["published_claim"]["inference"] == 1000
    assert (tmp_path / "ratios.png").stat().st_size > 10_000


def test_two_runs_as_tables(invoke, run_file, monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    result = invoke("compare", run_file, run_file)
    assert "the same run on other chips" not in result.stdout
    assert (
        "generic-22nm needs" in invoke("compare", run_file, "--chip", "generic-45nm", "--chip", "generic-22nm").stdout
    )
    assert result.exit_code == 0, result.stderr
    for words in (
        "perceptron 64-8-10",
        "gpu-h100",
        "an inference: tiny",
        "the published claim",
        "assumptions",
        "here,",
    ):
        assert words in result.stdout
    assert result.stdout.count("perceptron 64-8-10") == 2
    head, first, second = (line.split() for line in result.stdout.splitlines()[-5:] if line.strip(" ─"))
    assert head[-2:] == ["whole", "training"] and first == second and first[:2] == ["tiny", "generic-45nm"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere.h5",), ("nowhere.h5:", "no such file")),
        (("run.h5", "--chip", "generic"), ("chip:", "Known")),
        (("run.h5", "--tick-s", "-1"), ("--tick-s:",)),
        (("run.h5", "--figure", "."), (".:", "folder")),
        (("untested.h5",), ("untested.h5", "not been tested")),
    ],
)
def test_mistakes_end_in_one_message(invoke, run_file, arguments, words):
    spec = resolve("tiny.toml")
    new_run(spec, load_data(spec), Path("untested.h5")).save()
    result = invoke("compare", *arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == "" and result.stderr.splitlines()[-1].startswith("error: ")
    assert all(word in result.stderr for word in words), result.stderr
