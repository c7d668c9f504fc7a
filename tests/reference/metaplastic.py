"""A slow, obvious twin of feed-forward learning: NumPy in 64 bits, gradients by hand, events recounted one by one."""

from __future__ import annotations

import numpy as np

EPSILON, ADAM_EPSILON, FIRST, SECOND = 1e-5, 1e-8, 0.9, 0.999


class Twin:
    """A network of ``kind`` binary, quantised or real, built from plain arrays; ``m`` is one number a projection."""

    def __init__(self, kind, weights, shifts, gains, rate, decay, m, bits=8, limit=8.0) -> None:
        self.kind, self.rate, self.decay, self.m, self.bits, self.limit = kind, rate, decay, m, bits, limit
        self.weights = [w.astype(float) for w in weights]
        self.shifts = [shift.astype(float) for shift in shifts]
        self.gains = [gain.astype(float) for gain in gains]
        arrays = self.weights + self.shifts + self.gains
        self.first, self.second = [np.zeros_like(a) for a in arrays], [np.zeros_like(a) for a in arrays]
        self.steps = 0
        self.running = [(np.zeros(w.shape[1]), np.ones(w.shape[1])) for w in weights]
        self.counts = {"forward": 0, "backward": 0, "terms": 0, "written": 0}

    def stored(self):
        """Return what a memory holds of every projection."""
        if self.kind == "binary":
            return [np.where(w >= 0, 1.0, -1.0) for w in self.weights]
        if self.kind == "quantised":
            return [np.round(w / self._unit(w)) for w in self.weights]
        return [w.copy() for w in self.weights]

    def _unit(self, w):
        return np.abs(w).max() / (2 ** (self.bits - 1) - 1)

    def _acting(self):
        return [
            s * self._unit(w) if self.kind == "quantised" else s
            for s, w in zip(self.stored(), self.weights, strict=True)
        ]

    def _activate(self, z):
        if self.kind == "binary":
            return np.where(z >= 0, 1.0, -1.0), np.abs(z) <= 1
        if self.kind == "quantised":
            levels = 2**self.bits - 1
            inside = np.minimum(np.maximum(z, 0), self.limit)
            return np.round(inside * levels / self.limit) * self.limit / levels, (z > 0) & (z < self.limit)
        return np.maximum(z, 0), z > 0

    def forward(self, x, moments=None):
        """Return the activity of every layer, and what the way back needs of each."""
        activity, kept = [x], []
        for k, w in enumerate(self._acting()):
            h = activity[-1] @ w
            mean, variance = (h.mean(0), h.var(0)) if moments is None else moments[k]
            if self.gains:
                centred = (h - mean) / np.sqrt(variance + EPSILON)
                z = self.gains[k] * centred + self.shifts[k]
            else:
                centred, z = None, h + self.shifts[k]
            last = k == len(self.weights) - 1
            sent, through = (z, np.ones_like(z, bool)) if last else self._activate(z)
            activity.append(sent)
            kept.append((centred, variance, through, mean))
        return activity, kept

    def learn(self, x, labels):
        """Learn from one mini-batch."""
        activity, kept = self.forward(x)
        outputs = activity[-1]
        shares = np.exp(outputs - outputs.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        error = (shares - np.eye(outputs.shape[1])[labels]) / len(x)
        acting, n = self._acting(), len(self.weights)
        gradient = [None] * (n + len(self.shifts) + len(self.gains))
        for k in reversed(range(n)):
            centred, variance, through, _ = kept[k]
            error = error * through
            gradient[n + k] = error.sum(0)
            if self.gains:
                gradient[2 * n + k] = (error * centred).sum(0)
                e = error * self.gains[k]
                error = (e - e.mean(0) - centred * (e * centred).mean(0)) / np.sqrt(variance + EPSILON)
            gradient[k] = activity[k].T @ error
            self._count(activity[k], through, k)
            error = error @ acting[k].T
        self._keep_running(kept, len(x))
        before = self.stored()
        self._step(gradient)
        self.counts["written"] += sum(int((a != b).sum()) for a, b in zip(before, self.stored(), strict=True))

    def _keep_running(self, kept, n):
        for k, (_, variance, _, mean) in enumerate(kept):
            old = self.running[k]
            self.running[k] = 0.9 * old[0] + 0.1 * mean, 0.9 * old[1] + 0.1 * variance * n / (n - 1)

    def _step(self, gradient):
        n = len(self.weights)
        self.steps += 1
        arrays = self.weights + self.shifts + self.gains
        for k, (w, g) in enumerate(zip(arrays, gradient, strict=True)):
            if k < n:
                g = g + self.decay * w
            self.first[k] = FIRST * self.first[k] + (1 - FIRST) * g
            self.second[k] = SECOND * self.second[k] + (1 - SECOND) * g * g
            one, two = self.first[k] / (1 - FIRST**self.steps), self.second[k] / (1 - SECOND**self.steps)
            step = self.rate * one / (np.sqrt(two) + ADAM_EPSILON)
            if k < n:
                towards_zero = np.sign(w) * self.first[k] > 0
                step = np.where(towards_zero, (1 - np.tanh(self.m[k] * np.abs(w)) ** 2) * step, step)
            w -= step

    def _count(self, pre, through, k):
        """Go through every sample and synapse, one by one."""
        for sample in range(len(pre)):
            for i in range(pre.shape[1]):
                for j in range(through.shape[1]):
                    comes_back = bool(self.gains) or through[sample, j]
                    self.counts["forward"] += int(pre[sample, i] != 0)
                    self.counts["backward"] += int(comes_back and k > 0)
                    self.counts["terms"] += int(comes_back and pre[sample, i] != 0)

    def answers(self, x, moments=None):
        """Return the class of every sample of a mini-batch."""
        return self.forward(x, moments)[0][-1].argmax(1)
