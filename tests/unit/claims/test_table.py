"""The claims table and how its cells read."""

from __future__ import annotations

from pathlib import Path

import pytest

from eqspike.claims.schema import Expectation, read_claim
from eqspike.claims.store import add_record, measured_file
from eqspike.claims.table import BEGIN, END, claims_table, update_readme
from eqspike.claims.wording import measured_text, published_text, quantity_name, target_text
from eqspike.core.errors import ConfigError


def found(mean: float | None, deviation: float | None = None, n: int = 3) -> dict:
    return {"mean": mean, "standard_deviation": deviation, "n": n}


@pytest.mark.parametrize(
    ("expect", "target"),
    [
        ({"at_least": 0.969}, "at least 96.90 %"),
        ({"at_least": 0.976, "aim": 0.982}, "at least 97.60 % (aim 98.20 %)"),
        ({"compare": "base", "below": 0.0}, "below base"),
        ({"compare": "base", "at_least": -0.01}, "at least base -1.00 points"),
        ({"quantity": "spikes_per_inference", "compare": "b", "by": "ratio", "at_most": 0.5}, "at most 0.50 x b"),
        ({"quantity": "spikes_per_inference", "at_most": 4500}, "at most 4,500"),
        ({"quantity": "seconds_per_epoch", "at_least": 1, "at_most": 12}, "at least 1 and at most 12"),
        ({}, "-"),
    ],
)
def test_targets_read_as_they_are_meant(expect: dict, target: str) -> None:
    assert target_text(Expectation.parse(expect)) == target


def test_measured_values_read_as_mean_and_standard_deviation() -> None:
    accuracy = Expectation.parse({"at_least": 0.9})
    assert measured_text(accuracy, found(0.97123, 0.00056)) == "97.12 % ± 0.06 % (3 seeds)"
    assert measured_text(accuracy, found(0.97123, n=1)) == "97.12 % (1 seed)"
    assert measured_text(accuracy, found(None, n=0)) == "-"
    lower = Expectation.parse({"compare": "base", "below": 0.0})
    assert measured_text(lower, found(-0.0312, 0.0011)) == "-3.12 points ± 0.11 points (3 seeds)"


def test_an_energy_reads_with_its_chip_and_the_band_of_its_prices() -> None:
    energy = Expectation.parse({"quantity": "energy_per_inference_j", "chip": "generic-45nm", "at_most": 5e-6})
    assert quantity_name(energy) == "energy per inference, generic-45nm"
    assert target_text(energy) == "at most 5 µJ"
    prices = {"low": 1.53e-6, "high": 22e-6}
    assert measured_text(energy, found(9.54e-6, 1.2e-7) | {"prices": prices}) == "9.54 µJ (1.5-22) ± 120 nJ (3 seeds)"
    less = Expectation.parse({"quantity": "energy_per_inference_j", "chip": "generic-45nm", "compare": "b"})
    assert measured_text(less, found(-2e-6, n=1) | {"prices": prices}) == "-2 µJ (1 seed)"
    ratio = Expectation.parse(less.model_dump() | {"by": "ratio"})
    assert measured_text(ratio, found(0.5, n=1) | {"prices": prices}) == "0.50 x (1 seed)"


def test_a_published_value_is_shown_or_a_dash() -> None:
    assert published_text(Expectation.parse({"published": 0.976, "published_grade": "recalled"})) == "97.60 %"
    assert published_text(Expectation.parse({"at_least": 0.9})) == "-"


def test_the_table_holds_what_was_measured(folder: Path) -> None:
    claim, path = read_claim(folder), measured_file(folder, quick=False)
    results = {"test_accuracy": 0.875, "spikes_per_inference": 100}
    add_record(path, claim, "base", 1, {"configuration": "", "results": results}, quick=False)
    lines = claims_table(folder.parent).splitlines()
    assert "### [Digits are learnt](digits_learnt/README.md)" in lines
    assert (
        "| base | test accuracy | 50.00 % (recalled) | at least 0.00 % | 87.50 % (1 seed) | 1 of 2 seeds measured |"
        in lines
    )
    assert "| short | spikes per inference | - | below 1.00 x base | - | not measured |" in lines
    results = {"test_accuracy": 0.5, "spikes_per_inference": 50}
    add_record(path, claim, "short", 1, {"configuration": "", "results": results}, quick=False)
    assert "| 0.50 x (1 seed) | met |" in claims_table(folder.parent)


def test_the_readme_keeps_what_stands_around_the_table(folder: Path) -> None:
    readme = folder.parent / "README.md"
    readme.write_text(f"# Claims\n\n{BEGIN}\nold\n{END}\n\nafter\n")
    for _ in range(2):
        assert update_readme(folder.parent) == readme
        text = readme.read_text()
        assert text == f"# Claims\n\n{BEGIN}\n{claims_table(folder.parent)}{END}\n\nafter\n"


@pytest.mark.parametrize("text", [None, "# Claims\n", f"{BEGIN}\n"])
def test_a_readme_without_a_place_for_the_table_is_left_alone(folder: Path, text: str | None) -> None:
    readme = folder.parent / "README.md"
    if text is not None:
        readme.write_text(text)
    with pytest.raises(ConfigError, match=r"README.md: the claims table has no place here"):
        update_readme(folder.parent)
    assert (readme.read_text() if readme.exists() else None) == text
