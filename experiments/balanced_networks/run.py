"""Runs two balanced networks in eqspike, Brian2 and NEST: python experiments/balanced_networks/run.py

Prints rate, irregularity and synchrony with their 95 % intervals, and writes them with every run to measured.json.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import eqspike
from eqspike.analysis.statistics import compare, confidence_interval, interval_cv, mean_rate, synchrony
from eqspike.bench import balanced, brian2_peers, nest_peers

HERE = Path(__file__).parent
DURATION_S, FROM_S = 1.0, 0.2  # the first 200 ms belong to the start from equal or random potentials
QUANTITIES = {"rate": mean_rate, "interval_cv": interval_cv, "synchrony": synchrony}
UNITS = {"rate": "1/s", "interval_cv": "", "synchrony": ""}
MARGINS = {"rate": 0.03, "interval_cv": 0.03, "synchrony": 0.3}  # shares of the peer's mean that count as equal
SEEDS = {"brunel-10k": 10, "cuba-4k": 40}  # the rate of the latter varies by 4 % from run to run
NETWORKS = {"brunel-10k": balanced.BRUNEL, "cuba-4k": balanced.CUBA}
OURS, BRIAN2, NEST = "eqspike", "Brian2", "NEST"


def ours(name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return times and neurons of all spikes of one of our runs."""
    case = balanced.brunel() if name == "brunel-10k" else balanced.cuba(seed=seed)
    network, inputs, initial = case
    clock = eqspike.Clocked(tick_s=balanced.TICK_S)
    found = eqspike.simulate(network, DURATION_S, clock=clock, inputs=inputs, initial=initial, seed=seed)
    excitatory, inhibitory = found.spikes["E"], found.spikes["I"]
    ids = np.concatenate([excitatory.i, inhibitory.i + network.layer("E").size])
    return np.concatenate([excitatory.t, inhibitory.t]), ids


def programs(folder: Path) -> dict[str, brian2_peers.Program]:
    """Compile both networks in Brian2."""
    return {
        "brunel-10k": brian2_peers.build_brunel(folder / "brunel", balanced.BRUNEL, duration_s=DURATION_S),
        "cuba-4k": brian2_peers.build_cuba(folder / "cuba", balanced.CUBA, duration_s=DURATION_S),
    }


def brian2(program: brian2_peers.Program, name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return times and neurons of all spikes of one run of Brian2, with synapses of its own."""
    arrays = brian2_peers.brunel_pairs(balanced.BRUNEL, seed) if name == "brunel-10k" else {}
    found = program.run(seed, **arrays)
    return found.t, found.i


def measured(times: np.ndarray, ids: np.ndarray, n: int) -> dict[str, float]:
    """Return the statistics of what came after the start."""
    late = times >= FROM_S
    return {
        name: quantity(times[late] - FROM_S, ids[late], n, DURATION_S - FROM_S) for name, quantity in QUANTITIES.items()
    }


def run_all() -> dict[str, dict[str, list[dict[str, float]]]]:
    """Return the statistics of every run, by network and simulator."""
    found: dict[str, dict[str, list]] = {name: {OURS: [], BRIAN2: [], NEST: []} for name in NETWORKS}
    with TemporaryDirectory() as folder:
        compiled = programs(Path(folder))
        for name, network in NETWORKS.items():
            for seed in range(1, SEEDS[name] + 1):
                runs = {
                    OURS: ours(name, seed),
                    BRIAN2: brian2(compiled[name], name, seed),
                    NEST: nest_peers.measure(name.partition("-")[0], duration_s=DURATION_S, seed=seed)[1:],
                }
                for simulator, (times, ids) in runs.items():
                    found[name][simulator].append(measured(times, ids, network.neurons))
                print(f"{name}, seed {seed} of {SEEDS[name]}", file=sys.stderr, flush=True)
    return found


def summary(runs: dict[str, list[dict[str, float]]]) -> dict[str, dict]:
    """Return interval and comparisons of each quantity of one network."""
    rows = {}
    for quantity in QUANTITIES:
        values = {simulator: [run[quantity] for run in each] for simulator, each in runs.items()}
        rows[quantity] = {"unit": UNITS[quantity]}
        for simulator, each in values.items():
            interval = confidence_interval(each)
            rows[quantity][simulator] = {"mean": interval.mean, "half_width": interval.half_width}
        for peer in (BRIAN2, NEST):
            margin = MARGINS[quantity] * rows[quantity][peer]["mean"]
            said = compare(values[OURS], values[peer], margin=margin)
            rows[quantity][f"{OURS} - {peer}"] = {
                "mean": said.difference.mean,
                "half_width": said.difference.half_width,
                "p_value": said.p_value,
                "margin": margin,
                "equivalent": said.equivalent,
            }
    return rows


def table(name: str, rows: dict[str, dict]) -> str:
    """Return one network's rows as Markdown."""
    lines = [f"| {name} | {OURS} | {BRIAN2} | {NEST} | {OURS} - {BRIAN2} | {OURS} - {NEST} |", "|" + "---|" * 6]
    for quantity, row in rows.items():
        cells = [f"{row[s]['mean']:.4g} ± {row[s]['half_width']:.2g} {row['unit']}" for s in (OURS, BRIAN2, NEST)]
        for peer in (BRIAN2, NEST):
            one = row[f"{OURS} - {peer}"]
            said = "equivalent" if one["equivalent"] else "not shown equivalent"
            cells.append(f"{one['mean']:+.2g} ± {one['half_width']:.2g}, p {one['p_value']:.2f}, {said}")
        lines.append(f"| {quantity} | " + " | ".join(cell.strip() for cell in cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run, print the tables and write measured.json."""
    started = time.perf_counter()
    runs = run_all()
    found = {name: summary(each) for name, each in runs.items()}
    for name, rows in found.items():
        print(table(name, rows), end="\n\n")
    document = {
        "command": "python experiments/balanced_networks/run.py",
        "versions": {"python": platform.python_version()}
        | {package: version(package) for package in ("eqspike", "numpy", "brian2", "nest-simulator")},
        "wall_seconds": round(time.perf_counter() - started),
        "seeds": SEEDS,
        "duration_s": DURATION_S,
        "from_s": FROM_S,
        "margins": MARGINS,
        "summary": found,
        "runs": runs,
    }
    (HERE / "measured.json").write_text(json.dumps(document, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
