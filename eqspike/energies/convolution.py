"""Convolution and pooling between two layers: the projection, its transpose and the weights prepared for both.

Average pooling is linear and commutes with the convolution, so the layer below is smoothed first and the kernel is
applied only where the pooled map needs it: size^2 times fewer products than convolving and then pooling.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from eqspike.core.errors import ConfigError
from eqspike.energies.backend import jax, jnp

Pool = Literal["none", "average", "max"]
_LAYOUT = ("NHWC", "HWIO", "NHWC")


@dataclass(frozen=True)
class Prepared:
    """A kernel for both directions and the geometry of its projection; an array tree, so it passes through ``jit``.

    Parameters
    ----------
    kernel : (k, k, c_in, c_out), the mean's 1/size^2 folded in.
    transposed : (k, k, c_out, c_in), the same, mirrored.
    padding : rows and columns of zeros around the layer below.
    pool, size : how the convolved map is pooled, and over squares of what side (1: not at all).
    """

    kernel: jax.Array
    transposed: jax.Array
    padding: int
    pool: Pool
    size: int


jax.tree_util.register_dataclass(Prepared, ["kernel", "transposed"], ["padding", "pool", "size"])


def prepare(kernel: jax.Array, *, padding: int, pool: Pool = "none", size: int = 2) -> Prepared:
    """Return what `project` and `project_back` need of a kernel; differentiable with respect to it.

    Parameters
    ----------
    kernel : (k, k, c_in, c_out).
    padding : rows and columns of zeros on each side of the layer below, fewer than k.
    pool : "none", "average" or "max" over squares of ``size``, stride ``size``, an incomplete border dropped.

    Raises
    ------
    ConfigError : unknown pooling; maximum pooling of complex states; padding as wide as the kernel.

    Notes
    -----
    Call it outside a settling loop: mirroring the kernel inside one costs XLA's fast convolutions.
    """
    if pool not in ("none", "average", "max"):
        raise ConfigError(f"unknown pooling {pool!r}.", field="pool", remedy="Use none, average or max.")
    if pool == "max" and jnp.iscomplexobj(kernel):
        raise ConfigError("complex numbers have no maximum.", field="pool", remedy="Use average pooling.")
    if not 0 <= padding < kernel.shape[0]:
        raise ConfigError(
            f"padding {padding} does not fit a kernel of {kernel.shape[0]}.",
            field="padding",
            remedy=f"Use 0 to {kernel.shape[0] - 1}.",
        )
    if pool == "average":
        kernel = kernel * jnp.asarray(1 / size**2, kernel.dtype)
    # XLA would fold the mirroring into each convolution, and its convolutions with mirrored windows are slow.
    transposed = jax.lax.optimization_barrier(kernel[::-1, ::-1].swapaxes(2, 3))
    return Prepared(kernel, transposed, padding, pool, 1 if pool == "none" else size)


def output_shape(prepared: Prepared, height: int, width: int) -> tuple[int, int]:
    """Return the (height, width) of the layer above for a layer below of (height, width)."""
    grown = 2 * prepared.padding - prepared.kernel.shape[0] + 1
    return (height + grown) // prepared.size, (width + grown) // prepared.size


def project(prepared: Prepared, s_pre: jax.Array) -> jax.Array:
    """Return pool(kernel * s_pre), (batch, height', width', c_out), of ``s_pre`` (batch, height, width, c_in)."""
    if prepared.pool == "max":
        return _first_maximum(_squares(prepared, s_pre))[0]
    return _convolve(prepared, s_pre, prepared.size)


def project_back(prepared: Prepared, s_pre: jax.Array, s_post: jax.Array) -> jax.Array:
    """Return d/d s_pre of <pool(kernel * s_pre), s_post>, shaped like ``s_pre``.

    Maximum pooling sends ``s_post`` to the first maximum, row by row, of each square of ``kernel * s_pre`` (which a
    compiler computes once for both directions); linear pooling needs only the shape of ``s_pre``.
    """
    shape = s_pre.shape[1:3]
    if prepared.pool != "max":
        return _convolve_back(prepared, s_post, shape, prepared.size)
    winner = _first_maximum(_squares(prepared, s_pre))[1]
    return _convolve_back(prepared, _unpool(winner, s_post, prepared.size), shape, 1)


def _convolve(prepared: Prepared, s_pre: jax.Array, stride: int) -> jax.Array:
    """Smooth over squares of side ``stride``, then apply the kernel at every ``stride``-th place."""
    edge = (prepared.padding, prepared.padding)
    smooth = _smooth(jnp.pad(s_pre, ((0, 0), edge, edge, (0, 0))), stride)
    return jax.lax.conv_general_dilated(smooth, prepared.kernel, (stride, stride), "VALID", dimension_numbers=_LAYOUT)


def _convolve_back(prepared: Prepared, s_post: jax.Array, shape: tuple[int, ...], stride: int) -> jax.Array:
    """Transpose `_convolve`: spread each value over its patch, then over its square, of a map of ``shape``."""
    before = prepared.kernel.shape[0] + stride - 2 - prepared.padding
    edges = [
        (before, below + prepared.padding - stride * (above - 1) - 1)
        for below, above in zip(shape, s_post.shape[1:3], strict=True)
    ]
    spread = jax.lax.conv_general_dilated(
        s_post, prepared.transposed, (1, 1), edges, lhs_dilation=(stride, stride), dimension_numbers=_LAYOUT
    )
    return _smooth(spread, stride)


def _smooth(x: jax.Array, size: int) -> jax.Array:
    """Sum every square of side ``size``, at every place where one fits."""
    rows, columns = x.shape[1] - size + 1, x.shape[2] - size + 1
    x = sum(x[:, shift : shift + rows] for shift in range(size))
    return sum(x[:, :, shift : shift + columns] for shift in range(size))


def _squares(prepared: Prepared, s_pre: jax.Array) -> list[jax.Array]:
    """Return the convolved map's values at each place of its pooling squares, row by row."""
    size = prepared.size
    height, width = output_shape(prepared, *s_pre.shape[1:3])
    convolved = _convolve(prepared, s_pre, 1)[:, : size * height, : size * width]
    return [convolved[:, row::size, column::size] for row in range(size) for column in range(size)]


def _first_maximum(candidates: list[jax.Array]) -> tuple[jax.Array, jax.Array]:
    """Return the largest candidate, NaN before all, and the index of the first that has it."""
    best, winner = candidates[0], jnp.zeros(candidates[0].shape, jnp.int8)
    for index, candidate in enumerate(candidates[1:], start=1):
        better = (candidate > best) | jnp.isnan(candidate)
        best, winner = jnp.where(better, candidate, best), jnp.where(better, jnp.int8(index), winner)
    return best, winner


def _unpool(winner: jax.Array, s_post: jax.Array, size: int) -> jax.Array:
    """Put each value at the winner's place of its square, zeros elsewhere: (batch, size * height, size * width, c)."""
    batch, height, width, channels = s_post.shape
    places = [jnp.where(winner == index, s_post, 0) for index in range(size * size)]
    rows = [jnp.stack(places[row * size : (row + 1) * size], axis=3) for row in range(size)]
    return jnp.stack(rows, axis=2).reshape(batch, size * height, size * width, channels)
