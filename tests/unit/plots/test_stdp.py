"""Figures of windows: complete, repeatable, and never over something else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from eqspike.analysis.stdp import Measurements, frequency_protocol, isolated_pair, rate_ramp, with_measurements
from eqspike.core.errors import OutputError
from eqspike.learning.stdp import TripletSTDP
from eqspike.plots.stdp import draw, save


@pytest.fixture(scope="module")
def window():
    return rate_ramp(trials=300)


def test_the_figure_says_what_it_shows(window) -> None:
    figure = draw(window)
    (axes,) = figure.axes
    assert axes.get_xlabel() == "t_post − t_pre  (ms)"
    assert "weight change" in axes.get_ylabel()
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert any("closed form" in label for label in labels)
    assert any("pair-based STDP (scaled)" in label for label in labels)
    assert any("95 %" in label for label in labels)
    written = " ".join(text.get_text().replace("\n", " ") for text in figure.texts)
    assert "symmetric" in written and r"\Delta W" in written


def test_a_fast_tick_gets_microseconds(window) -> None:
    (axes,) = draw(isolated_pair(tick_s=1e-6)).axes
    assert axes.get_xlabel().endswith("(µs)")


@pytest.mark.parametrize(("suffix", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_figures_are_written_in_three_formats(window, tmp_path: Path, suffix: str, magic: bytes) -> None:
    path = tmp_path / f"window{suffix}"
    save(window, path)
    assert path.read_bytes().startswith(magic)


def test_measurements_keep_to_their_line_with_95_percent_bars() -> None:
    place = {"rate_hz": np.array([10.0, 20.0]), "difference_s": np.array([0.01, -0.01])}
    measured = Measurements("mine", place, np.array([0.14, -0.34]), np.array([0.1, 0.05]))
    (axes,) = draw(frequency_protocol(TripletSTDP(), (10.0, 20.0), measured=measured)).axes
    lines = {text.get_text(): handle for handle, text in zip(*_legend(axes), strict=True)}
    assert set(lines) == {f"{whose}, Δt = {dt} ms" for whose in ("rule", "measured") for dt in ("+10", "−10")}
    for container in axes.containers:
        points, _, (bars,) = container.lines
        assert points.get_color() == lines[container.get_label().replace("measured", "rule")].get_color()
        (segment,) = bars.get_segments()
        index = int(points.get_xdata()[0] == 20)
        assert np.ptp(segment[:, 1]) == pytest.approx(2 * 1.96 * measured.error[index], rel=1e-3)


def test_a_rule_of_free_size_is_drawn_at_that_of_the_measurements() -> None:
    measured = Measurements("mine", {"difference_s": np.array([0.005, -0.005])}, np.array([0.3, 0.3]))
    window = with_measurements(isolated_pair(), measured, free_scale=True)
    (axes,) = draw(window).axes
    (container,) = axes.containers
    shown = next(line for line in axes.lines if line.get_label() == "replayed pairs")
    (drawn,) = shown.get_ydata()[np.isclose(shown.get_xdata(), 5)]
    assert container.lines[0].get_ydata() == pytest.approx([drawn, drawn])


def _legend(axes):
    legend = axes.get_legend()
    return axes.get_legend_handles_labels()[0], legend.get_texts()


def test_nothing_is_written_over_unless_asked(window, tmp_path: Path) -> None:
    path = tmp_path / "window.png"
    path.write_text("precious")
    with pytest.raises(OutputError, match="exists"):
        save(window, path)
    assert path.read_text() == "precious"
    save(window, path, overwrite=True)
    assert path.read_bytes()[:4] == b"\x89PNG"


def test_an_unknown_suffix_is_refused(window, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"\.svg"):
        save(window, tmp_path / "window.bmp")
    assert not list(tmp_path.iterdir())


def test_drawing_leaves_the_users_matplotlib_alone(window) -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    draw(window)
    assert dict(matplotlib.rcParams) == before
