"""Input spike trains drawn pixel by pixel, as a table of zeros and ones."""

from __future__ import annotations

import numpy as np

from reference.philox import uniforms


def regular_train(rate: float, phase: float, steps: int) -> np.ndarray:
    """Let a counter that starts at ``phase`` gain ``rate`` a step; spike where it reaches a whole number."""
    counter = np.ceil(phase + rate * np.arange(steps + 1))
    return np.diff(counter).astype(np.int64)


def poisson_train(rate: float, draws, steps: int) -> np.ndarray:
    """Spike after gaps of g silent steps, g the least number with (1 - rate)^(g + 1) below the next uniform number."""
    train = np.zeros(steps, np.int64)
    if rate == 1:
        return train + 1
    step = -1
    while True:
        u, gap = next(draws), 0
        while u <= (1 - rate) ** (gap + 1):
            gap += 1
            if step + 1 + gap >= steps:
                return train
        step += 1 + gap
        if step >= steps:
            return train
        train[step] = 1


def numbers_of_pixel(seed: int, purpose: int, index: int, pixel: int):
    """Yield the uniform numbers of a pixel's Poisson train, four a draw."""
    draw = 0
    while True:
        yield from uniforms(seed, purpose + 256 * draw, index, pixel)
        draw += 1


def spike_trains(image, kind: str, max_rate: float, steps: int, seed: int, purpose: int, index: int) -> np.ndarray:
    """Return the spikes (steps, n_pixels) of one presentation of ``image``."""
    trains = np.zeros((steps, len(image)), np.int64)
    for pixel, brightness in enumerate(image):
        rate = max_rate * float(brightness)
        if rate == 0:
            continue
        if kind == "regular":
            phase = uniforms(seed, purpose, index, pixel // 4)[pixel % 4]
            trains[:, pixel] = regular_train(rate, phase, steps)
        else:
            trains[:, pixel] = poisson_train(rate, numbers_of_pixel(seed, purpose, index, pixel), steps)
    return trains
