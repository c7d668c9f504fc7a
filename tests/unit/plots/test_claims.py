"""The figure of a claim's cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from eqspike.core.errors import ConfigError
from eqspike.plots.claims import draw, save


def document(**accuracies: list[float | None]) -> dict:
    return {
        "cases": {
            name: {
                "runs": {
                    str(seed): {"status": "failed"}
                    if accuracy is None
                    else {"status": "complete", "results": {"test_accuracy": accuracy}}
                    for seed, accuracy in enumerate(values)
                }
            }
            for name, values in accuracies.items()
        }
    }


def test_each_case_has_its_seeds_mean_and_spread() -> None:
    (axes,) = draw(document(better=[0.98, 0.96], worse=[0.9])).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["better", "worse"]
    seeds = axes.lines[0]
    assert sorted(seeds.get_xdata()) == pytest.approx([2, 4])
    means = [container.lines[0].get_xdata()[0] for container in axes.containers]
    assert means == pytest.approx([3, 10])
    spread = axes.containers[0].lines[2][0].get_segments()[0][:, 0]
    assert spread == pytest.approx([3 - 2**0.5, 3 + 2**0.5])


def test_failed_runs_are_left_out_and_nothing_to_draw_is_refused(tmp_path: Path) -> None:
    (axes,) = draw(document(a=[0.9, None], b=[None])).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a"]
    with pytest.raises(ConfigError, match="no run of this claim"):
        draw(document(a=[None]))
    save(document(a=[0.9]), tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 5_000
