"""NeuroBench's names: each metric by hand for a small counted network, and what they must obey."""

from __future__ import annotations

import pytest

from hw_models.errors import WorkloadError
from hw_models.exchange.neurobench import neurobench_metrics
from hw_models.workload import LayerShape, PhaseCounts, ProjectionShape, Workload

LAYERS = (LayerShape("input", 4, stateful=False), LayerShape("hidden", 3), LayerShape("output", 2))
PROJECTIONS = (
    ProjectionShape("input->hidden", "input", "hidden", 12, 8, False, True),
    ProjectionShape("hidden->output", "hidden", "output", 6, 8, True, True),
)
COUNTS = {
    ("hidden", "spikes"): 9,
    ("output", "spikes"): 5,
    ("hidden", "neuron_updates"): 60,
    ("output", "neuron_updates"): 40,
    ("input->hidden", "macs_forward"): 18,
    ("hidden->output", "synaptic_events_forward"): 18,
    ("hidden->output", "synaptic_events_backward"): 15,
}


def workload(counts: dict = COUNTS, presentations: int = 2) -> Workload:
    phases = (PhaseCounts("inference", presentations, 20, counts), PhaseCounts("free", 0, 0))
    return Workload("small", LAYERS, PROJECTIONS, phases, 1e-3)


def test_every_metric_by_hand() -> None:
    found = neurobench_metrics(workload(), connections={"input->hidden": (3, 12), "hidden->output": (1, 6)})
    assert found["footprint"] == 18  # bytes: 18 weights of 8 bits
    assert found["parameter_count"] == 18
    assert found["connection_sparsity"] == round(4 / 18, 4)
    assert found["activation_sparsity"] == pytest.approx(1 - 14 / (5 * 20))
    assert found["activation_sparsity_by_layer"] == pytest.approx({"hidden": 1 - 9 / 60, "output": 1 - 5 / 40})
    # dense: the held input once a presentation, the feedback projection both ways in 10 ticks
    assert found["synaptic_operations"] == {"Effective_MACs": 9, "Effective_ACs": 16.5, "Dense": 12 + 6 * 10 * 2}
    assert found["membrane_updates"] == 50
    assert neurobench_metrics(workload(), state_bits=32)["footprint"] == 18 + 5 * 4


def test_what_counts_do_not_tell_is_none() -> None:
    silent = {key: n for key, n in COUNTS.items() if key[1] != "spikes"}
    found = neurobench_metrics(workload(silent))
    assert found["connection_sparsity"] is None
    assert found["activation_sparsity"] is None and found["activation_sparsity_by_layer"] == {}
    shared = COUNTS | {("input->hidden", "macs_forward"): 1000}  # a kernel used more often than once a presentation
    assert neurobench_metrics(workload(shared))["synaptic_operations"]["Dense"] is None


def test_operations_never_exceed_the_dense_ones() -> None:
    full = COUNTS | {("input->hidden", "macs_forward"): 24, ("hidden->output", "synaptic_events_forward"): 120,
                     ("hidden->output", "synaptic_events_backward"): 120}  # fmt: skip
    operations = neurobench_metrics(workload(full))["synaptic_operations"]
    assert operations["Effective_MACs"] + operations["Effective_ACs"] == operations["Dense"]


@pytest.mark.parametrize("phase", ["free", "nudged"])
def test_a_phase_that_was_not_presented_is_refused(phase: str) -> None:
    with pytest.raises(WorkloadError, match="was not presented"):
        neurobench_metrics(workload(), phase)
