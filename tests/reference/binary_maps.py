"""Convolutional binary networks told slowly: tap by tap, every sum at every step, dense layers on top.

Maps are (batch, H, W, channels), kernels of signs (k, k, c_in, c_out), the stride is 1; the largest of each F x F
square is kept, the first of equals in row-major order, and rows and columns left over are dropped. A channel's scale is
a whole number of quanta, alpha_c = q_c 2^-20, and greater than 0, so the largest is found among the sums of signs:

    P = pool(u_{k-1} * sign_{k-1})          h_k = alpha_c P + bias_k + transposed convolution of unpool(u_{k+1})

In setting B both directions are exact integer sums, q_c within the one down. After the convolutional networks of
Laydevant et al. (2021), arXiv:2103.08953: setting A starts at 1/2 and leaves the nudged output unclipped, setting B is
nudged by the free output's error all along, and signs flip at the threshold too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from reference.binary import Flips, classes_won, one_hot

QUANTUM = 2.0**-20
States = list[np.ndarray]


def padded(maps: np.ndarray, padding: int) -> np.ndarray:
    """Return the maps with ``padding`` zeros on all four sides."""
    return np.pad(maps, ((0, 0), (padding, padding), (padding, padding), (0, 0)))


def convolved(maps: np.ndarray, kernel: np.ndarray, padding: int) -> np.ndarray:
    """Return sum_{a,b,i} kernel[a, b, i, o] maps[n, y + a - padding, x + b - padding, i] (batch, H', W', c_out)."""
    wide, (k, _, _, c_out) = padded(maps, padding), kernel.shape
    rows, columns = wide.shape[1] - k + 1, wide.shape[2] - k + 1
    sums = np.zeros((len(maps), rows, columns, c_out), np.result_type(maps, kernel))
    for a in range(k):
        for b in range(k):
            sums += wide[:, a : a + rows, b : b + columns] @ kernel[a, b]
    return sums


def convolved_back(maps: np.ndarray, kernel: np.ndarray, padding: int) -> np.ndarray:
    """Return sum_{a,b,o} kernel[a, b, i, o] maps[n, y + padding - a, x + padding - b, o]: ``convolved`` transposed."""
    (batch, rows, columns, _), (k, _, c_in, _) = maps.shape, kernel.shape
    wide = np.zeros((batch, rows + k - 1, columns + k - 1, c_in), np.result_type(maps, kernel))
    for a in range(k):
        for b in range(k):
            wide[:, a : a + rows, b : b + columns] += maps @ kernel[a, b].T
    return wide[:, padding : wide.shape[1] - padding, padding : wide.shape[2] - padding]


def correlated(below: np.ndarray, above: np.ndarray, k: int, padding: int) -> np.ndarray:
    """Return sum_{n,y,x} below[n, y + a - padding, x + b - padding, i] above[n, y, x, o] (k, k, c_in, c_out)."""
    wide, (rows, columns) = padded(below, padding), above.shape[1:3]
    tap = [[wide[:, a : a + rows, b : b + columns] for b in range(k)] for a in range(k)]
    return np.array([[np.einsum("nyxi,nyxo->io", tap[a][b], above) for b in range(k)] for a in range(k)])


def pooled(maps: np.ndarray, f: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest value of every f x f square, and where in its square it stands, row by row."""
    batch, rows, columns, channels = maps.shape
    rows, columns = rows // f, columns // f
    squares = maps[:, : rows * f, : columns * f].reshape(batch, rows, f, columns, f, channels)
    squares = squares.transpose(0, 1, 3, 2, 4, 5).reshape(batch, rows, columns, f * f, channels)
    where = squares.argmax(axis=3)
    return np.take_along_axis(squares, where[:, :, :, None], axis=3)[:, :, :, 0], where


def unpooled(values: np.ndarray, where: np.ndarray, f: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return maps of ``shape`` (batch, H, W, channels), zero but for each value where its square's largest stood."""
    maps = np.zeros(shape, values.dtype)
    n, row, column, channel = np.indices(values.shape)
    maps[n, row * f + where // f, column * f + where % f, channel] = values
    return maps


@dataclass
class Looked:
    """What one look at the states found: the drive of every layer, and where each pool's largest stood."""

    drives: list[np.ndarray]
    where: list[np.ndarray]


class MapStepping:
    """Convolutions of binary weights with dense layers on top, that settle and learn one mini-batch at a time.

    ``kernels[k]`` with ``quanta[k]`` (c_out,) joins maps k to k + 1; ``signs`` and ``scales`` are those of the dense
    layers, which see the last maps in (H, W, channel) order. ``biases`` are one array per layer, one number per channel
    of maps; they, the numbers of the rule and ``momenta`` (what m starts from) list the convolutions first. States are
    one array per layer above the input; a list given as ``seen`` gets a copy of them after every step.
    """

    def __init__(
        self, kernels: Sequence[np.ndarray], quanta: Sequence[np.ndarray], signs: Sequence[np.ndarray],
        scales: Sequence[float], biases: Sequence[np.ndarray], *, setting: str, image_shape: tuple[int, int, int],
        padding: int, pool: int, free_steps: int, nudged_steps: int, beta: float, gamma: Sequence[float],
        tau: Sequence[float], rate_bias: Sequence[float], rate_scale: Sequence[float] | None = None,
        momenta: Sequence[np.ndarray] | None = None, expand: int = 1, theta: float = 0.5, inertia: float = 0.5,
    ) -> None:  # fmt: skip
        depth = len(kernels) + len(signs)
        starts = [None] * depth if momenta is None else momenta
        self.flips = [
            Flips(s, gamma[k], tau[k], divisor=1 if k else 255, inclusive=True, momentum=starts[k])
            for k, s in enumerate([*kernels, *signs])
        ]
        self.n_maps, self.quanta = len(kernels), [np.array(q, np.int64) for q in quanta]
        self.scales, self.biases = [np.float32(a) for a in scales], [np.array(b, np.float32) for b in biases]
        self.binary, self.image_shape, self.padding, self.pool = setting == "B", image_shape, padding, pool
        self.free_steps, self.nudged_steps, self.beta, self.expand = free_steps, nudged_steps, beta, expand
        self.rate_bias, self.rate_scale = rate_bias, [0.0] * depth if rate_scale is None else rate_scale
        self.theta, self.keep, self.gain = np.float32(theta), np.float32(1 - inertia), np.float32(inertia)

    @property
    def signs(self) -> list[np.ndarray]:
        """The signs of every projection, convolutions first."""
        return [flips.signs for flips in self.flips]

    def settle_free(self, x8: np.ndarray, seen: list | None = None) -> States:
        """Return the states after the free phase of the images ``x8``, (batch, n_pixels) or (batch, H, W, channels)."""
        self.pixels = self._numbers(np.asarray(x8).reshape(len(x8), *self.image_shape))
        states, self.where_free = self._settle(self._start(len(x8)), self.free_steps, seen)
        return states

    def settle_nudged(self, states: States, labels: np.ndarray, beta: float, seen: list | None = None) -> States:
        """Return the states after the nudged phase, from ``states``, of the images that ``settle_free`` met last."""
        target, strength = one_hot(labels, states[-1].shape[1], self.expand), np.float32(beta)
        free_output = states[-1].copy()

        def pull(output: np.ndarray) -> np.ndarray:
            return strength * (target - (free_output if self.binary else output))

        states, self.where_nudged = self._settle([s.copy() for s in states], self.nudged_steps, seen, pull)
        return states

    def answers(self, states: States) -> np.ndarray:
        """Return the classes (batch,) that free ``states`` stand for."""
        return classes_won(states[-1], self.expand)

    def learn(self, x8: np.ndarray, labels: np.ndarray, sign: int) -> list[int]:
        """Learn one mini-batch under the nudge ``sign`` beta; return how many weights of each projection flipped."""
        beta = sign * self.beta
        free = self.settle_free(x8)
        return self.update(free, self.settle_nudged(free, labels, beta), beta)

    def emitted(self, states: States) -> States:
        """Return what ``states`` emit: themselves (A), or 0 and 1 (B)."""
        return [self._numbers(s >= self.theta) if self.binary else s for s in states]

    def contrast(self, free: States, nudged: States) -> list[np.ndarray]:
        """Return G[k], in the shape of the signs: the sum of pre post over samples and places, nudged minus free.

        Both are met by the pools as they stood in the last step of their own phase.
        """
        after, before = self._products(nudged, self.where_nudged), self._products(free, self.where_free)
        return [np.asarray(a - b, np.float32) for a, b in zip(after, before, strict=True)]

    def update(self, free: States, nudged: States, beta: float) -> list[int]:
        """Change signs, biases and scales by the difference of both phases; return how many signs flipped."""
        c = 1 / (beta * len(self.pixels))
        gradients = self.contrast(free, nudged)
        changes = [a - b for a, b in zip(self._by_scale(nudged), self._by_scale(free), strict=True)]
        for bias, rate, u0, u1 in zip(
            self.biases, self.rate_bias, self.emitted(free), self.emitted(nudged), strict=True
        ):
            bias += np.float32(rate * c) * (u1 - u0).reshape(-1, bias.size).sum(axis=0).astype(np.float32)
        for k, change in enumerate(changes):
            self._rescale(k, self.rate_scale[k] * c * change)
        return [flips.learn(gradient, c) for flips, gradient in zip(self.flips, gradients, strict=True)]

    def _numbers(self, values: np.ndarray) -> np.ndarray:
        """Return ``values`` as what sums are taken of: whole numbers (B), single precision (A)."""
        return np.asarray(values, np.int64 if self.binary else np.float32)

    def _summed(self, product: Callable, values: np.ndarray, signs: np.ndarray, *more) -> np.ndarray:
        """Return ``product`` of values and signs, rounded once: exact in B, summed in double precision in A."""
        wide = np.int64 if self.binary else np.float64
        sums = product(values.astype(wide), signs.astype(wide), *more)
        return sums if self.binary else sums.astype(np.float32)

    def _shapes(self) -> list[tuple[int, ...]]:
        """Return the shape of every layer above the input, without the batch."""
        rows, columns, _ = self.image_shape
        shapes: list[tuple[int, ...]] = []
        for kernel in self.signs[: self.n_maps]:
            rows, columns = ((n + 2 * self.padding - len(kernel) + 1) // self.pool for n in (rows, columns))
            shapes.append((rows, columns, kernel.shape[3]))
        return shapes + [(signs.shape[1],) for signs in self.signs[self.n_maps :]]

    def _start(self, batch: int) -> States:
        return [np.full((batch, *shape), 1.0 if self.binary else 0.5, np.float32) for shape in self._shapes()]

    def _settle(self, states: States, steps: int, seen: list | None, pull: Callable | None = None) -> tuple:
        """Return the states after ``steps`` and where the pools' largest stood in the last of them."""
        for _ in range(steps):
            looked = self._look(self.emitted(states))
            self._move(states, looked.drives, None if pull is None else pull(states[-1]))
            if seen is not None:
                seen.append([s.copy() for s in states])
        return states, looked.where

    def _move(self, states: States, drives: list[np.ndarray], pull: np.ndarray | None) -> None:
        if self.binary and pull is not None:
            drives[-1] = drives[-1] + pull
        for s, h in zip(states, drives, strict=True):
            s[...] = np.clip(self.keep * s + self.gain * h if self.binary else h, 0, 1)
        if not self.binary and pull is not None:
            states[-1] += pull

    def _look(self, emitted: States) -> Looked:
        """Return h of every layer: first what comes from below, then what comes from above."""
        looked = Looked([], [])
        for k, signs in enumerate(self.signs):
            below = emitted[k - 1] if k else self.pixels
            if k < self.n_maps:
                sums, where = pooled(self._summed(convolved, below, signs, self.padding), self.pool)
                looked.where.append(where)
            else:
                sums = self._summed(np.matmul, below.reshape(len(below), -1), signs)
            looked.drives.append(self._unit(k) * sums.astype(np.float32) + self.biases[k])
        for k in range(1, len(self.signs)):
            back = self._down(k, emitted[k], looked.where[k] if k < self.n_maps else None, emitted[k - 1].shape)
            looked.drives[k - 1] = looked.drives[k - 1] + back
        return looked

    def _scale(self, k: int) -> np.ndarray:
        """Return alpha in double precision: one per channel, or one number of a dense projection."""
        if k < self.n_maps:
            return self.quanta[k] * QUANTUM
        return np.float64(self.scales[k - self.n_maps])

    def _unit(self, k: int) -> np.ndarray:
        return np.float32(self._scale(k) if k else self._scale(0) / 255)

    def _down(self, k: int, above: np.ndarray, where: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
        """Return what layer k + 1 sends down to layer k, whose ``shape`` is given."""
        if where is None:
            return (self._unit(k) * self._summed(np.matmul, above, self.signs[k].T).astype(np.float32)).reshape(shape)
        own = self.quanta[k] if self.binary else self._unit(k)
        spread = unpooled(own * above, where, self.pool, self._before_pool(k, shape))
        sums = self._summed(convolved_back, spread, self.signs[k], self.padding)
        return sums.astype(np.float32) * np.float32(QUANTUM) if self.binary else sums

    def _before_pool(self, k: int, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of convolution k's maps, given that of the maps below."""
        batch, rows, columns, _ = shape
        grown = 2 * self.padding - len(self.signs[k]) + 1
        return batch, rows + grown, columns + grown, self.signs[k].shape[3]

    def _products(self, states: States, where: list[np.ndarray]) -> list[np.ndarray]:
        """Return sum over samples and places of pre post, for every sign."""
        found, below = [], self.pixels
        for k, above in enumerate(self.emitted(states)):
            if k < self.n_maps:
                spread = unpooled(above, where[k], self.pool, self._before_pool(k, below.shape))
                found.append(self._summed(correlated, below, spread, len(self.signs[k]), self.padding))
            else:
                found.append(self._summed(np.matmul, below.reshape(len(below), -1).T, above))
            below = above
        return found

    def _by_scale(self, states: States) -> list[np.ndarray]:
        """Return d / d alpha of every projection times its alpha, in double precision, up to c.

        Of a channel: alpha_c sum of post P, the pool taken anew of the settled states. Of a dense projection: half of
        alpha sum of post^T S.
        """
        found, below = [], self.pixels
        for k, above in enumerate(self.emitted(states)):
            unit, post = self._scale(k) / (1 if k else 255), above.astype(np.float64)
            if k < self.n_maps:
                sums, _ = pooled(self._summed(convolved, below, self.signs[k], self.padding), self.pool)
                found.append(unit * (post * sums).sum(axis=(0, 1, 2)))
            else:
                sums = self._summed(np.matmul, below.reshape(len(below), -1), self.signs[k])
                found.append(0.5 * unit * (post * sums).sum())
            below = above
        return found

    def _rescale(self, k: int, change: np.ndarray) -> None:
        """Add ``change`` to alpha: rounded to quanta for a channel, to single precision for a dense projection."""
        after = self._scale(k) + change
        if k < self.n_maps:
            self.quanta[k] = np.rint(after / QUANTUM).astype(np.int64)
        else:
            self.scales[k - self.n_maps] = np.float32(after)
