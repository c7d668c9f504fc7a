"""The shipped chips: each published operating point worked out from its source's numbers, and what each refuses."""

from __future__ import annotations

import re

import pytest

from hw_models import LayerShape, PhaseCounts, ProjectionShape, Workload, load_chip, price
from hw_models.chips import Chip, available_chips
from hw_models.errors import UnpricedError
from hw_models.technology import Constant, Evidence
from hw_models.workload import COUNTERS, LEARNING_COUNTERS, base_counter

NAMES = [info.name for info in available_chips()]
PUBLISHED = [
    *("truenorth", "loihi", "odin", "seneca", "brainscales2", "spinnaker1", "spinnaker2", "tianjic"),
    *("memristor-crossbar", "gpu-a100", "gpu-h100"),
]
LIMITS_ONLY = ["loihi2", "dynapse", "morphic", "xylo2", "speck"]
LEARNERS = ["loihi", "odin", "seneca", "memristor-crossbar", "gpu-a100", "gpu-h100"]
REFERENCE = re.compile(
    r"doi:10\.\d{4,}/|arXiv:\d{4}\.\d{4,5}|data sheet|technology brief|IEEE Circuits and Systems Mag"
)

TRUENORTH_NEURONS = 4096 * 256


def second(counts: dict[str, float], neurons: int = 1) -> Workload:
    """Return one second on the chip in which ``counts`` happened, weights of one bit."""
    layers = (LayerShape("neurons", neurons),)
    projections = (ProjectionShape("synapses", "neurons", "neurons", 1, 1, False, False),)
    entity = {"spikes": "neurons", "neuron_updates": "neurons"}
    phase = PhaseCounts("second", 1, 1, {(entity.get(key, "synapses"), key): round(n) for key, n in counts.items()})
    return Workload("a second", layers, projections, (phase,), 1.0)


def watts(chip: Chip, counts: dict[str, float], part: str | None = None) -> float:
    """Return the power of ``chip`` at ``counts`` per second."""
    return price(second(counts), chip, tick_s=1.0).energy(part=part).value


# ------------------------------------------------------------------------------------------------ operating points


def test_truenorth_gives_the_published_energy_of_an_event() -> None:
    events = TRUENORTH_NEURONS * 20 * 128
    all_in = watts(load_chip("truenorth"), {"synaptic_events_forward": events}) / events
    assert all_in == pytest.approx(26e-12, rel=0.02)


@pytest.mark.parametrize(
    ("rate", "milliwatts", "within"),
    [(11.58, 68, 0.001), (20.07, 71, 0.01), (95.93, 94, 0.001), (20, 72, 0.02), (20, 65, 0.09)],
)
def test_truenorth_gives_the_published_power(rate: float, milliwatts: float, within: float) -> None:
    power = watts(load_chip("truenorth"), {"synaptic_events_forward": TRUENORTH_NEURONS * rate * 128})
    assert power == pytest.approx(milliwatts * 1e-3, rel=within)


def test_an_event_of_truenorth_costs_more_the_rarer_it_is() -> None:
    chip = load_chip("truenorth")
    events = [TRUENORTH_NEURONS * rate * 128 for rate in (1, 20, 200)]
    each = [watts(chip, {"synaptic_events_forward": n}) / n for n in events]
    assert each[0] > 10 * each[1] and each[1] > 5 * each[2] > 5 * 2.297e-12


@pytest.mark.parametrize(
    ("clock_hz", "microwatts"),
    [(75e6, 477), (1.3e6, 35)],
)
def test_odin_gives_both_published_powers(clock_hz: float, microwatts: float) -> None:
    operations = clock_hz / 2  # two cycles each; at 1.3 MHz about 256 neurons at 10 Hz, 256 operations a spike
    assert clock_hz > 1.3e6 or operations == pytest.approx(256 * 10 * 256, rel=0.01)
    power = watts(load_chip("odin").at(clock_hz=clock_hz), {"synaptic_events_forward": operations})
    assert power == pytest.approx(microwatts * 1e-6, rel=0.01)


def test_odin_gives_the_published_energy_of_an_operation() -> None:
    assert watts(load_chip("odin"), {"synaptic_events_forward": 37.5e6}) / 37.5e6 == pytest.approx(12.7e-12, rel=0.01)


@pytest.mark.parametrize("spikes", [667, 750])
def test_loihi_gives_the_energy_of_a_query_on_the_measured_board_within_a_quarter(spikes: int) -> None:
    counts = {"synaptic_events_forward": spikes * 76_800, "neuron_updates": 60 * 76_800}
    assert watts(load_chip("loihi"), counts, "dynamic") == pytest.approx(1.33e-3, rel=0.25)


def test_loihis_two_sets_of_constants_lie_in_one_band() -> None:
    chip = load_chip("loihi")
    counts = {"synaptic_events_forward": 708_500, "neuron_updates": 60_000, "spikes": 5_000}
    report = price(second(counts), chip, tick_s=1e-3)
    board = price(second(counts), chip.at(variant="board"), tick_s=1e-3).energy().value
    assert report.energy().low <= report.energy().value < board <= report.energy().high
    assert report.variants["board"].value == pytest.approx(board)
    # A synaptic operation of either: 23.6 pJ of the chip paper, 35.5 pJ of the regression.
    assert report.marginal_per_synaptic_event().value == pytest.approx(23.6e-12)
    assert report.marginal_per_synaptic_event().high == pytest.approx(35.5e-12)


def test_a_spike_of_loihi_makes_a_packet_and_hops() -> None:
    report = price(second({"spikes": 1000}), load_chip("loihi"), tick_s=1e-3)
    # Two random tiles of an 8 x 4 mesh lie 3.875 hops apart on average: sum |i - j| over pairs.
    mean = (
        sum(abs(i - j) for i in range(8) for j in range(8)) / 64
        + sum(abs(i - j) for i in range(4) for j in range(4)) / 16
    )
    assert report.energy(part="periphery").value == pytest.approx(1000 * (1.7e-12 + mean * 3.5e-12))


@pytest.mark.parametrize(
    ("counter", "milliwatts", "within"), [("macs_forward", 6.1, 0.01), ("synaptic_events_forward", 5.5, 0.1)]
)
def test_tianjic_gives_the_published_power_of_its_cores(counter: str, milliwatts: float, within: float) -> None:
    operations = 156 * 256 * 256 / (5050 / 300e6)
    assert watts(load_chip("tianjic"), {counter: operations}) == pytest.approx(156 * milliwatts * 1e-3, rel=within)


def test_the_crossbar_gives_the_power_of_a_multiply_unit() -> None:
    # ISAAC, Table I: 2.4 mW of arrays, 4 mW of row drivers and 16 mW of converters among 24.08 mW.
    cycle = 100e-9
    counts = {
        "synaptic_events_forward": 8 * 128 * 128 / 2 / cycle,
        "spikes": 8 * 128 / cycle,
        "neuron_updates": 8 * 128 / cycle,
    }
    power = watts(load_chip("memristor-crossbar"), counts)
    assert power == pytest.approx(2.4e-3 + 4e-3 + 16e-3, rel=1e-3)
    assert power == pytest.approx(24.08e-3, rel=0.08)


def test_brainscales2_draws_its_power_whatever_happens() -> None:
    chip = load_chip("brainscales2")
    idle, busy = watts(chip, {}), watts(chip, {"synaptic_events_forward": 1e9, "spikes": 1e6})
    assert idle == busy == pytest.approx(8.4e-6 / 48e-6)
    assert price(second({}), chip, tick_s=1.0).energy().high == pytest.approx(0.2)


def test_spinnaker_gives_the_energy_of_an_event_on_its_board() -> None:
    # 48 chips, 250,000 neurons every millisecond, 1.8e9 events a second: 20 nJ an event all-in, less than 1 W a chip.
    events = 1.8e9 / 48
    counts = {"synaptic_events_forward": events, "neuron_updates": 250_000 / 48 * 1000}
    power = watts(load_chip("spinnaker1"), counts)
    assert power / events == pytest.approx(20e-9, rel=0.25) and power < 1.0


def test_spinnaker2_gives_the_power_of_a_busy_chip_and_of_its_arrays() -> None:
    chip = load_chip("spinnaker2")
    load = {"synaptic_events_forward": 1.8e9, "neuron_updates": 150_000 * 1000}
    assert watts(chip, load) == pytest.approx(1.248, rel=0.15)
    tera_ops = 4.563
    assert watts(chip, {"macs_forward": tera_ops * 1e12 / 2}) == pytest.approx(tera_ops / 2.06, rel=1e-3)


@pytest.mark.parametrize(("name", "tdp", "tera_ops"), [("gpu-a100", 400, 624), ("gpu-h100", 700, 1978.9)])
def test_a_gpu_draws_its_design_power_at_its_peak(name: str, tdp: float, tera_ops: float) -> None:
    chip = load_chip(name)
    assert watts(chip, {"macs_forward": tera_ops * 1e12 / 2}) == pytest.approx(tdp, rel=1e-3)
    assert "best case" in chip.title and "best case" in " ".join(chip.not_modelled)


RESIDUALS = {
    "truenorth": [0.013, -0.006, 0.0, 0.0, -0.019, 0.086],
    "odin": [0.0, 0.0, 0.001],
    "loihi": [0.146, 0.705, 0.0],
    "seneca": [0.0],
    "brainscales2": [0.0, -0.125],
    "spinnaker1": [0.191, 0.456],
    "spinnaker2": [0.105, 0.0],
    "tianjic": [-0.003, 0.091],
    "memristor-crossbar": [-0.07],
    "gpu-a100": [0.0],
    "gpu-h100": [0.0],
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_report_prints_what_the_chip_reproduces(name: str) -> None:
    chip = load_chip(name)
    found = price(second({"synaptic_events_forward": 100}), chip).operating_points
    assert [point.residual for point in found] == pytest.approx(RESIDUALS[name], abs=0.004)
    # A number that gives back itself checks nothing, and the file says so.
    assert all(abs(point.residual) < 1e-3 for point in found if not point.independent)
    assert all(abs(point.residual) > 1e-4 for point in found if point.independent)


# ------------------------------------------------------------------------------------------------ what is priced


def test_the_published_chips_are_there() -> None:
    assert set(PUBLISHED + LIMITS_ONLY) <= set(NAMES)


def _network(bits: int) -> tuple[tuple[LayerShape, ...], tuple[ProjectionShape, ...]]:
    layers = (LayerShape("input", 16, stateful=False), LayerShape("hidden", 8), LayerShape("output", 4))
    projections = (
        ProjectionShape("input-hidden", "input", "hidden", 128, bits, False, True),
        ProjectionShape("hidden-output", "hidden", "output", 32, bits, True, True),
    )
    return layers, projections


def run(*, learning: bool) -> Workload:
    """Return a small spiking network with counts of inference, or of training too."""
    inference = {
        ("input-hidden", "macs_forward"): 100,
        ("hidden-output", "synaptic_events_forward"): 40,
        ("hidden-output", "synaptic_events_backward"): 20,
        ("hidden", "spikes"): 10,
        ("hidden", "neuron_updates"): 80,
        ("output", "saturations"): 1,
    }
    learnt = {
        ("hidden", "trace_updates"): 30,
        ("input-hidden", "weight_writes"): 7,
        ("hidden-output", "suppressed_updates"): 3,
    }
    phases = [PhaseCounts("inference", 2, 20, inference)]
    phases += [PhaseCounts("nudged", 2, 20, inference | learnt, learning=True)] if learning else []
    return Workload("small", *_network(8), tuple(phases), 1e-3)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_chip_prices_an_inference(name: str) -> None:
    report = price(run(learning=False), load_chip(name))
    total = report.energy()
    assert 0 < total.low <= total.value <= total.high
    assert report.weakest_evidence in ("derived", "simulated", "measured")


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_chip_that_does_not_learn_refuses_to_price_learning_by_name(name: str) -> None:
    chip, workload = load_chip(name), run(learning=True)
    if name in LEARNERS:
        assert price(workload, chip).energy("nudged").value > price(workload, chip).energy("inference").value * 0.99
        return
    with pytest.raises(UnpricedError) as caught:
        price(workload, chip)
    assert name in str(caught.value) and chip.no_learning in str(caught.value)


@pytest.mark.parametrize("name", LIMITS_ONLY)
def test_a_chip_without_published_energies_refuses_with_the_reason(name: str) -> None:
    chip = load_chip(name)
    with pytest.raises(UnpricedError) as caught:
        price(run(learning=False), chip)
    assert name in str(caught.value) and chip.unpriced in str(caught.value)
    assert not chip.constants and list(chip.limits.items())


def test_learning_on_loihi_worked_by_hand() -> None:
    counts = {("hidden-output", "weight_writes"): 7, ("input-hidden", "suppressed_updates"): 3}
    phase = PhaseCounts("nudged", 1, 1, counts, learning=True)
    report = price(Workload("small", *_network(8), (phase,), 1e-6), load_chip("loihi"))
    # Both copies of a weight that is read in both directions are written.
    assert report.energy(part="dynamic").value == pytest.approx((2 * 7 + 3) * 120e-12)


def test_a_real_valued_input_comes_bit_by_bit() -> None:
    for name in ("truenorth", "odin", "loihi"):
        chip = load_chip(name)
        once, event = (watts(chip, {key: 1e6}, "dynamic") for key in ("macs_forward", "synaptic_events_forward"))
        assert once == pytest.approx(8 * event)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_counter_is_priced_or_free_or_learning(name: str) -> None:
    chip = load_chip(name)
    priced = set(chip.actions) | set(chip.free)
    missing = [c for c in COUNTERS if c not in priced and base_counter(c) not in priced]
    allowed = set(LEARNING_COUNTERS) if chip.no_learning else {"accumulator_writes"} if name == "odin" else set()
    assert set(missing) <= allowed
    assert all(len(reason) > 10 for reason in chip.free.values())


@pytest.mark.parametrize("name", PUBLISHED)
def test_each_priced_count_costs_and_each_free_one_does_not(name: str) -> None:
    chip = load_chip(name)
    synapses, neurons = (("synapses", "synaptic_events"), ("synapses", "macs")), (("neurons", "spikes"),)
    for entity, counter in (*synapses, *neurons, ("neurons", "neuron_updates"), ("synapses", "weight_writes")):
        key = f"{counter}_forward" if counter in ("synaptic_events", "macs") else counter
        if counter not in chip.actions and counter not in chip.free and chip.no_learning:
            continue
        phase = PhaseCounts("some", 1, 1, {(entity, key): 1000})
        shapes = (LayerShape("neurons", 1),), (ProjectionShape("synapses", "neurons", "neurons", 1, 1, False, False),)
        with_it = price(Workload("one", *shapes, (phase,), 1.0), chip, tick_s=1.0).energy()
        without = price(second({}), chip, tick_s=1.0).energy()
        routed = counter == "spikes" and "packets" in chip.actions
        costs = counter in chip.actions or routed
        assert (with_it.value > without.value and with_it.low > without.low) if costs else with_it == without


def test_memristors_wear_out_after_a_stated_number_of_writes() -> None:
    counts = {("synapses", "weight_writes"): 5_000_000}
    layers = (LayerShape("neurons", 100),)
    shape = ProjectionShape("synapses", "neurons", "neurons", 10_000, 3, True, True)
    learning = Workload("w", layers, (shape,), (PhaseCounts("nudged", 1000, 1000, counts, learning=True),), 1e-3)
    worn = price(learning, load_chip("memristor-crossbar")).endurance
    # Half a write a synapse and sample; 10^6 to 10^12 writes are published.
    limit = worn.samples_to_limit
    assert (limit.low, limit.value, limit.high) == pytest.approx((2e6, 2e9, 2e12))


# ------------------------------------------------------------------------------------------------ sources


@pytest.mark.parametrize("name", PUBLISHED + LIMITS_ONLY)
def test_every_number_names_a_publication_that_can_be_looked_up(name: str) -> None:
    chip = load_chip(name)
    sources = {f"constants.{key}": chip.constant(key).source for key in chip.constants}
    sources |= {f"limits.{key}": limit.source for key, limit in chip.limits.items()}
    sources |= {point.name: point.source for point in chip.operating_points}
    for variant in chip.variants.values():
        sources |= {key: constant.source for key, constant in variant.constants.items()}
    assert not {key: source for key, source in sources.items() if not REFERENCE.search(source)}


@pytest.mark.parametrize("name", PUBLISHED)
def test_no_number_is_recalled_and_every_band_says_where_it_comes_from(name: str) -> None:
    chip = load_chip(name)
    own = (chip._resolved(constant, None) for constant in chip.constants.values())
    for constant in (*own, *(c for v in chip.variants.values() for c in v.constants.values())):
        assert isinstance(constant, Constant)
        assert constant.evidence.rank >= Evidence.DERIVED.rank and constant.band, constant.includes
        assert (constant.low == constant.value == constant.high) == constant.band.startswith("none"), constant.includes
        assert 2013 <= constant.year <= 2026


@pytest.mark.parametrize(
    ("name", "limit", "value", "kind"),
    [
        ("truenorth", "fan_in", 256, "wall"),
        ("truenorth", "synapse_bits_per_core", 256 * 256, "wall"),
        ("truenorth", "delay_ticks", 15, "wall"),
        ("loihi", "synapse_bits_per_core", 128 * 1024 * 8, "wall"),
        ("loihi", "axons_in_per_core", 4096, "wall"),
        ("loihi", "weight_bits", 9, "wall"),
        ("odin", "weight_bits", 3, "wall"),
        ("odin", "synapse_bits_per_core", 256 * 256 * 3, "wall"),
        ("dynapse", "fan_in", 64, "wall"),
        ("xylo2", "fan_in", 63, "wall"),
        ("brainscales2", "synapse_bits_per_core", 512 * 256 * 6, "wall"),
        ("spinnaker1", "neurons_per_core", 256, "budget"),
        ("speck", "cores", 9, "wall"),
        ("tianjic", "neurons_per_core", 256, "wall"),
    ],
)
def test_a_limit_is_that_of_the_publication(name: str, limit: str, value: int, kind: str) -> None:
    found = getattr(load_chip(name).limits, limit)
    assert (found.value, found.kind) == (value, kind)
