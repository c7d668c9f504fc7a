"""Deterministic networks in continuous time built for Brian2 as our conventions say, in 64 bits.

Brian2 (Stimberg, Brette and Goodman, eLife 8:e47314, 2019, doi:10.7554/eLife.47314) counts the spike of tick n at n dt,
we at (n + 1) dt. A refractory time of R ticks is R + 1 of its own, in which it also lets no synapse write to V; we hear
what arrives at the end of the last of them.
"""

from __future__ import annotations

import brian2
import numpy as np

from eqspike.learning.stdp import PairSTDP
from eqspike.network.description import Network, Projection
from eqspike.network.inputs import SpikeList
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.wiring import wire
from reference.simulation import synapses_of

SCHEDULE = ["start", "groups", "thresholds", "resets", "synapses", "end"]


def group_of(neuron: LIF, size: int, taus: dict[str, float], tick_s: float):
    """Return neurons with a current for every projection named in ``taus``; all quantities are plain numbers.

    Brian2 solves what has no leak not exactly: such neurons have delta synapses and constant drive, added tick by tick.
    """
    flow = " + ".join(["rest - v + drive", *taus]) + (" - a" if neuron.adaptation_step else "")
    rests = round(neuron.refractory_s / tick_s)
    lines = [f"dv/dt = ({flow}) / tau : 1" + (" (unless refractory)" if rests else "")]
    if not neuron.tau_membrane_s:
        lines = ["v : 1"]
    lines += [f"d{name}/dt = -{name} / ({tau!r} * second) : 1" for name, tau in taus.items()]
    reset = "v = reset" if neuron.reset == "hard" else "v -= threshold - reset"
    if neuron.adaptation_step:
        lines.append("da/dt = -a / tau_a : 1")
        reset += "\na += step"
    space = {
        "drive": neuron.drive, "rest": neuron.v_rest, "reset": neuron.v_reset, "threshold": neuron.v_threshold,
        "tau": (neuron.tau_membrane_s or 1) * brian2.second, "step": neuron.adaptation_step,
        "tau_a": (neuron.tau_adaptation_s or 1) * brian2.second,
    }  # fmt: skip
    made = brian2.NeuronGroup(
        size, "\n".join(lines), threshold="v >= threshold", reset=reset, method="exact", namespace=space,
        refractory=(rests + 1) * tick_s * brian2.second if rests else False,
    )  # fmt: skip
    if not neuron.tau_membrane_s:
        made.run_regularly("v += drive * dt / second", when="groups")
    if rests:
        heard = f"not_refractory = timestep(t - lastspike, dt) >= {rests}"
        made.run_regularly(heard, when="before_synapses")
    return made


def synapses_for(p: Projection, number: int, network: Network, groups: dict, tick_s: float, rule: PairSTDP | None):
    """Return the synapses of a projection; traces grow after all of a tick's events have read them."""
    wiring = wire(network, p, number, 1, spread=p.plastic)
    listed = synapses_of(network, p, wiring, wiring.weights)
    deliver = f"g{number}_post += w" if p.tau_synapse_s > 0 else "v_post += w"
    if p.plastic:
        made = _plastic(groups[p.pre], groups[p.post], deliver, rule)
    else:
        made = brian2.Synapses(groups[p.pre], groups[p.post], "w : 1", on_pre={"learn": deliver})
    made.connect(i=[s.pre for s in listed], j=[s.post for s in listed])
    made.w = [s.weight for s in listed]
    late = np.broadcast_to(tick_s if p.delay_s is None else wiring.delays_s, network.layer(p.pre).size)
    for path in ("learn", "grow") if p.plastic else ("learn",):
        getattr(made, path).delay = [late[s.pre] for s in listed] * brian2.second
    return made


def _plastic(pre, post, deliver: str, rule: PairSTDP):
    grown = {"all-to-all": "+= 1", "nearest-neighbour": "= 1"}[rule.pairs]
    space = {
        "tau_plus": rule.tau_plus * brian2.second, "tau_minus": rule.tau_minus * brian2.second,
        "low": -np.inf if rule.w_min is None else rule.w_min, "high": np.inf if rule.w_max is None else rule.w_max,
        "up": rule.A_plus, "down": rule.A_minus,
    }  # fmt: skip
    made = brian2.Synapses(
        pre, post,
        "w : 1\ndx/dt = -x / tau_plus : 1 (event-driven)\ndy/dt = -y / tau_minus : 1 (event-driven)",
        on_pre={"learn": f"{deliver}\nw = clip(w - down * y, low, high)", "grow": f"x {grown}"},
        on_post={"learn_back": "w = clip(w + up * x, low, high)", "grow_back": f"y {grown}"},
        namespace=space,
    )  # fmt: skip
    for order, path in enumerate(("learn", "learn_back", "grow", "grow_back")):
        getattr(made, path).order = order
    return made


def run_brian2(
    network: Network, inputs: dict[str, SpikeList], duration_s: float, tick_s: float, *, initial=None, rule=None
) -> tuple[dict, dict, dict]:
    """Return spikes as (tick, neuron) by layer, potentials by layer and weights by projection."""
    brian2.start_scope()
    kept, clock = brian2.prefs.codegen.target, brian2.defaultclock.dt
    brian2.prefs.codegen.target, brian2.defaultclock.dt = "numpy", tick_s * brian2.second
    try:
        groups = {}
        for layer in network.layers:
            if layer.kind == "source":
                ticks = np.maximum(np.rint(inputs[layer.name].times_s / tick_s) - 1, 0)
                groups[layer.name] = brian2.SpikeGeneratorGroup(
                    layer.size, inputs[layer.name].neurons, ticks * tick_s * brian2.second
                )
                continue
            taus = {
                f"g{k}": p.tau_synapse_s
                for k, p in enumerate(network.projections)
                if p.post == layer.name and p.tau_synapse_s > 0
            }
            groups[layer.name] = group_of(layer.neuron, layer.size, taus, tick_s)
            groups[layer.name].v = (initial or {}).get(layer.name, layer.neuron.v_rest)
        joined = {p.name: synapses_for(p, k, network, groups, tick_s, rule) for k, p in enumerate(network.projections)}
        monitors = {name: brian2.SpikeMonitor(group) for name, group in groups.items()}
        whole = brian2.Network(*groups.values(), *joined.values(), *monitors.values())
        whole.schedule = SCHEDULE
        whole.run(duration_s * brian2.second)
        spikes = {
            name: sorted((round(t / tick_s), int(i)) for t, i in zip(np.asarray(m.t), np.asarray(m.i), strict=True))
            for name, m in monitors.items()
        }
        potentials = {layer.name: np.array(groups[layer.name].v) for layer in network.layers if layer.kind == "lif"}
        return spikes, potentials, {name: np.array(synapses.w) for name, synapses in joined.items()}
    finally:
        brian2.prefs.codegen.target, brian2.defaultclock.dt = kept, clock
