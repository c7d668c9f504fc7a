"""The ledger equals a recount of recorded spikes through the explicit adjacency, and work follows spikes."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from reference.cases import CLASSES, EQSPIKE, Case, cases, counts_of, plain_case, spikes_of
from reference.recount import recount

from eqspike.learning.eqspike import EqSpike
from eqspike.network.description import Neuron, Synapse
from eqspike.network.layered import layered
from eqspike.substrates.spiking.settings import Encoding, Phases

pytestmark = pytest.mark.kernels
RECOUNTED = (
    "spikes",
    "synaptic_events_forward",
    "synaptic_events_backward",
    "neuron_updates",
    "ticks",
    "presentations",
)


def only_recounted(counts: dict) -> dict:
    return {key: count for key, count in counts.items() if key[2] in RECOUNTED}


@given(case=cases(), rule=EQSPIKE)
def test_inference_ledger_equals_a_recount_of_its_spikes(case: Case, rule) -> None:
    engine, _ = case.build_with(rule)
    images, total, sent = case.images(4), Counter(), {}
    for index in range(4):
        raster = spikes_of(engine, engine.observe(images, None, index, states=False).raster)
        total += recount(case.network, raster, "inference")
        sent = {name: sent.get(name, 0) + spikes.sum(axis=0, dtype=np.int64) for name, spikes in raster.items()}
    engine.infer(images, threads=1)
    assert only_recounted(counts_of(engine.ledger())) == total
    for name, spikes in engine.spikes_per_neuron().items():
        assert np.array_equal(spikes, [np.zeros_like(sent[name]), np.zeros_like(sent[name]), sent[name]])


@given(case=cases(), rule=EQSPIKE)
def test_training_ledger_equals_a_recount_of_its_spikes(case: Case, rule) -> None:
    engine, _ = case.build_with(rule)
    images, labels, free, total = case.images(2), case.labels(2), case.phases.free_ticks, Counter()
    for index in range(2):
        raster = spikes_of(engine, engine.observe(images, labels, index, states=False).raster)
        total += recount(case.network, {name: spikes[:free] for name, spikes in raster.items()}, "free")
        total += recount(case.network, {name: spikes[free:] for name, spikes in raster.items()}, "nudged")
        engine.train(images, labels, np.arange(2), index, index + 1, scale=1.0, offset=0)
    assert only_recounted(counts_of(engine.ledger())) == total


def test_halving_the_input_rate_halves_the_accumulation() -> None:
    """The engine delivers one row of weights a spike: with half the spikes it does half the accumulating."""
    events = []
    for rate in (1.0, 0.5, 0.25):
        network = layered([8, 5, CLASSES], "regular", Neuron(), [Synapse(learning_rate=0.1)] * 2)
        case = Case(network, Encoding(kind="regular", max_rate=rate), Phases(free_ticks=40, readout_ticks=9), 3)
        engine, _ = case.build_with(EqSpike())
        engine.infer(np.ones((5, 8)), threads=1)
        counts = counts_of(engine.ledger())
        assert counts["inference", "input", "spikes"] == 5 * 8 * 40 * rate
        events.append(counts["inference", "input->hidden", "synaptic_events_forward"])
    assert events == [5 * 8 * 40 * 5, 5 * 8 * 20 * 5, 5 * 8 * 10 * 5]


def test_static_input_multiplies_once_a_presentation_for_each_bright_pixel() -> None:
    case = plain_case("static")
    engine, _ = case.build_with(EqSpike())
    images = case.images(5)
    engine.infer(images)
    engine.train(images, case.labels(5), np.arange(5), 0, 5, scale=1.0, offset=0)
    counts = counts_of(engine.ledger())
    for phase in ("inference", "free"):
        assert counts[phase, "input->hidden", "macs_forward"] == np.count_nonzero(images) * 7
    assert ("nudged", "input->hidden", "macs_forward") not in counts
    assert not any(counter.startswith("synaptic") and row == "input->hidden" for _, row, counter in counts)
    for row, updates in (("bias->hidden", 5 * 7), ("input->hidden", np.count_nonzero(images) * 7)):
        assert sum(counts.get(("nudged", row, c), 0) for c in ("weight_writes", "suppressed_updates")) == updates


def test_every_update_is_a_write_or_suppressed() -> None:
    """Spike-triggered updates of a synapse either change what is stored or are counted as suppressed."""
    for commit, stored in (("immediate", "weight_writes"), ("end_of_phase", "accumulator_writes")):
        case = plain_case("regular", commit=commit)
        engine, _ = case.build_with(EqSpike(tau_ticks=6, delay_ticks=5))
        images, labels = case.images(3), case.labels(3)
        asked = engine.observe(images, labels, 0, updates=1).n_updates[0]
        engine.train(images, labels, np.arange(3), 0, 1, scale=1.0, offset=0)
        counts = counts_of(engine.ledger())
        rows = [("nudged", p.name) for p in case.network.projections]
        assert sum(counts.get((*row, stored), 0) + counts.get((*row, "suppressed_updates"), 0) for row in rows) == asked
        assert asked > 0
