"""Other values for constants, the constant that decides, and ratios in which shared constants cancel."""

from __future__ import annotations

import pytest

from hw_models import LayerShape, PhaseCounts, ProjectionShape, Workload, load_chip, price
from hw_models.errors import UnpricedError, WorkloadError
from hw_models.report import ratio

LAYERS = (LayerShape("input", 16, stateful=False), LayerShape("output", 4))
PROJECTION = ProjectionShape("weights", "input", "output", 64, 8, False, True)
PJ = 1e-12


def report(spikes: int, events: int = 0, chip: str = "eqspike-analog-65nm", presentations: int = 1):
    counts = {("output", "spikes"): spikes, ("weights", "synaptic_events_forward"): events}
    phase = PhaseCounts("inference", presentations, 1, counts)
    return price(Workload("w", LAYERS, (PROJECTION,), (phase,), 1e-3), load_chip(chip))


def standby() -> float:
    return 4 * 30e-12 * 38.5e-6


def test_a_constant_takes_another_value_in_its_own_unit() -> None:
    made = report(100, 10)
    nominal = 100 * 2.1 * PJ + 10 * 11e-15 + standby()
    assert made.evaluate({}) == pytest.approx(nominal)
    assert made.evaluate({"neuron_spike": 4.2}) == pytest.approx(nominal + 100 * 2.1 * PJ)
    assert made.evaluate({"neuron_spike": "low", "synapse_read": "high"}) == pytest.approx(
        100 * 4e-15 + 10 * 400e-15 + standby()
    )
    assert made.evaluate({"neuron_spike": 0}, "inference") == pytest.approx(10 * 11e-15 + standby())
    with pytest.raises(WorkloadError, match="'spikes' is used"):
        made.evaluate({"spikes": 1})


def test_the_tornado_puts_the_deciding_constant_first() -> None:
    names = [name for name, _, _ in report(100, 10).tornado()]
    assert names[0] == "neuron_spike" and names[-1] == "neuron_period"
    assert report(1, 10**6).tornado()[0][0] == "synapse_read"
    _, low, high = report(100).tornado()[0]
    assert (low, high) == pytest.approx((100 * 4e-15 + standby(), 100 * 3.6 * PJ + standby()))


def test_shared_constants_cancel_in_a_ratio() -> None:
    # Both sides are made of spikes but for a standby that is a million times smaller: a ratio of counts, without band.
    band = ratio(report(200_000_000), report(100_000_000))
    assert band.value == pytest.approx(2, rel=1e-5)
    assert band.high - band.low < 1e-2
    separate = report(200_000_000).energy().high / report(100_000_000).energy().low
    assert separate > 1000


def test_constants_that_are_not_shared_move_apart() -> None:
    analog, digital = report(10**6, 10**6), report(10**6, 10**6, "generic-45nm")
    band = ratio(analog, digital)
    assert band.low == pytest.approx(analog.energy().low / digital.energy().high)
    assert band.high == pytest.approx(analog.energy().high / digital.energy().low)


def test_two_nodes_share_what_is_the_same_constant_at_both() -> None:
    fine, coarse = (report(10**6, 10**6, name) for name in ("generic-22nm", "generic-65nm"))
    band = ratio(fine, coarse)
    assert band.low > fine.energy().low / coarse.energy().high
    assert band.high < fine.energy().high / coarse.energy().low


def test_ratios_are_per_presentation_unless_totals_are_asked_for() -> None:
    once, thrice = report(300), report(300, presentations=3)
    assert ratio(once, thrice).value == pytest.approx(3)
    assert ratio(once, thrice, per="total").value == pytest.approx(1)
    assert ratio(once, thrice, ["inference"], ["inference"]).value == pytest.approx(3)


def test_many_shared_constants_are_searched_without_trying_every_corner() -> None:
    counters = ("synaptic_events_forward", "macs_forward", "weight_writes", "suppressed_updates", "accumulator_writes")
    shapes = tuple(ProjectionShape(f"p{bits}", "input", "output", 64, bits, False, True, bits) for bits in range(1, 9))
    made = []
    for shift in (0, 3):
        counts = {
            (shape.name, counter): 1000 * (1 + (i * 7 + j * 5 + shift) % 11)
            for i, shape in enumerate(shapes)
            for j, counter in enumerate(counters)
        }
        counts |= {("output", counter): 1000 + shift for counter in ("spikes", "neuron_updates", "trace_updates")}
        phase = PhaseCounts("nudged", 1, 100, counts, learning=True)
        made.append(price(Workload("w", LAYERS, shapes, (phase,), 1e-3), load_chip("generic-28nm")))
    band = ratio(*made)
    assert len([b for b in made[0].bands.values() if b.low < b.high]) > 10
    assert band.low < band.value < band.high
    for end in ("low", "high"):
        quotient = made[0].evaluate(dict.fromkeys(made[0].bands, end)) / made[1].evaluate(
            dict.fromkeys(made[1].bands, end)
        )
        assert band.low <= quotient * (1 + 1e-12) and quotient <= band.high * (1 + 1e-12)


def test_nothing_is_compared_over_a_missing_part() -> None:
    chip = load_chip("generic-45nm")
    gap = chip.model_copy(update={"parts": {key: chip.parts[key] for key in ("static", "dynamic")}})
    phase = PhaseCounts("inference", 1, 1, {("output", "spikes"): 1})
    made = price(Workload("w", LAYERS, (PROJECTION,), (phase,), 1e-3), gap)
    for refused in (lambda: made.evaluate({}), made.tornado, lambda: ratio(made, made)):
        with pytest.raises(UnpricedError, match="periphery"):
            refused()
