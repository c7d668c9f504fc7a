"""Verdicts on results made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from eqspike.claims.schema import Claim
from eqspike.claims.verdicts import MET, MISSED, NOT_COMPARED, judge, overall, summary


def claim_of(*cases: dict[str, Any]) -> Claim:
    defaults = {"recipe": "eqspike-digits", "seeds": [1, 2, 3]}
    return Claim.parse(
        {"title": "t", "statement": "s", "source": {"reference": "r"}, "cases": [defaults | case for case in cases]}
    )


def runs(*values: float, quantity: str = "test_accuracy") -> dict[str, dict]:
    return {str(seed): {"status": "complete", "results": {quantity: value}} for seed, value in enumerate(values, 1)}


def outcome(expect: dict, measured: dict[str, dict]) -> dict:
    return judge(claim_of({"name": "base"}, {"name": "it", "expect": [expect]}), measured)["it"][0]


def test_mean_and_sample_standard_deviation() -> None:
    found = summary([0.90, 0.92, 0.97])
    assert found["mean"] == pytest.approx(0.93)
    assert found["standard_deviation"] == pytest.approx(0.036055512754639904)  # sqrt((9 + 1 + 16) / 2) / 100
    assert (found["n"], found["low"], found["high"]) == (3, 0.90, 0.97)


def test_one_value_has_no_standard_deviation_and_none_has_no_mean() -> None:
    assert summary([0.5])["standard_deviation"] is None
    assert summary([])["mean"] is None


@pytest.mark.parametrize(
    ("bounds", "verdict"),
    [
        ({"at_least": 0.5}, MET),
        ({"at_least": 0.5000001}, MISSED),
        ({"at_most": 0.5}, MET),
        ({"at_most": 0.4999999}, MISSED),
        ({"below": 0.5}, MISSED),
        ({"below": 0.5000001}, MET),
        ({"at_least": 0.4, "at_most": 0.45}, MISSED),
        ({}, NOT_COMPARED),
    ],
)
def test_bounds_hold_for_the_mean(bounds: dict[str, float], verdict: str) -> None:
    assert outcome(bounds, {"it": runs(0.25, 0.5, 0.75)})["verdict"] == verdict


def test_the_published_value_and_the_aim_decide_nothing() -> None:
    expect = {"published": 0.9, "published_grade": "recalled", "at_least": 0.5, "aim": 0.95}
    assert outcome(expect, {"it": runs(0.6, 0.6, 0.6)})["verdict"] == MET


def test_nothing_is_compared_before_every_seed_is_measured() -> None:
    found = outcome({"at_least": 0.5}, {"it": runs(0.9, 0.9)})
    assert (found["verdict"], found["reason"]) == (NOT_COMPARED, "2 of 3 seeds measured")
    assert found["mean"] == 0.9


def test_a_failed_run_is_not_a_measured_seed() -> None:
    measured = runs(0.9, 0.9) | {"3": {"status": "failed", "error": "MemoryError: "}}
    assert outcome({"at_least": 0.5}, {"it": measured})["verdict"] == NOT_COMPARED


def test_seeds_that_the_claim_does_not_name_are_left_out() -> None:
    measured = runs(0.6, 0.6, 0.6) | {"9": {"results": {"test_accuracy": 0.0}}}
    assert outcome({"at_least": 0.6}, {"it": measured})["values"] == {"1": 0.6, "2": 0.6, "3": 0.6}


def test_differences_are_taken_seed_by_seed() -> None:
    expect = {"compare": "base", "below": 0.0}
    found = outcome(expect, {"base": runs(0.75, 0.5, 1.0), "it": runs(0.5, 0.25, 0.75)})
    assert found["values"] == {"1": -0.25, "2": -0.25, "3": -0.25}
    assert (found["mean"], found["standard_deviation"], found["verdict"]) == (-0.25, 0.0, MET)
    swapped = outcome(expect, {"it": runs(0.75, 0.5, 1.0), "base": runs(0.5, 0.25, 0.75)})
    assert swapped["verdict"] == MISSED


def test_no_difference_is_not_lower() -> None:
    expect = {"compare": "base", "below": 0.0}
    assert outcome(expect, {"base": runs(0.5, 0.5, 0.5), "it": runs(0.5, 0.5, 0.5)})["verdict"] == MISSED


def test_ratios_are_taken_seed_by_seed() -> None:
    expect = {"quantity": "spikes_per_inference", "compare": "base", "by": "ratio", "at_most": 0.5}
    spikes = {"quantity": "spikes_per_inference"}
    measured = {"base": runs(100, 200, 400, **spikes), "it": runs(50, 50, 100, **spikes)}
    found = outcome(expect, measured)
    assert found["values"] == {"1": 0.5, "2": 0.25, "3": 0.25}
    assert found["verdict"] == MET
    assert outcome(expect, {"base": measured["it"], "it": measured["base"]})["verdict"] == MISSED


def test_a_comparison_waits_for_the_other_case() -> None:
    expect = {"compare": "base", "below": 0.0}
    assert outcome(expect, {"it": runs(0.5, 0.5, 0.5)})["verdict"] == NOT_COMPARED
    assert outcome(expect, {"base": runs(0.9, 0.9), "it": runs(0.5, 0.5, 0.5)})["n"] == 2


def test_a_case_is_missed_by_one_outcome_and_met_by_all_that_have_a_target() -> None:
    met, missed, untold = ({"verdict": verdict, "reason": ""} for verdict in (MET, MISSED, NOT_COMPARED))
    reported = {"verdict": NOT_COMPARED, "reason": "no target"}
    assert overall([met, missed, untold]) == MISSED
    assert overall([met, untold]) == NOT_COMPARED
    assert overall([met, reported]) == MET
    assert overall([reported]) == NOT_COMPARED


def priced(*energies: tuple[float, float, float]) -> dict[str, dict]:
    """Runs whose inference costs these (value, low, high) on one chip, and a thousand times that on another."""
    names = ("value", "low", "high")
    return {
        str(seed): {
            "energies": {
                "generic-45nm": {"energy_per_inference_j": dict(zip(names, energy, strict=True))},
                "eqspike-analog-65nm": {
                    "energy_per_inference_j": {name: 1e3 * x for name, x in zip(names, energy, strict=True)}
                },
            }
        }
        for seed, energy in enumerate(energies, 1)
    }


ENERGY = {"quantity": "energy_per_inference_j", "chip": "generic-45nm"}


def test_an_energy_is_that_on_its_chip_with_the_band_of_its_prices() -> None:
    measured = {"it": priced((2e-6, 1e-6, 4e-6), (4e-6, 2e-6, 9e-6), (6e-6, 3e-6, 11e-6))}
    found = outcome(ENERGY | {"at_most": 4e-6}, measured)
    assert (found["mean"], found["chip"], found["verdict"]) == (pytest.approx(4e-6), "generic-45nm", MET)
    assert found["prices"] == {"low": pytest.approx(2e-6), "high": pytest.approx(8e-6)}
    assert outcome(ENERGY | {"chip": "eqspike-analog-65nm"}, measured)["mean"] == pytest.approx(4e-3)


def test_energies_are_compared_seed_by_seed_and_one_that_has_no_price_is_not_measured() -> None:
    measured = {"it": priced((2e-6, 0, 0), (9e-6, 0, 0)), "base": priced((1e-6, 0, 0), (3e-6, 0, 0), (1, 1, 1))}
    ratio = outcome(ENERGY | {"compare": "base", "by": "ratio"}, measured)
    assert ratio["values"] == {"1": pytest.approx(2), "2": pytest.approx(3)}
    measured["it"]["1"]["energies"]["generic-45nm"] = {"not_priced": "an action has no price"}
    measured["it"]["2"] = {"status": "failed"}
    assert outcome(ENERGY, measured)["n"] == 0
    assert outcome(ENERGY, measured)["prices"] is None
