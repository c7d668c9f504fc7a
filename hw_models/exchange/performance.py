"""What a placed network does tick by tick, as the rows of SANA-FE's ``perf.csv``."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TextIO

import numpy as np

from hw_models.errors import WorkloadError
from hw_models.exchange.graph import PlacedGraph
from hw_models.workload import require_tick

COUNTS = ("fired", "updated", "packets", "hops", "spikes")
ENERGIES = ("synapse_energy", "dendrite_energy", "soma_energy", "network_energy", "total_energy")
COLUMNS = ("timestep", *COUNTS, "sim_time", *ENERGIES)


@dataclass(frozen=True)
class EventPrices:
    """Joules of one event of each kind: its dynamic and periphery terms; static power has no column in the format."""

    synaptic_event: float
    neuron_update: float
    spike: float
    packet: float
    hop: float


def count_ticks(graph: PlacedGraph, ticks: int) -> dict[str, np.ndarray]:
    """Return the events of every tick, each (ticks,) int64, counted as SANA-FE counts them.

    ``fired``: neurons that spiked, inputs among them. ``updated``: every neuron with a model in every tick, and inputs
    that fired. ``spikes``: synaptic events, one for each synapse that a spike reaches. ``packets``: one for each core
    that a spike must reach, the sender's own among them. ``hops``: tiles that packets cross, |dx| + |dy| each.
    ``fired_model``: those of ``fired`` that are no inputs, which alone pay for a spike.

    Raises
    ------
    WorkloadError
        If a spike lies outside the ticks.
    """
    found = {name: np.zeros(ticks, np.int64) for name in (*COUNTS, "fired_model")}
    for group in graph.groups:
        when, who = (np.asarray(values, np.int64) for values in group.spikes)
        if len(when) and not 0 <= when.min() <= when.max() < ticks:
            raise WorkloadError(f"a spike lies outside {ticks} ticks.", field=group.name, remedy="Give more ticks.")
        fired, reach = np.bincount(when, minlength=ticks), graph.reach(group)
        found["fired"] += fired
        found["updated"] += fired if group.is_input else group.neurons
        found["fired_model"] += 0 if group.is_input else fired
        for name, each in (("spikes", reach.events), ("packets", reach.packets), ("hops", reach.hops)):
            np.add.at(found[name], when, each[who])
    return found


def performance(graph: PlacedGraph, ticks: int, tick_s: float, prices: EventPrices) -> dict[str, np.ndarray]:
    """Return the columns of ``perf.csv``, each (ticks,): counts, seconds and joules of every tick.

    synapse = spikes x synaptic event; soma = updates of neurons with a model x update + their spikes x spike;
    network = packets x packet + hops x hop. ``dendrite_energy`` is 0: accumulation is priced with the synaptic event.
    """
    require_tick(tick_s)
    counts = count_ticks(graph, ticks)
    own = counts["updated"] - (counts["fired"] - counts["fired_model"])
    synapse = counts["spikes"] * prices.synaptic_event
    soma = own * prices.neuron_update + counts["fired_model"] * prices.spike
    network = counts["packets"] * prices.packet + counts["hops"] * prices.hop
    return {
        "timestep": np.arange(1, ticks + 1),
        **{name: counts[name] for name in COUNTS},
        "sim_time": np.full(ticks, tick_s),
        "synapse_energy": synapse,
        "dendrite_energy": np.zeros(ticks),
        "soma_energy": soma,
        "network_energy": network,
        "total_energy": synapse + soma + network,
    }


def write_performance(columns: dict[str, np.ndarray], file: TextIO) -> None:
    """Write ``columns`` as ``perf.csv``, numbers as short as they can be read back exactly."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(zip(*(columns[name].tolist() for name in COLUMNS), strict=True))
