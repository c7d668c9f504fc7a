"""A chain of layers with its potential phi, the costs at its last layer, and their derivatives.

x is layer 0 and enters as it is given (for a published model that sends its input through rho, give rho(x)); free
layers are numbered 1..L from the input and ``states`` lists them in that order. Parameters are always listed link by
link (weight, then backward where untied), then biases, then the read-out; gradients come as a Net of the same shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from reference.energy_activations import INTEGRAL_OF_INVERSE, INVERSE
from reference.energy_links import Convolution, Dense


@dataclass(frozen=True)
class Net:
    """Links, biases and activation names of layers 1..L; readout (W, b) puts a softmax behind layer L."""

    links: tuple[Dense | Convolution, ...]
    biases: tuple[np.ndarray, ...]
    sigmas: tuple[str, ...]
    readout: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def depth(self) -> int:
        return len(self.links)

    @property
    def weights(self) -> list[np.ndarray]:
        return [link.weight for link in self.links]

    @property
    def backward(self) -> list[np.ndarray | None]:
        return [getattr(link, "backward", None) for link in self.links]

    @property
    def untied(self) -> bool:
        return any(w is not None for w in self.backward)

    def arrays(self) -> list[np.ndarray]:
        """Return all parameters in order."""
        return [a for link in self.links for a in link.arrays()] + [*self.biases] + [*(self.readout or ())]

    def vector(self) -> np.ndarray:
        return np.concatenate([a.ravel() for a in self.arrays()])

    def like(self, arrays: list[np.ndarray]) -> Net:
        """Return a Net of this shape that holds ``arrays``."""
        rest = list(arrays)

        def take(n: int) -> list[np.ndarray]:
            return [rest.pop(0) for _ in range(n)]

        links = tuple(link.like(take(len(link.arrays()))) for link in self.links)
        biases = tuple(take(self.depth))
        return Net(links, biases, self.sigmas, tuple(rest) or None)

    def with_vector(self, vector: np.ndarray) -> Net:
        ends = np.cumsum([a.size for a in self.arrays()])[:-1]
        return self.like([part.reshape(a.shape) for part, a in zip(np.split(vector, ends), self.arrays(), strict=True)])

    def rest(self, x: np.ndarray) -> list[np.ndarray]:
        """Return states at zero."""
        states, below = [], x
        for link in self.links:
            below = np.zeros(link.up(below).shape)
            states.append(below)
        return states


def dense_net(weights, biases, sigmas, *, backward=None, readout=None) -> Net:
    """Build a dense chain; ``backward`` lists matrices like ``weights``, its first entry (towards the input) unused."""
    ways_down = [None] * len(weights) if backward is None else [None, *backward[1:]]
    links = tuple(Dense(w, down) for w, down in zip(weights, ways_down, strict=True))
    return Net(links, tuple(biases), tuple(sigmas), readout)


def random_net(
    seed: int, sizes, sigmas, *, gain: float = 0.5, bias: float = 0.0, untied=False, classes: int = 0
) -> Net:
    """Draw weights from N(0, (gain / sqrt(n_pre))^2) and biases around ``bias``; ``classes`` > 0 adds a read-out."""
    rng = np.random.default_rng(seed)

    def draw(n: int, m: int) -> np.ndarray:
        return rng.normal(0, gain / np.sqrt(n), (n, m))

    weights = [draw(n, m) for n, m in pairwise(sizes)]
    biases = [rng.normal(bias, 0.1, n) for n in sizes[1:]]
    backward = [draw(n, m) for n, m in pairwise(sizes)] if untied else None
    readout = (draw(sizes[-1], classes), rng.normal(0, 0.1, classes)) if classes else None
    return dense_net(weights, biases, sigmas, backward=backward, readout=readout)


def drive(net: Net, x: np.ndarray, activities: list[np.ndarray], layer: int) -> np.ndarray:
    """What free layer number ``layer`` receives from below, from above and from its bias (d phi / d s if tied)."""
    all_layers = [x, *activities]
    received = net.links[layer - 1].up(all_layers[layer - 1]) + net.biases[layer - 1]
    if layer < net.depth:
        received = received + net.links[layer].down(all_layers[layer], all_layers[layer + 1])
    return received


def per_sample(values: np.ndarray) -> np.ndarray:
    """Sum over everything but the batch."""
    return values.reshape(len(values), -1).sum(axis=1)


def phi(net: Net, x: np.ndarray, activities: list[np.ndarray]) -> np.ndarray:
    """Return sum_l <up_l(s_(l-1)), s_l> + <b_l, s_l> of every sample (batch,)."""
    below, total = x, 0.0
    for link, bias, s in zip(net.links, net.biases, activities, strict=True):
        total = total + per_sample((link.up(below) + bias) * s)
        below = s
    return total


def vector_field(net: Net, x: np.ndarray, still: list[np.ndarray], moved: list[np.ndarray]) -> Net:
    """Presynaptic side ``still``, postsynaptic ``moved``: forward weights still x moved, backward moved x still.

    With both the same states, the forward part is d phi / d theta. Mean over the batch; the read-out's part is zero.
    """
    arrays = []
    for n, link in enumerate(net.links):
        arrays.append(link.outer([x, *still][n], moved[n]))
        if len(link.arrays()) > 1:
            arrays.append(link.outer([x, *moved][n], still[n]))
    arrays += [s.reshape(-1, s.shape[-1]).sum(axis=0) / len(s) for s in moved]
    return net.like(arrays + [np.zeros_like(a) for a in net.readout or ()])


def phi_gradient(net: Net, x: np.ndarray, activities: list[np.ndarray]) -> Net:
    """Return d phi / d theta, mean over the batch."""
    return vector_field(net, x, activities, activities)


def probabilities(net: Net, out: np.ndarray) -> np.ndarray:
    """Return softmax(out W + b) of the read-out (batch, classes)."""
    logits = out @ net.readout[0] + net.readout[1]
    odds = np.exp(logits - logits.real.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def cost(net: Net, out: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return 1/2 |out - y|^2, or the cross-entropy behind the read-out, of every sample (batch,)."""
    if net.readout is None:
        return 0.5 * per_sample((out - y) ** 2)
    return -per_sample(y * np.log(probabilities(net, out)))


def cost_gradient(net: Net, out: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return d cost / d out of every sample."""
    return out - y if net.readout is None else (probabilities(net, out) - y) @ net.readout[0].T


def readout_gradient(net: Net, out: np.ndarray, y: np.ndarray) -> Net:
    """Return d cost / d theta at fixed states, mean over the batch: zero but for the read-out."""
    arrays = [np.zeros_like(a) for a in net.arrays()]
    if net.readout is not None:
        error = (probabilities(net, out) - y) / len(y)
        arrays[-2:] = [out.T @ error, error.sum(axis=0)]
    return net.like(arrays)


def effective_cost(net: Net, out: np.ndarray, y: np.ndarray) -> np.ndarray:
    """What a squared-error nudge outside sigma teaches: sigma^-1(s)(s - y) - S(s), S the integral of sigma^-1.

    s = sigma(h) - beta (s - y) means h = sigma^-1(s + beta (s - y)); its derivative in beta at 0 is d effective / d s.
    """
    name = net.sigmas[-1]
    return per_sample(INVERSE[name](out) * (out - y) - INTEGRAL_OF_INVERSE[name](out))


def scaled(factor: complex, net: Net) -> Net:
    return net.like([factor * a for a in net.arrays()])


def added(*nets: Net) -> Net:
    return nets[0].like([sum(parts) for parts in zip(*(n.arrays() for n in nets), strict=True)])


def real(net: Net) -> Net:
    return net.like([np.real(a) for a in net.arrays()])
