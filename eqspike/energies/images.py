"""Images before they enter a network: normalised, padded, and cropped and mirrored at random."""

from __future__ import annotations

import numpy as np

from eqspike.energies.backend import jax, jnp

_MODES = {"edge": "edge", "zero": "constant"}
_PRNG = "threefry2x32"  # named, so that another default of JAX's cannot change what a seed means


def normalise(images: jax.Array, mean: tuple[float, ...], std: tuple[float, ...]) -> jax.Array:
    """Return ``(images - mean) / std``, channel by channel.

    Parameters
    ----------
    images : (batch, height, width, channels) float.
    mean, std : one number per channel.
    """
    return (images - jnp.asarray(mean, images.dtype)) / jnp.asarray(std, images.dtype)


def pad_to(images: jax.Array, size: int) -> jax.Array:
    """Return the images with zeros around them, ``size`` x ``size``; where it is odd, one more below and to the right.

    Parameters
    ----------
    images : (batch, height, width, channels), height and width at most ``size``.
    """
    borders = [(missing // 2, missing - missing // 2) for missing in (size - extent for extent in images.shape[1:3])]
    return jnp.pad(images, [(0, 0), *borders, (0, 0)])


def augment(images: jax.Array, key_indices: jax.Array, seed: int, *, pad: int, fill: str, flip: bool) -> jax.Array:
    """Return each image shifted at random by up to ``pad`` pixels and, with ``flip``, mirrored half of the time.

    An image x, padded by ``pad`` pixels on each side, becomes

        out[i, j] = padded[i + top, j + left],    or mirrored    out[i, j] = padded[i + top, width - 1 - j + left]

    with top and left uniform on 0 .. 2 ``pad``, independent. The draws depend on ``seed`` and on the image's own index
    alone, so that the batch it comes in changes nothing.

    Parameters
    ----------
    images : (batch, height, width, channels).
    key_indices : (batch,) int32 or uint32, the number of each presentation.
    seed : 0 <= seed < 2**63, a Python integer.
    pad : at most this many pixels are shifted in from beyond the border, >= 0.
    fill : what lies beyond the border: ``"edge"`` repeats the outermost pixels, ``"zero"`` is 0.
    flip : whether images are mirrored left to right.
    """
    draws = _draws(key_indices, seed)
    offsets = (draws[:, :2] % (2 * pad + 1)).astype(jnp.int32)
    batch, height, width, _ = images.shape
    rows, columns = (jnp.arange(extent, dtype=jnp.int32)[None] for extent in (height, width))
    if flip:
        columns = jnp.where(draws[:, 2:] % 2 == 1, width - 1 - columns, columns)
    rows, columns = rows + offsets[:, :1], columns + offsets[:, 1:]
    padded = jnp.pad(images, ((0, 0), (pad, pad), (pad, pad), (0, 0)), mode=_MODES[fill])
    # One gather: on a CPU several times faster than a slice and a mirror image for each.
    return padded[jnp.arange(batch, dtype=jnp.int32)[:, None, None], rows[:, :, None], columns[:, None, :]]


def _draws(key_indices: jax.Array, seed: int) -> jax.Array:
    """Return (batch, 3) uint32, a row of random bits for each index."""
    words = np.array(divmod(seed, 2**32), np.uint32)  # what jax.random.key makes of a 64-bit seed, without 64-bit mode
    key = jax.random.wrap_key_data(jnp.asarray(words), impl=_PRNG)
    return jax.vmap(lambda index: jax.random.bits(jax.random.fold_in(key, index), (3,), jnp.uint32))(key_indices)
