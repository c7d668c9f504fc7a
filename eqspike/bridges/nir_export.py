"""Networks in continuous time as NIR graphs."""

from __future__ import annotations

from io import BytesIO
from os import PathLike
from typing import Any

import numpy as np

from eqspike.bridges.nir_file import require_nir
from eqspike.core.errors import ModelError
from eqspike.network.connectivity import AllToAll
from eqspike.network.description import Layer, Network, Projection
from eqspike.network.neurons import LIF
from eqspike.recording.files import write_atomically
from eqspike.substrates.spiking.wiring import wire

DEFAULT_STEP_S = 1e-4  # the step that tools write graphs for where they say none
KEPT = {  # settings of a neuron that stand in metadata, for NIR has no word for them
    "eqspike_drive": ("drive", float),
    "eqspike_reset": ("reset", str),
    "eqspike_refractory_s": ("refractory_s", float),
    "eqspike_tau_adaptation_s": ("tau_adaptation_s", float),
    "eqspike_adaptation_step": ("adaptation_step", float),
}
_MOST_WEIGHTS = 1 << 26  # of one matrix


def to_nir(network: Network, *, tick_s: float = DEFAULT_STEP_S, seed: int = 1) -> Any:
    """Return ``network`` as an ``nir.NIRGraph`` whose spikes have the area ``tick_s``, written as its ``dt``.

    A delta synapse of weight w adds w to v: R is tau / dt and the weight stays as it is (IF: R = 1 / dt). With an
    exponential synapse w adds to the current: R is 1 and w_in = tau_syn / dt. Constant drive is part of v_leak, or a
    bias of the first projection onto an IF neuron. Sparse projections become matrices with zeros.

    Parameters
    ----------
    seed : of the weights, delays and synapses that are drawn, as in ``simulate``.

    Raises
    ------
    ModelError
        if nir is not installed, or the network has what NIR has no node for.
    """
    return _Export(require_nir(), network, tick_s, seed).graph()


def write_nir(path: str | PathLike, graph: Any, *, overwrite: bool = False) -> None:
    """Write a graph to a file, whole or not at all.

    Raises
    ------
    OutputError
        if the file exists and ``overwrite`` is false, or cannot be written.
    """
    buffer = BytesIO()
    require_nir().write(buffer, graph)
    write_atomically(path, buffer.getvalue(), overwrite=overwrite)


class _Export:
    """A network while it becomes a graph."""

    def __init__(self, nir: Any, network: Network, tick_s: float, seed: int) -> None:
        self.nir, self.network, self.tick_s, self.seed = nir, network, tick_s, seed
        self.nodes: dict[str, Any] = {}
        self.edges: list[tuple[str, str]] = []

    def graph(self) -> Any:
        for layer in self.network.layers:
            self._layer(layer)
        biased: set[str] = set()
        for index, projection in enumerate(self.network.projections):
            self._projection(index, projection, first=projection.post not in biased)
            biased.add(projection.post)
        self._outputs()
        return self.nir.NIRGraph(
            self.nodes, self.edges, metadata={"dt": self.tick_s, "written_by": "eqspike"}, type_check=False
        )

    def _layer(self, layer: Layer) -> None:
        _require(layer.name and "/" not in layer.name, layer.name, "'/' cannot stand in a name", "Rename the layer")
        if layer.kind == "source":
            self.nodes[layer.name] = self.nir.Input(np.array([layer.size]))
            return
        _require(isinstance(layer.neuron, LIF), layer.name, "its neuron counts ticks", "Export a network with LIF")
        taus = {p.tau_synapse_s for p in self.network.projections if p.post == layer.name}
        _require(
            len(taus) <= 1, layer.name, f"its synapses have {len(taus)} time constants, a NIR neuron has one",
            "Use one tau_synapse_s onto a layer",
        )  # fmt: skip
        self.nodes[layer.name] = self._neuron(layer, layer.neuron, max(taus, default=0.0))

    def _neuron(self, layer: Layer, neuron: LIF, tau_syn: float) -> Any:
        n, tau = np.ones(layer.size), neuron.tau_membrane_s
        metadata = {
            key: value
            for key, (setting, _) in KEPT.items()
            if (value := getattr(neuron, setting)) != LIF.model_fields[setting].default
        }
        levels = {"v_threshold": n * neuron.v_threshold, "v_reset": n * neuron.v_reset, "metadata": metadata}
        if tau is None:
            metadata.pop("eqspike_drive", None)  # a bias says it
            _require(tau_syn == 0, layer.name, "NIR has no IF neuron with synaptic currents", "Give tau_membrane_s")
            driven = any(p.post == layer.name for p in self.network.projections)
            _require(driven or not neuron.drive, layer.name, "nothing carries its drive", "Project onto it")
            return self.nir.IF(r=n / self.tick_s, **levels)
        leak = n * (neuron.v_rest + neuron.drive)
        if tau_syn > 0:
            w_in = n * tau_syn / self.tick_s
            return self.nir.CubaLIF(tau_syn=n * tau_syn, tau_mem=n * tau, r=n, v_leak=leak, w_in=w_in, **levels)
        return self.nir.LIF(tau=n * tau, r=n * tau / self.tick_s, v_leak=leak, **levels)

    def _projection(self, index: int, projection: Projection, *, first: bool) -> None:
        _require(
            projection.kernel is None, projection.name, "convolutions are not written", "Give the synapses as Pairs"
        )
        _require("/" not in projection.label, projection.name, "'/' cannot stand in a name", "Change the label")
        weight, delays = self._matrix(index, projection)
        metadata = {"eqspike_plastic": True} if projection.plastic else {}
        neuron = self.network.layer(projection.post).neuron
        if neuron.tau_membrane_s is None and neuron.drive and first:
            bias = np.full(len(weight), neuron.drive * self.tick_s)
            node = self.nir.Affine(weight=weight, bias=bias, metadata=metadata)
        else:
            node = self.nir.Linear(weight=weight, metadata=metadata)
        self.nodes[projection.name] = node
        before = projection.pre
        if delays.max() > 0:
            before = f"delay of {projection.name}"
            size = self.network.layer(projection.pre).size
            self.nodes[before] = self.nir.Delay(np.broadcast_to(delays, (size,)).copy())
            self.edges.append((projection.pre, before))
        self.edges += [(before, projection.name), (projection.name, projection.post)]

    def _matrix(self, index: int, projection: Projection) -> tuple[np.ndarray, np.ndarray]:
        """Return the weights (n_post, n_pre), of pairs joined more than once their sum, and the delays."""
        n_pre, n_post = (self.network.layer(end).size for end in (projection.pre, projection.post))
        _require(
            n_pre * n_post <= _MOST_WEIGHTS, projection.name,
            f"NIR writes all {n_pre:,} x {n_post:,} weights, more than {_MOST_WEIGHTS:,}", "Export a smaller network",
        )  # fmt: skip
        wiring = wire(self.network, projection, index, self.seed, spread=True)
        if isinstance(projection.connectivity, AllToAll):
            return wiring.weights.T.copy(), wiring.delays_s
        matrix = np.zeros((n_post, n_pre))
        if wiring.kind == "one-to-one":
            np.fill_diagonal(matrix, wiring.weights)
        else:
            np.add.at(matrix, (wiring.targets, np.repeat(np.arange(n_pre), np.diff(wiring.starts))), wiring.weights)
        return matrix, wiring.delays_s

    def _outputs(self) -> None:
        """End the graph: the layers that reach no other, or the last one where all do."""
        neurons = [layer for layer in self.network.layers if layer.kind == "lif"]
        reaching = {p.pre for p in self.network.projections if p.pre != p.post}
        last = [layer for layer in neurons if layer.name not in reaching] or neurons[-1:]
        for layer in last:
            name = "output" if len(last) == 1 and "output" not in self.nodes else f"output of {layer.name}"
            self.nodes[name] = self.nir.Output(np.array([layer.size]))
            self.edges.append((layer.name, name))


def _require(holds: bool, field: str, problem: str, remedy: str) -> None:
    if not holds:
        raise ModelError(f"{problem}.", field=field, remedy=f"{remedy}.")
