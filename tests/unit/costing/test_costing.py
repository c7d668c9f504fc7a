"""From a ledger to a workload, and from a report to the few energies that a run prints."""

from __future__ import annotations

import json

import pytest

from eqspike.core.ledger import LAYER_COUNTERS, PROJECTION_COUNTERS, Ledger
from eqspike.costing import ProjectionInfo, energy_summary, to_workload
from hw_models import load_chip, price
from hw_models import workload as hw_workload
from hw_models.errors import WorkloadError

SIZES = [("input", 6), ("hidden", 4), ("output", 2)]
INFOS = [
    ProjectionInfo("input-hidden", "input", "hidden", 24, 32, False, True, accumulator_bits=32),
    {
        "name": "hidden-output",
        "pre": "hidden",
        "post": "output",
        "synapses": 8,
        "weight_bits": 32,
        "bidirectional": True,
        "plastic": True,
        "accumulator_bits": 0,
    },
]


def ledger() -> Ledger:
    """A hand-filled ledger: 2 training samples, 3 inferences."""
    filled = Ledger(("input", "hidden", "output"), ("input-hidden", "hidden-output"))
    for phase, presentations, ticks in (("free", 2, 20), ("nudged", 2, 16), ("inference", 3, 30)):
        counts = filled.phases[phase]
        counts.presentations, counts.ticks = presentations, ticks
        counts.layers[1, LAYER_COUNTERS.index("spikes")] = 5 * presentations
        counts.layers[1:, LAYER_COUNTERS.index("neuron_updates")] = [4 * ticks, 2 * ticks]
        counts.projections[1, PROJECTION_COUNTERS.index("synaptic_events_forward")] = 10 * presentations
    filled.phases["nudged"].projections[0, PROJECTION_COUNTERS.index("accumulator_writes")] = 7
    return filled


def test_both_sides_count_the_same_things() -> None:
    assert hw_workload.LAYER_COUNTERS == LAYER_COUNTERS
    assert hw_workload.PROJECTION_COUNTERS == PROJECTION_COUNTERS


def test_a_ledger_keeps_every_count_on_its_way_to_a_workload() -> None:
    source = ledger()
    workload = to_workload(source, SIZES, INFOS, 1e-3, "tiny")
    for phase in ("free", "nudged", "inference"):
        for counter in {*LAYER_COUNTERS, *PROJECTION_COUNTERS}:
            assert workload.total(phase, counter) == source.total(phase, counter), (phase, counter)
    sizes = [(phase.name, phase.presentations, phase.ticks, phase.learning) for phase in workload.phases]
    assert sizes == [("free", 2, 20, True), ("nudged", 2, 16, True), ("inference", 3, 30, False)]
    assert [p.accumulator_bits for p in workload.projections] == [32, 0]
    assert [layer.stateful for layer in workload.layers] == [False, True, True], "a static input holds no state"


def test_a_layer_that_is_not_described_is_named() -> None:
    with pytest.raises(WorkloadError, match="hidden"):
        to_workload(ledger(), SIZES[:1], [], 1e-3, "tiny")


def test_the_summary_holds_the_energies_of_a_run() -> None:
    report = price(to_workload(ledger(), SIZES, INFOS, 1e-3, "tiny"), load_chip("generic-45nm"))
    summary = json.loads(json.dumps(energy_summary(report)))
    training = report.energy("free").value + report.energy("nudged").value
    assert summary["energy_per_training_sample_j"]["value"] == pytest.approx(training / 2)
    assert summary["energy_per_inference_j"]["value"] == pytest.approx(report.energy("inference").value / 3)
    assert summary["energy_per_synaptic_event_j"]["value"] == pytest.approx(report.energy("inference").value / 30)
    marginal = summary["energy_per_synaptic_event_marginal_j"]
    assert marginal["low"] < marginal["value"] < marginal["high"]
    assert marginal["value"] < summary["energy_per_synaptic_event_j"]["value"]
    assert summary["chip"] == "generic-45nm"


def test_what_was_not_run_has_no_energy() -> None:
    empty = Ledger(("input", "hidden", "output"), ("input-hidden", "hidden-output"))
    summary = energy_summary(price(to_workload(empty, SIZES, INFOS, 1e-3, "tiny"), load_chip("generic-45nm")))
    assert summary["energy_per_inference_j"] is None
    assert summary["energy_per_training_sample_j"] is None
    assert summary["energy_per_synaptic_event_j"] is None
