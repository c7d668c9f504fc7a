"""A counted workload under the names of NeuroBench's metrics.

References
----------
Yik et al., Nat. Commun. 16:1545, 2025, doi:10.1038/s41467-025-56739-4, arXiv:2304.04640.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hw_models.errors import WorkloadError
from hw_models.workload import PhaseCounts, ProjectionShape, Workload

NOTES = (
    "synaptic operations are counted events, not estimated from layer types: a binary input of ones is no special case",
    "backward reads of bidirectional projections are counted like forward ones",
    "learning has no metric there: weight writes and trace updates are left out",
)


def neurobench_metrics(
    workload: Workload,
    phase: str = "inference",
    *,
    connections: Mapping[str, tuple[int, int]] | None = None,
    state_bits: int = 0,
) -> dict[str, Any]:
    """Return the metrics of one phase of ``workload``, per presentation where NeuroBench says per sample.

    ``footprint``
        bytes of the stored weights, and of ``state_bits`` for each neuron with a state.
    ``parameter_count``
        stored weights, biases among them.
    ``connection_sparsity``
        zeros among all weights that the projections could have, to 4 decimals; None without ``connections``.
    ``activation_sparsity``
        1 - spikes / (neurons x ticks) over layers with a neuron state; ``activation_sparsity_by_layer`` for each. None
        where nothing spikes: real-valued activations are not counted.
    ``synaptic_operations``
        ``Effective_ACs``: synaptic events; ``Effective_MACs``: products with real-valued activations, zeros skipped;
        ``Dense``: both without skipping, every weight once a tick, and once a presentation where a held input drives
        it. ``Dense`` is None where a weight is used more often than that, as in a convolution, whose uses no workload
        tells.
    ``membrane_updates``
        evaluations of a neuron's state; NeuroBench leaves out those that change nothing.

    Parameters
    ----------
    connections : (zeros, weights) by projection.

    Raises
    ------
    WorkloadError
        If the phase does not exist or was never presented.
    """
    counts = _phase(workload, phase)
    weights = sum(projection.synapses for projection in workload.projections)
    bits = sum(projection.synapses * projection.weight_bits for projection in workload.projections)
    bits += state_bits * sum(layer.neurons for layer in workload.layers if layer.stateful)
    by_layer = _sparsity(workload, counts)
    return {
        "footprint": bits / 8,
        "parameter_count": weights,
        "connection_sparsity": _connection_sparsity(connections),
        "activation_sparsity": _mean_sparsity(workload, by_layer),
        "activation_sparsity_by_layer": by_layer,
        "synaptic_operations": {
            "Effective_MACs": workload.total(phase, "macs") / counts.presentations,
            "Effective_ACs": workload.total(phase, "synaptic_events") / counts.presentations,
            "Dense": _dense(workload, counts),
        },
        "membrane_updates": workload.total(phase, "neuron_updates") / counts.presentations,
    }


def _phase(workload: Workload, phase: str) -> PhaseCounts:
    found = next((counts for counts in workload.phases if counts.name == phase), None)
    if found is None or not found.presentations:
        known = [counts.name for counts in workload.phases if counts.presentations]
        raise WorkloadError(
            f"phase {phase!r} was not presented.", field="phase", remedy=f"Presented: {', '.join(known) or 'none'}."
        )
    return found


def _connection_sparsity(connections: Mapping[str, tuple[int, int]] | None) -> float | None:
    weights = sum(total for _, total in connections.values()) if connections else 0
    return round(sum(zeros for zeros, _ in connections.values()) / weights, 4) if weights else None


def _sparsity(workload: Workload, counts: PhaseCounts) -> dict[str, float]:
    """Return the share of silent ticks of every layer with a state, empty where nothing spikes."""
    spiking = any(counter == "spikes" for _, counter in counts.counts)
    return {
        layer.name: 1 - counts.counts.get((layer.name, "spikes"), 0) / (layer.neurons * counts.ticks)
        for layer in workload.layers
        if spiking and layer.stateful and layer.neurons and counts.ticks
    }


def _mean_sparsity(workload: Workload, by_layer: Mapping[str, float]) -> float | None:
    sizes = {layer.name: layer.neurons for layer in workload.layers}
    neurons = sum(sizes[name] for name in by_layer)
    return sum(sizes[name] * share for name, share in by_layer.items()) / neurons if neurons else None


def _dense(workload: Workload, counts: PhaseCounts) -> float | None:
    held = {layer.name for layer in workload.layers if not layer.stateful}
    total = 0
    for projection in workload.projections:
        effective, macs = _effective(projection, counts)
        once = projection.pre in held and macs
        uses = projection.synapses * (counts.presentations if once else counts.ticks)
        uses *= 2 if projection.bidirectional else 1
        if effective > uses:
            return None
        total += uses
    return total / counts.presentations


def _effective(projection: ProjectionShape, counts: PhaseCounts) -> tuple[int, int]:
    """Return (all operations, multiply-accumulates) of a projection."""
    found = {
        kind: sum(counts.counts.get((projection.name, f"{kind}_{way}"), 0) for way in ("forward", "backward"))
        for kind in ("synaptic_events", "macs")
    }
    return sum(found.values()), found["macs"]
