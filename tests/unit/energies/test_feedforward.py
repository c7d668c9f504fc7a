"""Functions of feed-forward networks: signs, steps, codes, moments, and the gradient of the loss."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.energies import feedforward as functions
from eqspike.energies.backend import jax, jnp
from eqspike.energies.feedforward import Form

REAL, BINARY = Form("real", 8, 8.0, True), Form("binary", 8, 8.0, True)
QUANTISED = Form("quantised", 3, 2.0, False)


def test_the_sign_of_zero_is_plus_one_and_errors_pass_where_the_drive_is_near() -> None:
    x = jnp.array([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0])
    assert functions.sign(x).tolist() == [-1, -1, -1, 1, 1, 1, 1]
    value, back = jax.vjp(functions.sign_through, x)
    assert value.tolist() == functions.sign(x).tolist()
    assert back(jnp.full(7, 3.0))[0].tolist() == [0, 3, 3, 3, 3, 3, 0]


def test_steps_are_evenly_spaced_and_errors_pass_between_their_ends() -> None:
    x = jnp.array([-1.0, 0.0, 0.2, 0.3, 1.0, 1.9, 2.0, 5.0])
    value, back = jax.vjp(lambda x: functions.stepped(x, 4, 2.0), x)
    assert value.tolist() == pytest.approx([0, 0, 0, 0.5, 1.0, 2.0, 2.0, 2.0])
    assert back(jnp.ones(8))[0].tolist() == [0, 0, 1, 1, 1, 1, 0, 0]


def test_codes_are_symmetric_whole_numbers_that_fill_their_bits() -> None:
    weights = jnp.array([[-0.9, 0.31], [0.0, 0.14]])
    assert functions.stored(QUANTISED, weights).tolist() == [[-3, 1], [0, 0]]
    np.testing.assert_allclose(functions.acting(QUANTISED, weights), [[-0.9, 0.3], [0, 0]], atol=1e-6)
    assert functions.acting(QUANTISED, jnp.zeros((2, 2))).tolist() == [[0, 0], [0, 0]]
    assert functions.acting(BINARY, weights).tolist() == [[-1, 1], [1, 1]]
    assert functions.stored(REAL, weights) is weights


def test_moments_are_those_of_the_valid_samples() -> None:
    drive = np.random.default_rng(0).normal(2, 3, (6, 4)).astype(np.float32)
    valid = np.array([1, 1, 0, 1, 0, 1], bool)
    mean, variance = functions.batch_moments(jnp.asarray(drive), jnp.asarray(valid))
    np.testing.assert_allclose(mean, drive[valid].mean(0), rtol=1e-5)
    np.testing.assert_allclose(variance, drive[valid].var(0), rtol=1e-5)
    gain, shift = jnp.full(4, 2.0), jnp.full(4, 1.0)
    found = np.array(functions.normalise(jnp.asarray(drive), (mean, variance), gain, shift))[valid]
    np.testing.assert_allclose(found.mean(0), 1, atol=1e-5)
    np.testing.assert_allclose(found.std(0), 2, rtol=1e-4)


def test_running_moments_move_by_a_tenth_and_count_one_sample_less() -> None:
    kept = (jnp.array([1.0]), jnp.array([2.0]))
    mean, variance = functions.running(kept, (jnp.array([3.0]), jnp.array([4.0])), jnp.int32(5))
    assert float(mean[0]) == pytest.approx(0.9 * 1 + 0.1 * 3)
    assert float(variance[0]) == pytest.approx(0.9 * 2 + 0.1 * 4 * 5 / 4)


def test_the_gradient_of_real_weights_is_the_slope_of_the_loss() -> None:
    """By finite differences, with a sample that does not count."""
    rng = np.random.default_rng(2)
    shapes = ((5, 6), (6, 3))
    with jax.enable_x64(True):
        theta = {
            "weights": tuple(jnp.asarray(rng.normal(0, 1, shape)) for shape in shapes),
            "shifts": tuple(jnp.asarray(rng.normal(0, 1, n)) for _, n in shapes),
            "gains": tuple(jnp.asarray(rng.uniform(0.5, 1.5, n)) for _, n in shapes),
        }
        x, labels = jnp.asarray(rng.random((4, 5))), jnp.array([0, 2, 1, 1])
        valid = jnp.array([True, True, True, False])
        gradient, found = jax.jit(functions.loss_gradient, static_argnums=0)(REAL, theta, x, labels, valid)
        assert found.active.tolist() == [[5, int(n)] for n in np.array(found.active)[:, 1]]
        assert found.passing.tolist() == [[6, 3]] * 4

        @jax.jit
        def loss(theta):
            outputs = functions.forward(REAL, theta, x, valid).outputs
            return -jnp.mean(jax.nn.log_softmax(outputs)[jnp.arange(3), labels[:3]])

        for group, place, at in (
            ("weights", 0, (1, 2)),
            ("weights", 1, (3, 0)),
            ("shifts", 0, (4,)),
            ("gains", 1, (1,)),
        ):
            changed = [
                {
                    **theta,
                    group: (*theta[group][:place], theta[group][place].at[at].add(by), *theta[group][place + 1 :]),
                }
                for by in (1e-6, -1e-6)
            ]
            slope = (loss(changed[0]) - loss(changed[1])) / 2e-6
            assert float(gradient[group][place][at]) == pytest.approx(float(slope), rel=1e-5, abs=1e-8)


def test_what_passes_back_is_counted_where_neurons_are_between_their_ends() -> None:
    theta = {"weights": (jnp.array([[1.0, 1.0, -1.0]]), jnp.ones((3, 2))), "shifts": (jnp.array([0.0, 9.0, 0.0]),) * 2}
    theta["shifts"] = (theta["shifts"][0], jnp.zeros(2))
    found = functions.forward(QUANTISED, theta, jnp.array([[1.0], [0.0]]), jnp.ones(2, bool))
    assert found.active.tolist() == [[1, 2], [0, 1]]
    assert found.passing.tolist() == [[1, 2], [0, 2]]
