"""Dense binary networks told step by step with NumPy matrix products: every sum at every step, in single precision.

Weights are a scale times a sign, alpha_k sign_k (n_pre, n_post); pixels are integers x8 in 0..255. Setting "A" emits
real states, setting "B" binary ones, whose sums are integers, exact in any order. All layers move at once from the old
states; projection k joins layer k to k + 1, and u is what a layer emits:

    h_k = unit_{k-1} (u_{k-1} sign_{k-1}) + bias_k + alpha_k (u_{k+1} sign_k^T)        unit_0 = alpha_0 / 255

Every operation is rounded to single precision in that order. After Laydevant et al. (2021), arXiv:2103.08953.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

RENEWAL = 2.0**-20
States = list[np.ndarray]


class RealUnits:
    """Setting A: a neuron emits its state, s <- clip(h, 0, 1); the nudge pulls the clipped output, clipped again."""

    start = 0.0

    def emit(self, states: States, out: States) -> States:
        return states

    def move(self, states: States, drives: States, pull: np.ndarray | None) -> None:
        for s, h in zip(states, drives, strict=True):
            np.clip(h, 0, 1, out=s)
        if pull is not None:
            states[-1] += pull
            np.clip(states[-1], 0, 1, out=states[-1])


class BinaryUnits:
    """Setting B: a neuron emits b = (s >= theta); s <- clip((1 - inertia) s + inertia h, 0, 1), the nudge within h."""

    start = 1.0

    def __init__(self, theta: float, inertia: float) -> None:
        self.theta, self.keep, self.gain = np.float32(theta), np.float32(1 - inertia), np.float32(inertia)

    def emit(self, states: States, out: States) -> States:
        for s, b in zip(states, out, strict=True):
            np.greater_equal(s, self.theta, out=b)
        return out

    def move(self, states: States, drives: States, pull: np.ndarray | None) -> None:
        if pull is not None:
            drives[-1] += pull
        for s, h in zip(states, drives, strict=True):
            s *= self.keep
            h *= self.gain
            s += h
            np.clip(s, 0, 1, out=s)


def units_of(setting: str, theta: float, inertia: float) -> RealUnits | BinaryUnits:
    """Return the units of setting "A" or "B"."""
    return {"A": RealUnits(), "B": BinaryUnits(theta, inertia)}[setting]


def classes_won(output: np.ndarray, expand: int) -> np.ndarray:
    """Return the class with the largest sum over its ``expand`` outputs, added in order; the lowest of equals."""
    by_class = output.reshape(len(output), -1, expand)
    total = by_class[..., 0].copy()
    for e in range(1, expand):
        total += by_class[..., e]
    return total.argmax(axis=1)


def one_hot(labels: np.ndarray, n_out: int, expand: int) -> np.ndarray:
    """Return 1 at all ``expand`` outputs of a sample's class (batch, n_out)."""
    return (np.arange(n_out) // expand == np.asarray(labels)[:, None]).astype(np.float32)


class Flips:
    """Signs, and the low-passed gradient that flips them once it opposes a sign by more than tau.

        m <- (1 - gamma) m + gamma c G / divisor        flip where -sign m > tau (``inclusive``: >=)

    It is kept as M = m / (1 - gamma)^t after t mini-batches: M <- M + coefficient G, and nothing decays; ``momentum``
    is what m starts from.
    """

    def __init__(
        self, signs: np.ndarray, gamma: float, tau: float, *, divisor: float = 1.0, inclusive: bool = False,
        momentum: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        self.signs = np.array(signs, np.float32)
        self.momentum = np.zeros_like(self.signs) if momentum is None else np.array(momentum, np.float32)
        self.gamma, self.tau, self.divisor, self.batches = gamma, tau, divisor, 0
        self.opposed = np.less_equal if inclusive else np.less

    def learn(self, gradient: np.ndarray, c: float) -> int:
        """Take in one mini-batch's ``gradient`` G, which is overwritten; return how many signs flipped."""
        self.batches += 1
        decay = (1 - self.gamma) ** self.batches
        gradient *= np.float32(self.gamma * c / decay / self.divisor)
        self.momentum += gradient
        np.multiply(self.signs, self.momentum, out=gradient)
        flipped = np.flatnonzero(self.opposed(gradient, -np.float32(self.tau / decay)))
        self.signs.reshape(-1)[flipped] *= -1
        if decay < RENEWAL:
            self.momentum *= np.float32(decay)
            self.batches = 0
        return len(flipped)


class DenseStepping:
    """Layers of binary weights that settle and learn one mini-batch at a time.

    ``signs[k]`` (n_pre, n_post) joins layer k to k + 1, with ``scales[k]``; ``biases[k]`` belong to layer k + 1. The
    rule has one ``gamma``, ``tau``, ``rate_bias`` and ``rate_scale`` for each of these. A class owns ``expand``
    neighbouring outputs. States are one array (batch, n) per layer above the input, new ones at every call; a list
    given as ``seen`` gets a copy of them after every step. With ``cached_input`` the input's sums, which stay what they
    are while the network settles, are computed once.
    """

    def __init__(
        self, signs: Sequence[np.ndarray], scales: Sequence[float], biases: Sequence[np.ndarray], *, setting: str,
        free_steps: int, nudged_steps: int, beta: float, gamma: Sequence[float], tau: Sequence[float],
        rate_bias: Sequence[float], rate_scale: Sequence[float] | None = None, expand: int = 1, theta: float = 0.5,
        inertia: float = 0.5, cached_input: bool = False,
    ) -> None:  # fmt: skip
        divisors = [255.0] + [1.0] * (len(signs) - 1)
        self.flips = [Flips(s, g, t, divisor=d) for s, g, t, d in zip(signs, gamma, tau, divisors, strict=True)]
        self.signs = [flips.signs for flips in self.flips]
        self.scales = [np.float32(alpha) for alpha in scales]
        self.biases = [np.array(b, np.float32) for b in biases]
        self.rate_bias, self.rate_scale = rate_bias, [0.0] * len(signs) if rate_scale is None else rate_scale
        self.free_steps, self.nudged_steps, self.beta, self.expand = free_steps, nudged_steps, beta, expand
        self.units, self.cached_input = units_of(setting, theta, inertia), cached_input
        self.gradients = [np.empty_like(s) for s in self.signs]
        self._sizes = [b.size for b in self.biases]
        self._reserve(0)

    def settle_free(self, x8: np.ndarray, seen: list | None = None) -> States:
        """Return the states after the free phase of the images ``x8`` (batch, n_pixels)."""
        if len(x8) != len(self._pixels):
            self._reserve(len(x8))
        np.copyto(self._pixels, x8)
        if self.cached_input:
            self._drive_by_input(self._input)
        states = [np.full((len(x8), n), self.units.start, np.float32) for n in self._sizes]
        return self._settle(states, self.free_steps, seen)

    def settle_nudged(self, states: States, labels: np.ndarray, beta: float, seen: list | None = None) -> States:
        """Return the states after the nudged phase, from ``states``, of the images that ``settle_free`` met last."""
        target, strength = one_hot(labels, self._sizes[-1], self.expand), np.float32(beta)
        return self._settle(
            [s.copy() for s in states], self.nudged_steps, seen, lambda output: strength * (target - output)
        )

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
        return self.units.emit(states, [np.empty_like(s) for s in states])

    def contrast(self, before: States, after: States) -> list[np.ndarray]:
        """Return G[k] (n_pre, n_post), the sum over samples of pre^beta post^beta - pre^0 post^0, x8 for the input.

        ``before`` and ``after`` are what both phases emit. G[k] / (beta batch), for the input that over 255, estimates
        -dL/dW[k]. The next call writes to the same arrays.
        """
        np.matmul(self._pixels.T, after[0] - before[0], out=self.gradients[0])
        for k in range(1, len(self.signs)):
            pre = np.concatenate([after[k - 1], before[k - 1]])
            np.matmul(pre.T, np.concatenate([after[k], -before[k]]), out=self.gradients[k])
        return self.gradients

    def update(self, free: States, nudged: States, beta: float) -> list[int]:
        """Change signs, biases and scales by the difference of both phases; return how many signs flipped."""
        c = 1 / (beta * len(self._pixels))
        before, after = self.emitted(free), self.emitted(nudged)
        gradients = self.contrast(before, after)
        self.scales = [self._scale_after(k, gradient, c) for k, gradient in enumerate(gradients)]
        for bias, rate, u0, u1 in zip(self.biases, self.rate_bias, before, after, strict=True):
            bias += np.float32(rate * c) * (u1 - u0).sum(axis=0)
        return [flips.learn(gradient, c) for flips, gradient in zip(self.flips, gradients, strict=True)]

    def _scale_after(self, k: int, gradient: np.ndarray, c: float) -> np.float32:
        """Return alpha + rate / 2 c alpha sum_ij sign_ij G_ij, the sum being post^T S of all samples, nudged - free."""
        if self.rate_scale[k] == 0:
            return self.scales[k]
        alpha = float(self.scales[k])
        slope = 0.5 * c * alpha * (self.signs[k] * gradient).sum(dtype=np.float64) / self.flips[k].divisor
        return np.float32(alpha + self.rate_scale[k] * slope)

    def _reserve(self, batch: int) -> None:
        """Allocate what a mini-batch of ``batch`` samples needs."""
        self._pixels = np.empty((batch, len(self.signs[0])), np.float32)
        self._input = np.empty((batch, self._sizes[0]), np.float32)
        self._drives, self._backward, self._emitted = (
            [np.empty((batch, n), np.float32) for n in self._sizes] for _ in range(3)
        )

    def _settle(
        self, states: States, steps: int, seen: list | None, pull: Callable[[np.ndarray], np.ndarray] | None = None
    ) -> States:
        for _ in range(steps):
            drives = self._driven(self.units.emit(states, self._emitted))
            self.units.move(states, drives, None if pull is None else pull(states[-1]))
            if seen is not None:
                seen.append([s.copy() for s in states])
        return states

    def _driven(self, emitted: States) -> States:
        """Return h of every layer above the input."""
        if self.cached_input:
            np.copyto(self._drives[0], self._input)
        else:
            self._drive_by_input(self._drives[0])
        for k in range(1, len(self.signs)):
            self._drive(emitted[k - 1], k, self.scales[k], self._drives[k])
        for k in range(1, len(self.signs)):
            back = np.matmul(emitted[k], self.signs[k].T, out=self._backward[k - 1])
            back *= self.scales[k]
            self._drives[k - 1] += back
        return self._drives

    def _drive_by_input(self, out: np.ndarray) -> None:
        self._drive(self._pixels, 0, np.float32(float(self.scales[0]) / 255), out)

    def _drive(self, pre: np.ndarray, k: int, unit: np.float32, out: np.ndarray) -> None:
        """Write unit (pre sign_k) + bias into ``out``."""
        np.matmul(pre, self.signs[k], out=out)
        out *= unit
        out += self.biases[k]
