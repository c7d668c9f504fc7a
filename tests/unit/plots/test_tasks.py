"""Figures of tasks learnt one after the other."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.plots.tasks import draw_accuracies, draw_strengths


def test_each_run_has_a_panel_and_each_task_a_line() -> None:
    table = np.array([[0.5, 0.1], [0.9, 0.1], [0.6, 0.8], [0.4, 0.9]])
    figure = draw_accuracies({"m = 0": table, "m = 1": table[:2]}, ["first", "second"])
    left, right = figure.axes
    lines = {line.get_label(): line for line in left.lines}
    assert lines["first"].get_xdata().tolist() == [1, 2, 3, 4]
    assert lines["first"].get_ydata() == pytest.approx([50, 90, 60, 40])
    assert lines["second"].get_ydata() == pytest.approx([10, 10, 80, 90])
    assert lines["first"].get_color() != lines["second"].get_color()
    assert left.lines[-1].get_xdata()[0] == 2.5, "the second task begins after the second epoch"
    assert [axes.get_title(loc="left") for axes in (left, right)] == ["m = 0", "m = 1"]
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["first", "second"]


def test_strengths_have_their_seeds_mean_and_spread_in_order() -> None:
    (axes,) = draw_strengths({1.0: [0.8], 0.0: [0.5, 0.7]}).axes
    mean = axes.containers[0].lines[0]
    assert mean.get_xdata().tolist() == [0, 1] and mean.get_ydata() == pytest.approx([60, 80])
    spread = axes.containers[0].lines[2][0].get_segments()
    assert spread[0][:, 1] == pytest.approx([60 - 200**0.5, 60 + 200**0.5]) and np.ptp(spread[1][:, 1]) == 0
    assert sorted(axes.lines[0].get_ydata()) == pytest.approx([50, 70])
