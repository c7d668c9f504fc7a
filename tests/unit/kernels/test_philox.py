"""Philox4x32-10: published known answers, the twin on Python integers, and streams that keep apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import philox as twin

from eqspike.kernels.philox import philox4x32, uniforms

pytestmark = pytest.mark.kernels
WORDS = st.integers(0, 2**32 - 1)

# From the kat_vectors of the Random123 library (Salmon et al., SC 2011): counter, key, answer.
KNOWN = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def words(text: str) -> tuple[int, ...]:
    return tuple(int(word, 16) for word in text.split())


def compiled(counter, key) -> tuple[int, ...]:
    return tuple(int(word) for word in philox4x32(*(np.uint64(word) for word in (*counter, *key))))


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_known_answers(counter: str, key: str, answer: str) -> None:
    assert compiled(words(counter), words(key)) == words(answer)
    assert twin.philox4x32(words(counter), words(key)) == words(answer)


@given(counter=st.tuples(WORDS, WORDS, WORDS, WORDS), key=st.tuples(WORDS, WORDS))
def test_equals_the_twin(counter: tuple, key: tuple) -> None:
    assert compiled(counter, key) == twin.philox4x32(counter, key)


@given(
    seed=st.integers(0, 2**63 - 1),
    purpose=st.integers(0, 20),
    index=st.integers(0, 2**62),
    draw=st.integers(0, 2**32 - 1),
)
def test_uniforms_use_all_bits_of_their_key(seed: int, purpose: int, index: int, draw: int) -> None:
    assert list(uniforms(seed, purpose, index, draw)) == twin.uniforms(seed, purpose, index, draw)


def test_uniforms_are_uniform_in_their_half_open_interval() -> None:
    drawn = np.array([uniforms(3, 1, index, 0) for index in range(5000)])
    assert drawn.min() > 0
    assert drawn.max() <= 1
    counts = np.histogram(drawn, 20, (0, 1))[0]
    assert np.sum((counts - 1000) ** 2 / 1000) < 43.8  # chi squared, 19 degrees of freedom, 0.1 %
    assert np.all(np.abs(np.corrcoef(drawn.T) - np.eye(4)) < 4 / np.sqrt(5000))
