"""What each layer of a workload sends: its spikes, or the states that its synapses used."""

from __future__ import annotations

from collections.abc import Mapping

from hw_models.workload import PhaseCounts, Workload

_USES = ("synaptic_events", "macs")


def messages(workload: Workload, counted: PhaseCounts, fans: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """Return how many messages each layer sent in a phase.

    A spiking layer sends its spikes. One of real-valued states sends each state that synapses used: the counted events
    of a projection over the synapses of a neuron, of the projection where these are most.

    Parameters
    ----------
    fans : (mean synapses from a pre neuron, mean synapses onto a post neuron) by projection.
    """
    found = {layer.name: float(counted.counts.get((layer.name, "spikes"), 0)) for layer in workload.layers}
    silent = {name for name, spikes in found.items() if not spikes}
    for projection in workload.projections:
        ends = zip(
            (projection.pre, projection.post), ("forward", "backward"), fans.get(projection.name, (0, 0)), strict=True
        )
        for layer, direction, fan in ends:
            if layer in silent and fan:
                events = sum(counted.counts.get((projection.name, f"{use}_{direction}"), 0) for use in _USES)
                found[layer] = max(found[layer], events / fan)
    return found
