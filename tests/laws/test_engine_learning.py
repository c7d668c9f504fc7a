"""Laws of learning runs: where weights may move, symmetry, repeatability, resuming, independence of threads."""

from __future__ import annotations

import numpy as np
import pytest
from reference.cases import Case, assert_same_weights, counts_of, plain_case, spikes_of
from reference.philox import uniforms
from reference.rules import twin_of

from eqspike.learning.eqspike import EqSpike
from eqspike.learning.stdp import PairSTDP
from eqspike.network.description import Layer, Network, Neuron, Projection, Synapse
from eqspike.network.layered import layered
from eqspike.substrates.spiking.settings import Encoding, Phases
from eqspike.substrates.spiking.substrate import SpikingSubstrate

pytestmark = pytest.mark.kernels
RULE = EqSpike(tau_ticks=6, delay_ticks=5)
KINDS = ["static", "regular", "poisson"]
N = 24


def learned(case: Case, spans: list[tuple[int, int]], *, restart: bool = False, rule=RULE) -> SpikingSubstrate:
    """Train on spans of one epoch, in a new substrate for each span if ``restart``."""
    engine, _ = case.build_with(rule)
    images, labels, order = case.images(N), case.labels(N), np.random.default_rng(4).permutation(N)
    for first, last in spans:
        if restart:
            fresh, _ = case.build_with(rule)
            fresh.set_weights(*engine.get_weights())
            fresh.set_counts(type(engine.ledger()).from_dict(engine.ledger().to_dict()), engine.spikes_per_neuron())
            engine = fresh
        engine.train(images, labels, order, first, last, scale=1.0, offset=3 * N)
    return engine


def assert_identical(one: SpikingSubstrate, other: SpikingSubstrate) -> None:
    for ours, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    assert counts_of(one.ledger()) == counts_of(other.ledger())
    for name, spikes in one.spikes_per_neuron().items():
        assert np.array_equal(spikes, other.spikes_per_neuron()[name])


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_bits(kind: str) -> None:
    assert_identical(learned(plain_case(kind), [(0, N)]), learned(plain_case(kind), [(0, N)]))


@pytest.mark.parametrize("commit", ["immediate", "end_of_phase"])
@pytest.mark.parametrize("kind", KINDS)
def test_resuming_in_mid_epoch_changes_no_bit(kind: str, commit: str) -> None:
    case = plain_case(kind, commit=commit)
    assert_identical(learned(case, [(0, N)]), learned(case, [(0, 7), (7, 8), (8, N)], restart=True))


def test_seeds_differ_in_initial_weights_and_in_input_spikes() -> None:
    case, others = plain_case("poisson"), []
    for seed in (1, 2):
        engine = SpikingSubstrate(case.network, RULE.plasticity(), case.phases, case.encoding, seed=seed, precision=64)
        others.append((engine.get_weights()[0], engine.observe(case.images(1), None, 0).raster))
    assert all(np.all(others[0][0][name] != others[1][0][name]) for name in others[0][0])
    assert np.any(others[0][1] != others[1][1])


@pytest.mark.parametrize("kind", KINDS)
def test_any_number_of_threads_gives_the_same_bits(kind: str) -> None:
    case = plain_case(kind)
    images, seen = case.images(41), []
    for threads in (1, 2, 3, 5, None):
        engine, _ = case.build_with(RULE)
        before = engine.get_weights()
        answers = engine.infer(images, threads=threads).tolist()
        spikes = {name: values.tolist() for name, values in engine.spikes_per_neuron().items()}
        seen.append((answers, counts_of(engine.ledger()), spikes))
        for kept, now in zip(before, engine.get_weights(), strict=True):
            assert all(np.array_equal(kept[name], now[name]) for name in kept)
    assert all(other == seen[0] for other in seen[1:])
    assert len(set(seen[0][0])) > 1
    assert seen[0][1]["inference", "run", "presentations"] == 41


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("commit", ["immediate", "end_of_phase"])
def test_weights_do_not_move_in_the_free_phase(kind: str, commit: str) -> None:
    """With huge rates any early movement would show in the free phase, which equals that of inference bit for bit."""
    case = plain_case(kind, commit=commit)
    engine, _ = case.build_with(RULE)
    images, labels, free = case.images(6), case.labels(6), case.phases.free_ticks
    for index in range(6):
        plain = engine.observe(images, None, index)
        learning = engine.observe(images, labels, index, updates=50_000, scale=1e6)
        assert np.array_equal(plain.raster, learning.raster[:free])
        assert np.array_equal(plain.potential, learning.potential[:free])
        asked = learning.update_place[: learning.n_updates[0]]
        assert len(asked) > 0
        assert asked[:, 0].min() >= free
    engine.train(images, labels, np.arange(6), 0, 6, scale=1.0, offset=0)
    moved = ("weight_writes", "accumulator_writes", "suppressed_updates")
    assert {phase for phase, _, counter in counts_of(engine.ledger()) if counter in moved} == {"nudged"}


def test_end_of_phase_weights_stand_still_until_the_phase_ends() -> None:
    """Whatever the rates, no potential of the nudged phase changes either: only the commit moves weights."""
    case = plain_case("regular", commit="end_of_phase")
    engine, _ = case.build_with(RULE)
    images, labels = case.images(3), case.labels(3)
    little, much = (engine.observe(images, labels, 1, scale=scale) for scale in (0.0, 1e6))
    assert np.array_equal(little.potential, much.potential)


def test_a_rule_that_is_not_contrastive_learns_in_both_phases_and_moves_no_bias() -> None:
    case = plain_case("regular")
    engine = learned(case, [(0, N)], rule=PairSTDP(tau_plus=20, tau_minus=20, A_plus=0.1, A_minus=0.1))
    ledger = engine.ledger()
    assert ledger.total("free", "weight_writes") > 0
    assert ledger.total("nudged", "weight_writes") > 0
    for name, values in engine.get_weights()[1].items():
        assert np.array_equal(values, case.weights()[1][name])


@pytest.mark.parametrize(
    "rule", [RULE, PairSTDP(tau_plus=20, tau_minus=20, A_plus=0.1, A_minus=0.1)], ids=["eqspike", "pair"]
)
@pytest.mark.parametrize("commit", ["immediate", "end_of_phase"])
def test_symmetric_projections_stay_symmetric(rule, commit: str) -> None:
    """After learning, a lone spike carries one and the same weight forward and back."""
    case = plain_case("regular", commit=commit, w_min=-0.9, w_max=0.9)
    engine = learned(case, [(0, N)], rule=rule)
    weights, biases = engine.get_weights()
    weights = weights["hidden->output"]
    assert np.mean(weights != case.weights()[0]["hidden->output"]) > 0.6
    engine.set_weights({}, {name: np.zeros_like(bias) for name, bias in biases.items()})
    for sender, receiver, matrix in (("hidden", "output", weights), ("output", "hidden", weights.T)):
        for k, row in enumerate(matrix):
            injected = np.zeros((case.phases.free_ticks, engine.compiled.n_neurons))
            injected[0, engine.compiled.block(sender).start + k] = 1.0
            seen = engine.observe(np.zeros((1, 6)), None, 0, injected=injected)
            assert np.array_equal(seen.potential[1, engine.compiled.block(receiver)], row)


def test_in_32_bit_dyadic_numbers_are_exact() -> None:
    """Multiples of 2^-8 add without rounding, so single precision equals the twin's double precision exactly."""
    for kind, seed in (("static", 1), ("regular", 2), ("poisson", 3)):
        case = plain_case(kind, seed=seed, v_min=-2.0, v_max=2.0, refractory_ticks=seed - 1)
        engine, twin = case.build(RULE.plasticity(), twin_of(RULE), precision=32)
        engine.set_weights(*({n: np.round(w * 256) / 256 for n, w in part.items()} for part in engine.get_weights()))
        twin.adopt(*engine.get_weights())
        images = np.round(case.images(8) * 16).astype(np.float32) / 16
        said = []
        for index, image in enumerate(images):
            seen, record = twin.present(image, None, index), engine.observe(images, None, index)
            said.append(seen.answer)
            for layer, spikes in spikes_of(engine, record.raster).items():
                assert np.array_equal(spikes, np.array(seen.spikes[layer]))
                if seen.potentials[layer]:
                    potential = record.potential[:, engine.compiled.block(layer)]
                    assert potential.dtype == np.float32
                    assert np.array_equal(potential, np.array(seen.potentials[layer]))
        assert engine.infer(images, threads=2).tolist() == said
        assert counts_of(engine.ledger()) == +twin.counts


def test_single_precision_learns_close_to_the_twin() -> None:
    """Rounding may move a spike sooner or later: one presentation of smooth learning agrees to single precision."""
    case = plain_case("static", commit="end_of_phase")
    engine, twin = case.build(RULE.plasticity(), twin_of(RULE), precision=32)
    images, labels = case.images(2), case.labels(2)
    engine.train(images, labels, np.arange(2), 1, 2, scale=1.0, offset=0)
    twin.present(images[1], labels[1], 1)
    assert_same_weights(engine, twin, rtol=1e-5)
    assert engine.ledger().total("nudged", "weight_writes") > 0


def test_random_sign_comes_from_its_stream_and_flips_the_nudge() -> None:
    """An output without input is driven up or down by the nudge alone: the label's spikes tell the sign."""
    synapse = Synapse(learning_rate=0.1, plastic=False)
    network = layered([1, 2], "static", Neuron(), [synapse])
    case = Case(network, Encoding(), Phases(free_ticks=3, nudged_ticks=12, readout_ticks=3), 77, beta=0.9)
    engine, _ = case.build_with(RULE)
    engine.set_weights({"input->output": np.zeros((1, 2))}, {"output": np.zeros(2)})
    up = [bool(engine.observe(np.zeros((30, 1)), np.zeros(30, int), k).raster.any()) for k in range(30)]
    assert up == [uniforms(77, 3, k, 0)[0] <= 0.5 for k in range(30)]
    assert 5 < sum(up) < 25


def test_ties_go_to_the_higher_potential_then_to_the_lower_class() -> None:
    network = Network(
        (Layer("input", 1, "static"), Layer("output", 4, "lif", Neuron())),
        (Projection("input", "output", Synapse(learning_rate=0)),),
    )
    phases = Phases(free_ticks=10, nudged_ticks=1, readout_ticks=5)
    engine = SpikingSubstrate(network, RULE.plasticity(), phases, Encoding(), precision=64)

    def answer(*biases: float) -> int:
        engine.set_weights({"input->output": np.zeros((1, 4))}, {"output": np.array(biases)})
        return int(engine.infer(np.zeros((1, 1)))[0])

    assert answer(0.0, 0.0, 0.0, 0.0) == 0
    assert answer(-0.5, 0.0625, 0.0625, 0.03125) == 1
    assert answer(0.0, 0.03125, 0.0625, 0.0) == 2
    assert answer(0.25, 0.5, 0.3125, 0.5) == 1
    assert (
        answer(0.125, 0.125, 0.125, 0.1875) == 3
    )  # 8/8: one spike early, before the window; 10/8 - 1 and 15/8 - 1 left
