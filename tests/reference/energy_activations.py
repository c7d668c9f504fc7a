"""Activations of energy-based networks: sigma, its slope, its inverse and the integral of its inverse.

All take real or complex arrays; a comparison looks at the real part, so a small imaginary part carries a derivative.
At the corners of a clip the slope is that of the inside: a unit that rests on a wall can leave it.
"""

from __future__ import annotations

import numpy as np


def clip01(x: np.ndarray) -> np.ndarray:
    """Hold x in [0, 1]; the imaginary part survives inside only."""
    return np.where(np.real(x) < 0, 0.0, np.where(np.real(x) > 1, 1.0, x))


def _inside(x: np.ndarray, top: float) -> np.ndarray:
    return np.where((np.real(x) >= 0) & (np.real(x) <= top), 1.0 / top, 0.0)


def _logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-4 * (x - 0.5)))


def _minus_entropy(s: np.ndarray) -> np.ndarray:
    return s * np.log(s) + (1 - s) * np.log(1 - s)


SIGMA = {
    "sigmoid": _logistic,
    "hard-sigmoid": clip01,
    "half-hard-sigmoid": lambda x: clip01(x / 2),
    "tanh": np.tanh,
    "identity": lambda x: x,
}
SLOPE = {
    "sigmoid": lambda x: 4 * _logistic(x) * (1 - _logistic(x)),
    "hard-sigmoid": lambda x: _inside(x, 1.0),
    "half-hard-sigmoid": lambda x: _inside(x, 2.0),
    "tanh": lambda x: 1 - np.tanh(x) ** 2,
    "identity": lambda x: np.ones_like(x),
}
INVERSE = {
    "sigmoid": lambda s: 0.5 + 0.25 * np.log(s / (1 - s)),
    "hard-sigmoid": lambda s: s,
    "half-hard-sigmoid": lambda s: 2 * s,
    "tanh": np.arctanh,
    "identity": lambda s: s,
}
INTEGRAL_OF_INVERSE = {
    "sigmoid": lambda s: 0.5 * s + 0.25 * _minus_entropy(s),
    "hard-sigmoid": lambda s: 0.5 * s**2,
    "half-hard-sigmoid": lambda s: s**2,
    "tanh": lambda s: s * np.arctanh(s) + 0.5 * np.log(1 - s**2),
    "identity": lambda s: 0.5 * s**2,
}
