"""What the estimates are measured against: gradients by complex steps, implicit differentiation and time reversal.

A complex step, Im f(theta + i h) / h with h = 1e-30, is an exact derivative: nothing is subtracted, nothing cancels.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reference.energy_network import Net, added, cost, cost_gradient, readout_gradient, scaled
from reference.energy_rules import Terms, phases
from reference.energy_settling import Dynamics, settle, total_energy, trajectory

TINY = 1e-30


def complex_step_gradient(function: Callable[[Net], complex], net: Net) -> Net:
    """Return d function / d theta, one parameter at a time."""
    at = net.vector()
    bumps = TINY * np.eye(at.size)
    return net.with_vector(np.array([np.imag(function(net.with_vector(at + 1j * bump))) / TINY for bump in bumps]))


def difference_gradient(function: Callable[[Net], float], net: Net, width: float = 1e-5) -> Net:
    """Return [f(theta + width) - f(theta - width)] / (2 width), one parameter at a time."""
    at = net.vector()
    bumps = width * np.eye(at.size)
    gains = [function(net.with_vector(at + bump)) - function(net.with_vector(at - bump)) for bump in bumps]
    return net.with_vector(np.array(gains) / (2 * width))


def free_loss(dynamics: Dynamics, net: Net, x, y, *, steps: int, states: list, loss=cost) -> complex:
    """Return the mean cost after ``steps`` free steps from ``states``; another ``loss`` takes (net, out, y) too."""
    return loss(net, settle(dynamics, net, x, steps, states=states)[-1], y).mean()


def equilibrium_gradient(dynamics: Dynamics, net: Net, x, y, *, steps: int, free: list, loss=cost) -> Net:
    """Return dC(s*)/d theta: differentiate all ``steps`` steps, which must be enough to settle anew."""
    return complex_step_gradient(lambda n: free_loss(dynamics, n, x, y, steps=steps, states=free, loss=loss), net)


def minimal_energy(dynamics: Dynamics, net: Net, x, y, beta: float, *, steps: int, states: list) -> np.ndarray:
    """Return F(beta) = E + beta C at the states settled under nudge ``beta`` of every sample (batch,)."""
    settled = settle(dynamics, net, x, steps, states=states, y=y, beta=beta)
    return total_energy(dynamics, net, x, settled, y=y, beta=beta)


def surrogate_loss(dynamics: Dynamics, net: Net, x, y, terms: Terms, *, steps: int, free: list) -> complex:
    """Return L_P, L_N or L_C = sum_k c_k F(beta_k), mean over the batch."""
    return sum(c * minimal_energy(dynamics, net, x, y, b, steps=steps, states=free).mean() for c, b in terms)


def surrogate_gradient(dynamics: Dynamics, net: Net, x, y, terms: Terms, *, steps: int, free: list) -> Net:
    """Return the derivative of ``surrogate_loss``, every phase started at its settled states."""
    settled = phases(dynamics, net, x, y, terms, steps, free)

    def loss(n: Net) -> complex:
        found = [
            c * minimal_energy(dynamics, n, x, y, b, steps=steps, states=s)
            for (c, b), s in zip(terms, settled, strict=True)
        ]
        return sum(found).mean()

    return complex_step_gradient(loss, net)


def flat(states: list[np.ndarray]) -> np.ndarray:
    """Return (batch, all units)."""
    return np.concatenate([s.reshape(len(s), -1) for s in states], axis=1)


def unflat(vector: np.ndarray, states: list[np.ndarray]) -> list[np.ndarray]:
    """Return ``vector`` (batch, all units) in the shapes of ``states``."""
    ends = np.cumsum([s[0].size for s in states])[:-1]
    return [part.reshape(s.shape) for part, s in zip(np.split(vector, ends, axis=1), states, strict=True)]


def jacobians(dynamics: Dynamics, net: Net, x, states: list) -> tuple[np.ndarray, np.ndarray]:
    """Return d step / d states (batch, units, units) and d step / d theta (batch, units, parameters), free step."""
    s, theta = flat(states), net.vector()
    by_state = [
        flat(dynamics.step(net, x, unflat(s + 1j * bump, states))).imag / TINY for bump in TINY * np.eye(s.shape[1])
    ]
    by_theta = [
        flat(dynamics.step(net.with_vector(theta + 1j * bump), x, states)).imag / TINY
        for bump in TINY * np.eye(theta.size)
    ]
    return np.stack(by_state, axis=2), np.stack(by_theta, axis=2)


def loss_by_states(net: Net, states: list, y) -> np.ndarray:
    """Return d mean cost / d states (batch, units): zero but for the output layer."""
    slopes = [np.zeros_like(s) for s in states]
    slopes[-1] = cost_gradient(net, states[-1], y) / len(y)
    return flat(slopes)


def implicit_gradient(dynamics: Dynamics, net: Net, x, y, free: list) -> Net:
    """Return dC/d theta at the fixed point s = f(s, theta): f_theta^T (1 - f_s^T)^-1 dC/ds (recurrent backprop)."""
    by_state, by_theta = jacobians(dynamics, net, x, free)
    total = np.zeros(net.vector().size)
    for f_s, f_theta, slope in zip(by_state, by_theta, loss_by_states(net, free, y), strict=True):
        total += f_theta.T @ np.linalg.solve(np.eye(len(f_s)) - f_s.T, slope)
    return added(net.with_vector(total), readout_gradient(net, free[-1], y))


def bptt(dynamics: Dynamics, net: Net, x, y, *, steps: int, states: list) -> tuple[list[Net], list[list[np.ndarray]]]:
    """Return dL/d theta(T - t) and dL/d s(T - t), t = 0 .. ``steps`` - 1, L the mean cost after ``steps`` free steps.

    theta(T - t) is the copy of the parameters that the (t + 1)-th last step uses. The read-out, which no step uses, is
    left zero: its gradient is ``readout_gradient``.
    """
    path = trajectory(dynamics, net, x, steps, states=states)
    slope = loss_by_states(net, path[-1], y)
    by_theta, by_state = [], []
    for before in reversed(path[:-1]):
        f_s, f_theta = jacobians(dynamics, net, x, before)
        by_state.append(unflat(slope, before))
        by_theta.append(net.with_vector(np.einsum("bu,bup->p", slope, f_theta)))
        slope = np.einsum("bu,buv->bv", slope, f_s)
    return by_theta, by_state


def bptt_gradient(dynamics: Dynamics, net: Net, x, y, *, steps: int, states: list) -> Net:
    """Return the sum of ``bptt`` over the last ``steps`` steps, the read-out's gradient included."""
    by_theta, _ = bptt(dynamics, net, x, y, steps=steps, states=states)
    end = settle(dynamics, net, x, steps, states=states)[-1]
    return added(*by_theta, readout_gradient(net, end, y))


def relative_error(estimate: Net, reference: Net) -> float:
    """Return |estimate - reference| / |reference| over all parameters."""
    return float(np.linalg.norm(added(estimate, scaled(-1.0, reference)).vector()) / np.linalg.norm(reference.vector()))


def rel_mse(a: np.ndarray, b: np.ndarray) -> float:
    """Return the mean over units of sqrt(sum_t (a - b)^2 / max(sum_t a^2, sum_t b^2)), 0 where both are 0.

    ``a`` and ``b`` are (steps, ...).
    """
    apart, largest = ((a - b) ** 2).sum(axis=0), np.maximum((a**2).sum(axis=0), (b**2).sum(axis=0))
    return float(np.sqrt(np.divide(apart, largest, out=np.zeros_like(apart), where=largest > 0)).mean())


def slope(betas, errors) -> float:
    """Return d log(error) / d log(beta) by least squares."""
    return float(np.polyfit(np.log(betas), np.log(errors), 1)[0])
