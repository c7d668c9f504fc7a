"""The layered networks that recipes describe: input, hidden layers in order, output."""

from __future__ import annotations

from math import prod

from eqspike.core.errors import ConfigError
from eqspike.network.description import (
    Kernel,
    Layer,
    Network,
    Neuron,
    PooledKernel,
    Projection,
    Synapse,
    with_channels,
)


def layered(sizes: list[int], encoding: str, neuron: Neuron, synapses: list[Synapse]) -> Network:
    """Return the network input - hidden ... - output of Equilibrium Propagation, symmetric between neurons.

    Parameters
    ----------
    sizes : neurons per layer, input and output included.
    encoding : ``static`` for a constant current, else the input layer spikes.
    neuron : the neuron of every layer but the input.
    synapses : one per projection, in order from the input.
    """
    if len(synapses) != len(sizes) - 1:
        raise ConfigError(
            f"{len(sizes)} layers need {len(sizes) - 1} synapse settings, not {len(synapses)}.",
            field="synapses",
            remedy="Give one per projection.",
        )
    hidden = [f"hidden{k + 1}" for k in range(len(sizes) - 2)] if len(sizes) > 3 else ["hidden"] * (len(sizes) - 2)
    names = ["input", *hidden, "output"]
    first = Layer("input", sizes[0], "static" if encoding == "static" else "source")
    rest = [Layer(name, size, "lif", neuron) for name, size in zip(names[1:], sizes[1:], strict=True)]
    projections = [
        Projection(
            pre,
            post,
            synapse,
            symmetric=pre != "input",
            accumulates=synapse.commit == "end_of_phase" and not (pre == "input" and encoding == "static"),
        )
        for pre, post, synapse in zip(names[:-1], names[1:], synapses, strict=True)
    ]
    return Network((first, *rest), tuple(projections))


def layered_rate(
    image_shape: tuple[int, ...],
    hidden: list[int | Kernel],
    n_classes: int,
    activations: tuple[str, str],
    *,
    softmax: bool = False,
    accumulates: bool = True,
    tied: bool = True,
) -> Network:
    """Return the network input - hidden ... - output of real-valued states, symmetric between free layers.

    Parameters
    ----------
    image_shape : of an input image, (d,), (h, w) or (h, w, c).
    hidden : neurons of each hidden layer, or its convolution.
    activations : of hidden layers, and of the output.
    softmax : whether the output is a read-out outside the dynamics.
    accumulates : whether updates wait at the synapse for the end of a phase.
    tied : whether backward weights are the forward ones.
    """
    shape = with_channels(image_shape)
    layers, projections = [Layer("input", prod(shape), "static", shape=shape)], []
    for number, given in enumerate(hidden, 1):
        kernel = given if isinstance(given, Kernel) else None
        shape = kernel.pooled(layers[-1].shape) if kernel else (given,)
        name = f"hidden{number}" if len(hidden) > 1 else "hidden"
        layers.append(Layer(name, prod(shape), "rate", activation=activations[0], shape=shape))
        projections.append(
            Projection(
                layers[-2].name,
                name,
                symmetric=tied and number > 1,
                separate=not tied and number > 1,
                kernel=kernel,
                accumulates=accumulates,
            )
        )
    layers.append(Layer("output", n_classes, "rate", activation=activations[1], shape=(n_classes,)))
    projections.append(
        Projection(
            layers[-2].name,
            "output",
            symmetric=tied and bool(hidden) and not softmax,
            separate=not tied and bool(hidden) and not softmax,
            accumulates=accumulates,
            read_out=softmax,
        )
    )
    return Network(tuple(layers), tuple(projections))


def layered_binary(
    image_shape: tuple[int, ...], hidden: list[int | PooledKernel], outputs: int, activation: str
) -> Network:
    """Return the network input - hidden ... - output of binary weights, symmetric between free layers.

    Parameters
    ----------
    image_shape : of an input image, (d,), (h, w) or (h, w, c).
    hidden : neurons of each hidden layer, or its convolution.
    outputs : neurons of the output.
    activation : "real" or "binary".
    """
    shape = with_channels(image_shape)
    layers, projections = [Layer("input", prod(shape), "static", shape=shape)], []
    names = [f"hidden{number}" for number in range(1, len(hidden) + 1)] if len(hidden) > 1 else ["hidden"]
    for name, given in zip([*names, "output"], [*hidden, outputs], strict=True):
        kernel = given if isinstance(given, Kernel) else None
        shape = kernel.pooled(layers[-1].shape) if kernel else (given,)
        pre = layers[-1].name
        layers.append(Layer(name, prod(shape), "rate", activation=activation, shape=shape))
        projections.append(
            Projection(pre, name, symmetric=pre != "input", kernel=kernel, accumulates=True, weight_bits=1)
        )
    return Network(tuple(layers), tuple(projections))
