"""Philox4x32-10 on Python integers (Salmon et al., SC 2011, doi:10.1145/2063384.2063405)."""

from __future__ import annotations

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
WORD = 2**32


def philox4x32(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the four words that ten rounds make of ``counter`` under ``key``."""
    for number in range(10):
        keys = [(k + number * weyl) % WORD for k, weyl in zip(key, WEYL, strict=True)]
        high0, low0 = divmod(MULTIPLIERS[0] * counter[0], WORD)
        high1, low1 = divmod(MULTIPLIERS[1] * counter[2], WORD)
        counter = (high1 ^ counter[1] ^ keys[0], low1, high0 ^ counter[3] ^ keys[1], low0)
    return counter


def uniforms(seed: int, purpose: int, index: int, draw: int) -> list[float]:
    """Return the four numbers in (0, 1] at position ``draw`` of the stream (seed, purpose, index)."""
    words = philox4x32((index % WORD, index // WORD, draw, purpose), (seed % WORD, seed // WORD))
    return [(word + 1) / WORD for word in words]
