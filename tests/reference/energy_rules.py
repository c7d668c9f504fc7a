"""Gradient estimates of Equilibrium Propagation and its siblings, each as its published formula.

All return a Net of gradient estimates of the loss (mean over the batch; a descent step subtracts them). Every perturbed
phase starts from the free states unless its rule says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reference.energy_links import Dense
from reference.energy_network import (
    Net,
    added,
    phi_gradient,
    readout_gradient,
    real,
    scaled,
    vector_field,
)
from reference.energy_settling import Dynamics, settle

Terms = list[tuple[complex, complex]]


def nudges(kind: str, beta: float) -> Terms:
    """Return the (coefficient, beta) of the positive, negative or centered estimate."""
    upper, lower = {"positive": (beta, 0.0), "negative": (0.0, -beta), "centered": (beta, -beta)}[kind]
    return [(1 / (upper - lower), upper), (-1 / (upper - lower), lower)]


def circle(radius: float, points: int) -> Terms:
    """Return the (coefficient, beta) of the Cauchy integral over ``points`` points, the free states last.

    1 / (N beta_k) at beta_k = r e^(2 pi i k / N). The free term makes N = 1 the positive estimate and, as the inverse
    roots of unity sum to zero, changes nothing for more points.
    """
    betas = radius * np.exp(2j * np.pi * np.arange(points) / points)
    return [(1 / (points * b), b) for b in betas] + [(-1 / radius if points == 1 else 0.0, 0.0)]


def theta_gradient(dynamics: Dynamics, net: Net, x, states, y=None, beta: complex = 0.0) -> Net:
    """Return d(E + beta C)/d theta at fixed states, mean over the batch."""
    own = scaled(-1.0, phi_gradient(net, x, dynamics.activities(net, states)))
    return own if beta == 0 else added(own, scaled(beta, readout_gradient(net, states[-1], y)))


def phases(dynamics: Dynamics, net: Net, x, y, terms: Terms, steps: int, free: list) -> list[list]:
    """Return the states of every nudge, settled for ``steps`` steps from the free ones; at beta 0 the free ones."""
    return [free if b == 0 else settle(dynamics, net, x, steps, states=free, y=y, beta=b) for _, b in terms]


def ep_gradient(dynamics: Dynamics, net: Net, x, y, terms: Terms, *, steps: int, free: list) -> Net:
    """Return sum_k c_k d(E + beta_k C)/d theta at the states of nudge beta_k (``nudges`` or ``circle`` give terms)."""
    settled = phases(dynamics, net, x, y, terms, steps, free)
    parts = [
        scaled(c, theta_gradient(dynamics, net, x, s, y, b)) for (c, b), s in zip(terms, settled, strict=True) if c != 0
    ]
    return real(added(*parts))


def oscillating_gradient(dynamics: Dynamics, net: Net, x, y, *, radius, points, steps, periods, start) -> Net:
    """Average Re[dE/d theta / beta] while beta walks round the circle, ``steps`` steps a point, states carried on."""
    states, parts = start, []
    for k in range(periods * points):
        beta = radius * np.exp(2j * np.pi * k / points)
        states = settle(dynamics, net, x, steps, states=states, y=y, beta=beta)
        parts.append(real(scaled(1 / beta, theta_gradient(dynamics, net, x, states, y, beta))))
    return scaled(1 / len(parts), added(*parts))


def coupled_gradient(dynamics: Dynamics, net: Net, x, y, terms: Terms, *, steps: int, free: list) -> Net:
    """Return sum_k c_k dE/d theta with the output held at (1 - beta_k) o* + beta_k y."""
    parts = []
    for c, b in terms:
        held = (1 - b) * free[-1] + b * y
        states = free if b == 0 else settle(dynamics, net, x, steps, states=free, clamped=held)
        parts.append(scaled(c, theta_gradient(dynamics, net, x, states)))
    return added(*parts)


def contrastive_gradient(dynamics: Dynamics, net: Net, x, y, *, steps: int, free: list) -> Net:
    """Return dE/d theta with the output held at y, minus dE/d theta of the free states."""
    return coupled_gradient(dynamics, net, x, y, nudges("positive", 1.0), steps=steps, free=free)


def vector_field_gradient(dynamics: Dynamics, net: Net, x, y, terms: Terms, *, steps: int, free: list) -> Net:
    """Return the estimate of untied weights: -sum_k c_k of (free presynaptic) x (nudged postsynaptic) activity.

    A way down has its presynaptic neurons above. Biases and read-out are as in ``ep_gradient``.
    """
    still, parts = dynamics.activities(net, free), []
    for (c, b), s in zip(terms, phases(dynamics, net, x, y, terms, steps, free), strict=True):
        parts.append(scaled(-c, vector_field(net, x, still, dynamics.activities(net, s))))
        if b != 0:
            parts.append(scaled(c * b, readout_gradient(net, s[-1], y)))
    return real(added(*parts))


def kolen_pollack(gradient: Net) -> Net:
    """Give both ways of every untied link the mean of their two gradients."""
    links = []
    for link in gradient.links:
        if isinstance(link, Dense) and link.backward is not None:
            mean = (link.weight + link.backward) / 2
            link = Dense(mean, mean)
        links.append(link)
    return Net(tuple(links), gradient.biases, gradient.sigmas, gradient.readout)


def continual_ep(
    dynamics: Dynamics, net: Net, x, y, *, beta: float, rates: Sequence[float], steps: int, free: list
) -> tuple[Net, list[list], list[Net]]:
    """Nudge for ``steps`` steps and move the weights at each: states with the old weights first, then the weights.

    g(t) = -(1 / beta) [d phi/d theta (s(t+1)) - d phi/d theta (s(t))];  theta <- theta - rate g(t)
    Untied links take g(t) = -(1 / beta) [v(still s(t), moved s(t+1)) - v(s(t), s(t))] for each way, v the vector field.
    ``rates`` are those of the links from the input; a layer's bias moves at the rate of the link below it.

    Returns
    -------
    tuple
        The net after the last step, the states at every step (``steps`` + 1) and g of every step.
    """
    states, seen, gradients = free, [free], []
    for _ in range(steps):
        after = dynamics.step(net, x, states, y=y, beta=beta)
        then, now = dynamics.activities(net, states), dynamics.activities(net, after)
        moved = vector_field(net, x, then, now) if net.untied else phi_gradient(net, x, now)
        g = scaled(-1 / beta, added(moved, scaled(-1.0, phi_gradient(net, x, then))))
        net, states = added(net, scaled(-1.0, _at_rates(g, rates))), after
        seen.append(states)
        gradients.append(g)
    return net, seen, gradients


def _at_rates(g: Net, rates: Sequence[float]) -> Net:
    arrays = [rate * a for rate, link in zip(rates, g.links, strict=True) for a in link.arrays()]
    arrays += [rate * b for rate, b in zip(rates, g.biases, strict=True)]
    return g.like(arrays + list(g.readout or ()))
