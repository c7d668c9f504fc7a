"""The figure of what a claim's runs cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from eqspike.core.errors import ConfigError
from eqspike.plots.energies import bands, draw, save

KEYS = ("energy_per_inference_j", "energy_per_training_sample_j")


def run(accuracy: float = 0.97, **prices: tuple[float, float, float] | None) -> dict:
    """A run whose inference costs ``prices`` (value, low, high) by chip, a training sample ten times that."""
    energies = {}
    for chip, price in prices.items():
        each = [price and dict(zip(("value", "low", "high"), (x * f for x in price), strict=True)) for f in (1, 10)]
        energies[chip] = dict(zip(KEYS, each, strict=True)) if price else {"not_priced": "no spikes here"}
    return {"status": "complete", "results": {"test_accuracy": accuracy}, "energies": energies}


def document(**cases: list[dict]) -> dict:
    return {
        "cases": {name: {"runs": {str(k): found for k, found in enumerate(runs, 1)}} for name, runs in cases.items()}
    }


def lines(axes) -> dict[tuple[str, float], list[float]]:
    """Energies drawn, by mark and by place up the axis."""
    return {(line.get_marker(), round(float(line.get_ydata()[0]), 2)): list(line.get_xdata()) for line in axes.lines}


def test_each_case_has_a_dot_and_a_band_a_chip_in_both_panels() -> None:
    small, large = run(digital=(2e-6, 1e-6, 4e-6), analog=(3e-9, 1e-9, 9e-9)), run(digital=(5e-6, 4e-6, 6e-6))
    figure = draw(document(small=[small], large=[large]), "what it costs")
    inference, training = figure.axes
    assert lines(inference) == {
        ("None", -0.17): pytest.approx([1e-9, 9e-9]),
        ("o", -0.17): pytest.approx([3e-9]),
        ("None", 0.17): pytest.approx([1e-6, 4e-6]),
        ("o", 0.17): pytest.approx([2e-6]),
        ("None", 1.17): pytest.approx([4e-6, 6e-6]),
        ("o", 1.17): pytest.approx([5e-6]),
    }
    assert lines(training)["o", 1.17] == pytest.approx([5e-5])
    assert [label.get_text() for label in inference.get_yticklabels()] == ["small\n97.0 %", "large\n97.0 %"]
    assert [text.get_text() for text in inference.texts] == ["3 nJ", "2 µJ", "5 µJ", "analog", "digital"]
    assert inference.texts[3].get_color() == inference.lines[0].get_color() != inference.texts[4].get_color()
    assert inference.get_xscale() == training.get_xscale() == "log"


def test_seeds_are_averaged_and_runs_that_failed_or_were_not_priced_are_left_out() -> None:
    first, second = run(0.9, a=(1e-6, 0.5e-6, 2e-6), b=None), run(0.8, a=(3e-6, 1.5e-6, 4e-6))
    found = document(one=[first, second, {"status": "failed"}], none=[{"status": "failed"}])
    assert bands(found["cases"]["one"], KEYS[0]) == {"a": pytest.approx((2e-6, 1e-6, 3e-6))}
    (label,) = draw(found).axes[0].get_yticklabels()
    assert label.get_text() == "one\n85.0 %"


def test_nothing_to_draw_is_refused_and_files_are_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no run of this claim has an energy"):
        draw(document(a=[run(a=None)]))
    save(document(a=[run(a=(1e-6, 1e-7, 1e-5))]), tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 5_000
