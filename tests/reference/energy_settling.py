"""Settling of layered networks, one step after the other: prototypical and real-time dynamics, and their energies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reference.energy_activations import INTEGRAL_OF_INVERSE, SIGMA, SLOPE, clip01
from reference.energy_network import Net, cost, cost_gradient, drive, per_sample, phi


@dataclass(frozen=True)
class Prototypical:
    """s <- sigma(d phi / d s), the nudge inside sigma or outside.

    ``order`` None moves all layers at once from the old states; ("even", "odd") or ("odd", "even") moves the layers
    2, 4, .. and 1, 3, .. one group after the other, both in one step.
    """

    nudge: str = "inside"
    order: tuple[str, str] | None = None

    def activities(self, net: Net, states: list[np.ndarray]) -> list[np.ndarray]:
        return states

    def step(self, net: Net, x, states, *, y=None, beta: complex = 0.0, held: bool = False) -> list[np.ndarray]:
        """Return the next states; ``held`` keeps the output layer where it is."""
        for group in self._groups(net, held):
            moved = {layer: self._moved(net, x, states, layer, y, beta) for layer in group}
            states = [moved.get(number, s) for number, s in enumerate(states, start=1)]
        return states

    def _groups(self, net: Net, held: bool) -> list[list[int]]:
        layers = range(1, net.depth if held else net.depth + 1)
        if self.order is None:
            return [list(layers)]
        return [[n for n in layers if n % 2 == {"even": 0, "odd": 1}[which]] for which in self.order]

    def _moved(self, net: Net, x, states, layer: int, y, beta: complex) -> np.ndarray:
        sigma, h = SIGMA[net.sigmas[layer - 1]], drive(net, x, states, layer)
        if layer < net.depth or beta == 0:
            return sigma(h)
        push = -beta * cost_gradient(net, states[-1], y)
        return sigma(h + push) if self.nudge == "inside" else sigma(h) + push

    def energy(self, net: Net, x, states) -> np.ndarray:
        """Return sum S(s) - phi(s) of every sample; S is the integral of sigma^-1."""
        own = sum(per_sample(INTEGRAL_OF_INVERSE[name](s)) for name, s in zip(net.sigmas, states, strict=True))
        return own - phi(net, x, states)


@dataclass(frozen=True)
class RealTime:
    """s <- s + dt (-s + rho'(s) d phi / d rho - beta dC/ds), then clipped to [0, 1] if so asked; rho = sigmas."""

    dt: float
    clip: bool = False

    def activities(self, net: Net, states: list[np.ndarray]) -> list[np.ndarray]:
        return [SIGMA[name](s) for name, s in zip(net.sigmas, states, strict=True)]

    def step(self, net: Net, x, states, *, y=None, beta: complex = 0.0, held: bool = False) -> list[np.ndarray]:
        """Return the next states; ``held`` keeps the output layer where it is."""
        fired, after = self.activities(net, states), []
        for layer, (name, s) in enumerate(zip(net.sigmas, states, strict=True), start=1):
            flow = -s + SLOPE[name](s) * drive(net, x, fired, layer)
            if layer == net.depth and beta != 0:
                flow = flow - beta * cost_gradient(net, s, y)
            moved = s + self.dt * flow
            after.append(clip01(moved) if self.clip else moved)
        return [*after[:-1], states[-1]] if held else after

    def energy(self, net: Net, x, states) -> np.ndarray:
        """Return 1/2 |s|^2 - phi(rho(s)) of every sample."""
        return sum(0.5 * per_sample(s**2) for s in states) - phi(net, x, self.activities(net, states))


Dynamics = Prototypical | RealTime


def trajectory(dynamics: Dynamics, net: Net, x, steps: int, *, states=None, y=None, beta=0.0, clamped=None) -> list:
    """Return the states before and after each of ``steps`` steps: ``steps`` + 1 lists of layers.

    ``states`` are given (None: zeros); ``clamped`` (batch, n_out) holds the output layer there.
    """
    now = net.rest(x) if states is None else list(states)
    if clamped is not None:
        now[-1] = clamped
    seen = [now]
    for _ in range(steps):
        now = dynamics.step(net, x, now, y=y, beta=beta, held=clamped is not None)
        seen.append(now)
    return seen


def settle(dynamics: Dynamics, net: Net, x, steps: int, *, states=None, y=None, beta=0.0, clamped=None) -> list:
    """Return the states after ``steps`` steps."""
    return trajectory(dynamics, net, x, steps, states=states, y=y, beta=beta, clamped=clamped)[-1]


def total_energy(dynamics: Dynamics, net: Net, x, states, *, y=None, beta=0.0) -> np.ndarray:
    """Return E + beta C of every sample."""
    energy = dynamics.energy(net, x, states)
    return energy if beta == 0 else energy + beta * cost(net, states[-1], y)
