"""The ledger as a data type: sums, means, rows, and the form that run files store."""

from __future__ import annotations

import json

import numpy as np
import pytest

from eqspike.core.ledger import LAYER_COUNTERS, PHASES, PROJECTION_COUNTERS, Ledger, PhaseCounts


def filled(factor: int = 1) -> Ledger:
    """Return a ledger whose every count differs."""
    ledger = Ledger(("input", "output"), ("input->output", "bias->output", "output->output"))
    for number, name in enumerate(PHASES, start=1):
        layers = np.arange(2 * len(LAYER_COUNTERS)).reshape(2, -1) + 100 * number
        projections = np.arange(3 * len(PROJECTION_COUNTERS)).reshape(3, -1) + 1000 * number
        ledger.phases[name] += PhaseCounts(factor * layers, factor * projections, factor * 7 * number, factor * number)
    return ledger


def test_a_new_ledger_is_empty_in_every_phase() -> None:
    ledger = Ledger(("input",), ())
    assert list(ledger.phases) == ["free", "nudged", "inference"]
    assert list(ledger.rows()) == []
    assert ledger.per_presentation("spikes", "inference") == 0


def test_totals_add_rows_and_directions() -> None:
    ledger = filled()
    layers, projections = ledger.phases["nudged"].layers, ledger.phases["nudged"].projections
    assert ledger.total("nudged", "spikes") == layers[:, 0].sum()
    assert ledger.total("nudged", "synaptic_events_backward") == projections[:, 1].sum()
    assert ledger.total("nudged", "synaptic_events") == projections[:, 0:2].sum()
    assert ledger.total("nudged", "macs") == projections[:, 2:4].sum()
    assert ledger.total("nudged", "weight_writes") == projections[:, 4].sum()
    assert ledger.total("nudged", "saturations") == layers[:, 3].sum() + projections[:, 8].sum()
    assert (ledger.total("nudged", "ticks"), ledger.total("nudged", "presentations")) == (14, 2)


def test_means_are_per_presentation_and_phases_of_one_presentation_add() -> None:
    ledger = filled()
    ledger.phases["free"].presentations = 2
    spikes = ledger.total("free", "spikes") + ledger.total("nudged", "spikes")
    assert ledger.per_presentation("spikes", "free", "nudged") == spikes / 2
    assert ledger.per_presentation("spikes", "inference") == ledger.total("inference", "spikes") / 3


def test_rows_yield_every_count_once() -> None:
    ledger = filled()
    rows = {(phase, row, counter): count for phase, row, counter, count in ledger.rows()}
    assert len(rows) == len(list(ledger.rows())) == 3 * (2 * 4 + 3 * 9 + 2)
    assert rows["inference", "output", "trace_updates"] == ledger.phases["inference"].layers[1, 2]
    assert rows["free", "bias->output", "accumulator_writes"] == ledger.phases["free"].projections[1, 7]
    assert rows["nudged", "run", "ticks"] == 14


def test_ledgers_add() -> None:
    ledger = filled()
    ledger += filled(2)
    assert ledger.to_dict() == filled(3).to_dict()


def test_the_stored_form_is_json_and_comes_back() -> None:
    stored = json.loads(json.dumps(filled().to_dict()))
    assert stored["version"] == 1
    again = Ledger.from_dict(stored)
    assert again.to_dict() == filled().to_dict()
    assert again.phases["free"].layers.dtype == np.int64


def test_a_stored_ledger_of_another_shape_is_not_taken() -> None:
    stored = filled().to_dict()
    stored["layers"] = ["input", "hidden", "output"]
    with pytest.raises(ValueError, match="reshape"):
        Ledger.from_dict(stored)
