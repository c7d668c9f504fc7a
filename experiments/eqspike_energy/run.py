"""Prices EqSpike beside its fair opponents on several chips: python experiments/eqspike_energy/run.py

Trains 784-300-10 on MNIST with three seeds, a perceptron of its size beside each, and writes measured.json, the figure
ratios.png and the table of the README.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from statistics import mean, stdev

import eqspike
from eqspike.core.units import engineering
from eqspike.costing.compare import compare
from eqspike.costing.verdict import times
from eqspike.plots.ratios import draw_ratios
from eqspike.plots.style import save_figure
from eqspike.training.api import load_data
from hw_models import load_chip

HERE = Path(__file__).parent
RECIPE, SEEDS = "eqspike-mnist-300", (1, 2, 3)
CHIPS = ("eqspike-analog-65nm", "eqspike-analog-28nm", "memristor-crossbar", "generic-28nm", "loihi", "odin")
QUANTITIES = ("inference", "training_sample")


def measured(seed: int) -> dict:
    """Return everything that a comparison says of one trained network."""
    run = eqspike.train(RECIPE, seed=seed)
    print(f"seed {seed}: {run.test_accuracy:.2%}", file=sys.stderr, flush=True)
    return compare(run, load_data(run.spec), [load_chip(name) for name in CHIPS]).to_dict()


def summary(found: list[dict]) -> list[dict]:
    """Return every ratio as mean over seeds, its spread, and the mean ends of its band."""
    rows = []
    for pairs in zip(*(one["comparisons"] for one in found), strict=True):
        row = {key: pairs[0][key] for key in ("chip", "opponent", "opponent_chip")}
        for quantity in QUANTITIES:
            bands = [pair["ratios"][quantity] for pair in pairs]
            row[quantity] = None if None in bands else _mean(bands)
            decides = pairs[0]["decided_by"][quantity]
            row[f"{quantity}_decided_by"] = decides[0]["constant"] if decides else None
        rows.append(row)
    return rows


def _mean(bands: list[dict]) -> dict[str, float]:
    means = {key: mean(band[key] for band in bands) for key in ("value", "low", "high")}
    return means | {"sd": stdev(band["value"] for band in bands)}


def table(rows: list[dict]) -> str:
    """Return the ratios as the README shows them."""
    lines = ["| EqSpike on | opponent | inference | training sample | decided by |", "|---|---|---|---|---|"]
    for row in rows:
        cells = [_cell(row[quantity]) for quantity in QUANTITIES]
        decided = dict.fromkeys(row[f"{quantity}_decided_by"] for quantity in QUANTITIES)
        names = ", ".join(filter(None, decided)) or "-"
        lines.append(f"| {row['chip']} | {row['opponent']} on {row['opponent_chip']} | {' | '.join(cells)} | {names} |")
    return "\n".join(lines)


def energies(one: dict) -> str:
    """Return the energies of one seed as the README shows them."""
    lines = ["| network | chip | inference | training sample |", "|---|---|---|---|"]
    for each in one["contenders"]:
        cells = [_joules(each[f"energy_{quantity}_j"]) for quantity in QUANTITIES]
        lines.append(f"| {each['name']} | {each['chip']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _joules(band: dict | None) -> str:
    if band is None:
        return "not priced"
    value, low, high = (engineering(band[key], "J") for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _cell(band: dict | None) -> str:
    if band is None:
        return "not priced"
    value, low, high, spread = times(band["value"], 3), times(band["low"]), times(band["high"]), times(band["sd"], 1)
    return f"{value} ({low} to {high}) ± {spread}"


if __name__ == "__main__":
    started = time.monotonic()
    found = [measured(seed) for seed in SEEDS]
    document = {
        "command": "python experiments/eqspike_energy/run.py",
        "versions": {name: version(name) for name in ("eqspike", "numpy", "numba", "scikit-learn")},
        "wall_seconds": round(time.monotonic() - started),
        "summary": summary(found),
        "seeds": dict(zip(map(str, SEEDS), found, strict=True)),
    }
    (HERE / "measured.json").write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    save_figure(draw_ratios(found[:1]), HERE / "ratios.png", overwrite=True)
    print(table(document["summary"]), energies(found[0]), sep="\n\n")
