"""The exact gradient of a settled network of real states (setting A), by time reversal in double precision."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Arrays = list[np.ndarray]


def drives(weights: Sequence[np.ndarray], biases: Sequence[np.ndarray], layers: Arrays) -> Arrays:
    """Return h of every layer above the input; ``layers`` (batch, n) start with the input."""
    h = [layers[k] @ w + b for k, (w, b) in enumerate(zip(weights, biases, strict=True))]
    for k in range(1, len(weights)):
        h[k - 1] = h[k - 1] + layers[k + 1] @ weights[k].T
    return h


def trajectory(weights: Sequence[np.ndarray], biases: Sequence[np.ndarray], x: np.ndarray, steps: int) -> list[Arrays]:
    """Return all layers before and after each of ``steps`` free steps s <- clip(h, 0, 1), which start at 0."""
    path = [[x, *(np.zeros((len(x), b.size)) for b in biases)]]
    for _ in range(steps):
        path.append([x, *(np.clip(h, 0, 1) for h in drives(weights, biases, path[-1]))])
    return path


def loss(output: np.ndarray, y: np.ndarray) -> float:
    """Return 1/2 |output - y|^2, mean over the batch."""
    return 0.5 * float(((output - y) ** 2).sum()) / len(y)


def gradient(
    weights: Sequence[np.ndarray], biases: Sequence[np.ndarray], x: np.ndarray, y: np.ndarray, *, steps: int, last: int,
    error_passes: bool = False,
) -> tuple[Arrays, Arrays]:  # fmt: skip
    """Return dL/dW (n_pre, n_post) and dL/db of every projection, L the loss after ``steps`` free steps.

    ``weights`` are real numbers, alpha sign, and ``x`` (batch, n_pixels) lies in [0, 1]. Only the ``last`` steps are
    gone back through: what came before counts as given. The slope of clip is 0 beyond the bounds; ``error_passes`` lets
    the loss itself, as a nudge beside clip does, reach an output that stands there.
    """
    path = trajectory(weights, biases, x, steps)
    by_weight, by_bias = [np.zeros_like(w) for w in weights], [np.zeros_like(b) for b in biases]
    by_layer = [np.zeros_like(s) for s in path[-1]]
    by_layer[-1] = (path[-1][-1] - y) / len(y)
    for before in reversed(path[steps - last : steps]):
        h = drives(weights, biases, before)
        by_drive = [g * ((h_k >= 0) & (h_k <= 1)) for g, h_k in zip(by_layer[1:], h, strict=True)]
        if error_passes and before is path[steps - 1]:
            by_drive[-1] = by_layer[-1]
        by_layer = [np.zeros_like(s) for s in before]
        for k, w in enumerate(weights):
            by_weight[k] += before[k].T @ by_drive[k]
            by_bias[k] += by_drive[k].sum(axis=0)
            by_layer[k] += by_drive[k] @ w.T
        for k in range(1, len(weights)):
            by_weight[k] += by_drive[k - 1].T @ before[k + 1]
            by_layer[k + 1] += by_drive[k - 1] @ weights[k]
    return by_weight, by_bias
