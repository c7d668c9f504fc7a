"""Random streams belong to (seed, purpose, index) and to nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike.core.rng import Purpose, stream


def test_a_stream_repeats() -> None:
    assert np.array_equal(stream(5, Purpose.SHUFFLE, 2).random(9), stream(5, Purpose.SHUFFLE, 2).random(9))


@pytest.mark.parametrize("other", [(6, Purpose.SHUFFLE, 2), (5, Purpose.SPLIT, 2), (5, Purpose.SHUFFLE, 3)])
def test_streams_of_other_keys_share_no_number(other: tuple) -> None:
    ours, theirs = stream(5, Purpose.SHUFFLE, 2).random(1000), stream(*other).random(1000)
    assert not set(ours) & set(theirs)


def test_purposes_are_distinct_and_never_renumbered() -> None:
    """Stored runs resume only while a purpose keeps its number."""
    known = {"WEIGHTS": 1, "SHUFFLE": 2, "NUDGE_SIGN": 3, "INPUT_SPIKES": 4, "PROTOCOL": 5, "SPLIT": 6}
    assert {purpose.name: purpose.value for purpose in Purpose}.items() >= known.items()
    assert len(set(map(int, Purpose))) == len(Purpose)
