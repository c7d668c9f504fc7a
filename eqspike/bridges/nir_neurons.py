"""The neurons of a NIR node: what they are, in groups that are alike, and as eqspike says them."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from eqspike.bridges.nir_export import KEPT
from eqspike.bridges.nir_paths import kind, node_shape, numbers, refuse
from eqspike.network.neurons import LIF

NEVER = 1e30  # a threshold that no potential reaches
_MOST_KINDS = 64  # different neurons of one node


@dataclass
class Neurons:
    """The neurons of a node: arrays (n,) of what they are, and the layers that they become."""

    name: str
    tau: np.ndarray | None
    tau_syn: np.ndarray | None
    r: np.ndarray
    w_in: np.ndarray
    leak: np.ndarray
    threshold: np.ndarray
    reset: np.ndarray
    shape: tuple[int, ...]
    kept: dict[str, Any]
    groups: list[np.ndarray] = field(default_factory=list)

    def layer(self, k: int) -> str:
        """Return the name of layer number ``k``."""
        return self.name if len(self.groups) == 1 else f"{self.name}#{k}"

    def jump(self, area_s: float) -> np.ndarray:
        """Return what an impulse of ``area_s`` adds: to the potential, or to the current in its unit."""
        if self.tau_syn is not None:
            return self.r * self.w_in * area_s / self.tau_syn
        return self.r * area_s / (1.0 if self.tau is None else self.tau)

    def steady(self, tick_s: float) -> np.ndarray:
        """Return what an event in every tick has to add for a current of one."""
        if self.tau is None or self.tau_syn is not None:
            return self.jump(tick_s)
        return self.r * np.expm1(tick_s / self.tau)  # arrives after the threshold is looked at, and leaks once


def neurons_of(name: str, node: Any) -> Neurons:
    """Return the neurons of a node, in groups that are alike."""
    of, shape = kind(node), node_shape(name, node)
    n = prod(shape)

    def given(key: str) -> np.ndarray:
        values = numbers(name, node, key).reshape(-1)
        if values.size != n:
            refuse(f"{name}.{key}", f"{values.size} values for {n} neurons", "Give every array one shape.")
        return values

    cuba, fires = of.startswith("Cuba"), of not in ("LI", "CubaLI")
    tau = None if of == "IF" else given("tau_mem" if cuba else "tau")
    tau_syn = given("tau_syn") if cuba else None
    for key, times in (("tau", tau), ("tau_syn", tau_syn)):
        if times is not None and not (times > 0).all():
            refuse(f"{name}.{key}", "a time constant is not above 0", "Give seconds.")
    leak = np.zeros(n) if of == "IF" else given("v_leak")
    threshold = given("v_threshold") if fires else np.full(n, NEVER)
    reset = given("v_reset") if fires and getattr(node, "v_reset", None) is not None else np.zeros(n)
    if not (reset < threshold).all():
        refuse(f"{name}.v_reset", "it does not lie below v_threshold", "Lower it.")
    found = Neurons(
        name, tau, tau_syn, given("r"), given("w_in") if cuba else np.ones(n), leak, threshold, reset, shape,
        _kept(name, node),
    )  # fmt: skip
    blank = np.zeros(n)
    table = np.stack([blank if tau is None else tau, blank if tau_syn is None else tau_syn, leak, threshold, reset])
    kinds, of_kind = np.unique(table, axis=1, return_inverse=True)
    if kinds.shape[1] > _MOST_KINDS:
        refuse(name, f"its neurons are of {kinds.shape[1]} kinds, at most {_MOST_KINDS} run", "Share their parameters.")
    found.groups = [np.flatnonzero(of_kind.reshape(-1) == k) for k in range(kinds.shape[1])]
    return found


def _kept(name: str, node: Any) -> dict[str, Any]:
    """Return the settings of a neuron that NIR has no word for."""
    found, metadata = {}, getattr(node, "metadata", None) or {}
    for key, (setting, convert) in KEPT.items():
        if key in metadata:
            try:
                found[setting] = convert(metadata[key])
            except (TypeError, ValueError):
                refuse(f"{name}.metadata.{key}", "the value is of another kind", "Write the file again.")
    return found


def lif_of(neurons: Neurons, i: int, drive: float) -> LIF:
    """Return neuron ``i`` as eqspike says it; a rest above threshold is said as a drive from reset."""
    tau = None if neurons.tau is None else float(neurons.tau[i])
    rest = 0.0 if tau is None else float(neurons.leak[i])
    threshold, reset = float(neurons.threshold[i]), float(neurons.reset[i])
    kept = dict(neurons.kept)
    own = kept.pop("drive", 0.0) if tau is not None else 0.0
    if rest - own >= threshold:
        own = rest - reset if tau is not None else 0.0
        rest = reset + own
    settings = {"tau_membrane_s": tau, "v_threshold": threshold, "v_rest": rest - own, "v_reset": reset}
    return LIF.parse(settings | {"drive": drive + own} | kept, origin=neurons.name)
