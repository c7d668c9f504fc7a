"""EqSpike and a quantised perceptron, accuracy against energy: python experiments/energy_accuracy/run.py

Scans both with one seed, chooses by validation accuracy what may be on the front, repeats that with further seeds,
prints the fronts of mean test accuracy, and writes measured.json and front.png. Stopped, the same command goes on.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import eqspike
from eqspike.plots import pareto as figure
from eqspike.plots.style import save_figure
from eqspike.sweeps.pareto import Point, marked
from eqspike.sweeps.store import Store
from hw_models import Band

HERE = Path(__file__).parent
COMMAND = "python experiments/energy_accuracy/run.py"
SERIES = {"EqSpike": ("sweep", "float"), "perceptron": ("perceptron",)}
CHIPS = ("generic-28nm", "eqspike-analog-65nm")
MORE_SEEDS = [2, 3]
MARGIN = 0.0075  # standard error of the difference of two accuracies of 94 % on 2,000 samples
QUANTITIES = {"inference": "energy_per_inference", "training_sample": "energy_per_training_sample"}
RESULTS = ("validation_accuracy", "test_accuracy", "spikes_per_inference", "macs_per_inference", "seconds")


def main() -> None:
    """Scan, repeat the fronts, write what came out."""
    found = scanned()
    repeat(found)
    for one in found:
        one["summary"] = summary(one["runs"])
    fronts = {chip: {name: final_front(found, name, chip) for name in SERIES} for chip in CHIPS}
    for chip, series in fronts.items():
        print(table(chip, series), end="\n\n")
    document = {
        "command": COMMAND,
        "versions": {"python": platform.python_version()}
        | {package: version(package) for package in ("eqspike", "numpy", "numba", "jax")},
        "seconds_of_all_runs": round(sum(run["seconds"] for one in found for run in one["runs"].values())),
        "chips": list(CHIPS),
        "fronts": fronts,
        "configurations": [
            {key: value for key, value in one.items() if key not in ("settings", "sweep")} for one in found
        ],
    }
    (HERE / "measured.json").write_text(text(document), "utf-8")
    save_figure(figure.draw(panels(found, fronts)), HERE / "front.png", overwrite=True)


def text(document: dict[str, Any]) -> str:
    """Return the document as JSON, a configuration a line, numbers in six digits."""
    short = json.loads(json.dumps(document), parse_float=lambda digits: float(f"{float(digits):.6g}"))
    head = json.dumps(short | {"configurations": []}, indent=1).removesuffix("[]\n}")
    return head + "[\n  " + ",\n  ".join(map(json.dumps, short["configurations"])) + "\n ]\n}\n"


def scanned() -> list[dict[str, Any]]:
    """Run the three sweeps and return their configurations with the run of their seed."""
    found = []
    for series, names in SERIES.items():
        for name in names:
            eqspike.sweep(HERE / f"{name}.toml", out=folder(name))
            found += [
                {"series": series, "sweep": name, "label": label(settings), "settings": settings, "runs": {"1": run}}
                for settings, run in runs(folder(name))
            ]
    return found


def repeat(found: Sequence[dict[str, Any]]) -> None:
    """Give the configurations that may be on a front the runs of further seeds."""
    chosen = [one for name in SERIES for chip in CHIPS for one in candidates(found, name, chip)]
    for sweep in dict.fromkeys(one["sweep"] for one in chosen):
        mine = list({one["label"]: one for one in chosen if one["sweep"] == sweep}.values())
        columns = {field: [one["settings"][field] for one in mine] for field in mine[0]["settings"]}
        recipe = Store(folder(sweep)).design()["recipe"]
        again = folder(f"{sweep}-again")
        eqspike.sweep({"recipe": recipe, "list": columns, "grid": {"seed": MORE_SEEDS}}, out=again)
        by_label = {one["label"]: one for one in mine}
        for settings, run in runs(again):
            by_label[label(settings)]["runs"][str(settings["seed"])] = run


def folder(name: str) -> Path:
    """Return where the records of a sweep lie; they are not kept in the repository."""
    return HERE / "runs" / name


def runs(where: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield (settings, what came out with the energies on every chip) of each run of a sweep.

    Raises
    ------
    RuntimeError
        if a run failed.
    """
    store, collected = Store(where), {}
    for row in eqspike.collect(where, CHIPS):
        if row["status"] != "done":
            raise RuntimeError(f"a run failed: {row['error']}")
        run = collected.setdefault(row["id"], {name: row[name] for name in RESULTS} | {"energies": {}})
        run["energies"][row["chip"]] = {key: band(row, column) for key, column in QUANTITIES.items()}
    for name, run in collected.items():
        yield store.record(name)["settings"], run


def band(row: dict[str, Any], column: str) -> dict[str, float] | None:
    """Return an energy of a row, None where the chip has no price for it."""
    ends = {"value": f"{column}_j", "low": f"{column}_low_j", "high": f"{column}_high_j"}
    return None if row[ends["value"]] is None else {end: row[key] for end, key in ends.items()}


def label(settings: dict[str, Any]) -> str:
    """Return a configuration in a few words: hidden neurons, bits of a weight, steps, time constant in steps."""
    fixed = settings.get("network.fixed_point", {})
    bits = fixed.get("weight_bits") or settings.get("network.weight_bits")
    words = [f"{settings['network.hidden'][0]} hidden", f"{bits} bits" if bits else "float"]
    if "rule.tau_ticks" in settings:
        words.append(f"{settings['phases.free_ticks']}+{settings['phases.nudged_ticks']} steps")
        words.append(f"tau {settings['rule.tau_ticks']}")
    return ", ".join(words)


def candidates(found: Sequence[dict[str, Any]], series: str, chip: str) -> list[dict[str, Any]]:
    """Return what may be on the front: nothing cheaper answers more validation samples by more than MARGIN."""
    mine = [one for one in found if one["series"] == series]
    kept, best = [], 0.0
    for one in sorted(mine, key=lambda one: one["runs"]["1"]["energies"][chip]["inference"]["value"]):
        accuracy = one["runs"]["1"]["validation_accuracy"]
        if accuracy > best - MARGIN:
            kept.append(one)
        best = max(best, accuracy)
    return kept


def summary(each: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return mean and spread of the test accuracy over seeds, and the mean energies."""
    accuracies = [run["test_accuracy"] for run in each.values()]
    energies = {chip: {} for chip in CHIPS}
    for chip in CHIPS:
        for key in QUANTITIES:
            bands = [run["energies"][chip][key] for run in each.values()]
            if all(bands):
                energies[chip][key] = {end: mean(one[end] for one in bands) for end in ("value", "low", "high")}
    spread = stdev(accuracies) if len(accuracies) > 1 else 0.0
    return {"seeds": len(each), "test_accuracy": mean(accuracies), "spread": spread, "energies": energies}


def as_points(found: Sequence[dict[str, Any]], chip: str) -> list[Point]:
    """Return configurations as points: mean test accuracy against mean energy per inference."""
    return [
        Point(
            {"label": one["label"]},
            one["summary"]["test_accuracy"],
            one["summary"]["spread"],
            Band(**one["summary"]["energies"][chip]["inference"]),
            one["summary"]["seeds"],
        )
        for one in found
    ]


def final_front(found: Sequence[dict[str, Any]], series: str, chip: str) -> list[dict[str, Any]]:
    """Return the front of mean test accuracy among the configurations that were repeated."""
    repeated = [one for one in found if one["series"] == series and one["summary"]["seeds"] > 1]
    learning = {one["label"]: one["summary"]["energies"][chip].get("training_sample") for one in repeated}
    kept = ("label", "accuracy", "accuracy_spread", "seeds", "front", "energy_j")
    return [
        {key: point[key] for key in kept} | {"training_sample_j": learning[point["label"]]}
        for point in (point | {"label": point["settings"]["label"]} for point in marked(as_points(repeated, chip)))
        if point["front"]
    ]


def panels(
    found: Sequence[dict[str, Any]], fronts: dict[str, dict[str, list[dict]]]
) -> dict[str, dict[str, list[dict]]]:
    """Return the points that were repeated by chip and series, as the figure takes them."""
    drawn: dict[str, dict[str, list[dict]]] = {}
    for chip, series in fronts.items():
        for name, on in series.items():
            sides = {point["label"]: point["front"] for point in on}
            mine = [one for one in found if one["series"] == name and one["summary"]["seeds"] > 1]
            drawn.setdefault(chip, {})[name] = [
                point.to_dict() | {"label": one["label"], "front": sides.get(one["label"], [])}
                for one, point in zip(mine, as_points(mine, chip), strict=True)
            ]
    return drawn


def table(chip: str, series: dict[str, list[dict[str, Any]]]) -> str:
    """Return the fronts on one chip as Markdown."""
    lines = [f"| {chip} | configuration | test accuracy | an inference | a training sample |", "|" + "---|" * 5]
    for name, points in series.items():
        for point in points:
            accuracy = f"{100 * point['accuracy']:.1f} ± {100 * point['accuracy_spread']:.1f} %"
            energies = [joules(point["energy_j"]), joules(point["training_sample_j"])]
            lines.append(f"| {' | '.join([name, point['label'], accuracy, *energies])} |")
    return "\n".join(lines)


def joules(energy: dict[str, float] | None) -> str:
    """Return an energy with its band."""
    from eqspike.core.units import with_bounds

    return with_bounds(energy["value"], energy["low"], energy["high"], "J") if energy else "not priced"


if __name__ == "__main__":
    main()
