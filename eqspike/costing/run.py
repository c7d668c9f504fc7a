"""The price of a run on a chip."""

from __future__ import annotations

from math import prod

from eqspike.core.errors import ConfigError
from eqspike.costing.workload import ProjectionInfo, to_workload
from eqspike.network.description import RECEIVING
from eqspike.substrates.spiking.memory import clock_bits
from eqspike.substrates.spiking.simulation import Simulation
from eqspike.training.run import Run
from hw_models import Chip, CostReport, load_chip
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


def workload_of_simulation(simulation: Simulation, name: str) -> Workload:
    """Return what ``simulation`` counted as a workload of its network: one presentation.

    Raises
    ------
    ConfigError
        if it ran without ticks, whose static energy nothing would say.
    """
    network, clock = simulation.network, simulation.clock
    if not hasattr(clock, "tick_s"):
        raise ConfigError(
            "events on the exact clock have no ticks to price.",
            field="clock.kind",
            remedy="Use clocked or fixed-point.",
        )
    infos = [
        ProjectionInfo(p.name, p.pre, p.post, simulation.synapses[p.name], clock_bits(clock), False, p.plastic)
        for p in network.projections
    ]
    ledger = simulation.ledger()
    infos += [  # background events need no stored synapse beyond their one weight
        ProjectionInfo(
            row, row.removeprefix("poisson->"), row.removeprefix("poisson->"), 1, clock_bits(clock), False, False
        )
        for row in ledger.projections[len(network.projections) :]
    ]
    layers = [(layer.name, layer.size) for layer in network.layers]
    return to_workload(ledger, layers, infos, clock.tick_s, name)


def price(run: Run | Simulation, chip: str | Chip = "generic-45nm", *, tick_s: float | None = None) -> CostReport:
    """Return what the counted events of a run, or of a simulation, cost on ``chip``, learning included.

    Parameters
    ----------
    chip : name of a chip that ships with hw_models, the path of a chip's TOML file, or a chip with its knobs turned.
    tick_s : seconds that a tick takes on the hardware; by default the chip's own, else the recipe's.

    Raises
    ------
    hw_models.errors.HardwareError
        if the chip is unknown or cannot price what was counted.
    """
    workload = workload_of(run) if isinstance(run, Run) else workload_of_simulation(run, "simulation")
    return price_workload(workload, chip if isinstance(chip, Chip) else load_chip(chip), tick_s)
