"""Figures of windows: complete, repeatable, and never over something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from eqspike.analysis.stdp import isolated_pair, rate_ramp
from eqspike.core.errors import OutputError
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
