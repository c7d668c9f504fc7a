"""Figures of energies: heights, bands and names are those of the report."""

from __future__ import annotations

import pytest

from eqspike.plots.costs import draw_components, draw_tornado
from eqspike.plots.ratios import draw_ratios


def row(phase: str, kind: str, component: str, energy_j: float) -> dict:
    return {"phase": phase, "kind": kind, "component": component, "energy_j": energy_j}


REPORT = {
    "chip": "plain", "workload": "tiny", "device": "digital", "node_nm": 45, "vdd": 0.9, "tick_s": 1e-6,
    "weakest_evidence": "derived", "not_modelled": ["a", "b"],
    "phases": {
        "free": {"presentations": 2, "total": {"value": 8e-9, "low": 4e-9, "high": 2e-8}},
        "inference": {"presentations": 10, "total": {"value": 3e-8, "low": 1e-8, "high": 5e-8}},
    },
    "rows": [
        row("free", "dynamic", "adder", 2e-9), row("free", "dynamic", "adder", 4e-9),
        row("free", "static", "leak", 2e-9),
        row("inference", "dynamic", "adder", 1e-8), row("inference", "periphery", "router", 2e-8),
        row("inference", "periphery", "declared zero", 0.0),
    ],
}  # fmt: skip


def test_bars_stack_to_the_total_of_each_phase() -> None:
    (axes,) = draw_components(REPORT).axes
    bars = {container.get_label(): container for container in axes.containers if container.get_label()[0] != "_"}
    assert list(bars) == ["leak (static)", "adder (dynamic)", "router (periphery)"]
    assert [bar.get_height() for bar in bars["adder (dynamic)"]] == pytest.approx([3, 1])
    assert [bar.get_y() for bar in bars["adder (dynamic)"]] == pytest.approx([1, 0]), "leakage lies below it"
    assert [bar.get_height() + bar.get_y() for bar in bars["router (periphery)"]] == pytest.approx([4, 3])
    assert axes.get_ylabel() == "energy per presentation, nJ"
    (band,) = (one for one in axes.containers if one.get_label()[0] == "_")
    ends = [segment[:, 1].tolist() for segment in band.lines[2][0].get_segments()]
    assert ends == [pytest.approx([2, 10]), pytest.approx([1, 5])]


def test_a_tornado_has_the_widest_on_top_and_leaves_out_what_stands_still() -> None:
    swings = [("tick", 1e-9, 9e-9), ("event", 4e-9, 3e-9), ("area", 5e-9, 5e-9)]
    figure = draw_tornado(swings, 3.5e-9, "energy of an inference", "tiny on plain")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["tick", "event"]
    assert axes.yaxis_inverted() and axes.get_xlabel() == "energy of an inference, nJ"
    ends = [(bar.get_x() + min(bar.get_width(), 0), bar.get_x() + max(bar.get_width(), 0)) for bar in axes.patches]
    assert ends == [pytest.approx(end) for end in [(1, 3.5), (3.5, 9), (3.5, 4), (3, 3.5)]]


def test_more_constants_than_there_is_room_for_are_counted() -> None:
    figure = draw_tornado([(f"c{k}", 1.0, 2.0 + k) for k in range(15)], 1.5, "energy", "t")
    assert len(figure.axes[0].get_yticklabels()) == 12
    assert "3 constants" in " ".join(text.get_text() for text in figure.texts)


def compared(opponent_chip: str, inference: dict | None, training: dict | None) -> dict:
    return {"name": "own", "chip": "plain", "opponent": "perceptron", "opponent_chip": opponent_chip,
            "ratios": {"inference": inference, "training_sample": training}}  # fmt: skip


def test_ratios_are_drawn_beside_the_claim() -> None:
    gains = [{"value": 3.0, "low": 2.0, "high": 4.0}, {"value": 0.5, "low": 0.1, "high": 2.0}]
    found = {
        "published_claim": {"inference": 1000, "training": 100, "source": "a paper"},
        "comparisons": [compared("plain", gains[0], None), compared("gpu-a100", gains[1], gains[0])],
    }
    inference, training = draw_ratios([found]).axes
    points = [line for line in inference.lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in points] == [3.0, 0.5]
    assert points[0].get_color() != points[1].get_color(), "won, and undecided"
    claims = [line for axes in (inference, training) for line in axes.lines if line.get_marker() == "D"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in claims] == [(1000, 1), (100, 1)]
    assert [text.get_text() for text in training.texts] == ["not priced"]
    assert inference.get_xscale() == "log"
