"""Terms beyond a plain price, worked by hand: clock, cores, policies, routing, placement, time, area and wear."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import pytest

from hw_models import LayerShape, PhaseCounts, ProjectionShape, Workload, footprint_kb, load_chip, price
from hw_models.chips import parse_chip
from hw_models.errors import UnpricedError
from hw_models.workload import PROJECTION_COUNTERS

TEXT = Path(__file__).with_name("every_key.toml").read_text(encoding="utf-8")
CHIP = parse_chip(TEXT, "every_key.toml")
FREE = 'packets = "priced by the hop"'
ROUTED = parse_chip(TEXT.replace(FREE, f'{FREE}\nspikes = "by its packet"'), "every_key.toml")
PJ = 1e-12
LAYERS = (LayerShape("input", 100), LayerShape("output", 50))
BOTH_WAYS = ProjectionShape("weights", "input", "output", 5000, 8, True, True)


def workload(counts: dict, *, ticks: int = 10, presentations: int = 2, learning: bool = False) -> Workload:
    phase = PhaseCounts("free", presentations, ticks, counts, learning=learning)
    return Workload("by hand", LAYERS, (BOTH_WAYS,), (phase,), 1e-3)


EVENTS = workload({("weights", "synaptic_events_forward"): 1000})


def test_the_clock_and_the_cores_draw_power_for_the_time_on_hardware() -> None:
    report = price(EVENTS, CHIP)
    # 10 ticks of 1 ms; 1.78 uW per MHz at 75 MHz; 1 mW for the one core in use.
    clock, cores = (1.78e-6 * 75) * 10e-3, 1e-3 * 1 * 10e-3
    assert report.energy(part="static").value == pytest.approx(clock + cores)
    halved = price(EVENTS, CHIP.at(clock_hz=37.5e6)).energy(part="static").value
    assert halved == pytest.approx(clock / 2 + cores)


class TwoChips:
    def counts(self, phase: str, workload: Workload) -> dict:
        return {("input", "packets"): 40, ("input", "hops"): 70}

    def summary(self) -> dict:
        return {"cores": 7, "chips": 2}


def test_a_placement_counts_hops_cores_and_chips() -> None:
    report = price(workload({("input", "spikes"): 20}), ROUTED, placement=TwoChips())
    assert report.energy(part="periphery").value == pytest.approx(70 * 2 * PJ)
    assert report.energy(part="static").value == pytest.approx((2 * 1.78e-6 * 75 + 7e-3) * 10e-3)
    assert report.placement == {"cores": 7, "chips": 2}
    assert not any("without a placement" in warning for warning in report.warnings)


def test_what_a_placement_counts_in_vain_is_said() -> None:
    class Leaving(TwoChips):
        def counts(self, phase: str, workload: Workload) -> dict:
            return {("input", "hops"): 70, ("input", "offchip_packets"): 1234}

    report = price(workload({("input", "spikes"): 20}), ROUTED, placement=Leaving())
    assert any("1,234 offchip packets have no price" in warning for warning in report.warnings)
    silent = price(workload({("input", "spikes"): 20}), ROUTED, placement=TwoChips())
    assert not any("have no price" in warning for warning in silent.warnings)


def test_without_a_placement_spikes_take_the_routing_of_the_chip_and_the_report_says_so() -> None:
    report = price(workload({("input", "spikes"): 20}), ROUTED)
    energy = report.energy(part="periphery")
    assert (energy.low, energy.value, energy.high) == pytest.approx((20 * 1 * PJ, 20 * 3 * 2 * PJ, 20 * 9 * 36 * PJ))
    assert any("without a placement" in warning and "mean_hops hops" in warning for warning in report.warnings)


def test_busy_cores_take_the_time_of_their_work() -> None:
    # 1,000,000 events of 2 cycles at 75 MHz on one core: 26.7 ms, longer than 10 ticks of 1 ms.
    busy = price(workload({("weights", "synaptic_events_forward"): 1_000_000}), CHIP)
    seconds = 1_000_000 * 2 / 75e6
    assert busy.latency["free"].hardware_s == pytest.approx(seconds)
    assert busy.latency["free"].bound_by == "synaptic_events_forward"
    assert busy.energy(part="static").value == pytest.approx((1.78e-6 * 75 + 1e-3) * seconds)
    idle = price(EVENTS, CHIP).latency["free"]
    assert (idle.hardware_s, idle.bound_by) == (pytest.approx(10e-3), "tick")
    assert idle.busy_s == pytest.approx(1000 * 2 / 75e6)
    assert busy.energy_delay_js("free").value == pytest.approx(busy.energy().value / 2 * seconds / 2)


def test_work_is_spread_over_the_cores_in_use() -> None:
    counts = workload({("weights", "synaptic_events_forward"): 1_000_000})
    placed = price(counts, CHIP, placement=TwoChips()).latency["free"]
    assert placed.busy_s == pytest.approx(1_000_000 * 2 / 75e6 / 7)
    assert placed.bound_by == "tick"


def test_an_action_made_of_several_keeps_its_core_busy_for_all_of_them() -> None:
    text = TEXT.replace('time = "busy"', 'time = "busy"\ntimes = 8\nper_copy = true')
    counts = workload({("weights", "synaptic_events_forward"): 1000})
    for policy, copies in (("column_walk", 1), ("duplicate", 2)):
        busy = price(counts, parse_chip(text, "x").at(transposition=policy)).latency["free"].busy_s
        assert busy == pytest.approx(copies * 8 * 1000 * 2 / 75e6)


@pytest.mark.parametrize(
    ("policy", "kilobytes"),
    [("column_walk", 5000), ("duplicate", 10000), ("transposable", 7500)],
)
def test_policies_change_the_memory(policy: str, kilobytes: float) -> None:
    chip = CHIP.at(transposition=policy)
    state = 150 * 32
    assert footprint_kb(EVENTS, chip, learning=False) == pytest.approx((kilobytes * 8 + state) / 8192)


@pytest.mark.parametrize(("policy", "learning", "cores"), [
    ("column_walk", False, 1), ("transposable", False, 2), ("duplicate", False, 2), ("column_walk", True, 3),
])  # fmt: skip
def test_fewest_cores_hold_cells_copies_and_accumulators(policy: str, learning: bool, cores: int) -> None:
    # 5,000 weights of 8 bits are 40,000 bits, with accumulators of 16 bits 120,000; a core holds 40,000.
    wall = 'synapse_bits_per_core = { value = 40000, kind = "wall", source = "paper" }'
    chip = parse_chip(TEXT.replace("trees = true", f"{wall}\ntrees = true"), "x").at(transposition=policy)
    shape = ProjectionShape("weights", "input", "output", 5000, 8, True, True, 16)
    phase = PhaseCounts("free", 1, 10, {("weights", "synaptic_events_forward"): 1}, learning=learning)
    static = price(Workload("w", LAYERS, (shape,), (phase,), 1e-3), chip).energy(part="static").value
    assert static == pytest.approx((1.78e-6 * 75 + cores * 1e-3) * 10e-3)


def weight_energy(policy: str, counter: str) -> float:
    text = TEXT.replace('price = "event"\ntime = "busy"', 'price = "event"\nshare = "weight"\nper_copy = true')
    counts = {("weights", counter): 1000}
    text = text.replace(
        "[[actions.hops]]",
        '[[actions.weight_writes]]\ncomponent = "w"\nprice = "event"\n'
        'share = "weight"\nper_copy = true\n[[actions.hops]]',
    )
    report = price(workload(counts), parse_chip(text, "every_key.toml").at(transposition=policy))
    return report.energy(part="dynamic").value / (1000 * 2 * PJ)


def test_policies_change_the_energy() -> None:
    # A weight of 8 bits in words of 64: a word share of 1/8.
    assert weight_energy("duplicate", "weight_writes") == pytest.approx(2 / 8)
    assert weight_energy("transposable", "weight_writes") == pytest.approx(1.5 / 8)
    assert weight_energy("column_walk", "weight_writes") == pytest.approx(1 / 8)
    assert weight_energy("column_walk", "synaptic_events_backward") == pytest.approx(1)
    assert weight_energy("column_walk", "synaptic_events_forward") == pytest.approx(1 / 8)
    assert weight_energy("transposable", "synaptic_events_forward") == pytest.approx(1.5 / 8)


def test_larger_cells_take_more_area_and_leak_more() -> None:
    plain, cells = (price(EVENTS, CHIP.at(transposition=policy)) for policy in ("column_walk", "transposable"))
    weights, state = 5000 * 8 / 8192, 150 * 32 / 8192
    assert plain.area_mm2.value == pytest.approx(0.1 * (weights + state))
    assert cells.area_mm2.value == pytest.approx(0.1 * (1.5 * weights + state))
    assert cells.area_mm2.high == pytest.approx(0.2 * (2 * weights + state))


def test_a_published_point_is_recomputed_from_the_chip_s_constants() -> None:
    (point,) = price(EVENTS, CHIP).operating_points
    # 1.78 uW/MHz x 75 MHz + 1 mW of one core + 37.5 million events a second of 2 pJ.
    assert point.modelled == pytest.approx(1.78e-6 * 75 + 1e-3 + 37.5e6 * 2 * PJ)
    assert point.measured == pytest.approx(477e-6)
    assert point.residual == pytest.approx(point.modelled / 477e-6 - 1)
    assert "477" in str(price(EVENTS, CHIP)) or "0.000477" in str(price(EVENTS, CHIP))


def test_turned_knobs_do_not_touch_the_published_points() -> None:
    for chip in (CHIP.at(node_nm=20), CHIP.at(variant="board"), CHIP.at(overhead=7, clock_hz=1e6)):
        assert price(EVENTS, chip).operating_points == price(EVENTS, CHIP).operating_points


def test_an_energy_per_event_is_power_over_events() -> None:
    text = TEXT.replace(
        'quantity = "power_w"\nmeasured = 477\nunit = "uW"',
        'quantity = "energy_per_event_j"\nmeasured = 30\nunit = "pJ"',
    )
    (point,) = price(EVENTS, parse_chip(text, "every_key.toml")).operating_points
    assert point.modelled == pytest.approx((1.78e-6 * 75 + 1e-3) / 37.5e6 + 2 * PJ)


def test_variants_are_priced_and_the_band_covers_them() -> None:
    report = price(EVENTS, CHIP)
    board = price(EVENTS, CHIP.at(variant="board"))
    assert report.variants["board"] == board.energy()
    assert board.energy(part="dynamic").value == pytest.approx(1000 * 35 * PJ)
    assert not board.variants
    assert report.energy(part="dynamic").value == pytest.approx(1000 * 2 * PJ)
    assert report.energy().low <= board.energy().low and report.energy().high >= board.energy().high


def test_wear_is_writes_per_synapse_and_sample() -> None:
    text = TEXT.replace(
        "[[actions.hops]]", '[[actions.weight_writes]]\ncomponent = "w"\nprice = "event"\n[[actions.hops]]'
    )
    counts = {("weights", "weight_writes"): 4000}
    worn = price(workload(counts, presentations=2, learning=True), parse_chip(text, "every_key.toml")).endurance
    assert worn.writes_per_synapse_per_sample == pytest.approx(4000 / 5000 / 2)
    assert worn.samples_to_limit.value == pytest.approx(1e6 / 0.4)
    assert price(EVENTS, CHIP).endurance is None


def test_a_chip_without_prices_refuses_with_its_reason() -> None:
    text = TEXT[: TEXT.index("[parts]")].replace('clock = "clock"', 'unpriced = "no energy of an event is published"')
    chip = parse_chip(text.replace('tick = "tick"', ""), "limits.toml")
    with pytest.raises(UnpricedError, match="no energy of an event is published"):
        price(EVENTS, chip)


def test_a_chip_that_does_not_learn_says_why() -> None:
    chip = parse_chip(TEXT.replace('clock = "clock"', 'clock = "clock"\nno_learning = "weights are loaded once"'), "x")
    price(EVENTS, chip)
    with pytest.raises(UnpricedError, match="weights are loaded once"):
        price(workload({("weights", "weight_writes"): 1}), chip)


def test_the_chip_s_own_width_of_a_weight_is_a_limit_of_its_price() -> None:
    text = TEXT.replace("trees = true", 'weight_bits = { value = 4, kind = "wall", source = "paper" }\ntrees = true')
    chip = parse_chip(text, "every_key.toml")
    report = price(EVENTS, chip)
    assert report.footprint["inference_kb"] == pytest.approx((5000 * 4 + 150 * 32) / 8192)
    assert any("not re-evaluated" in warning for warning in report.warnings)


def test_pricing_a_thousand_layers_takes_well_under_a_second() -> None:
    layers = [LayerShape(f"l{i}", 1024) for i in range(1000)]
    projections = [ProjectionShape(f"p{i}", f"l{i}", f"l{i + 1}", 1 << 20, 8, True, True, 16) for i in range(999)]
    counts = {(p.name, counter): 1000 + i for i, p in enumerate(projections) for counter in PROJECTION_COUNTERS}
    counts |= {(layer.name, "spikes"): 500 for layer in layers}
    phase = PhaseCounts("nudged", 10, 1000, counts, learning=True)
    wide = Workload("deep", tuple(layers), tuple(projections), (phase,), 1e-3)
    started = perf_counter()
    report = price(wide, load_chip("generic-45nm"))
    report.energy()
    assert perf_counter() - started < 1.0
    assert len(report.rows) > 20_000
