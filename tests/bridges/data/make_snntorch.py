"""Networks of snnTorch as its own exporter writes them, and what snnTorch itself computes with them.

Run: ``pip install snntorch==1.0.0 nirtorch==2.6 nir==1.0.8`` and ``python make_snntorch.py``. Writes beside itself
``snntorch_<name>.nir.gz``, the exporter's file compressed, and ``snntorch_<name>.npz``: spikes ``input``, ``hidden``
and ``output`` (steps, neurons), and ``output_potential`` (steps, neurons) after the reset.
"""

from __future__ import annotations

import gzip
import io
import warnings
from pathlib import Path

import nir
import numpy as np
import snntorch as snn
import torch
from snntorch.export_nir import export_to_nir

HERE = Path(__file__).parent
INPUTS, HIDDEN, OUTPUTS, STEPS = 8, 12, 5, 400
BETA = 0.999
SEED = 7


def leaky(n: int) -> dict:
    """Return settings of n neurons: one value a neuron, and the reset that the exporter writes down, in the same step.

    A reset that comes one step later, snnTorch's default, would drop what an RLeaky receives in that step.
    """
    return {
        "beta": torch.full((n,), BETA), "threshold": torch.ones(n), "reset_mechanism": "zero", "reset_delay": False,
        "init_hidden": True,
    }  # fmt: skip


def dense(n_in: int, n_out: int, low: float, high: float) -> torch.nn.Linear:
    layer = torch.nn.Linear(n_in, n_out, bias=False)
    torch.nn.init.uniform_(layer.weight, low, high)
    return layer


def feed_forward() -> torch.nn.Sequential:
    return torch.nn.Sequential(
        dense(INPUTS, HIDDEN, -0.1, 0.3), snn.Leaky(**leaky(HIDDEN)),
        dense(HIDDEN, OUTPUTS, -0.15, 0.4), snn.Leaky(**leaky(OUTPUTS)),
    )  # fmt: skip


def recurrent() -> torch.nn.Sequential:
    """Return hidden neurons that inhibit each other: no feedback alone makes a neuron fire."""
    hidden = snn.RLeaky(linear_features=HIDDEN, all_to_all=True, **leaky(HIDDEN))
    hidden.recurrent = dense(HIDDEN, HIDDEN, -0.15, 0.0)
    return torch.nn.Sequential(
        dense(INPUTS, HIDDEN, -0.05, 0.35), hidden, dense(HIDDEN, OUTPUTS, -0.15, 0.4), snn.Leaky(**leaky(OUTPUTS))
    )


def run(network: torch.nn.Sequential, spikes: torch.Tensor) -> dict[str, np.ndarray]:
    first, hidden, second, output = network
    hidden.reset_mem()
    output.reset_mem()
    rows: dict[str, list] = {"hidden": [], "output": [], "output_potential": []}
    with torch.no_grad():
        for step in spikes:
            rows["hidden"].append(hidden(first(step[None])))
            rows["output"].append(output(second(rows["hidden"][-1])))
            rows["output_potential"].append(output.mem.clone())
    found = {name: torch.cat(row).numpy() for name, row in rows.items()}
    potential = found.pop("output_potential")
    return {name: each.astype(bool) for name, each in found.items()} | {"output_potential": potential}


def main() -> None:
    for name, build in (("feed_forward", feed_forward), ("recurrent", recurrent)):
        torch.manual_seed(SEED)
        network = build()
        spikes = torch.rand(STEPS, INPUTS) < 0.1
        recorded = run(network, spikes.float())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            graph = export_to_nir(network, torch.zeros(1, INPUTS), ignore_dims=[0])
        written = io.BytesIO()
        nir.write(written, graph)
        (HERE / f"snntorch_{name}.nir.gz").write_bytes(gzip.compress(written.getvalue(), mtime=0))
        np.savez_compressed(HERE / f"snntorch_{name}.npz", input=spikes.numpy(), **recorded)
        print(name, {key: int(recorded[key].sum()) for key in ("hidden", "output")}, graph.nodes.keys(), graph.edges)


if __name__ == "__main__":
    main()
