"""Runs the cortical microcircuit: python experiments/microcircuit/run.py [--scale 1.0] [--seconds 2.5] [--threads 1]

Prints each population's rate beside the published ones, and writes measured.json and spikes.png. Full scale takes 6 GB
of memory and a few minutes, --scale 0.1 seconds.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

from eqspike import Clocked
from eqspike.analysis.statistics import interval_cv, mean_rate, synchrony
from eqspike.bench import balanced
from eqspike.plots.raster import draw_raster
from eqspike.plots.style import save_figure
from eqspike.substrates.spiking.simulation import prepare

HERE = Path(__file__).parent
FROM_S = 0.5  # what comes before belongs to the start from random potentials


def main() -> None:
    """Build, run, compare and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="share of the neurons, and of each one's synapses")
    parser.add_argument("--seconds", type=float, default=2.5, help=f"of network time, the first {FROM_S} s left out")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    network, inputs, initial = balanced.microcircuit(asked.scale, seed=asked.seed)
    started = time.perf_counter()
    clock = Clocked(tick_s=balanced.TICK_S)
    simulation = prepare(
        network, inputs=inputs, initial=initial, clock=clock, seed=asked.seed, threads=asked.threads
    )  # fmt: skip
    built = time.perf_counter()
    simulation.run(0.01)  # compiles, where that was not done before
    began = time.perf_counter()
    print(f"built in {built - started:.0f} s", file=sys.stderr, flush=True)
    outcome = simulation.run(asked.seconds - 0.01)
    seconds, spikes = time.perf_counter() - began, simulation.spikes
    print("| population | rate (1/s) | NEST's example | published | CV of intervals | synchrony |\n" + "|---" * 6 + "|")
    found = {}
    for name, theirs in zip(balanced.POPULATIONS, balanced.NEST_RATES_HZ, strict=True):
        late = spikes[name].t >= FROM_S
        given = spikes[name].t[late] - FROM_S, spikes[name].i[late], network.layer(name).size, asked.seconds - FROM_S
        found[name] = {"rate_hz": mean_rate(*given), "interval_cv": interval_cv(*given), "synchrony": synchrony(*given)}
        published = balanced.PUBLISHED_RATES_HZ.get(name, "-")
        rate, cv, together = found[name].values()
        print(f"| {name} | {rate:.3g} | {theirs:.3g} | {published} | {cv:.2f} | {together:.1f} |")
    document = {
        "command": " ".join(["python", "experiments/microcircuit/run.py", *sys.argv[1:]]),
        "versions": {"python": platform.python_version(), "eqspike": version("eqspike"), "numpy": version("numpy")},
        "scale": asked.scale, "seconds": asked.seconds, "neurons": sum(layer.size for layer in network.layers),
        "synapses": sum(simulation.synapses.values()), "outcome": outcome.kind, "threads": asked.threads,
        "build_seconds": round(built - started, 1), "seconds_per_second": round(seconds / (asked.seconds - 0.01), 2),
        "populations": found,
    }  # fmt: skip
    (HERE / "measured.json").write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    sizes = {name: network.layer(name).size for name in balanced.POPULATIONS}
    trains = {name: (each.t, each.i) for name, each in spikes.items()}
    figure = draw_raster(trains, sizes, simulation.time_s, title=f"microcircuit, {document['neurons']:,} neurons")
    save_figure(figure, HERE / "spikes.png", overwrite=True)


if __name__ == "__main__":
    main()
