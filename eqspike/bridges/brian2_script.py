"""The text of a Brian2 script that does what the spiking substrate does, tick by tick, EqSpike's rule included.

One tick is one step of Brian2's clock, and Euler's step over it is the network's own recursion. What EqSpike's
estimator remembers of a rate, r(t - D), is the same filter behind synapses from each neuron to itself with delay D.
Samples follow each other in one run; between them the network rests until no spike is on its way.
"""

from __future__ import annotations

from math import exp
from textwrap import indent
from typing import TYPE_CHECKING

from eqspike import __version__
from eqspike.bridges.brian2_templates import (
    DELAY,
    END,
    GROUP,
    HEAD,
    PHASES,
    SETTINGS,
    SLOW,
    SOURCE,
    SYNAPSES,
    TRACES_DELAY,
    TRACES_SLOW,
)

if TYPE_CHECKING:
    from eqspike.network.description import Layer, Network, Projection
    from eqspike.training.spiking_spec import SpikingSpec


def script_text(spec: SpikingSpec, network: Network, script: str) -> str:
    """Return the script, called ``script``, of ``network``; its arrays lie beside it in an .npz of the same stem."""
    lif = [layer for layer in network.layers if layer.kind == "lif"]
    shape = "-".join(str(layer.size) for layer in network.layers)
    source = network.layers[0].kind == "source"
    parts = [
        HEAD.format(
            name=_plain(spec.name),
            shape=shape,
            version=__version__,
            script=script,
            source="SpikeGeneratorGroup, " if source else "",
        ),
        _settings(spec, network),
        *(_group(network, layer) for layer in lif),
        _listing(network, lif),
        TRACES_DELAY if spec.rule.derivative == "delay" else TRACES_SLOW,
        SOURCE.format(size=network.layers[0].size) if source else "",
        *(_synapses(network, projection) for projection in _spiking(network)),
        _phases(network),
        _end(network),
    ]
    return "".join(parts)


def _plain(name: str) -> str:
    """Return a recipe's name without anything that could end a docstring."""
    return "".join(letter if letter.isalnum() or letter in " -_.," else "_" for letter in name)


def _variable(projection: Projection) -> str:
    return f"{_group_of(projection.pre)}_{projection.post}"


def _group_of(layer: str) -> str:
    return "pixels" if layer == "input" else layer


def _spiking(network: Network) -> list[Projection]:
    """Return the projections that spikes travel along; those of a static input are multiplied out."""
    return [p for p in network.projections if network.layer(p.pre).kind != "static"]


def _settings(spec: SpikingSpec, network: Network) -> str:
    rule, phases = spec.rule, spec.phases
    delayed = rule.derivative == "delay"
    pause = 1 + max(layer.neuron.refractory_ticks for layer in network.layers if layer.kind == "lif")
    tau = rule.tau_ticks
    estimator = DELAY.format(tau=tau, delay=rule.delay_ticks) if delayed else SLOW.format(
        tau=tau, slow=rule.tau_slow_ticks
    )  # fmt: skip
    return SETTINGS.format(
        tick_s=spec.tick_s, free=phases.free_ticks, nudged=phases.nudged_ticks, readout=phases.readout_ticks,
        rest=max(pause, rule.delay_ticks if delayed else 1), short_rest=pause, beta=rule.beta,
        target_rate=rule.target_rate, estimator=estimator,
    )  # fmt: skip


def _arriving(network: Network, layer: str) -> dict[str, float]:
    """Return the currents that end on a layer, each with what is left of it after a tick."""
    found = {}
    for projection in _spiking(network):
        tau = projection.synapse.tau_synapse_ticks
        left = exp(-1.0 / tau) if tau > 0 else 0.0
        if projection.post == layer:
            found[f"from_{_group_of(projection.pre)}"] = left
        if projection.symmetric and projection.pre == layer:
            found[f"from_{projection.post}"] = left
    return found


def _group(network: Network, layer: Layer) -> str:
    neuron, currents = layer.neuron, _arriving(network, layer.name)
    is_output = layer is network.layers[-1]
    inflow = " + ".join(["drive", *currents, *(["beta * (target - rate)"] if is_output else [])])
    leak = f" - {neuron.leak!r} * v" if neuron.leak else ""
    pauses = " (unless refractory)" if neuron.refractory_ticks else ""
    lines = [f"dv/dt = ({inflow}{leak}) / TICK : 1{pauses}"]
    lines += [f"d{name}/dt = -{1.0 - left!r} * {name} / TICK : 1  # arrived spikes" for name, left in currents.items()]
    lines += [
        "drive : 1  # bias, and pixels times weights",
        "fired : 1  # in this tick",
        "late : 1  # fired DELAY ticks ago",
        "rate : 1  # the estimate r",
        "past : 1  # what r is compared with",
        "change : 1  # r'",
        "owed : 1  # the sum of r'",
        "teaching : 1 (shared)  # 1 in the nudged phase",
    ]
    lines += ["beta : 1 (shared)  # 0 in the free phase", "target : 1"] if is_output else []
    reset = f"v -= {neuron.threshold!r}" if neuron.reset == "soft" else f"v = {neuron.reset_value!r}"
    pause = f"\n    refractory={neuron.refractory_ticks + 1} * TICK," if neuron.refractory_ticks else ""
    return GROUP.format(
        name=layer.name, size=layer.size, equations=indent("\n".join(lines), "    "), threshold=neuron.threshold,
        reset=reset, refractory=pause, low=neuron.v_min, high=neuron.v_max,
    )  # fmt: skip


def _listing(network: Network, layers: list[Layer]) -> str:
    groups = ", ".join(f'"{layer.name}": {layer.name}' for layer in layers)
    currents = {layer.name: tuple(_arriving(network, layer.name)) for layer in layers}
    return f"neurons = {{{groups}}}\nCURRENTS = {_lines(currents)}\n"


def _lines(entries: dict[str, object], margin: str = "") -> str:
    """Return a dictionary as code, an entry a line."""
    inside = "".join(f"{margin}    {name!r}: {value!r},\n" for name, value in entries.items())
    return f"{{\n{inside}{margin}}}"


def _clipped(projection: Projection, value: str, module: str = "") -> str:
    """Return ``value`` within the bounds of the weights, in the words of Brian2 or of a ``module``."""
    low, high = projection.synapse.w_min, projection.synapse.w_max
    if low is None and high is None:
        return value
    bounds = (f"-{module}inf" if low is None else repr(low)), (f"{module}inf" if high is None else repr(high))
    return f"{module}clip({value}, {', '.join(bounds)})"


def _synapses(network: Network, projection: Projection) -> str:
    """Return the code of a projection: deliver both ways with the weight as it is, then learn, pre spikes first."""
    synapse, pre = projection.synapse, _group_of(projection.pre)
    tau = synapse.tau_synapse_ticks
    inflow = f"{1.0 - exp(-1.0 / tau)!r} * " if tau > 0 else ""
    held = synapse.commit == "end_of_phase"
    on_pre = {"forward": f"from_{pre}_post += {inflow}w"}
    on_post = {"backward": f"from_{projection.post}_pre += {inflow}w"} if projection.symmetric else {}
    if synapse.plastic:
        on_pre["learn"] = _update(projection, "change_post", held)
        if projection.symmetric:
            on_post["learn_back"] = _update(projection, "change_pre", held)
    model = "w : 1" + ("\\ngain : 1 (shared)" if synapse.plastic else "") + ("\\nheld : 1" if held else "")
    paths = [path for path in ("forward", "backward", "learn", "learn_back") if path in {**on_pre, **on_post}]
    return SYNAPSES.format(
        variable=_variable(projection), pre=pre, post=projection.post, model=model, on_pre=_lines(on_pre, "    "),
        on_post=_lines(on_post, "    ") if on_post else None, paths=tuple(paths), name=projection.name,
    )  # fmt: skip


def _update(projection: Projection, change: str, held: bool) -> str:
    return f"held += gain * {change}" if held else f"w = {_clipped(projection, f'w + gain * {change}')}"


def _phases(network: Network) -> str:
    drive, gains, commits = "", "", ""
    for projection in network.projections:
        if network.layer(projection.pre).kind == "static":
            post, name = projection.post, projection.name
            drive += f'    {post}.drive = biases["{post}"] + images[sample] @ weights["{name}"]\n'
        elif projection.synapse.plastic:
            gains += f"    {_variable(projection)}.gain = {projection.synapse.learning_rate!r} / signed\n"
        commits += _commit(network, projection)
    for layer in network.layers:
        rates = [p.synapse.learning_rate for p in network.projections if p.post == layer.name and p.synapse.plastic]
        if layer.kind == "lif" and rates:
            commits += f'    biases["{layer.name}"] += {max(rates)!r} / signed * {layer.name}.owed[:]\n'
    return PHASES.format(n_out=network.layers[-1].size, static_drive=drive, gains=gains, commits=commits)


def _commit(network: Network, projection: Projection) -> str:
    """Return what the end of a nudged phase does to a projection."""
    synapse, name, variable = projection.synapse, projection.name, _variable(projection)
    if not synapse.plastic:
        return ""
    if network.layer(projection.pre).kind == "static":
        step = f"{synapse.learning_rate!r} / signed * np.outer(images[sample], {projection.post}.owed[:])"
        moved = _clipped(projection, f'weights["{name}"] + {step}', "np.")
        return f'    weights["{name}"] = {moved}\n'
    lines = f"    {variable}.gain = 0\n"
    if synapse.commit == "end_of_phase":
        lines += f'    {variable}.w = "{_clipped(projection, "w + held")}"\n    {variable}.held = 0\n'
    return lines


def _end(network: Network) -> str:
    spiking = _spiking(network)
    source = network.layers[0].kind == "source"
    parts = "".join(f"{_variable(projection)}, " for projection in spiking) + ("pixels, " if source else "")
    final = "".join(f'weights["{p.name}"] = np.reshape({_variable(p)}.w, weights["{p.name}"].shape)\n' for p in spiking)
    watched = '({"input": pixels} | neurons)' if source else "neurons"
    return END.format(watched=watched, parts=parts, final_weights=final, n_out=network.layers[-1].size)
