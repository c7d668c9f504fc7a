"""Laws of the cost model: every count and every constant matters, and static energy is power times time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_models import Chip, LayerShape, PhaseCounts, ProjectionShape, Workload, available_chips, load_chip, price
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
@settings(max_examples=50, deadline=None)
@given(counts=COUNTS, key=st.sampled_from(KEYS), more=st.integers(1, 10**9))
def test_energy_never_falls_as_a_count_grows(name: str, counts: dict, key: tuple, more: int) -> None:
    chip = load_chip(name)
    before = bounds(price(workload(counts), chip))
    after = bounds(price(workload(counts | {key: counts[key] + more}), chip))
    free = key[1] in chip.free
    for lower, higher in zip(before, after, strict=True):
        assert higher == pytest.approx(lower, rel=1e-12) if free else higher > lower


@pytest.mark.parametrize("name", CHIPS)
@settings(max_examples=50, deadline=None)
@given(counts=COUNTS)
def test_doubling_the_counts_doubles_what_is_dynamic_and_leaves_what_is_static(name: str, counts: dict) -> None:
    chip = load_chip(name)
    once = price(workload(counts), chip)
    twice = price(workload({key: 2 * count for key, count in counts.items()}), chip)
    assert bounds(twice, "static") == bounds(once, "static")
    for part in ("dynamic", "periphery"):
        assert bounds(twice, part) == pytest.approx([2 * bound for bound in bounds(once, part)])


@pytest.mark.parametrize("name", CHIPS)
@settings(max_examples=50, deadline=None)
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
@settings(max_examples=50, deadline=None)
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
    before, after = (bounds(price(workload(FULL), one)) for one in (chip, scaled(chip, constant, 1.5)))
    for lower, higher in zip(before, after, strict=True):
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
