"""Laws of the cost model: every count and every constant matters, and static energy is power times time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_models import Chip, LayerShape, PhaseCounts, ProjectionShape, Workload, available_chips, load_chip, price
from hw_models.report import ratio
from hw_models.workload import LAYER_COUNTERS, PROJECTION_COUNTERS

# Chips built from parts price every counter, those of a publication only what it gives: for these see test_presets.py.
CHIPS = [info.name for info in available_chips() if info.name.startswith(("generic-", "eqspike-"))]
LAYERS = (LayerShape("input", 20), LayerShape("output", 5))
PROJECTION = ProjectionShape("input-output", "input", "output", 100, 16, True, True, 24)
KEYS = [("output", counter) for counter in LAYER_COUNTERS] + [
    ("input-output", counter) for counter in PROJECTION_COUNTERS
]
COUNTS = st.fixed_dictionaries({key: st.integers(0, 10**9) for key in KEYS})
FULL = {key: 1000 for key in KEYS}


def workload(counts: dict, ticks: int = 100, tick_s: float = 1e-3) -> Workload:
    phase = PhaseCounts("nudged", 10, ticks, counts, learning=True)
    return Workload("law", LAYERS, (PROJECTION,), (phase,), tick_s)


def bounds(report, part: str | None = None) -> tuple[float, float, float]:
    energy = report.energy(part=part)
    return energy.low, energy.value, energy.high


@pytest.mark.parametrize("name", CHIPS)
@settings(max_examples=20, deadline=None)
@given(counts=COUNTS, key=st.sampled_from(KEYS), more=st.integers(1, 10**9))
def test_energy_never_falls_as_a_count_grows(name: str, counts: dict, key: tuple, more: int) -> None:
    chip = load_chip(name)
    before = bounds(price(workload(counts), chip))
    after = bounds(price(workload(counts | {key: counts[key] + more}), chip))
    free = key[1] in chip.free and not (key[1] == "spikes" and "hops" in chip.actions)
    for lower, higher in zip(before, after, strict=True):
        assert higher == pytest.approx(lower, rel=1e-12) if free else higher > lower


@pytest.mark.parametrize("name", CHIPS)
@settings(max_examples=20, deadline=None)
@given(counts=COUNTS)
def test_doubling_the_counts_doubles_what_is_dynamic_and_leaves_what_is_static(name: str, counts: dict) -> None:
    chip = load_chip(name)
    once = price(workload(counts), chip)
    twice = price(workload({key: 2 * count for key, count in counts.items()}), chip)
    assert bounds(twice, "static") == bounds(once, "static")
    for part in ("dynamic", "periphery"):
        assert bounds(twice, part) == pytest.approx([2 * bound for bound in bounds(once, part)])


@pytest.mark.parametrize("name", CHIPS)
@settings(max_examples=20, deadline=None)
@given(tick_s=st.floats(1e-9, 1e-2), factor=st.floats(1.1, 1e3), ticks=st.integers(1, 10**6))
def test_static_energy_is_proportional_to_time_on_hardware(name: str, tick_s: float, factor: float, ticks: int) -> None:
    chip = load_chip(name)
    short, slow, long = (
        price(workload(FULL, ticks), chip, tick_s),
        price(workload(FULL, ticks), chip, tick_s * factor),
        price(workload(FULL, 3 * ticks), chip, tick_s),
    )
    assert bounds(slow, "static") == pytest.approx([factor * bound for bound in bounds(short, "static")])
    assert bounds(long, "static") == pytest.approx([3 * bound for bound in bounds(short, "static")])
    assert bounds(slow, "dynamic") == bounds(short, "dynamic") == bounds(long, "dynamic")


@pytest.mark.parametrize("name", CHIPS)
@settings(max_examples=20, deadline=None)
@given(counts=COUNTS)
def test_the_value_lies_inside_its_band(name: str, counts: dict) -> None:
    low, value, high = bounds(price(workload(counts), load_chip(name)))
    assert 0 < low <= value <= high


def scaled(chip: Chip, name: str, factor: float) -> Chip:
    constant = chip.constant(name, PROJECTION.weight_bits)
    grown = replace(constant, value=factor * constant.value, low=factor * constant.low, high=factor * constant.high)
    return chip.model_copy(update={"constants": {**chip.constants, name: grown}})


@pytest.mark.parametrize(("name", "constant"), [(name, key) for name in CHIPS for key in load_chip(name).constants])
def test_every_constant_changes_the_answer(name: str, constant: str) -> None:
    chip = load_chip(name)
    if constant == "transposable_cell":
        chip = chip.at(transposition="transposable")
    before, after = (price(workload(FULL), one) for one in (chip, scaled(chip, constant, 1.5)))
    if constant.endswith("_area"):
        assert after.area_mm2.value > before.area_mm2.value * (1 + 1e-9)
        return
    for lower, higher in zip(bounds(before), bounds(after), strict=True):
        assert higher > lower * (1 + 1e-9)


@pytest.mark.parametrize("shape", [{"weight_bits": 32}, {"accumulator_bits": 32}, {"synapses": 200}])
def test_every_size_changes_the_answer_of_a_chip_with_memory(shape: dict) -> None:
    larger = replace(workload(FULL), projections=(replace(PROJECTION, **shape),))
    chip = load_chip("generic-45nm")
    assert price(larger, chip).energy().value > price(workload(FULL), chip).energy().value


def test_a_second_copy_of_the_weights_costs_memory_and_writes_but_no_reads() -> None:
    one_way = replace(workload(FULL), projections=(replace(PROJECTION, bidirectional=False),))
    chip = load_chip("generic-45nm")
    single, double = price(one_way, chip), price(workload(FULL), chip)
    assert double.energy(part="static").value > single.energy(part="static").value

    def spent(report, action: str) -> float:
        return sum(row.energy_j for row in report.rows if row.action == action and row.component == "weight memory")

    assert spent(double, "weight_writes") == pytest.approx(2 * spent(single, "weight_writes"))
    for action in ("synaptic_events_forward", "synaptic_events_backward", "macs_backward"):
        assert spent(double, action) == pytest.approx(spent(single, action))


# ------------------------------------------------------------------------------------------------ knobs

NODES = (22, 28, 32, 45, 65, 90)
GENERIC = load_chip("generic-digital")


@settings(max_examples=20, deadline=None)
@given(counts=COUNTS, key=st.sampled_from(KEYS), nodes=st.lists(st.sampled_from(NODES), min_size=2, max_size=2))
def test_a_finer_node_never_costs_more_dynamic_energy(counts: dict, key: tuple, nodes: list[int]) -> None:
    fine, coarse = (
        bounds(price(workload(counts | {key: 1 + counts[key]}), GENERIC.at(node_nm=node)), "dynamic")
        for node in sorted(nodes)
    )
    for lower, higher in zip(fine, coarse, strict=True):
        assert lower <= higher * (1 + 1e-12)
    if nodes[0] != nodes[1] and coarse[1] > 0:
        assert fine[1] < coarse[1]


@pytest.mark.parametrize("name", ["truenorth", "loihi", "seneca", "odin"])
def test_a_published_chip_at_a_finer_node_costs_less_dynamic_energy(name: str) -> None:
    chip = load_chip(name)
    counts = {("input-output", "synaptic_events_forward"): 10**6}
    at = [bounds(price(workload(counts), chip.at(node_nm=node)), "dynamic") for node in (10, 14, 22, 28, 32)]
    for finer, coarser in pairwise(at):
        assert finer[1] < coarser[1]
        assert finer[0] <= finer[1] <= finer[2]


@settings(max_examples=20, deadline=None)
@given(counts=COUNTS, key=st.sampled_from(KEYS), volts=st.floats(0.6, 1.3), less=st.floats(0.5, 0.999))
def test_dynamic_energy_goes_with_the_square_of_the_supply(counts: dict, key: tuple, volts: float, less: float) -> None:
    lower = max(0.6, volts * less)
    busy = workload(counts | {key: 1 + counts[key]})
    at_volts, at_lower = (price(busy, GENERIC.at(vdd=supply)) for supply in (volts, lower))
    square = (lower / volts) ** 2
    assert bounds(at_lower, "dynamic") == pytest.approx([square * bound for bound in bounds(at_volts, "dynamic")])
    for below, above in zip(bounds(at_lower, "static"), bounds(at_volts, "static"), strict=True):
        assert below <= above * (1 + 1e-12)


@settings(max_examples=20, deadline=None)
@given(counts=COUNTS, bits=st.lists(st.integers(1, 32), min_size=2, max_size=2, unique=True))
def test_fewer_bits_cost_less_and_the_accuracy_is_not_re_evaluated(counts: dict, bits: list[int]) -> None:
    counts |= {("input-output", "synaptic_events_forward"): 10}
    fewer, more = (price(workload(counts), GENERIC.at(weight_bits=width)) for width in sorted(bits))
    for lower, higher in zip(bounds(fewer), bounds(more), strict=True):
        assert lower < higher
    for width, report in zip(sorted(bits), (fewer, more), strict=True):
        assert any("not re-evaluated" in warning for warning in report.warnings) == (width != PROJECTION.weight_bits)


@pytest.mark.parametrize("name", CHIPS)
def test_a_longer_tick_costs_more_static_energy_and_nothing_else(name: str) -> None:
    chip = load_chip(name)
    short, long = (price(workload(FULL), chip.at(tick_s=tick)) for tick in (1e-4, 1e-3))
    assert bounds(long, "static") == pytest.approx([10 * bound for bound in bounds(short, "static")])
    assert bounds(long, "dynamic") == bounds(short, "dynamic")
    assert long.tick_source == "given"


@settings(max_examples=20, deadline=None)
@given(overhead=st.floats(0.1, 100), counts=COUNTS)
def test_overhead_multiplies_what_is_dynamic(overhead: float, counts: dict) -> None:
    once, more = (price(workload(counts), GENERIC.at(overhead=factor)) for factor in (1.0, overhead))
    assert bounds(more, "dynamic") == pytest.approx([overhead * bound for bound in bounds(once, "dynamic")])
    assert bounds(more, "periphery") == bounds(once, "periphery")


@pytest.mark.parametrize("name", CHIPS)
def test_knobs_at_their_own_values_change_nothing(name: str) -> None:
    chip = load_chip(name)
    own = chip.at(node_nm=chip.node_nm, vdd=chip.vdd, transposition=chip.transposition.policy, weight_bits=16)
    assert bounds(price(workload(FULL), own)) == bounds(price(workload(FULL), chip))


def test_knobs_can_be_turned_in_any_order_and_turned_back() -> None:
    orders = (
        GENERIC.at(node_nm=65).at(vdd=0.8).at(overhead=2),
        GENERIC.at(overhead=2).at(vdd=0.8).at(node_nm=65),
        GENERIC.at(node_nm=22, overhead=9).at(node_nm=65, overhead=2, vdd=0.8),
    )
    assert len({bounds(price(workload(FULL), chip)) for chip in orders}) == 1
    back = GENERIC.at(node_nm=22).at(node_nm=45)
    assert bounds(price(workload(FULL), back)) == bounds(price(workload(FULL), GENERIC))


# ------------------------------------------------------------------------------------------------ formula


@pytest.mark.parametrize("name", CHIPS)
@settings(max_examples=20, deadline=None)
@given(counts=COUNTS)
def test_rows_are_coefficients_times_products_of_constants(name: str, counts: dict) -> None:
    report = price(workload(counts), load_chip(name))
    for end in ("value", "low", "high"):
        chosen = {constant: end for constant in report.bands}
        assert report.evaluate(chosen) == pytest.approx(getattr(report.energy(), end))
    for constant, low, high in report.tornado():
        assert low <= report.energy().value * (1 + 1e-12) and high >= report.energy().value * (1 - 1e-12), constant


@settings(max_examples=10, deadline=None)
@given(counts=COUNTS, name=st.sampled_from(CHIPS))
def test_the_ratio_of_a_chip_with_itself_is_exactly_one(counts: dict, name: str) -> None:
    report = price(workload(counts), load_chip(name))
    itself = ratio(report, report)
    assert (itself.low, itself.value, itself.high) == (1.0, 1.0, 1.0)


@settings(max_examples=10, deadline=None)
@given(counts=COUNTS, others=COUNTS, name=st.sampled_from(CHIPS), seed=st.integers(0, 2**32 - 1))
def test_a_ratio_s_band_holds_every_choice_of_the_constants(counts: dict, others: dict, name: str, seed: int) -> None:
    chip, random = load_chip(name), Random(seed)
    a, b = price(workload(counts), chip), price(workload(others), chip)
    band = ratio(a, b)
    for _ in range(20):
        fractions = {constant: random.random() for constant in (*a.bands, *b.bands)}
        chosen = [
            {
                constant: a_band.low / report_factor(one, constant)
                + fractions[constant] * (a_band.high - a_band.low) / report_factor(one, constant)
                for constant, a_band in one.bands.items()
            }
            for one in (a, b)
        ]
        quotient = a.evaluate(chosen[0]) / b.evaluate(chosen[1])
        assert band.low * (1 - 1e-9) <= quotient <= band.high * (1 + 1e-9)


def report_factor(report, constant: str) -> float:
    return report.bands[constant].high / report.constants[constant]["high"]
