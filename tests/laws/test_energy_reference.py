"""The slow twin of energy-based networks against theory alone."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from reference.energy_activations import INTEGRAL_OF_INVERSE, INVERSE, SIGMA, SLOPE
from reference.energy_gradients import (
    TINY,
    bptt,
    bptt_gradient,
    complex_step_gradient,
    difference_gradient,
    equilibrium_gradient,
    flat,
    free_loss,
    implicit_gradient,
    minimal_energy,
    rel_mse,
    relative_error,
    slope,
    surrogate_gradient,
    surrogate_loss,
    unflat,
)
from reference.energy_links import Convolution, Dense
from reference.energy_network import (
    Net,
    added,
    cost,
    dense_net,
    drive,
    effective_cost,
    per_sample,
    phi,
    phi_gradient,
    random_net,
    scaled,
)
from reference.energy_rules import (
    circle,
    continual_ep,
    contrastive_gradient,
    coupled_gradient,
    ep_gradient,
    kolen_pollack,
    nudges,
    oscillating_gradient,
    vector_field_gradient,
)
from reference.energy_settling import Prototypical, RealTime, settle, total_energy, trajectory

INSIDE, OUTSIDE, LEAKY = Prototypical(), Prototypical("outside"), RealTime(0.8)
BETAS = [0.002, 0.004, 0.008]
ENOUGH = 300


def convolutional(pool: str | None = "max") -> tuple[Net, np.ndarray]:
    """Return two convolutions of two channels and a dense output, and two images; a pool leaves 6x6, 3x3, then 1x1."""
    rng = np.random.default_rng(3)
    kernels = rng.normal(0, 0.3, (3, 3, 1, 2)), rng.normal(0, 0.2, (3, 3, 2, 2))
    side, left = (3, 3) if pool is None else (6, 1)
    links = (*(Convolution(kernel, 1, pool) for kernel in kernels), Dense(rng.normal(0, 0.4, (left * left * 2, 3))))
    biases = rng.normal(0.2, 0.1, 2), rng.normal(0.2, 0.1, 2), rng.normal(0, 0.1, 3)
    return Net(links, biases, ("sigmoid", "sigmoid", "identity")), rng.random((2, side, side, 1))


@lru_cache
def case(name: str) -> tuple:
    """Return (dynamics, net, x, y, free states), settled to rounding."""
    rng = np.random.default_rng(7)
    x, y = rng.random((2, 4)), np.eye(3)[[0, 2]]
    if name == "convolution":
        dynamics, (net, x) = INSIDE, convolutional()
    else:
        dynamics, net = {
            "sigmoid": (INSIDE, random_net(1, (4, 5, 3), ("sigmoid", "sigmoid"))),
            "deep": (Prototypical(order=("even", "odd")), random_net(2, (4, 4, 3, 3), ("tanh", "sigmoid", "identity"))),
            "hopfield": (INSIDE, random_net(91, (4, 5, 3), ("hard-sigmoid", "identity"), bias=0.2)),
            "readout": (INSIDE, random_net(1, (4, 5, 4), ("sigmoid", "sigmoid"), classes=3)),
            "real-time": (LEAKY, random_net(1, (4, 5, 3), ("tanh", "tanh"), gain=0.3)),
        }[name]
    free = settle(dynamics, net, x, 140 if name == "convolution" else ENOUGH)
    return dynamics, net, x, y, free


@lru_cache
def truth(name: str) -> Net:
    return implicit_gradient(*case(name))


def errors(rule, name: str, terms_of, betas=BETAS) -> list[float]:
    """Return the distance of a rule from the true gradient at each nudge."""
    *given, free = case(name)
    return [relative_error(rule(*given, terms_of(b), steps=100, free=free), truth(name)) for b in betas]


CASES = ["sigmoid", "deep", "hopfield", "readout", "real-time"]


@pytest.mark.parametrize("name", SIGMA)
def test_activation_tables_agree_with_each_other(name: str) -> None:
    x = np.array([0.03, 0.21, 0.5, 0.77, 0.96])
    s = SIGMA[name](x)
    assert np.allclose(SIGMA[name](x + 1j * TINY).imag / TINY, SLOPE[name](x), rtol=1e-12)
    assert np.allclose(INVERSE[name](s), x, rtol=1e-12)
    assert np.allclose(INTEGRAL_OF_INVERSE[name](s + 1j * TINY).imag / TINY, INVERSE[name](s), rtol=1e-12)


@pytest.mark.parametrize("name", ["hard-sigmoid", "half-hard-sigmoid"])
def test_clips_are_flat_outside(name: str) -> None:
    x = np.array([-0.4, 2.3])
    assert list(SIGMA[name](x)) == [0, 1]
    assert list(SLOPE[name](x)) == [0, 0]


@pytest.mark.parametrize("pool", ["max", "average", None])
def test_drive_and_parameter_gradient_derive_from_phi(pool: str | None) -> None:
    net, x = convolutional(pool)
    rng = np.random.default_rng(0)
    states = [rng.random(s.shape) for s in net.rest(x)]
    at = flat(states)
    by_state = [phi(net, x, unflat(at + 1j * e, states)).imag / TINY for e in TINY * np.eye(at.shape[1])]
    driven = flat([drive(net, x, states, layer) for layer in (1, 2, 3)])
    assert np.allclose(driven, np.transpose(by_state), rtol=1e-12)
    assert (
        relative_error(phi_gradient(net, x, states), complex_step_gradient(lambda n: phi(n, x, states).mean(), net))
        < 1e-12
    )


def test_convolution_is_a_correlation_over_zeros() -> None:
    image = np.arange(1.0, 17).reshape(1, 4, 4, 1)
    kernel = np.zeros((3, 3, 1, 1))
    kernel[0, 2] = 2.0  # looks one row up and one column to the right
    rows = [[0, 0, 0, 0], [4, 6, 8, 0], [12, 14, 16, 0], [20, 22, 24, 0]]
    assert Convolution(kernel, 1).up(image)[0, :, :, 0].tolist() == rows
    assert Convolution(kernel, 1, "max").up(image)[0, :, :, 0].tolist() == [[6, 8], [22, 24]]
    assert Convolution(kernel, 1, "average").up(image)[0, :, :, 0].tolist() == [[2.5, 2], [17, 10]]


def test_a_maximum_reached_twice_is_taken_at_its_first_place() -> None:
    link = Convolution(np.ones((1, 1, 1, 1)), 0, "max")
    image = np.array([[0.0, 5.0], [5.0, 1.0]]).reshape(1, 2, 2, 1)
    assert link.down(image, np.full((1, 1, 1, 1), 3.0))[0, :, :, 0].tolist() == [[0, 3], [0, 0]]


@pytest.mark.parametrize("name", [*CASES, "convolution"])
@pytest.mark.parametrize("beta", [0.0, 0.2])
def test_settled_states_are_stationary_points_of_the_energy(name: str, beta: float) -> None:
    dynamics, net, x, y, free = case(name)
    states = free if beta == 0 else settle(dynamics, net, x, 100, states=free, y=y, beta=beta)
    at = flat(states)
    slopes = [
        total_energy(dynamics, net, x, unflat(at + 1j * e, states), y=y, beta=beta).imag / TINY
        for e in TINY * np.eye(at.shape[1])
    ]
    assert np.abs(slopes).max() < 1e-12


@pytest.mark.parametrize("beta", [-0.2, 0.0, 0.2])
def test_the_box_does_not_bind_in_the_hopfield_case(beta: float) -> None:
    dynamics, net, x, y, free = case("hopfield")
    hidden = settle(dynamics, net, x, ENOUGH, states=free, y=y, beta=beta)[0]
    assert 0.05 < hidden.min() < hidden.max() < 0.95


def test_an_identity_output_nudged_inside_rests_between_drive_and_target() -> None:
    dynamics, net, x, y, free = case("hopfield")
    states = settle(dynamics, net, x, ENOUGH, states=free, y=y, beta=0.3)
    assert np.allclose(states[-1], (drive(net, x, states, 2) + 0.3 * y) / 1.3, atol=1e-14)


@pytest.mark.parametrize("order", [("even", "odd"), ("odd", "even")])
def test_two_synchronous_steps_hold_one_asynchronous_step(order: tuple[str, str]) -> None:
    """Neighbours never move at once: a group's n-th turn is what all layers at once reach at step 2n - 1 or 2n."""
    _, net, x, _, _ = case("deep")
    together = trajectory(INSIDE, net, x, 10)
    in_turn = trajectory(Prototypical(order=order), net, x, 5)
    for n in range(1, 6):
        for layer in (1, 2, 3):
            first = (layer % 2 == 0) == (order[0] == "even")
            assert np.array_equal(in_turn[n][layer - 1], together[2 * n - first][layer - 1])


@pytest.mark.parametrize(
    ("sigma", "clip"), [("tanh", False), ("sigmoid", False), ("tanh", True), ("sigmoid", True), ("hard-sigmoid", True)]
)
@pytest.mark.parametrize("beta", [0.0, 0.5])
def test_energy_falls_along_real_time_settling(sigma: str, clip: bool, beta: float) -> None:
    net = random_net(4, (4, 5, 3), (sigma, sigma), gain=1.5, bias=0.2)
    _, _, x, y, _ = case("real-time")
    rng = np.random.default_rng(1)
    dynamics, start = RealTime(0.02, clip), [rng.random(s.shape) for s in net.rest(x)]
    path = trajectory(dynamics, net, x, 150, states=start, y=y, beta=beta)
    energy = np.array([total_energy(dynamics, net, x, s, y=y, beta=beta) for s in path])
    assert np.all(np.diff(energy, axis=0) <= 1e-14)
    assert np.all(energy[-1] < energy[0] - 0.01)


def test_a_clipped_unit_stays_in_the_box_and_can_leave_the_wall() -> None:
    weights = [np.array([[2.0, -2.0, 0.4]])]
    net = dense_net(weights, [np.zeros(3)], ["hard-sigmoid"])
    ended = settle(RealTime(0.1, clip=True), net, np.array([[1.0]]), 200)[-1]
    assert np.allclose(ended, [[1.0, 0.0, 0.4]])


def test_a_held_output_stays_and_the_hidden_layers_relax() -> None:
    for name in ("sigmoid", "real-time"):
        dynamics, net, x, y, free = case(name)
        states = settle(dynamics, net, x, ENOUGH, states=free, clamped=y)
        assert np.array_equal(states[-1], y)
        again = dynamics.step(net, x, states, held=True)
        assert np.allclose(flat(again), flat(states), atol=1e-13)
        assert not np.allclose(states[0], free[0], atol=1e-3)


@pytest.mark.parametrize("name", CASES)
def test_three_references_agree(name: str) -> None:
    dynamics, net, x, y, free = case(name)
    whole = equilibrium_gradient(dynamics, net, x, y, steps=70, free=free)
    assert relative_error(whole, truth(name)) < 1e-9
    assert relative_error(bptt_gradient(dynamics, net, x, y, steps=70, states=free), truth(name)) < 1e-9
    by_difference = difference_gradient(lambda n: free_loss(dynamics, n, x, y, steps=40, states=free), net)
    assert relative_error(by_difference, truth(name)) < 1e-6


@pytest.mark.parametrize("name", [*CASES, "convolution"])
def test_truncated_time_reversal_is_the_derivative_of_the_last_steps(name: str) -> None:
    dynamics, net, x, y, free = case(name)
    apart = [s + 0.01 for s in free]
    forward = complex_step_gradient(lambda n: free_loss(dynamics, n, x, y, steps=3, states=apart), net)
    assert relative_error(bptt_gradient(dynamics, net, x, y, steps=3, states=apart), forward) < 1e-12


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("kind", "order"), [("positive", 1), ("negative", 1), ("centered", 2)])
def test_bias_falls_as_beta_one_sided_and_as_its_square_centered(name: str, kind: str, order: int) -> None:
    found = errors(ep_gradient, name, lambda b: nudges(kind, b))
    assert slope(BETAS, found) == pytest.approx(order, abs=0.02)
    assert found[-1] < 0.05


def test_convolutional_bias_falls_as_beta_squared() -> None:
    dynamics, net, x, y, free = case("convolution")
    found, betas = [], [0.05, 0.1]
    reference = implicit_gradient(dynamics, net, x, y, free)
    for b in betas:
        estimate = ep_gradient(dynamics, net, x, y, nudges("centered", b), steps=25, free=free)
        found.append(relative_error(estimate, reference))
    assert slope(betas, found) == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize("name", ["sigmoid", "readout"])
@pytest.mark.parametrize("points", [1, 2, 4, 8])
def test_holomorphic_bias_falls_as_beta_to_the_number_of_points(name: str, points: int) -> None:
    betas = np.array(BETAS) * {1: 1, 2: 1, 4: 10, 8: 40}[points]
    found = errors(ep_gradient, name, lambda b: circle(b, points), betas)
    assert slope(betas, found) == pytest.approx(points, abs=0.04)


@pytest.mark.parametrize(("points", "kind"), [(1, "positive"), (2, "centered")])
def test_one_and_two_points_are_the_classic_estimates(points: int, kind: str) -> None:
    *given, free = case("readout")
    on_circle = ep_gradient(*given, circle(0.3, points), steps=60, free=free)
    assert relative_error(on_circle, ep_gradient(*given, nudges(kind, 0.3), steps=60, free=free)) < 1e-13


def test_a_slow_oscillation_is_the_cauchy_integral_without_a_free_phase() -> None:
    *given, free = case("sigmoid")
    start = [np.zeros_like(s) for s in free]
    swung = oscillating_gradient(*given, radius=0.2, points=6, steps=60, periods=2, start=start)
    assert relative_error(swung, ep_gradient(*given, circle(0.2, 6), steps=60, free=free)) < 1e-12


@pytest.mark.parametrize("name", ["sigmoid", "hopfield", "readout", "real-time"])
@pytest.mark.parametrize("kind", ["positive", "negative", "centered"])
def test_each_estimate_is_the_gradient_of_its_surrogate_loss(name: str, kind: str) -> None:
    *given, free = case(name)
    terms = nudges(kind, 0.2)
    exact = surrogate_gradient(*given, terms, steps=100, free=free)
    assert relative_error(ep_gradient(*given, terms, steps=ENOUGH, free=free), exact) < 1e-8
    assert relative_error(exact, truth(name)) > 1e-3


def test_surrogate_gradient_agrees_with_differences() -> None:
    dynamics, net, x, y, free = case("hopfield")
    terms = nudges("positive", 0.2)
    by_difference = difference_gradient(
        lambda n: surrogate_loss(dynamics, n, x, y, terms, steps=60, free=free), net, width=1e-4
    )
    assert relative_error(ep_gradient(dynamics, net, x, y, terms, steps=ENOUGH, free=free), by_difference) < 1e-7


@pytest.mark.parametrize("name", ["sigmoid", "hopfield", "readout", "real-time"])
def test_surrogates_bound_the_loss(name: str) -> None:
    dynamics, net, x, y, free = case(name)
    loss = cost(net, free[-1], y).mean()
    gaps = {kind: [] for kind in ("positive", "negative", "centered")}
    for kind, gap in gaps.items():
        for b in (0.05, 0.1, 0.2):
            gap.append(surrogate_loss(dynamics, net, x, y, nudges(kind, b), steps=ENOUGH, free=free) - loss)
    assert max(gaps["positive"]) < 0 < min(gaps["negative"])
    assert slope([0.05, 0.1, 0.2], np.abs(gaps["centered"])) == pytest.approx(2, abs=0.1)


def test_the_minimal_energy_is_concave_in_the_nudge() -> None:
    dynamics, net, x, y, free = case("hopfield")
    found = [minimal_energy(dynamics, net, x, y, b, steps=ENOUGH, states=free) for b in np.linspace(-0.4, 0.4, 9)]
    assert np.all(np.diff(found, n=2, axis=0) < 0)


def test_a_nudge_outside_sigma_teaches_the_effective_cost() -> None:
    _, net, x, y, free = case("sigmoid")
    effective = equilibrium_gradient(OUTSIDE, net, x, y, steps=80, free=free, loss=effective_cost)
    found, apart = [], []
    for b in BETAS:
        estimate = ep_gradient(OUTSIDE, net, x, y, nudges("centered", b), steps=100, free=free)
        found.append(relative_error(estimate, effective))
        apart.append(relative_error(estimate, truth("sigmoid")))
    assert slope(BETAS, found) == pytest.approx(2, abs=0.02)
    assert min(apart) > 0.2


def test_the_effective_cost_of_the_sigmoid_is_a_quarter_of_the_binary_cross_entropy() -> None:
    net = case("sigmoid")[1]
    rng = np.random.default_rng(2)
    out, y = rng.uniform(0.05, 0.95, (20, 3)), np.eye(3)[rng.integers(0, 3, 20)]
    cross_entropy = -per_sample(y * np.log(out) + (1 - y) * np.log(1 - out))
    apart = effective_cost(net, out, y) - cross_entropy / 4
    assert np.allclose(apart, -0.5, atol=1e-13)  # -sum(y) / 2: no matter where the output is


def test_for_an_identity_output_inside_and_outside_teach_the_same() -> None:
    _, net, x, y, free = case("hopfield")
    out = free[-1]
    assert np.allclose(effective_cost(net, out, y), cost(net, out, y) - 0.5 * per_sample(y**2), atol=1e-14)
    assert (
        relative_error(
            ep_gradient(OUTSIDE, net, x, y, nudges("centered", 0.1), steps=100, free=free),
            ep_gradient(INSIDE, net, x, y, nudges("centered", 0.1), steps=100, free=free),
        )
        < 1e-12
    )


@pytest.mark.parametrize("kind", ["positive", "negative", "centered"])
def test_coupled_learning_is_no_gradient_however_small_the_nudge(kind: str) -> None:
    betas = [0.001, 0.002, 0.004]
    found = errors(coupled_gradient, "hopfield", lambda b: nudges(kind, b), betas)
    assert min(found) > 0.05
    assert abs(slope(betas, found)) < 0.02


def test_coupled_learning_is_a_gradient_once_the_error_meets_the_output_stiffness() -> None:
    """Clamped at o + beta G^-1 (y - o), G the second derivative of min_h E by the output; E is quadratic in the box."""
    dynamics, net, x, y, free = case("hopfield")

    def stiff(sample: int) -> np.ndarray:
        one, here = x[[sample]], [s[[sample]] for s in free]
        rows = []
        for e in TINY * np.eye(3):
            states = settle(dynamics, net, one, 100, states=here, clamped=here[-1] + 1j * e)
            rows.append((states[-1] - drive(net, one, states, 2)).imag[0] / TINY)
        return np.array(rows)

    push = np.array([np.linalg.solve(stiff(k), y[k] - free[-1][k]) for k in range(len(y))])
    found = []
    for b in BETAS:
        terms = nudges("centered", b)
        estimate = coupled_gradient(dynamics, net, x, free[-1] + push, terms, steps=100, free=free)
        found.append(relative_error(estimate, truth("hopfield")))
    assert max(found) < 1e-10


def test_contrastive_learning_is_no_gradient() -> None:
    *given, free = case("hopfield")
    estimate = contrastive_gradient(*given, steps=100, free=free)
    a, b = estimate.vector(), truth("hopfield").vector()
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    assert 0.7 < cosine < 0.9999


def per_step(gradients: list[Net]) -> np.ndarray:
    return np.array([g.vector() for g in gradients])


def continual_error(name: str, beta: float, rate: float, dynamics=None) -> float:
    """Return the RelMSE of 8 continual updates from the 8 last gradients of time reversal."""
    own, net, x, y, free = case(name)
    by_theta, _ = bptt(own, net, x, y, steps=8, states=free)
    _, _, g = continual_ep(dynamics or own, net, x, y, beta=beta, rates=[rate] * net.depth, steps=8, free=free)
    return rel_mse(per_step(g), per_step(by_theta))


@pytest.mark.parametrize("name", ["real-time", "sigmoid", "hopfield"])
def test_continual_updates_become_the_gradients_of_time_reversal_step_by_step(name: str) -> None:
    """Real-time steps derive from a primitive function; sigma(d phi / d s) nudged inside updates theta as if it did."""
    assert continual_error(name, 5e-7, 1e-15) < 1e-6


@pytest.mark.parametrize("name", ["real-time", "sigmoid"])
def test_continual_updates_depart_from_time_reversal_as_beta(name: str) -> None:
    betas = [1e-4, 2e-4, 4e-4]
    assert slope(betas, [continual_error(name, b, 0.0) for b in betas]) == pytest.approx(1, abs=0.02)


def test_a_learning_rate_disturbs_continual_updates_by_rate_over_beta() -> None:
    """Weights move the states by about the rate, and the rule divides by beta: the rate must vanish first."""
    rates = [1e-8, 2e-8, 4e-8]
    for beta in (1e-5, 1e-6):
        found = [continual_error("real-time", beta, r) for r in rates]
        assert slope(rates, found) == pytest.approx(1, abs=0.05)
    assert continual_error("real-time", 1e-6, 1e-8) == pytest.approx(
        10 * continual_error("real-time", 1e-5, 1e-8), rel=0.05
    )


@pytest.mark.parametrize("name", ["real-time", "sigmoid"])
def test_state_changes_mirror_the_state_gradients(name: str) -> None:
    """ds(t) = -beta eps dL/ds(T - t), eps the time step; for sigma(d phi / d s) nudged inside, eps is sigma'."""
    dynamics, net, x, y, free = case(name)
    _, by_state = bptt(dynamics, net, x, y, steps=8, states=free)
    beta = 1e-7
    path = [flat(s) for s in trajectory(dynamics, net, x, 8, states=free, y=y, beta=beta)]
    slopes = [SLOPE[sigma](drive(net, x, free, n)) for n, sigma in enumerate(net.sigmas, start=1)]
    step = dynamics.dt if name == "real-time" else flat(slopes)
    expected = np.array([-beta * step * flat(s) * len(y) for s in by_state])
    assert rel_mse(np.diff(path, axis=0), expected) < 1e-5


def test_nudged_outside_sigma_steps_only_resemble_those_of_time_reversal() -> None:
    assert min(continual_error("sigmoid", b, 0.0, OUTSIDE) for b in (1e-4, 1e-5, 1e-6)) > 0.05


@pytest.mark.parametrize("name", ["real-time", "sigmoid"])
def test_continual_updates_at_rate_zero_add_up_to_the_positive_estimate(name: str) -> None:
    *given, free = case(name)
    net, seen, g = continual_ep(*given, beta=0.1, rates=[0, 0], steps=12, free=free)
    together = ep_gradient(*given, nudges("positive", 0.1), steps=12, free=free)
    assert relative_error(added(*g), together) < 1e-12
    assert np.array_equal(net.vector(), given[1].vector())
    assert len(seen) == 13


def test_states_move_with_the_old_weights_then_the_weights_move() -> None:
    *given, free = case("sigmoid")
    rates = [0.3, 0.05]
    still = continual_ep(*given, beta=0.5, rates=[0, 0], steps=2, free=free)
    after, seen, g = continual_ep(*given, beta=0.5, rates=rates, steps=2, free=free)
    assert np.array_equal(flat(seen[1]), flat(still[1][1]))
    assert not np.allclose(flat(seen[2]), flat(still[1][2]), atol=1e-6)
    for k, rate in enumerate(rates):
        assert np.allclose(
            after.weights[k], given[1].weights[k] - rate * (g[0].weights[k] + g[1].weights[k]), atol=1e-15
        )
        assert np.allclose(after.biases[k], given[1].biases[k] - rate * (g[0].biases[k] + g[1].biases[k]), atol=1e-15)


def untied(net: Net) -> Net:
    """Return the net with equal, but separate, ways down."""
    return dense_net(net.weights, net.biases, net.sigmas, backward=net.weights, readout=net.readout)


def both_ways(gradient: Net, net: Net) -> Net:
    """Return the gradient of tied weights that the two ways make up together."""
    links = [link.weight if link.backward is None else link.weight + link.backward for link in gradient.links]
    return net.like([*links, *gradient.biases, *(gradient.readout or ())])


@pytest.mark.parametrize("name", ["sigmoid", "readout", "real-time"])
def test_the_two_ways_of_a_vector_field_share_the_gradient_of_tied_weights(name: str) -> None:
    dynamics, net, x, y, free = case(name)
    found = []
    for b in BETAS:
        terms = nudges("centered", b)
        ways = vector_field_gradient(dynamics, untied(net), x, y, terms, steps=100, free=free)
        assert relative_error(both_ways(kolen_pollack(ways), net), both_ways(ways, net)) < 1e-14
        found.append(relative_error(both_ways(ways, net), truth(name)))
    assert slope(BETAS, found) == pytest.approx(2, abs=0.05)
    kept = kolen_pollack(ways)
    assert np.array_equal(kept.links[1].weight, kept.links[1].backward)
    assert np.array_equal(kept.links[0].weight, ways.links[0].weight)


def test_untied_weights_settle_and_differentiate_apart() -> None:
    net = random_net(6, (4, 5, 3), ("sigmoid", "sigmoid"), untied=True)
    _, _, x, y, _ = case("sigmoid")
    free = settle(INSIDE, net, x, ENOUGH)
    assert not np.allclose(free[0], settle(INSIDE, untied(net), x, ENOUGH)[0], atol=1e-3)
    exact = implicit_gradient(INSIDE, net, x, y, free)
    assert relative_error(equilibrium_gradient(INSIDE, net, x, y, steps=80, free=free), exact) < 1e-11
    apart = vector_field_gradient(INSIDE, net, x, y, nudges("centered", 1e-3), steps=100, free=free)
    assert relative_error(apart, exact) > 0.05


def test_continual_vector_field_reads_the_way_from_its_own_presynaptic_side() -> None:
    _, tied, x, y, free = case("sigmoid")
    net, beta = untied(tied), 0.2
    _, seen, g = continual_ep(INSIDE, net, x, y, beta=beta, rates=[0, 0], steps=3, free=free)
    for before, after, move in zip(seen, seen[1:], g, strict=False):
        hidden, out = before
        forward = -np.einsum("bi,bj->ij", hidden, after[1] - out) / (2 * beta)
        backward = -np.einsum("bi,bj->ij", after[0] - hidden, out) / (2 * beta)
        assert np.allclose(move.links[1].weight, forward, atol=1e-14)
        assert np.allclose(move.links[1].backward, backward, atol=1e-14)


def test_batches_average_their_samples() -> None:
    dynamics, net, x, y, free = case("readout")
    terms = nudges("centered", 0.1)
    whole = ep_gradient(dynamics, net, x, y, terms, steps=60, free=free)
    halves = [ep_gradient(dynamics, net, x[[k]], y[[k]], terms, steps=60, free=[s[[k]] for s in free]) for k in (0, 1)]
    assert relative_error(scaled(0.5, added(*halves)), whole) < 1e-13


def test_parameters_travel_through_a_vector_in_their_order() -> None:
    net = random_net(0, (2, 3, 2), ("tanh", "tanh"), untied=True, classes=2)
    assert [a.shape for a in net.arrays()] == [(2, 3), (3, 2), (3, 2), (3,), (2,), (2, 2), (2,)]
    again = net.with_vector(np.arange(net.vector().size))
    assert again.links[1].backward.tolist() == [[12, 13], [14, 15], [16, 17]]
    assert replace(again, readout=None).arrays()[-1].tolist() == [21, 22]
