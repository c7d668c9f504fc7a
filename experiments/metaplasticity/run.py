"""Draws this claim's two figures: python experiments/metaplasticity/run.py

The first from a run of the recipe metaplastic-fashion with its m and one without, trained into runs/ unless they are
there; the second from measured.json.
"""

from __future__ import annotations

from pathlib import Path

import eqspike
from eqspike.claims.schema import read_claim
from eqspike.claims.store import measured_file, read_records
from eqspike.plots.style import save_figure
from eqspike.plots.tasks import draw_accuracies, draw_strengths
from eqspike.recording import read_run
from eqspike.training.api import resolve

HERE = Path(__file__).parent
RECIPE, PERMUTED = "metaplastic-fashion", "metaplastic-permuted"


def accuracies() -> None:
    """Draw the accuracy on both tasks after every epoch, without metaplasticity and with it."""
    m = resolve(RECIPE).rule.m
    files = {f"m = {m}": Path(f"runs/{RECIPE}-m{m}.h5") for m in (0.0, m)}
    for title, path in files.items():
        if not path.exists():
            eqspike.train(RECIPE, rule__m=float(title.removeprefix("m = ")), out=path)
    found = {title: read_run(path).probes["task_accuracy"] for title, path in files.items()}
    save_figure(draw_accuracies(found, ["MNIST", "Fashion-MNIST"]), HERE / "accuracies.png", overwrite=True)


def strengths() -> None:
    """Draw the mean accuracy over the permuted tasks against m."""
    records = read_records(measured_file(HERE, quick=False))
    found = {}
    for case in read_claim(HERE).cases:
        if case.recipe == PERMUTED and case.name in records:
            runs = records[case.name].values()
            found[case.settings["rule.m"]] = [run["results"]["test_accuracy"] for run in runs]
    save_figure(draw_strengths(found, "Six permuted MNIST tasks"), HERE / "strengths.png", overwrite=True)


if __name__ == "__main__":
    strengths()
    accuracies()
