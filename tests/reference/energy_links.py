"""Links between two layers: dense, and convolution with pooling as one explicit sum of products."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Dense:
    """<pre W, post>; weight and backward are (n_pre, n_post), a backward of None ties the way down to the way up."""

    weight: np.ndarray
    backward: np.ndarray | None = None

    def arrays(self) -> list[np.ndarray]:
        return [self.weight] if self.backward is None else [self.weight, self.backward]

    def like(self, arrays: list[np.ndarray]) -> Dense:
        return Dense(*arrays)

    def up(self, pre: np.ndarray) -> np.ndarray:
        """What post receives: (batch, n_post)."""
        return pre.reshape(len(pre), -1) @ self.weight

    def down(self, pre: np.ndarray, post: np.ndarray) -> np.ndarray:
        """What pre receives, in the shape of pre."""
        return (post @ (self.weight if self.backward is None else self.backward).T).reshape(pre.shape)

    def outer(self, pre: np.ndarray, post: np.ndarray) -> np.ndarray:
        """d <pre W, post> / dW, mean over the batch."""
        return pre.reshape(len(pre), -1).T @ post / len(pre)


@dataclass(frozen=True)
class Convolution:
    """<pool(weight * pre), post>; weight (k, k, c_in, c_out), stride 1, zeros around; 2x2 pool "max", "average", None.

    The link is one sum over taps and kernel places, share x pre x weight x post: ``up``, ``down`` and ``outer`` are
    that sum with one factor left out. A maximum that is reached twice is taken at its first place, row by row.
    """

    weight: np.ndarray
    padding: int = 0
    pool: str | None = None

    def arrays(self) -> list[np.ndarray]:
        return [self.weight]

    def like(self, arrays: list[np.ndarray]) -> Convolution:
        return Convolution(arrays[0], self.padding, self.pool)

    def up(self, pre: np.ndarray) -> np.ndarray:
        return self._pooled(self._convolved(pre))

    def down(self, pre: np.ndarray, post: np.ndarray) -> np.ndarray:
        k, p = len(self.weight), self.padding
        received = np.zeros_like(self._padded(pre), dtype=np.result_type(pre, post, self.weight))
        for (b, i, j, c), row, col, share in self._taps(self._convolved(pre)):
            received[b, row : row + k, col : col + k] += share * self.weight[..., c] * post[b, i, j, c]
        return received[:, p : p + pre.shape[1], p : p + pre.shape[2]]

    def outer(self, pre: np.ndarray, post: np.ndarray) -> np.ndarray:
        k, padded = len(self.weight), self._padded(pre)
        gradient = np.zeros_like(self.weight, dtype=np.result_type(pre, post, self.weight))
        for (b, i, j, c), row, col, share in self._taps(self._convolved(pre)):
            gradient[..., c] += share * padded[b, row : row + k, col : col + k] * post[b, i, j, c]
        return gradient / len(pre)

    def _padded(self, pre: np.ndarray) -> np.ndarray:
        p = self.padding
        return np.pad(pre, ((0, 0), (p, p), (p, p), (0, 0)))

    def _convolved(self, pre: np.ndarray) -> np.ndarray:
        padded, k = self._padded(pre), len(self.weight)
        batch, height, width, _ = padded.shape
        shape = (batch, height - k + 1, width - k + 1, self.weight.shape[-1])
        out = np.zeros(shape, dtype=np.result_type(pre, self.weight))
        for b, row, col, c in np.ndindex(shape):
            out[b, row, col, c] = np.sum(padded[b, row : row + k, col : col + k] * self.weight[..., c])
        return out

    def _pooled(self, full: np.ndarray) -> np.ndarray:
        out = np.zeros(self._pooled_shape(full), dtype=full.dtype)
        for (b, i, j, c), row, col, share in self._taps(full):
            out[b, i, j, c] += share * full[b, row, col, c]
        return out

    def _pooled_shape(self, full: np.ndarray) -> tuple[int, ...]:
        batch, height, width, channels = full.shape
        return full.shape if self.pool is None else (batch, height // 2, width // 2, channels)

    def _taps(self, full: np.ndarray) -> Iterator[tuple]:
        """Yield (place in the pooled map, row and column in the full map, share of that pixel)."""
        for b, i, j, c in np.ndindex(self._pooled_shape(full)):
            if self.pool is None:
                yield (b, i, j, c), i, j, 1.0
                continue
            window = [(2 * i + di, 2 * j + dj) for di in range(2) for dj in range(2)]
            if self.pool == "max":
                window = [max(window, key=lambda at: full[b, at[0], at[1], c].real)]
            for row, col in window:
                yield (b, i, j, c), row, col, 1.0 / len(window)
