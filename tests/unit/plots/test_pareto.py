from __future__ import annotations

import pytest

from eqspike.core.errors import ConfigError
from eqspike.plots.pareto import draw

ENDS = ["low", "value", "high"]


def point(accuracy: float, joules: float, front: list[str], label: str = "x 1", spread: float = 0.0) -> dict:
    energy = {"value": joules, "low": joules / 2, "high": joules * 2}
    return {"accuracy": accuracy, "accuracy_spread": spread, "energy_j": energy, "front": front, "label": label}


def test_a_panel_for_each_chip_and_a_line_through_the_front_by_energy():
    points = [point(0.9, 3e-9, ENDS), point(0.5, 1e-9, ["value"]), point(0.4, 2e-9, []), point(0.6, 9e-9, ["low"])]
    figure = draw({"one": {"runs": points}, "other": {"runs": points[:1]}}, energy="training sample")
    first, second = figure.axes
    assert (first.get_title("left"), second.get_title("left")) == ("one", "other")
    assert first.get_xlabel() == "energy per training sample, J"
    (line,) = [line for line in first.lines if line.get_drawstyle() == "steps-post"]
    assert line.get_xydata().tolist() == [[1e-9, 50.0], [3e-9, 90.0]]


def test_bands_are_bars_and_what_the_numbers_stand_for_is_listed():
    figure = draw({"chip": {"runs": [point(0.9, 4e-9, ENDS, "hidden 4")]}})
    (axes,) = figure.axes
    (bar,) = axes.containers
    assert bar[2][0].get_segments()[0].tolist() == [[2e-9, 90.0], [8e-9, 90.0]]
    assert {text.get_text() for text in axes.texts} == {"1", "1  hidden 4: 90.0 %"}


def test_a_point_that_may_leave_the_front_is_hollow():
    figure = draw({"chip": {"runs": [point(0.9, 4e-9, ENDS), point(0.8, 2e-9, ["value"])]}})
    sure, unsure = (bar[0] for bar in figure.axes[0].containers)
    assert sure.get_markerfacecolor() != "white"
    assert unsure.get_markerfacecolor() == "white"


def test_nothing_to_draw_is_said():
    with pytest.raises(ConfigError, match="no run has both"):
        draw({"chip": {"runs": []}})
