"""Figures of agreements: every rule, its slope, what was left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from eqspike.analysis.gradients import Agreement
from eqspike.core.errors import OutputError
from eqspike.plots.gradients import draw, save

BETAS = (0.001, 0.002, 0.004, 0.008)


def row(rule: str, order: int | None, *, own: bool = False, **changes: object) -> Agreement:
    errors = tuple(beta ** (order or 0) for beta in BETAS)
    given = {
        "rule": rule, "reference": "implicit", "betas": BETAS, "relative_errors": errors, "slope": float(order or 0),
        "angle_degrees": 0.5, "expected_slope": order, "beta": 0.1, "relative_error": 0.2,
        "kinks_crossed": (False,) * 4, "own": own, "settled": True, "samples": 4, "reference_note": "the true one",
    }  # fmt: skip
    return Agreement(**{**given, **changes})


ROWS = [
    row("ep-positive", 1, own=True),
    row("ep-centered", 2, kinks_crossed=(False, False, True, True)),
    row("coupled-centered", None, slope=-1e-9),
    row("contrastive", None, slope=None, betas=(1.0,), relative_errors=(0.3,), kinks_crossed=(False,)),
    row("ep-negative", 1, relative_errors=(None,) * 4, slope=None, angle_degrees=None, settled=False),
    row("ep-positive", 1, own=True, reference="bptt"),
]


def test_the_figure_says_what_it_shows() -> None:
    left, right = draw(ROWS, "small, untrained").axes
    named = [text.get_text() for text in right.get_yticklabels()]
    assert named == [
        "ep-positive, slope 1.00",
        "ep-centered, slope 2.00",
        "coupled-centered, slope 0.00",
        "contrastive, no slope",
        "ep-negative, no slope",
    ]
    assert "small, untrained" in left.get_title("left") and right.get_title("left") == "Angle at β = 0.1"
    assert {text.get_text() for text in left.texts} == {"β", "β²"}
    assert [text.get_text() for text in right.texts] == ["did not settle"]


def test_errors_are_drawn_where_they_are_known() -> None:
    left, _ = draw(ROWS).axes
    lines = {line.get_label(): line for line in left.get_lines() if not line.get_label().startswith("_")}
    assert list(lines["ep-centered"].get_ydata()) == [beta**2 for beta in BETAS]
    assert "ep-negative" not in lines
    hollow = [line for line in left.get_lines() if line.get_markerfacecolor() == "white" and len(line.get_xdata())]
    assert [list(line.get_xdata()) for line in hollow] == [[0.004, 0.008]]


@pytest.mark.parametrize(
    ("rows", "said", "silent"),
    [
        (ROWS, ["the true one", "4 training samples", "not the squared error", "Hollow", "did not settle"], []),
        (ROWS, ["No gradients even as β vanishes: coupled-centered, contrastive."], []),
        (ROWS[:1], ["own rule, ep-positive"], ["Hollow", "did not settle", "No gradients", "Contrastive"]),
    ],
)
def test_the_caption_tells_what_matters(rows: list, said: list[str], silent: list[str]) -> None:
    written = " ".join(text.get_text().replace("\n", " ") for text in draw(rows).texts)
    assert all(words in written for words in said)
    assert not any(words in written for words in silent)


def test_the_figure_is_written_once(tmp_path: Path) -> None:
    path = tmp_path / "gradients.png"
    save(ROWS, path)
    first = path.read_bytes()
    assert first.startswith(b"\x89PNG")
    with pytest.raises(OutputError, match="exists"):
        save(ROWS, path)
    save(ROWS[:2], path, overwrite=True)
    assert path.read_bytes() != first
