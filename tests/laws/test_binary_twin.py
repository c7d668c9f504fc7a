"""Events and packed bits lead where dense matrix products lead: bit for bit where activations are binary."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.binary import DenseStepping, States
from reference.binary_cases import (
    SHAPES,
    Case,
    eight_bits,
    momenta_of,
    same,
    scales_of,
    sign_of,
    signs_of,
    states_of,
)

from eqspike.substrates.binary.substrate import BinarySubstrate

pytestmark = pytest.mark.kernels
F = np.float32
STEPS, NUDGED_STEPS = 12, 7
TOLERANCE = {"A": 1e-5, "B": 0.0}
LEARNT = {"gamma": [0.05, 0.9, 0.3], "tau": [2e-3, 0.05, 0.02], "rate_bias": [0.03, 0.02, 0.01], "rate_scale": 2e-3}


def rule_of(sizes: tuple[int, ...]) -> dict:
    """Return numbers that flip signs, change scales and renew the second momentum after 6 mini-batches."""
    return {name: value[: len(sizes) - 1] if isinstance(value, list) else value for name, value in LEARNT.items()}


def walked(net: DenseStepping, images: np.ndarray, labels: np.ndarray, beta: float) -> list[States]:
    """Return the twin's states after every step of both phases."""
    seen: list[States] = []
    net.settle_nudged(net.settle_free(eight_bits(images), seen), labels, beta, seen)
    return seen


@pytest.mark.parametrize("stop", ["rest", "schedule"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("setting", ["A", "B"])
def test_after_any_number_of_steps_states_are_the_twins(setting: str, shape: str, stop: str) -> None:
    case = Case(setting, SHAPES[shape], free_steps=STEPS, nudged_steps=NUDGED_STEPS, stop=stop)
    made, image, label = case.substrate(), case.images(1), case.labels(1)
    seen = walked(case.twin(), image, label, -0.7)
    for t, states in enumerate(seen, start=1):
        nudged = max(0, t - STEPS)
        found = states_of(made, image[0], free=min(t, STEPS), nudged=nudged, label=label[0], beta=-0.7)
        for ours, theirs in zip(found, states, strict=True):
            np.testing.assert_allclose(ours, theirs[0], rtol=0, atol=TOLERANCE[setting])
    assert sum(not same(*pair) for pair in pairwise(seen)) > STEPS  # what was compared is no state at rest


@given(
    sizes=st.lists(st.integers(1, 70), min_size=3, max_size=4),
    seed=st.integers(0, 2**32),
    theta=st.sampled_from([0.5, 0.3, 0.7, 0.1, 0.9]),
    inertia=st.sampled_from([0.5, 0.1, 0.35, 0.85, 1.0]),
    gain=st.sampled_from([0.3, 0.9, 3.0]),
    steps=st.tuples(st.integers(1, 25), st.integers(1, 12)),
    beta=st.sampled_from([0.4, -0.4, 2.0, -2.0]),
)
def test_binary_states_are_the_twins_whatever_the_network(
    sizes: list, seed: int, theta: float, inertia: float, gain: float, steps: tuple, beta: float
) -> None:
    case = Case(
        "B", tuple(sizes), seed, 1, gain=gain, theta=theta, inertia=inertia, free_steps=steps[0], nudged_steps=steps[1]
    )
    made, image, label = case.substrate(), case.images(1), case.labels(1)
    end = walked(case.twin(), image, label, beta)[-1]
    found = states_of(made, image[0], free=steps[0], nudged=steps[1], label=label[0], beta=beta)
    assert same(found, [layer[0] for layer in end])


@pytest.mark.parametrize(
    ("theta", "inertia", "side", "thousandth"),
    [
        (0.5, 0.5, "at", 12),
        (0.5, 0.5, "below", 70),
        (0.7, 0.78, "at", 5),
        (0.3, 0.66, "below", 70),
        (0.1, 0.76, "at", 12),
    ],
)
def test_a_state_that_is_rounded_over_the_threshold_late_is_followed(
    theta: float, inertia: float, side: str, thousandth: int
) -> None:
    """Drives of hidden neurons stand at the threshold, or next below it; halves round so that none crosses it."""
    case = Case("B", (1, 12, 24), expand=2, theta=theta, inertia=inertia, free_steps=40)
    drive, scale = F(theta) if side == "at" else np.nextafter(F(theta), F(0)), F(thousandth / 1000)
    made, twin, seen = case.substrate(), case.twin(), []
    weights, biases = {"hidden->output": twin.signs[1] * scale}, {"hidden": np.full(12, drive)}
    made.set_weights(weights, biases | {"output": np.full(24, F(theta * 0.4))})
    twin.scales[1], twin.biases[0][:], twin.biases[1][:] = scale, drive, F(theta * 0.4)
    twin.settle_free(np.zeros((1, 1)), seen)
    for steps, states in enumerate(seen, start=1):
        assert same(states_of(made, np.zeros(1), free=steps), [s[0] for s in states])
    fired = [np.concatenate(twin.emitted(states), axis=1) for states in seen]
    flips = [int((a != b).sum()) for a, b in pairwise(fired)]
    crossed_late = 0 in flips and any(flips[flips.index(0) :])
    assert crossed_late == (theta != 0.5)


def learn_both(case: Case, *, epochs: int = 2, n: int = 14) -> tuple[BinarySubstrate, DenseStepping, list, list]:
    """Train both mini-batch by mini-batch, each comparing what the next begins with; return them and their answers."""
    made, twin, images, labels = case.substrate(), case.twin(), case.images(n), case.labels(n)
    answers: tuple[list, list] = ([], [])
    for epoch in range(epochs):
        order = np.random.default_rng(epoch).permutation(n)
        for first in range(0, n, case.batch):
            chosen = order[first : first + case.batch]
            answers[0].append(
                made.train(images, labels, order, first, min(first + case.batch, n), scale=1.0, offset=epoch * n)
            )
            x8, sign = eight_bits(images[chosen]), sign_of(made, epoch * n + first)
            answers[1].append(twin.answers(twin.settle_free(x8)))
            twin.learn(x8, labels[chosen], sign)
            assert_equal_parameters(made, twin, exact=case.setting == "B")
    return made, twin, *answers


def assert_equal_parameters(made: BinarySubstrate, twin: DenseStepping, *, exact: bool) -> None:
    """Compare what training changes; real states leave their rounding in low-passed gradients m, too."""
    assert same(signs_of(made), twin.signs)
    decays = [1.0 if exact else (1 - flips.gamma) ** flips.batches for flips in twin.flips]
    tolerance = {} if exact else {"rtol": 1e-4, "atol": 5e-6}
    compare = np.testing.assert_array_equal if exact else np.testing.assert_allclose
    for ours, theirs, scales in (
        (scales_of(made), twin.scales, [1.0] * len(decays)),
        (list(made.get_weights()[1].values()), twin.biases, [1.0] * len(decays)),
        (momenta_of(made), [flips.momentum for flips in twin.flips], decays),
    ):
        for a, b, scale in zip(ours, theirs, scales, strict=True):
            compare(scale * a, scale * b, **tolerance)
    assert made.training_state()["batches"].tolist() == [flips.batches for flips in twin.flips]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("setting", ["A", "B"])
def test_whole_trainings_end_where_the_twins_end(setting: str, shape: str) -> None:
    """Random nudges, a last mini-batch that is half empty, learnt scales, accumulators renewed."""
    sizes = SHAPES[shape]
    case = Case(setting, sizes, rule=rule_of(sizes))
    before = case.substrate()
    made, twin, ours, theirs = learn_both(case)
    assert np.array_equal(np.concatenate(ours), np.concatenate(theirs))
    flipped = [(a != b).sum() for a, b in zip(signs_of(before), signs_of(made), strict=True)]
    assert min(flipped) > 0
    assert all(a != b for a, b in zip(scales_of(before), scales_of(made), strict=True))
    assert twin.flips[0].batches == 8 > 2 >= twin.flips[1].batches  # the second has been renewed, the first has not
    assert len({sign_of(made, n) for n in (0, 4, 8, 12, 14, 18, 22, 26)}) == 2


@pytest.mark.parametrize("setting", ["A", "B"])
def test_an_end_at_rest_changes_nothing_but_the_ticks(setting: str) -> None:
    """Also what is learnt: equal weights, momenta, answers and events, in fewer ticks."""
    arrays, events, ticks = {}, {}, {}
    for stop in ("rest", "schedule"):
        case = Case(setting, SHAPES["narrow hidden"], gain=0.3, beta=0.3, free_steps=60, nudged_steps=90, stop=stop)
        made, images, labels = case.substrate(), case.images(5), case.labels(5)
        answers = [made.train(images, labels, np.arange(5), 0, 5, scale=1.0, offset=0), made.infer(images)]
        learnt = [*made.get_weights()[0].values(), *made.get_weights()[1].values(), *momenta_of(made)]
        arrays[stop] = [*answers, *learnt]
        events[stop] = [row for row in made.ledger().rows() if row[2] not in ("ticks", "neuron_updates")]
        ticks[stop] = [made.ledger().total(phase, "ticks") for phase in ("free", "nudged", "inference")]
    assert same(arrays["rest"], arrays["schedule"])
    assert events["rest"] == events["schedule"]
    assert ticks["schedule"] == [5 * 60, 5 * 90, 5 * 60]
    assert all(5 < rest < 0.9 * whole for rest, whole in zip(ticks["rest"], ticks["schedule"], strict=True))
