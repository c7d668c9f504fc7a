"""Binary networks of real activations learn from the gradient of their loss; learnt scales follow their contrast."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from reference.binary_bptt import gradient
from reference.binary_cases import Case, eight_bits, momenta_of, scales_of, signs_of

from eqspike.data import load_dataset
from eqspike.substrates.binary.substrate import BinarySubstrate
from eqspike.training.api import resolve

F = np.float32
N, NUDGED_STEPS = 64, 10
DEPTHS = [[96], [64, 48]]


def network(hidden: list[int], beta: float, free_steps: int) -> BinarySubstrate:
    """Return an untrained network for digits, as the recipe of setting A begins it, whose beta stays positive."""
    depth = len(hidden) + 1
    spec = resolve(
        "binary-ep-a-4096",
        {
            "data.name": "digits", "network.hidden": hidden, "dynamics.free_steps": free_steps,
            "dynamics.nudged_steps": NUDGED_STEPS, "rule.beta": beta, "rule.random_sign": False,
            "rule.low_passes": [0.25] * depth, "rule.flip_thresholds": [1e3] * depth, "rule.bias_rates": [0.5] * depth,
            "rule.scale_rates": [0.0] * depth, "training.batch": N,
        },
    )  # fmt: skip
    return spec.build_substrate(spec.build_network((8, 8), 10), (8, 8))


@lru_cache
def samples() -> tuple[np.ndarray, np.ndarray]:
    data = load_dataset("digits")
    return data.x_train[:N], data.y_train[:N]


def ends_of(made: BinarySubstrate, images: np.ndarray, labels: np.ndarray, beta: float) -> list[list[np.ndarray]]:
    """Return what every layer emits at the end of the free and of the nudged phase, pixels in [0, 1] first."""
    phases, pixels = made._phases, eight_bits(images)
    ends, counts = phases.new_ends(len(images)), made.storage.new_counts()
    steps = made.dynamics.nudged_steps
    phases.present(made.weights, counts, ends, pixels.astype(np.uint8), made._targets(labels), beta, steps)
    found = []
    for rows in (ends.free, ends.nudged):
        if rows.dtype == np.uint32:
            rows = np.unpackbits(rows.view(np.uint8), axis=1, bitorder="little")
        blocks = [made.storage.block(k) for k in range(1, len(made.network.layers))]
        found.append([pixels / 255, *(rows[:, block].astype(np.float64) for block in blocks)])
    return found


def contrasts(made: BinarySubstrate, images: np.ndarray, labels: np.ndarray, beta: float) -> list[np.ndarray]:
    """Return the mean of post^beta pre^beta - post^0 pre^0 over beta, (n_pre, n_post) of every projection."""
    free, nudged = ends_of(made, images, labels, beta)
    return [
        (nudged[k].T @ nudged[k + 1] - free[k].T @ free[k + 1]) / (beta * len(images)) for k in range(len(free) - 1)
    ]


@lru_cache
def pairs(hidden: tuple[int, ...], beta: float, free_steps: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (estimate, -dL/dW by time reversal) of every projection."""
    made, (images, labels) = network(list(hidden), beta, free_steps), samples()
    weights, biases = ([values.astype(np.float64) for values in group.values()] for group in made.get_weights())
    exact, _ = gradient(
        weights, biases, eight_bits(images) / 255, np.eye(10)[labels], steps=free_steps, last=NUDGED_STEPS,
        error_passes=True,
    )  # fmt: skip
    return list(zip(contrasts(made, images, labels, beta), (-slopes for slopes in exact), strict=True))


def degrees(found: np.ndarray, exact: np.ndarray) -> float:
    return float(np.degrees(np.arccos((found * exact).sum() / np.linalg.norm(found) / np.linalg.norm(exact))))


def agreeing_signs(found: np.ndarray, exact: np.ndarray) -> float:
    return float(np.mean(np.sign(found) == np.sign(exact)))


@pytest.mark.parametrize("hidden", DEPTHS)
def test_the_estimate_becomes_the_gradient_of_time_reversal_as_the_nudge(hidden: list) -> None:
    betas = [0.04, 0.02, 0.01]
    for k in range(len(hidden) + 1):
        found = [pairs(tuple(hidden), beta, 100)[k] for beta in betas]
        errors = [np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in found]
        assert errors[-1] < 0.03
        assert np.polyfit(np.log(betas), np.log(errors), 1)[0] == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize(("hidden", "most", "least"), [(DEPTHS[0], 5, 0.97), (DEPTHS[1], 15, 0.9)])
def test_at_the_recipes_settings_signs_and_angle_agree(hidden: list, most: float, least: float) -> None:
    for found, exact in pairs(tuple(hidden), 0.3, 50):
        assert degrees(found, exact) < most
        assert agreeing_signs(found, exact) > least


def test_momenta_and_biases_take_that_estimate() -> None:
    """After one mini-batch m = gamma x estimate, and a bias has grown by its rate x its own."""
    made, (images, labels) = network([96], 0.3, 20), samples()
    expected, before = contrasts(made, images, labels, 0.3), made.get_weights()[1]
    free, nudged = ends_of(made, images, labels, 0.3)
    made.train(images, labels, np.arange(N), 0, N, scale=1.0, offset=0)
    for momentum, slopes in zip(momenta_of(made), expected, strict=True):
        assert np.abs(slopes).max() > 1e-3
        np.testing.assert_allclose(0.75 * momentum, 0.25 * slopes, rtol=1e-4, atol=1e-6)
    for k, (name, values) in enumerate(made.get_weights()[1].items(), start=1):
        change = 0.5 * (nudged[k] - free[k]).sum(axis=0) / (0.3 * N)
        np.testing.assert_allclose(values - before[name], change, rtol=1e-3, atol=1e-6)


@pytest.mark.kernels
@pytest.mark.parametrize("setting", ["A", "B"])
def test_a_scale_grows_along_the_finite_difference_of_its_contrast(setting: str) -> None:
    """By rate x alpha / 2 x the slope in alpha of (post^T alpha S)^beta - (post^T alpha S)^0, mean, over beta."""
    case = Case(setting, (21, 34, 40, 6), batch=5, beta=2.0, rule={"rate_scale": [0.3, 0.2, 0.1], "tau": 1e3})
    made, images, labels = case.substrate(random_sign=False), case.images(5), case.labels(5)
    phases, signs, before = ends_of(made, images, labels, case.beta), signs_of(made), scales_of(made)
    made.train(images, labels, np.arange(5), 0, 5, scale=1.0, offset=0)

    def contrast(k: int, alpha: float) -> float:
        free, nudged = (np.einsum("ni,ij,nj->", s[k], alpha * signs[k].astype(np.float64), s[k + 1]) for s in phases)
        return (nudged - free) / (case.beta * 5)

    for k, (old, new) in enumerate(zip(before, scales_of(made), strict=True)):
        slope = (contrast(k, old + 1e-3) - contrast(k, old - 1e-3)) / 2e-3
        assert abs(new - old) > 1e-3 * old
        assert new == pytest.approx(old + case.numbers()["rate_scale"][k] * 0.5 * old * slope, rel=1e-5)
    assert scales_of(made) == [np.float32(scale) for scale in made.weights.scale]
    assert made.weights.unit.tolist() == [F(float(scales_of(made)[0]) / 255), *scales_of(made)[1:]]


@pytest.mark.kernels
@pytest.mark.parametrize("setting", ["A", "B"])
def test_a_scale_that_is_not_learnt_stays(setting: str) -> None:
    case = Case(setting, (21, 34, 6))
    made, images, labels = case.substrate(), case.images(12), case.labels(12)
    before, signs = scales_of(made), signs_of(made)
    made.train(images, labels, np.arange(12), 0, 12, scale=1.0, offset=0)
    assert scales_of(made) == before == [F(0.9 / np.sqrt(n)) for n in (21, 34)]
    assert any(np.any(a != b) for a, b in zip(signs, signs_of(made), strict=True))
