"""The network that is to be placed: layers with their spikes, and the connections between them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from hw_models.errors import WorkloadError

Kind = Literal["dense", "one-to-one", "sparse"]


@dataclass(frozen=True, eq=False)
class GraphLayer:
    """A layer of neurons.

    Parameters
    ----------
    spikes : spikes of a presentation, of the layer or (n,) one per neuron; None where unknown: then one per neuron.
    external : the layer is an input from outside the chip: it takes no neurons, only axons, and is not placed.
    bias_bits : bits of a stored bias per neuron, kept beside its synapses.
    state_bits : bits that a neuron's state needs, 0 where the network does not say.
    """

    name: str
    neurons: int
    spikes: float | np.ndarray | None = None
    external: bool = False
    bias_bits: int = 0
    state_bits: int = 0

    def __post_init__(self) -> None:
        if self.neurons < 1:
            _refuse(f"layer {self.name}", f"a layer of {self.neurons} neurons is none.", "Give it at least 1.")
        if self.spikes is not None:
            spikes = np.asarray(self.spikes, np.float64)
            if spikes.shape not in ((), (self.neurons,)) or not (np.isfinite(spikes).all() and spikes.min() >= 0):
                _refuse(f"layer {self.name}: spikes", "these are no counts.", f"Give one, or ({self.neurons},), >= 0.")

    def spikes_per_neuron(self) -> np.ndarray:
        """Return the spikes of a presentation (n,)."""
        if self.spikes is None:
            return np.ones(self.neurons)
        spikes = np.asarray(self.spikes, np.float64)
        return np.full(self.neurons, spikes / self.neurons) if spikes.ndim == 0 else spikes


@dataclass(frozen=True, eq=False)
class Connection:
    """Synapses from layer ``pre`` to layer ``post``; they are stored at the core of their post neuron.

    Parameters
    ----------
    kind : ``dense`` (all to all), ``one-to-one``, or ``sparse``: the synapses of pre neuron i are those from
        ``starts[i]`` to ``starts[i + 1]``, and ``targets`` are their post neurons.
    starts, targets : (n_pre + 1,) and (n_synapses,) integers, of sparse connections only.
    weight_bits, accumulator_bits : stored at each synapse, the latter while a plastic one learns.
    bidirectional : the same weights also act from post to pre.
    delay_ticks : the longest delay.
    """

    pre: str
    post: str
    kind: Kind = "dense"
    starts: np.ndarray | None = None
    targets: np.ndarray | None = None
    weight_bits: int = 1
    plastic: bool = False
    accumulator_bits: int = 0
    bidirectional: bool = False
    delay_ticks: int = 0
    label: str = ""

    @property
    def name(self) -> str:
        return f"{self.pre}->{self.post}" + (f":{self.label}" if self.label else "")

    def check(self, pre: GraphLayer, post: GraphLayer) -> None:
        """Refuse what does not fit the two layers."""
        where = f"connection {self.name}"
        if self.weight_bits < 1 or min(self.accumulator_bits, self.delay_ticks) < 0:
            _refuse(where, "a width or a delay is out of range.", "Give weights at least 1 bit, and nothing below 0.")
        if post.external or (pre.external and self.bidirectional):
            _refuse(where, "an input from outside the chip receives nothing.", "Connect onto neurons.")
        if self.kind == "one-to-one" and pre.neurons != post.neurons:
            _refuse(where, f"one-to-one between {pre.neurons} and {post.neurons} neurons.", "Use layers of one size.")
        if self.kind == "sparse":
            self._check_arrays(pre.neurons, post.neurons, where)

    def _check_arrays(self, n_pre: int, n_post: int, where: str) -> None:
        starts, targets = self.starts, self.targets
        if starts is None or targets is None or starts.shape != (n_pre + 1,) or targets.ndim != 1:
            _refuse(where, "starts and targets do not fit.", f"Give starts ({n_pre + 1},) and targets (n_synapses,).")
        if starts.dtype.kind not in "iu" or targets.dtype.kind not in "iu":
            _refuse(where, "starts or targets are no integers.", "Convert them.")
        if starts[0] != 0 or starts[-1] != len(targets) or (np.diff(starts) < 0).any():
            _refuse(where, "starts do not rise from 0 to the number of synapses.", "Check them.")
        if len(targets) and not (targets.min() >= 0 and targets.max() < n_post):
            _refuse(where, f"a target is not in 0 to {n_post - 1}.", "Count from 0 within the layer.")


@dataclass(frozen=True, eq=False)
class NetworkGraph:
    """Layers and connections, ready to be placed.

    Parameters
    ----------
    ticks : ticks of a presentation, for the spikes that reach a core in one of them.

    Raises
    ------
    WorkloadError
        If a name is unknown or taken twice, or a connection does not fit its layers.
    """

    layers: tuple[GraphLayer, ...]
    connections: tuple[Connection, ...]
    ticks: int = 1
    name: str = "network"

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        object.__setattr__(self, "connections", tuple(self.connections))
        names = [layer.name for layer in self.layers]
        if not names or len(set(names)) < len(names):
            _refuse("layers", "there is none, or a name is taken twice.", "Name each layer differently.")
        if all(layer.external for layer in self.layers):
            _refuse("layers", "there is no neuron to place.", "Add a layer that is not external.")
        if self.ticks < 1:
            _refuse("ticks", f"{self.ticks} is no number of ticks.", "Give at least 1.")
        by_name = dict(zip(names, self.layers, strict=True))
        object.__setattr__(self, "_by_name", by_name)
        for connection in self.connections:
            for end in (connection.pre, connection.post):
                if end not in by_name:
                    _refuse(f"connection {connection.name}", f"there is no layer {end!r}.", f"Layers: {names}.")
            connection.check(by_name[connection.pre], by_name[connection.post])

    def layer(self, name: str) -> GraphLayer:
        """Return the layer called ``name``."""
        return self._by_name[name]

    @property
    def shapes_only(self) -> bool:
        """Whether every connection is known by its shape alone."""
        return all(connection.kind != "sparse" for connection in self.connections)

    @property
    def spikes_known(self) -> bool:
        """Whether every layer says how much it fires."""
        return all(layer.spikes is not None for layer in self.layers)

    @property
    def placed(self) -> tuple[GraphLayer, ...]:
        """The layers that take neurons of the chip."""
        return tuple(layer for layer in self.layers if not layer.external)

    @property
    def neurons(self) -> int:
        """Number of neurons to place."""
        return sum(layer.neurons for layer in self.placed)

    def with_weight_bits(self, bits: int) -> NetworkGraph:
        """Return the graph with weights (and biases) of at most ``bits``."""
        layers = tuple(replace(layer, bias_bits=min(layer.bias_bits, bits)) for layer in self.layers)
        connections = tuple(replace(c, weight_bits=min(c.weight_bits, bits)) for c in self.connections)
        return replace(self, layers=layers, connections=connections)

    def resized(self, name: str, neurons: int) -> NetworkGraph:
        """Return a graph of shapes with layer ``name`` at another size, firing as much per neuron as before."""
        layer = self.layer(name)
        spikes = None if layer.spikes is None else float(np.mean(layer.spikes_per_neuron())) * neurons
        changed = replace(layer, neurons=neurons, spikes=spikes)
        return replace(self, layers=tuple(changed if one is layer else one for one in self.layers))


def _refuse(where: str, problem: str, remedy: str) -> None:
    raise WorkloadError(problem, field=where, remedy=remedy)
