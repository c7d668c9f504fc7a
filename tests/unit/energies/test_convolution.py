"""Convolution with pooling against an obvious loop, its transpose, its gradient."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.core.errors import ConfigError
from eqspike.energies.backend import jax, jnp
from eqspike.energies.convolution import output_shape, prepare, project, project_back

POOLS = ("none", "average", "max")
GEOMETRIES = [(8, 8, 3, 1), (7, 7, 3, 1), (9, 6, 2, 0), (7, 8, 5, 2), (6, 7, 3, 2), (5, 5, 1, 0)]  # h, w, k, padding


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


@jax.jit
def both_ways(prepared, s, y):
    """Return the projection of ``s`` and the transpose of ``y``, compiled."""
    return project(prepared, s), project_back(prepared, s, y)


def assert_transpose(prepared, s: np.ndarray, expected: np.ndarray) -> None:
    """Check the projection, and <project(s), y> = <s, project_back(y)>: maximum pooling is piecewise linear too."""
    y = draw(np.random.default_rng(1), expected.shape, s.dtype.type)
    above, below = both_ways(prepared, jnp.asarray(s), jnp.asarray(y))
    np.testing.assert_allclose(above, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(np.sum(below * s), np.sum(expected * y), rtol=1e-12)  # no conjugate: holomorphic


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize(("height", "width", "k", "padding"), GEOMETRIES)
def test_both_ways_equal_the_loop(height, width, k, padding, pool):
    kernel, s = case(height, width, k)
    prepared, expected = prepare(jnp.asarray(kernel), padding=padding, pool=pool), loop(kernel, s, padding, pool)
    assert output_shape(prepared, height, width) == expected.shape[1:3]
    assert_transpose(prepared, s, expected)


@pytest.mark.parametrize("pool", ["average", "max"])
def test_squares_of_three(pool):
    kernel, s = case(10, 11, 3)
    assert_transpose(prepare(jnp.asarray(kernel), padding=1, pool=pool, size=3), s, loop(kernel, s, 1, pool, size=3))


@pytest.mark.parametrize("pool", POOLS)
def test_derivatives_by_state_and_kernel(pool):
    kernel, s = case(7, 7, 3)
    rng = np.random.default_rng(1)
    y, to_s, to_kernel = (rng.normal(size=shape) for shape in (loop(kernel, s, 1, pool).shape, s.shape, kernel.shape))

    @jax.jit
    def slopes(kernel, s, y):
        by_s = project_back(prepare(kernel, padding=1, pool=pool), s, y)
        by_kernel = jax.grad(lambda w: jnp.sum(project(prepare(w, padding=1, pool=pool), s) * y))(kernel)
        return jnp.sum(by_s * to_s), jnp.sum(by_kernel * to_kernel)

    measured = slopes(jnp.asarray(kernel), jnp.asarray(s), jnp.asarray(y))
    for slope, step_s, step_kernel in zip(measured, (1e-6 * to_s, 0), (0, 1e-6 * to_kernel), strict=True):
        ahead, behind = (np.sum(loop(kernel + d * step_kernel, s + d * step_s, 1, pool) * y) for d in (1, -1))
        np.testing.assert_allclose(slope, (ahead - behind) / 2e-6, rtol=1e-6)


@pytest.mark.parametrize("pool", ["none", "average"])
def test_complex_states(pool):
    kernel, s = case(7, 8, 3, dtype=np.complex128)
    assert_transpose(prepare(jnp.asarray(kernel), padding=1, pool=pool), s, loop(kernel, s, 1, pool))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
@pytest.mark.parametrize("pool", POOLS)
def test_states_keep_their_type(dtype, pool):
    kernel, s = case(7, 8, 3)
    expected = loop(kernel, s, 1, pool)
    prepared = prepare(jnp.asarray(kernel, dtype), padding=1, pool=pool)
    above, below = both_ways(prepared, jnp.asarray(s, dtype), jnp.asarray(expected, dtype))
    assert above.dtype == dtype and below.dtype == dtype
    assert np.abs(np.asarray(above, np.float64) - expected).max() < 64 * float(jnp.finfo(dtype).eps)


def test_ties_go_to_the_first_maximum_of_the_square():
    s = jnp.asarray([[0.0, 5, 1, 1], [5, 5, 1, 1], [2, 3, 4, 6], [3, 1, 6, 6]]).reshape(1, 4, 4, 1)
    prepared = prepare(jnp.ones((1, 1, 1, 1)), padding=0, pool="max")
    back = project_back(prepared, s, jnp.asarray([[1.0, 2], [3, 4]]).reshape(1, 2, 2, 1))
    expected = np.array([[0, 1, 2, 0], [0, 0, 0, 0], [0, 3, 0, 4], [0, 0, 0, 0]])
    np.testing.assert_array_equal(back.reshape(4, 4), expected)
    gradient = jax.grad(lambda x: project(prepared, x).sum())(s)
    np.testing.assert_array_equal(gradient.reshape(4, 4), expected > 0)


def test_a_diverged_state_is_seen_through_the_maximum():
    prepared = prepare(jnp.ones((1, 1, 1, 1)), padding=0, pool="max")
    for place in range(4):
        s = np.arange(4.0)
        s[place] = np.nan
        assert jnp.isnan(project(prepared, jnp.asarray(s).reshape(1, 2, 2, 1))).all()


@pytest.mark.parametrize(
    ("dtype", "pool", "padding", "field"),
    [("float32", "median", 1, "pool"), ("complex64", "max", 1, "pool"), ("float32", "none", 3, "padding")],
)
def test_what_has_no_meaning_is_refused(dtype, pool, padding, field):
    with pytest.raises(ConfigError) as error:
        prepare(jnp.ones((3, 3, 1, 1), dtype), padding=padding, pool=pool)
    assert error.value.field == field
