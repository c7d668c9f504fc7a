"""Prices by hand: two workloads worked out with the published constants, and what a report says and refuses."""

from __future__ import annotations

import json

import pytest

from hw_models import LayerShape, PhaseCounts, ProjectionShape, Workload, footprint_kb, load_chip, price
from hw_models.chips import Chip
from hw_models.errors import UnpricedError, WorkloadError
from hw_models.report import Band

PJ = 1e-12
LAYERS = (LayerShape("input", 16, stateful=False), LayerShape("hidden", 8), LayerShape("output", 4))
PROJECTIONS = (
    ProjectionShape("input-hidden", "input", "hidden", 128, 8, False, True, 32),
    ProjectionShape("hidden-output", "hidden", "output", 32, 8, True, True),
)


def workload(*phases: PhaseCounts, projections: tuple[ProjectionShape, ...] = PROJECTIONS) -> Workload:
    return Workload("by hand", LAYERS, projections, phases, 1e-3)


def with_constant(chip: Chip, name: str, **changes) -> Chip:
    entry = chip.constants[name]
    return chip.model_copy(update={"constants": {**chip.constants, name: type(entry)(**(vars(entry) | changes))}})


def test_an_inference_on_the_generic_chip_worked_by_hand() -> None:
    counts = {
        ("input-hidden", "macs_forward"): 1000,
        ("hidden-output", "synaptic_events_forward"): 200,
        ("hidden-output", "synaptic_events_backward"): 100,
        ("hidden", "neuron_updates"): 80,
        ("hidden", "spikes"): 50,
    }
    report = price(workload(PhaseCounts("inference", 2, 20, counts)), load_chip("generic-45nm"))
    # CACTI 7, 45 nm itrs-lstp: 8 kB bank read 6.137 pJ; 1 kB bank read 1.6697 and write 3.4916 pJ, per 64 bits.
    # Horowitz 2014: 32-bit add 0.1 pJ, 8-bit multiplication 0.2 pJ. Overhead 3. Router hop 5.3 pJ.
    weight = 8 / 64 * 6.137
    state = 32 / 64 * (1.6697 + 3.4916)
    event = 3 * (weight + state + 0.1)
    dynamic = 1000 * (event + 3 * 0.2) + 300 * event + 80 * 3 * (state + 2 * 0.1)
    assert report.energy("inference", part="dynamic").value == pytest.approx(dynamic * PJ)
    assert report.energy("inference", part="periphery").value == pytest.approx(50 * 5.3 * PJ)
    # Footprint: 128 weights of 8 bits, 32 weights of 8 bits stored twice, 12 neurons of 32 bits; 1 uW per kB; 20 ms.
    kilobytes = (128 * 8 + 2 * 32 * 8 + 12 * 32) / 8192
    static = 1e-6 * kilobytes * 20 * 1e-3
    assert report.energy("inference", part="static").value == pytest.approx(static)
    total = static + (dynamic + 50 * 5.3) * PJ
    assert report.energy().value == pytest.approx(total)
    assert report.per_presentation("inference").value == pytest.approx(total / 2)
    assert report.per_synaptic_event("inference").value == pytest.approx(total / 300)
    assert report.marginal_per_synaptic_event("inference").value == pytest.approx(event * PJ)


def test_the_band_of_an_event_worked_by_hand() -> None:
    counts = {("hidden-output", "synaptic_events_forward"): 1}
    report = price(workload(PhaseCounts("inference", 1, 1, counts)), load_chip("generic-45nm"))
    # itrs-lop: 8 kB read 3.1622, 1 kB read 0.7871 and write 1.4406; Horowitz: 8 kB 10, his line at 1 kB 3.54.
    low = 1 * (8 / 64 * 3.1622 + 32 / 64 * (0.7871 + 1.4406) + 0.1)
    high = 5 * (8 / 64 * 10 + 32 / 64 * (3.54 + 3.54) + 0.1)
    band = report.marginal_per_synaptic_event("inference")
    assert (band.low, band.high) == pytest.approx((low * PJ, high * PJ))


def test_learning_on_the_generic_chip_worked_by_hand() -> None:
    counts = {
        ("input-hidden", "accumulator_writes"): 7,
        ("input-hidden", "weight_writes"): 11,
        ("hidden-output", "weight_writes"): 13,
        ("hidden-output", "suppressed_updates"): 17,
        ("output", "trace_updates"): 19,
    }
    report = price(workload(PhaseCounts("nudged", 1, 10, counts, learning=True)), load_chip("generic-45nm"))
    read, write, state_read, state_write = 6.137 / 64, 7.8781 / 64, 1.6697 / 64, 3.4916 / 64
    dynamic = 3 * (
        7 * (32 * (read + write) + 0.1)
        + 11 * (8 * (read + write) + 32 * read + 0.1)
        + 13 * (2 * 8 * (read + write) + 0.1)
        + 17 * (8 * read + 32 * state_read + 0.1)
        + 19 * (32 * (state_read + state_write) + 0.2)
    )
    assert report.energy(part="dynamic").value == pytest.approx(dynamic * PJ)
    # Training adds a 32-bit accumulator for 128 synapses and 32 bits of traces for every neuron at a plastic end.
    kilobytes = (128 * (8 + 32) + 2 * 32 * 8 + 12 * 32 + 28 * 32) / 8192
    assert report.energy(part="static").value == pytest.approx(1e-6 * kilobytes * 10e-3)


def test_the_analog_chip_worked_by_hand() -> None:
    counts = {
        ("hidden", "spikes"): 100,
        ("hidden", "neuron_updates"): 1000,
        ("input-hidden", "macs_forward"): 30,
        ("hidden-output", "synaptic_events_forward"): 400,
        ("hidden-output", "weight_writes"): 5,
    }
    report = price(workload(PhaseCounts("nudged", 1, 20, counts)), load_chip("eqspike-analog-65nm"))
    standby = 12 * 30e-12 * 20 * 38.5e-6
    value = 100 * 2.1e-12 + 430 * 11e-15 + 5 * 2.8e-12 + standby
    low = 100 * 4e-15 + 430 * 1.83e-15 + 5 * 0.4e-12 + standby / 3
    assert report.energy().value == pytest.approx(value)
    assert report.energy().low == pytest.approx(low)
    assert (report.tick_source, report.vdd) == ("chip", None)
    assert any("periphery part is declared zero" in warning for warning in report.warnings)


def test_parts_and_phases_add_up_to_the_total() -> None:
    phases = [PhaseCounts(name, 3, 30, {("hidden", "spikes"): 9}) for name in ("free", "nudged")]
    report = price(workload(*phases), load_chip("generic-45nm"))
    parts = [report.energy(part=part).value for part in ("static", "dynamic", "periphery")]
    assert report.energy().value == pytest.approx(sum(parts))
    assert report.energy().value == pytest.approx(report.energy("free").value + report.energy("nudged").value)
    assert report.energy().high == pytest.approx(sum(row.high_j for row in report.rows))
    assert report.per_presentation("free", "nudged").value == pytest.approx(report.energy().value / 3)


def test_who_sets_the_tick() -> None:
    phase = PhaseCounts("inference", 1, 10)
    generic, analog = load_chip("generic-45nm"), load_chip("eqspike-analog-65nm")
    for chip, given, tick, source in (
        (generic, None, 1e-3, "workload"),
        (analog, None, 38.5e-6, "chip"),
        (analog, 1e-5, 1e-5, "given"),
    ):
        report = price(workload(phase), chip, tick_s=given)
        assert (report.tick_s, report.tick_source) == (pytest.approx(tick), source)
    with pytest.raises(WorkloadError, match="tick_s"):
        price(workload(phase), generic, tick_s=0.0)


def test_a_phase_that_presented_nothing_has_no_rows() -> None:
    report = price(workload(PhaseCounts("free", 1, 5), PhaseCounts("inference", 0, 0)), load_chip("generic-45nm"))
    assert {row.phase for row in report.rows} == {"free"}
    with pytest.raises(WorkloadError, match="inference"):
        report.energy("inference")
    assert report.per_synaptic_event("free") is None


@pytest.mark.parametrize("part", ["static", "dynamic", "periphery"])
def test_nothing_is_totalled_over_a_missing_part(part: str) -> None:
    chip = load_chip("generic-45nm")
    gap = chip.model_copy(update={"parts": {key: text for key, text in chip.parts.items() if key != part}})
    report = price(workload(PhaseCounts("free", 1, 5, {("hidden", "spikes"): 1})), gap)
    for refused in (report.energy, report.per_presentation, lambda: report.energy("free", part=part), report.to_dict):
        with pytest.raises(UnpricedError, match=part):
            refused()


@pytest.mark.parametrize("grade", ["recalled", "unstated"])
@pytest.mark.parametrize("name", ["leakage", "hop", "control_overhead"])
def test_weak_evidence_is_never_priced(name: str, grade: str) -> None:
    chip = with_constant(load_chip("generic-45nm"), name, evidence=grade)
    with pytest.raises(UnpricedError, match=f"constants.{name}"):
        price(workload(PhaseCounts("free", 1, 5, {("hidden", "spikes"): 1})), chip)


def test_a_counted_action_without_price_is_refused() -> None:
    chip = load_chip("generic-45nm")
    actions = {key: terms for key, terms in chip.actions.items() if key != "neuron_updates"}
    chip = chip.model_copy(update={"actions": actions})
    with pytest.raises(UnpricedError, match=r"actions\.neuron_updates"):
        price(workload(PhaseCounts("free", 1, 5, {("hidden", "neuron_updates"): 1})), chip)
    price(workload(PhaseCounts("free", 1, 5, {("hidden", "neuron_updates"): 0})), chip)


def test_the_report_names_the_weakest_grade_it_leans_on() -> None:
    chip = with_constant(load_chip("generic-45nm"), "hop", evidence="projected")
    spiking = workload(PhaseCounts("free", 1, 5, {("hidden", "spikes"): 1}))
    silent = workload(PhaseCounts("free", 1, 5))
    assert price(spiking, chip).weakest_evidence == "projected"
    assert price(silent, chip).weakest_evidence == "derived"


def test_weights_wider_than_the_chip_are_priced_at_its_width_and_said_so() -> None:
    wide, fits = ((ProjectionShape("hidden-output", "hidden", "output", 32, bits, False, False),) for bits in (64, 32))
    phase = PhaseCounts("free", 1, 5, {("hidden-output", "macs_forward"): 1})
    chip = load_chip("generic-45nm")
    at_64, at_32 = price(workload(phase, projections=wide), chip), price(workload(phase, projections=fits), chip)
    assert at_64.energy() == at_32.energy()
    assert any("not re-evaluated" in warning for warning in at_64.warnings)
    assert not any("not re-evaluated" in warning for warning in at_32.warnings)


def test_footprints_of_inference_and_training_are_apart() -> None:
    chip = load_chip("generic-45nm")
    inference = footprint_kb(workload(), chip, learning=False)
    assert footprint_kb(workload(), chip, learning=True) - inference == pytest.approx((128 * 32 + 28 * 32) / 8192)


def test_the_json_form_is_stable_and_complete() -> None:
    report = price(workload(PhaseCounts("free", 1, 5, {("hidden", "spikes"): 1})), load_chip("generic-45nm"))
    stored = json.loads(json.dumps(report.to_dict()))
    row_keys = {"chip", "phase", "component", "energy_j", "low", "high", "includes", "evidence"}
    assert all(row_keys <= set(row) for row in stored["rows"])
    assert stored["phases"]["free"]["total"] == report.energy("free").to_dict()
    assert {"device", "node_nm", "vdd", "tick_s", "not_modelled", "warnings", "weakest_evidence"} <= set(stored)
    assert {"leakage", "hop"} <= set(stored["constants"])
    assert all({"value", "low", "high", "unit", "source", "band"} <= set(c) for c in stored["constants"].values())


def test_the_printed_table_shows_what_a_reader_must_know() -> None:
    report = price(workload(PhaseCounts("free", 2, 5, {("hidden", "spikes"): 1})), load_chip("generic-45nm"))
    text = str(report)
    for words in (
        "45 nm, 0.9 V",
        "tick 0.001 s",
        "router",
        "SRAM leakage",
        "not modelled",
        "policy duplicate",
        "derived",
    ):
        assert words in text
    assert f"{report.per_presentation('free').value:.3e}" in text


def test_bands_multiply_and_add_bound_by_bound() -> None:
    assert Band(1, 0.5, 2) + Band(3, 2, 4) == Band(4, 2.5, 6)
    assert Band(1, 0.5, 2) * Band(3, 2, 4) == Band(3, 1, 8)
    assert 2 * Band(1, 0.5, 2) / 4 == Band(0.5, 0.25, 1)
