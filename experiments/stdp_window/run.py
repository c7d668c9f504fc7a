"""Holds rules against measured synapses and against theory: python experiments/stdp_window/run.py

Writes measured.json, the figures, and the tables of README.md.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from eqspike.analysis.stdp import (
    Measurements,
    StdpWindow,
    frequency_protocol,
    isolated_pair,
    pair_protocol,
    rate_ramp,
    read_measurements,
    triplet_protocol,
)
from eqspike.analysis.window import closed_form_zero
from eqspike.learning.eqspike import EqSpike
from eqspike.learning.stdp import PairSTDP, TripletSTDP
from eqspike.plots import stdp as plots
from eqspike.plots.stdp_lags import draw_lags
from eqspike.plots.style import save_figure
from eqspike.recording import current_environment

HERE = Path(__file__).parent
TRIALS = 20_000
BEGIN, END = "<!-- tables: begin -->\n", "<!-- tables: end -->\n"
# Time constants after Bi and Poo, 2001; triplet rules as published by Pfister and Gerstner, 2006, tables 3 and 4.
PAIR = PairSTDP(tau_plus=16.8e-3, tau_minus=33.7e-3, A_plus=1.0, A_minus=1.0)
CORTEX = TripletSTDP()
CORTEX_NEAREST = TripletSTDP(
    A2_plus=8.8e-11, A2_minus=6.6e-3, A3_plus=5.3e-2, A3_minus=3.1e-3, tau_x=714e-3, tau_y=40e-3,
    pairs="nearest-neighbour",
)  # fmt: skip
CULTURE = TripletSTDP(A2_plus=5.3e-3, A2_minus=3.5e-3, A3_plus=8e-3, A3_minus=0.0, tau_y=40e-3)
EQSPIKE = EqSpike(tau_ticks=20, delay_ticks=20)
ESTIMATORS = (
    EqSpike(tau_ticks=5, delay_ticks=5),
    EqSpike(tau_ticks=20, delay_ticks=1),
    EqSpike(tau_ticks=10, delay_ticks=20),
    EqSpike(tau_ticks=20, delay_ticks=10),
    EqSpike(tau_ticks=20, delay_ticks=20),
    EqSpike(tau_ticks=20, delay_ticks=40),
    EqSpike(tau_ticks=40, delay_ticks=20),
    EqSpike(tau_ticks=10, derivative="slow_trace", tau_slow_ticks=10),
    EqSpike(tau_ticks=20, derivative="slow_trace", tau_slow_ticks=20),
)
PROTOCOLS = {"frequency": frequency_protocol, "pair": pair_protocol, "triplet": triplet_protocol}


def measurements() -> dict[str, tuple[str, Measurements]]:
    """Return the published measurements with the protocol that they are of."""
    files = {
        "frequency, visual cortex": ("frequency", "sjostrom2001.csv"),
        "pairs, hippocampal culture": ("pair", "wang2005_pairs.csv"),
        "triplets, hippocampal culture": ("triplet", "wang2005_triplets.csv"),
    }
    return {name: (protocol, read_measurements(HERE / file, protocol)) for name, (protocol, file) in files.items()}


def fitted_pairs(protocol: str, measured: Measurements, pairs: str) -> PairSTDP:
    """Return the pair rule with the two amplitudes that explain the measurements best: it is linear in them."""
    sides = [PAIR.model_copy(update={"pairs": pairs, other: 0.0}) for other in ("A_minus", "A_plus")]
    columns = [PROTOCOLS[protocol](side, measured=measured).measured.predicted for side in sides]
    design = np.stack(columns, 1) / measured.error[:, None]
    plus, minus = np.linalg.lstsq(design, measured.change / measured.error, rcond=None)[0]
    return PAIR.model_copy(update={"pairs": pairs, "A_plus": max(0.0, plus), "A_minus": max(0.0, minus)})


def rules(protocol: str, measured: Measurements) -> dict[str, tuple[Any, dict[str, Any]]]:
    """Return what is held against measurements: rules with the settings of their protocol."""
    published = {"triplet rule, all to all": CORTEX, "triplet rule, nearest": CORTEX_NEAREST}
    if protocol != "frequency":
        published = {"triplet rule, all to all": CULTURE}
    found = {name: (rule, {}) for name, rule in published.items()}
    if protocol == "frequency":
        bursts = {"burst": 5, "burst_interval_s": 10.0}
        found |= {f"{name}, bursts of 5": (rule, bursts) for name, rule in published.items()}
    for name, pairs in (("all to all", "all-to-all"), ("nearest", "nearest-neighbour")):
        found[f"pair rule fitted, {name}"] = (fitted_pairs(protocol, measured, pairs), {})
    for weights in ("symmetric", "asymmetric"):
        found[f"EqSpike scaled, {weights} weights"] = (EQSPIKE, {"weights": weights})
    return found


def against_data() -> dict[str, dict[str, Any]]:
    """Return how well each rule explains each set of measurements, and draw some of it."""
    found: dict[str, dict[str, Any]] = {}
    drawn = {"triplet rule, all to all": "triplet-rule", "EqSpike scaled, symmetric weights": "eqspike"}
    for title, (protocol, measured) in measurements().items():
        measured = Measurements(title, measured.coordinates, measured.change, measured.error)
        found[title] = {}
        for name, (rule, settings) in rules(protocol, measured).items():
            result = PROTOCOLS[protocol](rule, measured=measured, **settings)
            found[title][name] = result.measured.to_dict()
            if name in drawn and (protocol, drawn[name]) != ("pair", "triplet-rule"):
                plots.save(result, HERE / f"{protocol}-{drawn[name]}.png", overwrite=True)
    return found


def estimator(rule: EqSpike) -> str:
    """Return a rule's estimator in words."""
    if rule.derivative == "delay":
        return f"τ {rule.tau_ticks:g}, delay {rule.delay_ticks}"
    return f"τ {rule.tau_ticks:g}, slow trace {rule.tau_slow_ticks:g}"


def lags() -> list[dict[str, Any]]:
    """Return where the ensemble's window crosses zero for every estimator, and draw it."""
    windows = [rate_ramp(rule, trials=TRIALS, window_ticks=82) for rule in ESTIMATORS]
    save_figure(draw_lags([estimator(rule) for rule in ESTIMATORS], windows), HERE / "lags.png", overwrite=True)
    return [
        {
            "estimator": estimator(rule),
            "lag_s": window.lag_s,
            "closed_form_crossing_s": closed_form_zero(window),
            "crossing_s": None if window.crossing is None else window.crossing.difference_s,
            "standard_error_s": None if window.crossing is None else window.crossing.standard_error_s,
        }
        for rule, window in zip(ESTIMATORS, windows, strict=True)
    ]


def ensembles() -> dict[str, Any]:
    """Return how odd in time the ensemble's window is, by weights and estimator, and draw the windows."""
    found = {}
    for weights in ("asymmetric", "symmetric"):
        for derivative in ("exact", "rule"):
            window = rate_ramp(EQSPIKE, trials=TRIALS, weights=weights, derivative=derivative)
            found[f"{weights}, {derivative}"] = halves(window)
            if derivative == "rule":
                plots.save(window, HERE / f"ramp-{weights}.png", overwrite=True)
    plots.save(isolated_pair(EQSPIKE), HERE / "isolated-pair.png", overwrite=True)
    return found


def halves(window: StdpWindow) -> dict[str, list[float]]:
    """Return mean and standard error of the outermost bins, about -55 and +55 ms, and of the middle one."""
    places = {"before": 0, "at zero": len(window.mean) // 2, "after": -1}
    return {name: [float(window.mean[k]), float(window.standard_error[k])] for name, k in places.items()}


def tables(found: dict[str, Any]) -> str:
    """Return what was measured as the tables of the page."""
    lines = []
    for title, rows in found["data"].items():
        lines += [f"| {title} | mean squared error in units of theirs | same sign | factor |", "|---|---|---|---|"]
        for name, row in rows.items():
            factor = f"{row['scale']:.3g} ± {row['scale_error']:.2g}" if row["factor"] != 1.0 else "1"
            agree = f"{row['signs_agree']} of {row['signs_sure']}"
            lines.append(f"| {name} | {row['chi_squared']:.2f} | {agree} | {factor} |")
        lines.append("")
    lines += ["| estimator (ms) | lag | closed form crosses zero at | measured |", "|---|---|---|---|"]
    for row in found["lags"]:
        measured = "no single crossing"
        if row["crossing_s"] is not None:
            measured = f"{1e3 * row['crossing_s']:.1f} ± {1e3 * row['standard_error_s']:.1f} ms"
        lag, zero = 1e3 * row["lag_s"], 1e3 * row["closed_form_crossing_s"]
        lines.append(f"| {row['estimator']} | {lag:.1f} ms | {zero:.1f} ms | {measured} |")
    lines += ["", "| weights, slope (10⁻⁴ η/β) | Δt = −55 ms | 0 | +55 ms |", "|---|---|---|---|"]
    for name, row in found["ensembles"].items():
        cells = (f"{1e4 * mean:+.2f} ± {1e4 * error:.2f}" for mean, error in row.values())
        lines.append(f"| {name.replace('rule', 'estimated')} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    begin = time.perf_counter()
    found = {
        "command": "python experiments/stdp_window/run.py",
        "environment": current_environment(),
        "trials": TRIALS,
        "data": against_data(),
        "lags": lags(),
        "ensembles": ensembles(),
    }
    found["wall_seconds"] = round(time.perf_counter() - begin)
    (HERE / "measured.json").write_text(json.dumps(found, indent=1, allow_nan=False) + "\n", "utf-8")
    page = HERE / "README.md"
    text = page.read_text("utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    page.write_text(f"{before}{BEGIN}{tables(found)}{END}{after}", "utf-8")
    print(tables(found))


if __name__ == "__main__":
    main()
