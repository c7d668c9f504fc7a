"""Networks of the slow twin, handed to the engine: the same parameters as a Model and theta, and gradients back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from eqspike.energies import model as engine
from eqspike.energies.backend import jax, jnp
from eqspike.energies.settling import Drive
from reference.energy_links import Convolution, Dense
from reference.energy_network import Net
from reference.energy_settling import Dynamics, Prototypical

# Compiling takes longer than any of these small loops: half as long with little optimisation.
_LITTLE = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
compiled = partial(jax.jit, compiler_options=_LITTLE)
IN_TURN = {True: ("odd", "even"), False: ("even", "odd")}


def names(net: Net) -> list[str]:
    """Return the names of the interactions, from the input on."""
    return [f"w{place}" for place in range(1, net.depth + 1)]


def model_of(dynamics: Dynamics, net: Net, x: np.ndarray, **changes) -> engine.Model:
    """Return the engine's model of a twin; ``changes`` are further fields, such as ``clip``."""
    links = [
        engine.Dense(name, place, place + 1)
        if isinstance(link, Dense)
        else engine.Convolution(name, place, place + 1, link.padding, link.pool or "none")
        for place, (name, link) in enumerate(zip(names(net), net.links, strict=True))
    ]
    if isinstance(dynamics, Prototypical):
        moves = {"nudge": dynamics.nudge, "asynchronous": dynamics.order is not None}
    else:
        moves = {"kind": "real-time", "dt": dynamics.dt, "clip": dynamics.clip}
    shapes = tuple(s.shape[1:] for s in net.rest(x))
    return engine.Model(tuple(links), shapes, net.sigmas, softmax=net.readout is not None, **(moves | changes))


def theta_of(net: Net, dtype: type = np.float64) -> dict:
    """Return the parameters of a twin as the engine holds them."""
    arrays = {
        "weights": dict(zip(names(net), net.weights, strict=True)),
        "biases": {str(place): bias for place, bias in enumerate(net.biases, 1)},
    }
    if net.untied:
        arrays["backward"] = {name: w for name, w in zip(names(net), net.backward, strict=True) if w is not None}
    if net.readout:
        arrays["readout"] = dict(zip(("weights", "biases"), net.readout, strict=True))
    return jax.tree.map(lambda values: jnp.asarray(values, dtype), arrays)


def net_of(theta: Mapping, net: Net) -> Net:
    """Return what the engine holds, parameters or gradients, as a twin of the shape of ``net``."""
    links = []
    for name, link in zip(names(net), net.links, strict=True):
        weight = np.asarray(theta["weights"][name])
        if isinstance(link, Convolution):
            links.append(Convolution(weight, link.padding, link.pool))
        else:
            links.append(Dense(weight, None if link.backward is None else np.asarray(theta["backward"][name])))
    biases = tuple(np.asarray(theta["biases"][str(place)]) for place in range(1, net.depth + 1))
    readout = tuple(np.asarray(theta["readout"][part]) for part in ("weights", "biases")) if net.readout else None
    return Net(tuple(links), biases, net.sigmas, readout)


def free_drive(model: engine.Model, theta: Mapping, x, y) -> Drive:
    """Return what acts on free states, in the type of ``y``."""
    return Drive(engine.fixed_drive(model, theta, x, y.dtype), y)


def order_of(depth: int, *, nudged: bool) -> tuple[str, str]:
    """Return the twin's order of asynchronous updates: free from the input on, perturbed from the output on."""
    return IN_TURN[(depth if nudged else 1) % 2 == 1]


def far(found: Net, expected: Net) -> float:
    """Return the largest difference of any parameter over the largest value."""
    a, b = found.vector(), expected.vector()
    return float(np.abs(a - b).max() / np.abs(b).max())
