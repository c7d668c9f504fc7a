from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from eqspike.energies.backend import jax, jnp
from eqspike.energies.images import augment, normalise, pad_to

FILLS = {"edge": "edge", "zero": "constant"}


def noise(*shape, dtype=np.float32):
    return np.random.default_rng(1).random(shape).astype(dtype)


def indices(*values):
    return jnp.asarray(values, jnp.int32)


def threefry(key, counter):
    """Threefry-2x32 with 20 rounds (Salmon et al. 2011, doi:10.1145/2063384.2063405), on Python integers."""
    mask, rotations = 2**32 - 1, ((13, 15, 26, 6), (17, 29, 16, 24))
    words = (*key, key[0] ^ key[1] ^ 0x1BD11BDA)
    a, b = (counter[0] + words[0]) & mask, (counter[1] + words[1]) & mask
    for block in range(5):
        for turn in rotations[block % 2]:
            a = (a + b) & mask
            b = a ^ ((b << turn | b >> (32 - turn)) & mask)
        a, b = (a + words[(block + 1) % 3]) & mask, (b + words[(block + 2) % 3] + block + 1) & mask
    return a, b


def draws(seed, index):
    """Top, left and mirror bits of a presentation: the seed's key, folded with the index, counted from 0 to 2."""
    key = threefry(divmod(seed, 2**32), (0, index))
    return [a ^ b for a, b in (threefry(key, (0, count)) for count in range(3))]


def twin(images, key_indices, seed, *, pad, fill, flip):
    """One image after the other: padded, cropped, mirrored."""
    height, width = images.shape[1:3]
    out = []
    for image, index in zip(images, key_indices, strict=True):
        bits = draws(seed, index)
        top, left = bits[0] % (2 * pad + 1), bits[1] % (2 * pad + 1)
        padded = np.pad(image, ((pad, pad), (pad, pad), (0, 0)), mode=FILLS[fill])
        crop = padded[top : top + height, left : left + width]
        out.append(crop[:, ::-1] if flip and bits[2] % 2 else crop)
    return np.stack(out)


def test_the_twins_generator_is_threefry():
    """Known answers of Random123, the authors' own library."""
    assert threefry((0, 0), (0, 0)) == (0x6B200159, 0x99BA4EFE)
    assert threefry((2**32 - 1,) * 2, (2**32 - 1,) * 2) == (0x1CB996FC, 0xBB002BE7)
    assert threefry((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3)) == (0xC4923A9C, 0x483DF7A0)


class TestNormalise:
    @pytest.mark.parametrize("dtype", [np.float16, np.float32])
    def test_each_channel_by_its_own_mean_and_deviation(self, dtype):
        images = noise(3, 2, 4, 3, dtype=dtype)
        got = normalise(jnp.asarray(images, dtype), (0.5, 0.25, 0.0), (0.5, 0.25, 2.0))
        assert got.dtype == dtype
        expected = [2 * images[..., 0] - 1, 4 * images[..., 1] - 1, images[..., 2] / 2]
        np.testing.assert_allclose(got, np.stack(expected, -1), rtol=1e-6, atol=0)

    def test_the_images_own_moments_give_mean_0_and_deviation_1(self):
        images = noise(50, 8, 8, 2) * [1, 0.1]
        mean, std = images.mean((0, 1, 2)), images.std((0, 1, 2))
        got = np.asarray(normalise(jnp.asarray(images, jnp.float32), tuple(mean), tuple(std)), np.float64)
        np.testing.assert_allclose(got.mean((0, 1, 2)), 0, atol=1e-5)
        np.testing.assert_allclose(got.std((0, 1, 2)), 1, rtol=1e-5)


class TestPadTo:
    @pytest.mark.parametrize("height, width, size, top, left", [(28, 28, 32, 2, 2), (5, 4, 8, 1, 2), (3, 3, 3, 0, 0)])
    def test_the_image_stays_in_the_middle_of_zeros(self, height, width, size, top, left):
        images = noise(2, height, width, 3) + 1
        expected = np.zeros((2, size, size, 3), np.float32)
        expected[:, top : top + height, left : left + width] = images
        got = pad_to(jnp.asarray(images, jnp.float32), size)
        assert got.dtype == np.float32
        np.testing.assert_array_equal(got, expected)


class TestAugment:
    @pytest.mark.parametrize("flip", [False, True])
    @pytest.mark.parametrize("fill", ["edge", "zero"])
    @pytest.mark.parametrize("pad", [0, 1, 4])
    def test_agrees_with_the_twin(self, pad, fill, flip):
        images, keys = noise(24, 6, 5, 3), [*range(20), 49_999, 10**7, 2**31 - 1, 7]
        for seed in (0, 3, 2**31 + 5, 2**63 - 1):
            got = augment(jnp.asarray(images, jnp.float32), indices(*keys), seed, pad=pad, fill=fill, flip=flip)
            assert got.dtype == np.float32
            np.testing.assert_array_equal(got, twin(images, keys, seed, pad=pad, fill=fill, flip=flip))

    def test_the_same_compiled_in_64_bit_mode_and_with_unsigned_indices(self):
        images, keys = noise(8, 6, 6, 1), np.arange(5, 13)
        expected = twin(images, keys.tolist(), 9, pad=2, fill="edge", flip=True)
        compiled = jax.jit(partial(augment, seed=9, pad=2, fill="edge", flip=True))
        np.testing.assert_array_equal(
            compiled(jnp.asarray(images, jnp.float32), jnp.asarray(keys, jnp.uint32)), expected
        )
        with jax.enable_x64(True):
            got = compiled(jnp.asarray(images, jnp.float64), jnp.asarray(keys, jnp.int32))
            assert got.dtype == np.float64
            np.testing.assert_array_equal(got, expected.astype(np.float64))

    def test_another_default_generator_changes_nothing(self):
        images = jnp.asarray(noise(8, 6, 6, 1), jnp.float32)
        expected = augment(images, indices(*range(8)), 4, pad=2, fill="zero", flip=True)
        with jax.default_prng_impl("rbg"):
            got = augment(images, indices(*range(8)), 4, pad=2, fill="zero", flip=True)
        np.testing.assert_array_equal(got, expected)

    def test_the_batch_that_an_image_is_in_changes_nothing(self):
        images, keys = jnp.asarray(noise(12, 6, 6, 2), jnp.float32), indices(*range(100, 112))
        enlarge = partial(augment, seed=1, pad=3, fill="zero", flip=True)
        whole = np.asarray(enlarge(images, keys))
        order = np.array([7, 2, 11, 0])
        np.testing.assert_array_equal(enlarge(images[order], keys[order]), whole[order])
        np.testing.assert_array_equal(enlarge(images[5:6], keys[5:6]), whole[5:6])

    def test_each_presentation_of_an_image_is_drawn_anew(self):
        images = jnp.asarray(np.repeat(noise(1, 9, 9, 1), 40, axis=0), jnp.float32)
        first = np.asarray(augment(images, indices(*range(40)), 1, pad=4, fill="zero", flip=True))
        other_seed = np.asarray(augment(images, indices(*range(40)), 2, pad=4, fill="zero", flip=True))
        assert len({image.tobytes() for image in first}) > 30  # of 40 draws out of 162: 4.5 repeats are expected
        assert np.mean([(a == b).all() for a, b in zip(first, other_seed, strict=True)]) < 0.2

    def test_shifts_are_uniform_and_independent_of_the_mirror(self):
        """A single bright pixel shows where the crop was and whether it was mirrored; 5 sigma of the binomial."""
        pad, n = 1, 18_000
        image = np.zeros((1, 4, 7, 1), np.float32)
        image[0, 1, 1] = 1
        images = jnp.asarray(np.broadcast_to(image, (n, 4, 7, 1)), jnp.float32)
        got = augment(images, jnp.arange(n, dtype=jnp.int32), 5, pad=pad, fill="zero", flip=True)
        places = np.asarray(got).reshape(n, -1).argmax(axis=1)
        counts = np.zeros((4, 7), int)
        np.add.at(counts, np.divmod(places, 7), 1)
        assert counts[:3].sum() == n and counts[:, [0, 1, 2, 4, 5, 6]].sum() == n
        share = n / 18
        assert (np.abs(counts[:3, [0, 1, 2, 4, 5, 6]] - share) < 5 * np.sqrt(share)).all()

    def test_without_flip_nothing_is_mirrored_and_the_shifts_are_the_same(self):
        images = jnp.asarray(noise(30, 5, 5, 1), jnp.float32)
        plain, either = (
            np.asarray(augment(images, indices(*range(30)), 8, pad=2, fill="edge", flip=flip)) for flip in (False, True)
        )
        mirrored = np.array([bool(draws(8, index)[2] % 2) for index in range(30)])
        assert 0 < mirrored.sum() < 30
        np.testing.assert_array_equal(either[~mirrored], plain[~mirrored])
        np.testing.assert_array_equal(either[mirrored], plain[mirrored][:, :, ::-1])

    def test_an_unknown_fill_is_no_fill(self):
        with pytest.raises(KeyError):
            augment(jnp.zeros((1, 2, 2, 1), jnp.float32), indices(0), 0, pad=1, fill="mirror", flip=False)
