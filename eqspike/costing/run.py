"""The price of a run on a chip."""

from __future__ import annotations

from math import prod

from eqspike.costing.workload import ProjectionInfo, to_workload
from eqspike.network.description import RECEIVING
from eqspike.training.run import Run
from hw_models import CostReport, load_chip
from hw_models import price as price_workload
from hw_models.workload import Workload


def workload_of(run: Run) -> Workload:
    """Return what ``run`` counted as a workload of its network; a bias is a synapse from an always active unit."""
    network, bits = run.network, run.spec.precision
    infos = [
        ProjectionInfo(
            projection.name,
            projection.pre,
            projection.post,
            prod(network.stored(projection)) * (2 if projection.separate else 1),
            projection.weight_bits or bits,
            projection.symmetric,
            projection.synapse is None or projection.synapse.plastic,
            projection.accumulator_bits if projection.accumulates else 0,
        )
        for projection in network.projections
    ]
    infos += [
        ProjectionInfo(f"bias->{layer.name}", layer.name, layer.name, layer.biases, bits, False, True)
        for layer in network.layers
        if layer.kind in RECEIVING
    ]
    layers = [(layer.name, layer.size) for layer in network.layers]
    return to_workload(run.ledger, layers, infos, run.spec.tick_s, run.spec.name)


def price(run: Run, chip: str = "generic-45nm", *, tick_s: float | None = None) -> CostReport:
    """Return what the counted events of ``run`` cost on ``chip``, training and inference.

    Parameters
    ----------
    chip : name of a chip that ships with hw_models, or the path of a chip's TOML file.
    tick_s : seconds that a tick takes on the hardware; by default the chip's own, else the recipe's.

    Raises
    ------
    hw_models.errors.HardwareError
        if the chip is unknown or cannot price what was counted.
    """
    return price_workload(workload_of(run), load_chip(chip), tick_s)
