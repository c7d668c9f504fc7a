"""SANA-FE on a network file, for its energy on its own Loihi; a process of its own, for its licence is not ours.

    PYTHON eqspike/bench/sanafe_peers.py network.yaml --ticks 100

prints one JSON document. Any Python with sanafe will do; it needs nothing else.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_MISSING = 3  # the exit code that says that there is no sanafe


def measure(network: str, ticks: int, *, python: str = sys.executable, architecture: str | None = None) -> dict | None:
    """Run ``network`` in a process of its own; return its report, None where ``python`` has no sanafe.

    Parameters
    ----------
    network : text of a network file.
    architecture : text of an architecture file, by default the Loihi that SANA-FE ships.

    Returns
    -------
    dict
        ``energy`` in joules by part, ``spike_trace`` as lists of (neuron, timestep) texts, ``seconds`` of the run.

    Raises
    ------
    ConfigError
        if the process failed.
    """
    from eqspike.core.errors import ConfigError  # not on the way of the process itself, which has no eqspike

    with TemporaryDirectory() as folder:
        path, chip = Path(folder, "network.yaml"), Path(folder, "architecture.yaml")
        path.write_text(network, "utf-8")
        command = [python, str(Path(__file__).resolve()), str(path), "--ticks", str(ticks)]
        if architecture is not None:
            chip.write_text(architecture, "utf-8")
            command += ["--architecture", str(chip)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode == _MISSING:
            return None
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip()).rpartition("\n")[2]
            raise ConfigError(f"SANA-FE failed: {said}", field="hardware", remedy=f"Look at {python}.")
        return json.loads(done.stdout.splitlines()[-1])


def run(path: str, ticks: int, architecture: str | None) -> dict[str, Any]:
    """Return what SANA-FE says of ``ticks`` timesteps of a network file."""
    import sanafe

    chip_file = sanafe.load_arch(architecture) if architecture else sanafe.load_loihi()
    network = sanafe.load_net(path, chip_file)
    chip = sanafe.SpikingChip(chip_file)
    chip.load(network)
    started = time.perf_counter()
    found = chip.sim(ticks, timing_model="simple", spike_trace="spikes.csv", perf_trace="perf.csv")
    seconds = time.perf_counter() - started
    lines = Path("spikes.csv").read_text("utf-8").splitlines()[1:]
    return {
        "version": version("sanafe"),
        "energy": found["energy"],
        "events": {name: found[name] for name in ("spikes", "packets_sent", "neurons_updated", "neurons_fired")},
        "spike_trace": [line.split(",") for line in lines],
        "performance": Path("perf.csv").read_text("utf-8"),
        "seconds": seconds,
    }


def main() -> int:
    """Run the network that the command line names and print its report as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network")
    parser.add_argument("--ticks", type=int, default=100)
    parser.add_argument("--architecture")
    options = parser.parse_args()
    try:
        import sanafe  # noqa: F401
    except ModuleNotFoundError:
        return _MISSING
    print(json.dumps(run(options.network, options.ticks, options.architecture)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
