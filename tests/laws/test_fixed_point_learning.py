"""Laws of the integers: exact where they can be, unbiased where they round, independent of order, resumable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from reference.cases import counts_of
from reference.fixed_cases import FixedCase, plain_fixed_case

from eqspike.core.rng import Purpose
from eqspike.kernels.fixed_plasticity import draw_words, move_row
from eqspike.learning.eqspike import EqSpike
from eqspike.network.description import Neuron, Synapse
from eqspike.network.layered import layered
from eqspike.substrates.spiking.fixed_program import get_codes
from eqspike.substrates.spiking.fixed_scales import gain_row
from eqspike.substrates.spiking.fixed_settings import FixedPoint
from eqspike.substrates.spiking.fixed_substrate import FixedPointSubstrate
from eqspike.substrates.spiking.settings import Encoding, Phases
from eqspike.substrates.spiking.substrate import SpikingSubstrate

pytestmark = pytest.mark.kernels
WIDE = {"weight_bits": 16, "accumulator_bits": 15, "potential_bits": 32, "trace_bits": 15}


def in_reals(case: FixedCase, engine: FixedPointSubstrate) -> SpikingSubstrate:
    """Return the 64-bit engine of real numbers with the weights of ``engine``."""
    rule = case.rule
    real = SpikingSubstrate(
        case.network, rule.plasticity(), case.phases, Encoding(kind="static"), seed=case.seed, beta=rule.beta,
        random_sign=rule.random_sign, target_rate=rule.target_rate, precision=64,
    )  # fmt: skip
    real.set_weights(*engine.get_weights())
    return real


def fired(substrate, images: np.ndarray, labels, index: int) -> dict[str, np.ndarray]:
    raster = substrate.observe(images, labels, index).raster
    return {layer.name: raster[:, substrate.compiled.block(layer.name)] for layer in substrate.network.layers[1:]}


def test_wide_registers_infer_as_real_numbers_do_spike_for_spike() -> None:
    """With these widths every sum of a free phase is exact in both engines."""
    for seed in range(5):
        case = plain_fixed_case(seed=seed, **WIDE)
        engine, images = case.engine(), case.images(3)
        real = in_reals(case, engine)
        for index in range(3):
            ours, theirs = fired(engine, images, None, index), fired(real, images * (255 / 256), None, index)
            for name, spikes in ours.items():
                np.testing.assert_array_equal(spikes, theirs[name])
            assert ours["hidden"].sum() > 0


def test_wide_registers_learn_as_real_numbers_do() -> None:
    """Changes of weights within their range, residues included: rates are rounded, multipliers have 8 bits."""
    errors = []
    for seed in range(7):
        case = plain_fixed_case(seed=seed, rates=(0.02, 0.02), **WIDE)
        images, labels, order, engine = case.images(1), case.labels(1), np.zeros(1, int), case.engine()
        weights, biases = engine.get_weights()
        engine.set_weights({name: values / 2 for name, values in weights.items()}, biases)
        real, before = in_reals(case, engine), engine.get_weights()[0]
        stored = [get_codes(engine.compiled, engine.weights, index) for index in range(2)]
        engine.train(images, labels, order, 0, 1, scale=1.0, offset=0)
        real.train(images * (255 / 256), labels, order, 0, 1, scale=1.0, offset=0)
        for index, (name, start) in enumerate(before.items()):
            moved = get_codes(engine.compiled, engine.weights, index) - stored[index]
            ours, theirs = moved * engine.compiled.scales[index].unit / 2**15, real.get_weights()[0][name] - start
            errors.append(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))
    assert np.median(errors) < 0.01


@pytest.mark.parametrize("bits", [1, 4])
def test_narrow_weights_change_by_the_same_on_average(bits: int) -> None:
    """Over many draws the mean change of a weight is what real numbers ask for, also below a bit of the weight."""
    network = layered([2, 3], "static", Neuron(), [Synapse(learning_rate=0.01)])
    rule = EqSpike(tau_ticks=8, delay_ticks=8, random_sign=False)
    phases = Phases(free_ticks=20, nudged_ticks=16, readout_ticks=20)
    fixed = FixedPoint(weight_bits=bits, weight_exponents=[-3])
    case, images, label = FixedCase(network, phases, fixed, rule, 3), np.array([[1.0, 0.5]]), np.array([1])
    weights = {"input->output": np.array([[0.125, 0.125, -0.125]] * 2)}
    change, engine, n = np.zeros((2, 3)), case.engine(), 1000
    for index in range(n):
        engine.set_weights(weights, {"output": np.full(3, 0.2)})
        engine.train(images, label, np.zeros(1, int), 0, 1, scale=1.0, offset=index)
        change += engine.get_weights()[0]["input->output"] - weights["input->output"]
    step = 0.125 * (2 if bits == 1 else 1)
    finer = {"weight_bits": 16, "weight_exponents": [-15], "accumulator_bits": 15}
    exact = replace(case, fixed=fixed.model_copy(update=finer)).engine()
    exact.set_weights(weights, {"output": np.full(3, 0.2)})
    exact.train(images, label, np.zeros(1, int), 0, 1, scale=1.0, offset=0)
    wanted = exact.get_weights()[0]["input->output"] - weights["input->output"]
    assert 0 < np.abs(wanted).max() < step
    inside = np.ones((2, 3), bool) if bits > 1 else np.sign(wanted) != np.sign(weights["input->output"])
    error = np.sqrt(np.abs(wanted) * step / n) + 1e-4
    assert (np.abs(change / n - wanted) < 5 * error)[inside].all() and inside.any()


@pytest.mark.parametrize("ratio", [0.3, 0.004, 2.0**-20])
@pytest.mark.parametrize("steps", [1, -1, 37])
def test_rounding_has_no_bias(ratio: float, steps: int) -> None:
    n, (multiplier, dropped, up, down) = 1 << 14, gain_row(ratio)
    words, stored = np.zeros(n, np.uint32), np.zeros(n, np.int32)
    draw_words(words, n, 5, int(Purpose.ROUNDING), 0, 0, 3, 0)
    move_row(stored, np.full(n, steps, np.int32), words, multiplier, dropped, up, down, -1000, 1000, 0)
    mean = steps * multiplier / 2**dropped
    assert mean == pytest.approx(steps * ratio, rel=1 / 128)
    share = abs(mean) % 1
    assert abs(stored.mean() - mean) < 4 * np.sqrt(share * (1 - share) / n) + 4 / n
    assert set(np.unique(stored)) <= {int(np.floor(mean)), int(np.floor(mean)) + 1}


def test_draws_differ_by_seed_use_tick_and_presentation_and_not_by_what_came_before() -> None:
    def drawn(seed=1, use=0, tick=0, index=0, at=0) -> bytes:
        words = np.zeros(64, np.uint32)
        draw_words(words, 64, seed, int(Purpose.ROUNDING), use, tick, index, at)
        return words.tobytes()

    different = [drawn(), drawn(seed=2), drawn(seed=1 + 2**40), drawn(use=1), drawn(tick=1), drawn(index=1)]
    different += [drawn(index=2**33), drawn(at=16), drawn(tick=65_535)]
    assert len(set(different)) == len(different)
    assert drawn() == different[0]


def test_results_do_not_depend_on_calls_or_threads() -> None:
    case = plain_fixed_case(weight_bits=3, accumulator_bits=2)
    images, labels, order = case.images(40), case.labels(40), np.random.default_rng(1).permutation(40)
    whole, pieces = case.engine(), case.engine()
    said = whole.train(images, labels, order, 0, 40, scale=1.0, offset=40)
    again = [pieces.train(images, labels, order, a, b, scale=1.0, offset=40) for a, b in ((0, 1), (1, 17), (17, 40))]
    assert np.array_equal(said, np.concatenate(again))
    assert np.array_equal(whole.weights.stored, pieces.weights.stored)
    assert np.array_equal(whole.infer(images, threads=1), pieces.infer(images, threads=4))
    assert counts_of(whole.ledger()) == counts_of(pieces.ledger())


def test_a_stored_state_goes_on_bit_for_bit() -> None:
    case = plain_fixed_case(weight_bits=2, accumulator_bits=9)
    images, labels, order = case.images(20), case.labels(20), np.arange(20)
    first, second = case.engine(), case.engine()
    first.train(images, labels, order, 0, 12, scale=1.0, offset=0)
    second.set_weights(*first.get_weights())
    second.set_training_state(first.training_state())
    second.set_counts(first.ledger(), first.spikes_per_neuron())
    for engine in (first, second):
        engine.train(images, labels, order, 12, 20, scale=1.0, offset=0)
    assert np.array_equal(first.weights.stored, second.weights.stored)
    assert np.array_equal(first.weights.bias, second.weights.bias)
    assert counts_of(first.ledger()) == counts_of(second.ledger())
    for name, spikes in first.spikes_per_neuron().items():
        assert np.array_equal(spikes, second.spikes_per_neuron()[name])


@pytest.mark.parametrize(("overflow", "fires"), [("saturate", True), ("wrap", False)])
def test_a_sum_beyond_the_register_saturates_or_wraps(overflow: str, fires: bool) -> None:
    """A register of 4 bits holds -8 to 7, the threshold is 4: an input of 14 is 7, or 14 - 16 = -2, below threshold."""
    network = layered([1, 1], "static", Neuron(v_min=-2.0, v_max=1.0), [Synapse(learning_rate=0.1)])
    phases = Phases(free_ticks=1, nudged_ticks=1, readout_ticks=1)
    fixed = FixedPoint(weight_bits=4, weight_exponents=[-1], potential_bits=4, overflow=overflow)
    engine = FixedCase(network, phases, fixed, EqSpike(tau_ticks=4), 1).engine()
    engine.set_weights({"input->output": np.array([[3.5]])}, {"output": np.zeros(1)})
    record = engine.observe(np.ones((1, 1)), None, 0)
    assert bool(record.raster[0, 0]) is fires
    assert record.potential[0, 0] == (0.75 if fires else -0.5)
    engine.infer(np.ones((1, 1)))
    assert counts_of(engine.ledger())["inference", "output", "saturations"] == 1


def test_with_residues_weights_are_written_seldom_and_without_them_rounding_suppresses() -> None:
    """The same updates, kept or rounded away: both count every update once as a change or as suppressed."""
    counted = {}
    for residue in (0, 12):
        case = plain_fixed_case(weight_bits=4, accumulator_bits=residue, rates=(0.002, 0.002))
        engine = case.engine()
        engine.train(case.images(10), case.labels(10), np.arange(10), 0, 10, scale=1.0, offset=0)
        counts = counts_of(engine.ledger())
        counted[residue] = [
            counts.get(("nudged", "hidden->output", counter), 0)
            for counter in ("weight_writes", "accumulator_writes", "suppressed_updates")
        ]
    assert counted[0][1] == 0 and counted[12][1] > 10 * counted[12][0]
    assert counted[0][2] > counted[12][2]
