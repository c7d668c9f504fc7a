"""Workloads: totals, and every way in which one is refused."""

from __future__ import annotations

import pytest

from hw_models.errors import WorkloadError
from hw_models.workload import LayerShape, PhaseCounts, ProjectionShape, Workload

LAYERS = (LayerShape("input", 4), LayerShape("output", 2))
PROJECTION = ProjectionShape("input-output", "input", "output", 8, 32, True, True)
COUNTS = {("output", "spikes"): 3, ("input-output", "macs_forward"): 5, ("input-output", "macs_backward"): 7}


def workload(**changes) -> Workload:
    given = {
        "name": "small",
        "layers": LAYERS,
        "projections": (PROJECTION,),
        "phases": (PhaseCounts("inference", 1, 10, COUNTS),),
        "tick_s": 1e-3,
    }
    return Workload(**(given | changes))


def test_totals_add_directions_and_entities() -> None:
    assert workload().total("inference", "macs") == 12
    assert workload().total("inference", "macs_backward") == 7
    assert workload().total("inference", "spikes") == 3
    assert workload().total("inference", "weight_writes") == 0
    with pytest.raises(WorkloadError, match="inference"):
        workload().total("free", "spikes")


def test_counts_cannot_be_changed_afterwards() -> None:
    counts = dict(COUNTS)
    phase = PhaseCounts("inference", 1, 10, counts)
    counts["output", "spikes"] = 99
    assert phase.counts["output", "spikes"] == 3
    with pytest.raises(TypeError):
        phase.counts["output", "spikes"] = 99


@pytest.mark.parametrize("tick_s", [None, 0.0, -1e-3, float("inf"), float("nan")])
def test_a_missing_tick_is_refused(tick_s: float | None) -> None:
    with pytest.raises(WorkloadError) as caught:
        workload(tick_s=tick_s)
    assert caught.value.field == "tick_s"


@pytest.mark.parametrize(
    "counts",
    [
        {("output", "spikes"): -1},
        {("output", "spikes"): 1.5},
        {("nobody", "spikes"): 1},
        {("output", "macs_forward"): 1},
        {("input-output", "spikes"): 1},
        {("output", "sneezes"): 1},
    ],
)
def test_bad_counts_are_refused(counts: dict) -> None:
    with pytest.raises(WorkloadError, match="inference"):
        workload(phases=(PhaseCounts("inference", 1, 10, counts),))


@pytest.mark.parametrize(
    "changes",
    [
        {"layers": (*LAYERS, LayerShape("input", 1))},
        {"layers": (*LAYERS, LayerShape("input-output", 1))},
        {"layers": LAYERS[:1]},
        {"phases": (PhaseCounts("inference", 1, 10), PhaseCounts("inference", 1, 10))},
    ],
)
def test_bad_names_are_refused(changes: dict) -> None:
    with pytest.raises(WorkloadError):
        workload(**changes)


def test_bad_shapes_are_refused() -> None:
    with pytest.raises(WorkloadError, match="neurons"):
        LayerShape("input", -1)
    with pytest.raises(WorkloadError, match="weight_bits"):
        ProjectionShape("p", "input", "output", 8, 0, False, False)
    with pytest.raises(WorkloadError, match="presentations"):
        PhaseCounts("free", -1, 10)
