"""A simulation neuron by neuron on the cores of a chip, as other tools' files want it."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp

import numpy as np

from eqspike.core.errors import ConfigError
from eqspike.network.description import Layer, Network, Projection
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.clocks import Clocked
from eqspike.substrates.spiking.simulation import Simulation
from eqspike.substrates.spiking.simulation_program import delay_ticks
from eqspike.substrates.spiking.units import Units
from eqspike.substrates.spiking.wiring import wire
from hw_models.exchange.graph import Edges, Group, PlacedGraph


def placed_graph(
    simulation: Simulation,
    name: str,
    *,
    cores: Mapping[str, np.ndarray],
    mesh: tuple[int, int],
    cores_per_tile: int = 1,
) -> PlacedGraph:
    """Return the network of ``simulation`` with its weights, the spikes it fired, and the core of every neuron.

    Potentials are counted from rest: a tick is V <- leak_decay V + bias + input, a spike where V > threshold. Here a
    spike is added to V after the threshold is looked at, and leaks once before it can count: weights are written as
    leak_decay x weight, in the model's unit, which gives the same potentials, and the same spikes one tick earlier for
    each layer passed. A loop is as many ticks shorter, so a network with feedback is written truly but fires otherwise.

    Raises
    ------
    ConfigError
        if the network has what a leaky integrate-and-fire neuron with delta synapses of one tick has not.
    """
    network, clock = simulation.network, simulation.clock
    if not isinstance(clock, Clocked):
        raise ConfigError(
            f"networks are exported from the clock clocked, not from {clock.kind}.",
            field="clock.kind",
            remedy="Use clocked.",
        )
    given = getattr(simulation, "inputs", {})
    groups = tuple(_group(layer, clock, simulation, given) for layer in network.layers)
    edges = tuple(_edges(simulation, k, projection) for k, projection in enumerate(network.projections))
    return PlacedGraph(name, groups, edges, dict(cores), mesh, cores_per_tile)


def contiguous_cores(network: Network, neurons_per_core: int, cores: int) -> dict[str, np.ndarray]:
    """Return the core of every neuron, filled in the order of layers; input layers on cores of their own.

    Raises
    ------
    ConfigError
        if the cores do not suffice.
    """
    found, first = {}, 0
    for layer in network.layers:
        found[layer.name] = first + np.arange(layer.size) // neurons_per_core
        first = int(found[layer.name][-1]) + 1
    if first > cores:
        raise ConfigError(
            f"{first} cores of {neurons_per_core} neurons are needed, {cores} are there.",
            field="network",
            remedy="Make the network smaller, or choose a larger chip.",
        )
    return found


def _group(layer: Layer, clock: Clocked, simulation: Simulation, given: Mapping) -> Group:
    fired = simulation.spikes[layer.name]
    spikes = np.rint(fired.t / clock.tick_s).astype(np.int64) - 1, np.asarray(fired.i, np.int64)
    if layer.kind != "lif":
        pairs = np.unique(spikes[0] * layer.size + spikes[1])
        if len(pairs) < len(spikes[0]):
            raise ConfigError(
                "an input neuron fires twice within a tick, which a list of ticks cannot say.",
                field=layer.name,
                remedy="Lower its rate, or shorten clock.tick_s.",
            )
        return Group(layer.name, layer.size, None, spikes)
    _check_neuron(layer.name, layer.neuron, layer.name in given)
    return Group(layer.name, layer.size, neuron_model(layer.neuron, clock), spikes)


def neuron_model(neuron: LIF, clock: Clocked) -> dict[str, float | str]:
    """Return the settings of a neuron that counts ticks: threshold, reset, reset_mode, leak_decay, bias."""
    keep = 1.0 if neuron.tau_membrane_s is None else exp(-clock.tick_s / neuron.tau_membrane_s)
    steps = _steps(neuron)
    return {
        "threshold": (neuron.v_threshold - neuron.v_rest) * steps,
        "reset": (neuron.v_reset - neuron.v_rest) * steps,
        "reset_mode": neuron.reset,
        "leak_decay": keep,
        "bias": (Units(clock).constant(neuron) - (1 - keep) * neuron.v_rest) * steps,
    }


def _steps(neuron: LIF) -> float:
    """Return the model's units in one of the potential: 2^18 from rest to threshold.

    SANA-FE cuts potentials to 1/64 and holds them in 32 bits: this leaves 24 bits to a threshold and 7 above it.
    """
    return 2.0**18 / (neuron.v_threshold - neuron.v_rest)


def _check_neuron(field: str, neuron: LIF, background: bool) -> None:
    for wrong, problem, remedy in (
        (neuron.refractory_s > 0, "SANA-FE's neurons here have no refractory time.", "Set refractory_s = 0."),
        (neuron.adaptation_step != 0, "SANA-FE's neurons have no adaptation.", "Set adaptation_step = 0."),
        (background, "SANA-FE's neurons have no Poisson background.", "Give it by a source layer, one-to-one."),
        (
            neuron.reset == "soft" and neuron.v_reset != neuron.v_rest,
            "a soft reset of SANA-FE takes away the whole way from rest to threshold.",
            "Set v_reset = v_rest.",
        ),
    ):
        if wrong:
            raise ConfigError(problem, field=field, remedy=remedy)


def _edges(simulation: Simulation, index: int, projection: Projection) -> Edges:
    network, clock = simulation.network, simulation.clock
    for wrong, problem, remedy in (
        (projection.tau_synapse_s > 0, "SANA-FE's network has delta synapses only.", "Set tau_synapse_s = 0."),
        (projection.kernel is not None, "convolutions are not written for SANA-FE.", "Give the synapses as Pairs."),
    ):
        if wrong:
            raise ConfigError(problem, field=projection.name, remedy=remedy)
    wiring = wire(network, projection, index, simulation.seed, spread=True)
    if (delay_ticks(projection, wiring, clock.tick_s) != 1).any():
        raise ConfigError(
            "SANA-FE's network has delays of one tick only.", field=projection.name, remedy="Leave delay_s out."
        )
    n_pre, n_post = network.layer(projection.pre).size, network.layer(projection.post).size
    if wiring.kind == "dense":
        sources, targets = np.repeat(np.arange(n_pre), n_post), np.tile(np.arange(n_post), n_pre)
    elif wiring.kind == "one-to-one":
        sources = targets = np.arange(n_pre)
    else:
        sources, targets = np.repeat(np.arange(n_pre), np.diff(wiring.starts)), wiring.targets.astype(np.int64)
    weights = np.broadcast_to(simulation.weights()[projection.name].reshape(-1), sources.shape)
    neuron = network.layer(projection.post).neuron
    scale = neuron_model(neuron, clock)["leak_decay"] * _steps(neuron)
    return Edges(projection.pre, projection.post, sources, targets, weights * scale)
