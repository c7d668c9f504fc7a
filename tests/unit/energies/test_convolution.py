"""Convolution with pooling against an obvious loop, its transpose, its gradient."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.core.errors import ConfigError
from eqspike.energies.backend import jax, jnp
from eqspike.energies.convolution import output_shape, prepare, project, project_back

POOLS = ("none", "average", "max")
GEOMETRIES = [(8, 8, 3, 1), (7, 7, 3, 1), (9, 6, 2, 0), (7, 8, 5, 2), (6, 7, 3, 2), (5, 5, 1, 1)]  # h, w, k, padding


def loop(kernel: np.ndarray, s: np.ndarray, padding: int, pool: str, size: int = 2) -> np.ndarray:
    """Convolve and pool one value at a time."""
    k = kernel.shape[0]
    padded = np.pad(s, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    rows, columns = padded.shape[1] - k + 1, padded.shape[2] - k + 1
    convolved = np.zeros((len(s), rows, columns, kernel.shape[3]), np.result_type(kernel, s))
    for i in range(rows):
        for j in range(columns):
            convolved[:, i, j] = np.einsum("bhwc,hwcd->bd", padded[:, i : i + k, j : j + k], kernel)
    if pool == "none":
        return convolved
    pooled = np.zeros((len(s), rows // size, columns // size, kernel.shape[3]), convolved.dtype)
    for i in range(rows // size):
        for j in range(columns // size):
            square = convolved[:, size * i : size * (i + 1), size * j : size * (j + 1)]
            pooled[:, i, j] = square.mean((1, 2)) if pool == "average" else square.max((1, 2))
    return pooled


def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: type = np.float64) -> np.ndarray:
    """Return normal numbers, complex where the type is."""
    values = rng.normal(size=shape)
    return (values + 1j * rng.normal(size=shape)).astype(dtype) if dtype is np.complex128 else values.astype(dtype)


def case(height: int, width: int, k: int, seed: int = 0, dtype: type = np.float64) -> tuple[np.ndarray, np.ndarray]:
    """Return a kernel (k, k, 3, 4) and states (2, height, width, 3)."""
    rng = np.random.default_rng(seed)
    return draw(rng, (k, k, 3, 4), dtype), draw(rng, (2, height, width, 3), dtype)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize(("height", "width", "k", "padding"), GEOMETRIES)
def test_projection_equals_the_loop(height, width, k, padding, pool):
    kernel, s = case(height, width, k)
    prepared = prepare(jnp.asarray(kernel), padding=padding, pool=pool)
    expected = loop(kernel, s, padding, pool)
    assert output_shape(prepared, height, width) == expected.shape[1:3]
    np.testing.assert_allclose(jax.jit(project)(prepared, jnp.asarray(s)), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("pool", ["average", "max"])
def test_squares_of_three(pool):
    kernel, s = case(10, 11, 3)
    prepared = prepare(jnp.asarray(kernel), padding=1, pool=pool, size=3)
    expected = loop(kernel, s, 1, pool, size=3)
    np.testing.assert_allclose(project(prepared, jnp.asarray(s)), expected, rtol=1e-12, atol=1e-12)
    assert_transpose(prepared, s, expected.shape)


def assert_transpose(prepared, s: np.ndarray, shape: tuple[int, ...]) -> None:
    """Check <project(x), y> = <x, project_back(y)>, which holds for maximum pooling too: it is piecewise linear."""
    y = jnp.asarray(draw(np.random.default_rng(1), shape, s.dtype.type))
    above = jnp.sum(project(prepared, jnp.asarray(s)) * y)
    below = jnp.sum(s * jax.jit(project_back)(prepared, jnp.asarray(s), y))
    np.testing.assert_allclose(above, below, rtol=1e-12)


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize(("height", "width", "k", "padding"), GEOMETRIES)
def test_projection_back_is_the_transpose(height, width, k, padding, pool):
    kernel, s = case(height, width, k)
    assert_transpose(prepare(jnp.asarray(kernel), padding=padding, pool=pool), s, loop(kernel, s, padding, pool).shape)


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize(("height", "width", "k", "padding"), GEOMETRIES)
def test_projection_back_is_the_derivative(height, width, k, padding, pool):
    kernel, s = case(height, width, k)
    prepared = prepare(jnp.asarray(kernel), padding=padding, pool=pool)
    y = np.random.default_rng(1).normal(size=loop(kernel, s, padding, pool).shape)
    direction = np.random.default_rng(2).normal(size=s.shape)
    slope = np.sum(project_back(prepared, jnp.asarray(s), jnp.asarray(y)) * direction)
    ahead, behind = (np.sum(loop(kernel, s + step * direction, padding, pool) * y) for step in (1e-6, -1e-6))
    np.testing.assert_allclose(slope, (ahead - behind) / 2e-6, rtol=1e-6)


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize(("height", "width", "k", "padding"), GEOMETRIES)
def test_kernel_gradient_is_the_derivative(height, width, k, padding, pool):
    kernel, s = case(height, width, k)
    y = np.random.default_rng(1).normal(size=loop(kernel, s, padding, pool).shape)

    def phi(w):
        return jnp.sum(project(prepare(w, padding=padding, pool=pool), jnp.asarray(s)) * y)

    direction = np.random.default_rng(2).normal(size=kernel.shape)
    slope = np.sum(jax.jit(jax.grad(phi))(jnp.asarray(kernel)) * direction)
    ahead, behind = (np.sum(loop(kernel + step * direction, s, padding, pool) * y) for step in (1e-6, -1e-6))
    np.testing.assert_allclose(slope, (ahead - behind) / 2e-6, rtol=1e-6)


@pytest.mark.parametrize("pool", ["none", "average"])
def test_complex_states(pool):
    kernel, s = case(7, 8, 3, dtype=np.complex128)
    prepared = prepare(jnp.asarray(kernel), padding=1, pool=pool)
    expected = loop(kernel, s, 1, pool)
    np.testing.assert_allclose(project(prepared, jnp.asarray(s)), expected, rtol=1e-12, atol=1e-12)
    assert_transpose(prepared, s, expected.shape)  # the product without conjugate: holomorphic


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.float32])
@pytest.mark.parametrize("pool", POOLS)
def test_states_keep_their_type(dtype, pool):
    kernel, s = case(7, 8, 3)
    prepared = prepare(jnp.asarray(kernel, dtype), padding=1, pool=pool)
    above = project(prepared, jnp.asarray(s, dtype))
    assert above.dtype == dtype and project_back(prepared, jnp.asarray(s, dtype), above).dtype == dtype
    error = np.abs(np.asarray(above, np.float64) - loop(kernel, s, 1, pool)).max()
    assert error < 64 * float(jnp.finfo(dtype).eps)


def test_ties_go_to_the_first_maximum_of_the_square():
    kernel = jnp.ones((1, 1, 1, 1))
    s = jnp.asarray([[0.0, 5, 1, 1], [5, 5, 1, 1], [2, 3, 4, 6], [3, 1, 6, 6]]).reshape(1, 4, 4, 1)
    prepared = prepare(kernel, padding=0, pool="max")
    back = project_back(prepared, s, jnp.asarray([[1.0, 2], [3, 4]]).reshape(1, 2, 2, 1))
    expected = [[0, 1, 2, 0], [0, 0, 0, 0], [0, 3, 0, 4], [0, 0, 0, 0]]
    np.testing.assert_array_equal(back.reshape(4, 4), expected)
    gradient = jax.grad(lambda x: project(prepared, x).sum())(s)
    np.testing.assert_array_equal(gradient.reshape(4, 4), np.asarray(expected) > 0)


def test_a_diverged_state_is_seen_through_the_maximum():
    s = jnp.asarray([[1.0, jnp.nan], [2.0, 3.0]]).reshape(1, 2, 2, 1)
    assert jnp.isnan(project(prepare(jnp.ones((1, 1, 1, 1)), padding=0, pool="max"), s)).all()


@pytest.mark.parametrize("kernel", [jnp.ones((3, 3, 1, 1)), jnp.ones((3, 3, 1, 1), jnp.complex64)])
def test_pooling_without_meaning_is_refused(kernel):
    with pytest.raises(ConfigError, match="pool"):
        prepare(kernel, padding=1, pool="max" if jnp.iscomplexobj(kernel) else "median")
