"""NIR files of another tool's own writer: they load, run, and fire as that tool did (see data/README.md)."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from eqspike.bridges.nir import NirModel, from_nir
from eqspike.network.inputs import SpikeList
from eqspike.substrates.spiking.clocks import Clocked
from eqspike.substrates.spiking.simulation import Simulation

pytest.importorskip("nir")
pytest.importorskip("h5py")

DATA = Path(__file__).parent / "data"
STEP = 1e-4  # of snnTorch's exporter, which does not write it down
IN_STEP = 10  # ticks of ours in one of its steps
TICK = STEP / IN_STEP
LATE = 2  # ticks from a spike that arrives to the one that it causes
NETWORKS = {"feed_forward": ("1", "3"), "recurrent": ("1.lif", "3")}  # nodes of the hidden and the output neurons


@pytest.fixture(params=NETWORKS)
def foreign(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[NirModel, dict[str, np.ndarray], tuple[str, str]]:
    """A model from the tool's file, what the tool recorded, and the nodes that it recorded."""
    file = tmp_path / "foreign.nir"
    file.write_bytes(gzip.decompress((DATA / f"snntorch_{request.param}.nir.gz").read_bytes()))
    with np.load(DATA / f"snntorch_{request.param}.npz") as recorded:
        return from_nir(file, tick_s=TICK, spike_s=STEP), dict(recorded), NETWORKS[request.param]


def run(model: NirModel, spikes: np.ndarray, steps: int) -> Simulation:
    """Run to the middle of the time after step ``steps - 1``; spikes of step k are given at the time (k + 1) STEP."""
    step, neuron = np.nonzero(spikes[:steps])
    given = {"input": SpikeList((step + 1) * STEP, neuron)}
    return model.simulate((steps + 0.5) * STEP, given, clock=Clocked(tick_s=TICK, precision=64))


def test_the_trains_are_those_of_the_tool(foreign) -> None:
    """Every spike is in the tool's step, by the neuron that it names, 2 ticks late in the first layer, 4 in the second.

    In the tool a step leaks once by 1 - dt/tau (Euler), adds what arrives, and the next layer follows in the same step.
    NIR's equation has no steps, and here an arrival takes LATE ticks to a spike. With ten ticks in a step all of a
    step's work, feedback included, is done before the next one. The leaks exp(-dt/tau) and 1 - dt/tau differ by
    (dt/tau)^2 / 2 = 5e-7 a step at tau = 1000 dt, too little to move a spike; feedback only inhibits, so that it makes
    nothing fire between steps.
    """
    model, recorded, nodes = foreign
    simulation = run(model, recorded["input"], len(recorded["input"]))
    for depth, (node, name) in enumerate(zip(nodes, ("hidden", "output"), strict=True), 1):
        step, neuron = np.nonzero(recorded[name])
        spikes = model.spikes(simulation, node)
        ticks = np.rint(spikes.t / TICK).astype(int)
        assert len(step) > 100
        assert np.array_equal(spikes.i, neuron)
        assert np.array_equal(ticks, (step + 1) * IN_STEP + LATE * depth)


def test_the_potentials_are_those_of_the_tool(foreign) -> None:
    """Output potentials between two steps: half a step's leak, dt / 2 tau = 5e-4, after those that the tool records."""
    model, recorded, (_, node) = foreign
    theirs = recorded["output_potential"]
    peak = np.abs(theirs).max()
    for steps in (7, 40, 123, 250, len(theirs)):
        ours = model.potentials(run(model, recorded["input"], steps), node)
        np.testing.assert_allclose(ours, theirs[steps - 1], atol=7e-4 * peak)
