"""Trained spiking networks, which count ticks, as NIR graphs."""

from __future__ import annotations

from collections.abc import Mapping
from math import log1p
from typing import Any

import numpy as np

from eqspike.bridges.nir_file import require_nir
from eqspike.core.errors import ModelError
from eqspike.network.description import Layer, Network, Neuron

_KEPT = ("refractory_ticks", "v_min", "v_max")  # what NIR has no word for, where it is not the default


def trained_to_nir(
    network: Network,
    weights: Mapping[str, np.ndarray],
    biases: Mapping[str, np.ndarray],
    *,
    tick_s: float,
    spiking_input: bool = False,
) -> Any:
    """Return a trained network of the spiking substrate as an ``nir.NIRGraph`` whose step is ``tick_s``.

    V(t+1) = (1 - leak) V(t) + w S(t) + b is an IF neuron with R = 1 / dt, or a LIF with tau = -dt / ln(1 - leak) and
    R = tau / dt; biases and held inputs are currents. A symmetric projection becomes two, and the one backwards says in
    metadata ``eqspike_tied_to`` whose weights it shares. Soft resets, refractory ticks and the clamp of potentials
    stand in metadata, the learning rule nowhere.

    Parameters
    ----------
    weights : (n_pre, n_post) by projection.
    biases : (n,) by layer.
    spiking_input : whether the input layer spikes; else its values are held, which the metadata of the Input says.

    Raises
    ------
    ModelError
        if nir is not installed, or the network does not spike.
    """
    nir = require_nir()
    nodes, edges, biased = {}, [], set()
    for layer in network.layers:
        nodes[layer.name] = _node(nir, layer, tick_s, spiking_input)
    for projection in network.projections:
        matrix, name, post = weights[projection.name], projection.name, projection.post
        _require(matrix.ndim == 2 and projection.kernel is None, name, "convolutions are not written", "Use dense ones")
        _require(not projection.synapse or not projection.synapse.tau_synapse_ticks, name,
                 "synaptic currents in ticks are not written", "Use tau_synapse_ticks = 0")  # fmt: skip
        given = np.asarray(matrix.T, np.float64)
        if post in biased:
            nodes[name] = nir.Linear(weight=given)
        else:
            nodes[name] = nir.Affine(weight=given, bias=np.asarray(biases[post], np.float64))
            biased.add(post)
        edges += [(projection.pre, name), (name, post)]
        if projection.symmetric:
            back = f"{post}->{projection.pre}"
            nodes[back] = nir.Linear(weight=given.T.copy(), metadata={"eqspike_tied_to": name})
            edges += [(post, back), (back, projection.pre)]
    last = network.layers[-1]
    end = "output" if "output" not in nodes else f"output of {last.name}"
    nodes[end] = nir.Output(np.array([last.size]))
    edges.append((last.name, end))
    return nir.NIRGraph(nodes, edges, metadata={"dt": tick_s, "written_by": "eqspike"}, type_check=False)


def _node(nir: Any, layer: Layer, tick_s: float, spiking_input: bool) -> Any:
    if layer.kind in ("static", "source"):
        return nir.Input(np.array([layer.size]), metadata={"eqspike_spikes": spiking_input})
    neuron = layer.neuron
    _require(isinstance(neuron, Neuron), layer.name, "the layer does not spike", "Export a run of spiking neurons")
    n = np.ones(layer.size)
    kept = {f"eqspike_{key}": getattr(neuron, key) for key in _KEPT}
    metadata = {key: value for key, value in kept.items() if value != Neuron.model_fields[key[8:]].default}
    if neuron.reset == "soft":
        metadata["eqspike_reset"] = "soft"
    levels = {"v_threshold": n * neuron.threshold, "metadata": metadata}
    levels["v_reset"] = n * (neuron.reset_value if neuron.reset == "hard" else 0.0)
    if neuron.leak == 0:
        return nir.IF(r=n / tick_s, **levels)
    tau = -tick_s / log1p(-neuron.leak)
    return nir.LIF(tau=n * tau, r=n * tau / tick_s, v_leak=0 * n, **levels)


def _require(holds: bool, field: str, problem: str, remedy: str) -> None:
    if not holds:
        raise ModelError(f"{problem}.", field=field, remedy=f"{remedy}.")
