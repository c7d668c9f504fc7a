"""Activations against each other: slope, inverse and potential are derivatives and integrals of one function."""

from __future__ import annotations

import numpy as np
import pytest
from reference.energy_activations import SIGMA

from eqspike.energies.activations import ACTIVATIONS
from eqspike.energies.backend import jax, jnp

INSIDE = np.array([0.03, 0.21, 0.5, 0.77, 0.96])
SMOOTH = ("sigmoid", "tanh", "identity")


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def test_the_names_are_those_of_the_twin() -> None:
    assert set(ACTIVATIONS) == set(SIGMA)
    assert all(found.name == name for name, found in ACTIVATIONS.items())


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_slopes_inverses_and_potentials_belong_together(name: str) -> None:
    a, x, h = ACTIVATIONS[name], jnp.asarray(INSIDE), 1e-6
    s = a.value(x)
    np.testing.assert_allclose(s, SIGMA[name](INSIDE), rtol=1e-13)
    np.testing.assert_allclose(a.slope(x), (a.value(x + h) - a.value(x - h)) / (2 * h), rtol=1e-8)
    np.testing.assert_allclose(a.inverse(s), x, rtol=1e-12)
    np.testing.assert_allclose((a.potential(s + h) - a.potential(s - h)) / (2 * h), x, rtol=1e-8)


@pytest.mark.parametrize(("name", "top"), [("hard-sigmoid", 1), ("half-hard-sigmoid", 2)])
def test_clips_are_flat_outside_and_sloped_at_the_wall(name: str, top: int) -> None:
    a, x = ACTIVATIONS[name], jnp.asarray([-0.1, 0.0, top, top + 0.1])
    assert a.value(x).tolist() == [0, 0, 1, 1]
    assert a.slope(x).tolist() == [0, 1 / top, 1 / top, 0]


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_activations_are_holomorphic(name: str) -> None:
    """The derivative along the imaginary axis is that along the real one, times i."""
    a, z, h = ACTIVATIONS[name], jnp.asarray(INSIDE + 0.3j), 1e-6
    along, across = ((a.value(z + h * way) - a.value(z - h * way)) / (2 * h * way) for way in (1, 1j))
    np.testing.assert_allclose(along, across, rtol=1e-7)
    np.testing.assert_allclose(a.slope(z), along, rtol=1e-7)


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16, jnp.float32, jnp.float64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_types_are_kept(name: str, dtype) -> None:
    x = jnp.asarray(INSIDE, dtype)
    assert ACTIVATIONS[name].value(x).dtype == ACTIVATIONS[name].slope(x).dtype == dtype
