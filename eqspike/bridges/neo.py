"""Recordings as Neo objects, the data model of Elephant and of many readers of recordings from real tissue.

References
----------
Garcia et al., Front. Neuroinform. 8:10, 2014, doi:10.3389/fninf.2014.00010 (Neo); Denker, Yegenoglu and Grün,
Neuroinformatics 2018, abstract P19 (Elephant).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from eqspike.bridges.tables import Recording, Segment, recording_of
from eqspike.core.errors import ModelError

if TYPE_CHECKING:
    from eqspike.kernels.layout import Record
    from eqspike.substrates.spiking.simulation import Simulation
    from eqspike.substrates.spiking.substrate import SpikingSubstrate
    from eqspike.training.run import Run


def to_neo(
    source: Run | Simulation | Record | Recording,
    *,
    substrate: SpikingSubstrate | None = None,
    tick_s: float | None = None,
) -> Any:
    """Return a ``neo.Block``: a segment for every presentation, a spike train for every neuron, silent ones included.

    Trains are annotated with ``layer`` and ``neuron`` and grouped by layer; potentials and rates, where recorded, are
    analog signals (n_ticks, n_neurons). Arguments are those of :func:`eqspike.bridges.tables.recording_of`. Mean rates
    of a simulation with Elephant::

        block = to_neo(simulation)
        rates = [elephant.statistics.mean_firing_rate(train) for train in block.segments[0].spiketrains]

    Raises
    ------
    ModelError
        if neo is not installed, or ``source`` holds no spikes.
    ProbeError
        if the run recorded no spikes.
    """
    neo = _require_neo()
    recording = recording_of(source, substrate=substrate, tick_s=tick_s)
    block = neo.Block(name=recording.name, description="recorded by eqspike")
    groups = {layer: neo.Group(name=layer) for layer in recording.sizes}
    for number, segment in enumerate(recording.segments):
        made = neo.Segment(name=f"presentation {number}", index=number)
        for layer, size in recording.sizes.items():
            trains = _trains(neo, segment, layer, size)
            made.spiketrains.extend(trains)
            groups[layer].add(*trains)
        for (quantity, layer), values in segment.signals.items():
            signal = _signal(neo, quantity, layer, values, segment.tick_s)
            made.analogsignals.append(signal)
            groups[layer].add(signal)
        block.segments.append(made)
    block.groups.extend(groups.values())
    block.check_relationships()
    return block


def from_neo(block: Any) -> Recording:
    """Return what a ``neo.Block`` holds; trains without ``layer`` and ``neuron`` are neurons of a layer ``neurons``.

    Raises
    ------
    ModelError
        if neo is not installed, ``block`` is none, or a train begins before 0, ends nowhere or is a neuron twice.
    """
    neo = _require_neo()
    if not isinstance(block, neo.Block):
        raise ModelError(f"this is a {type(block).__name__}.", field="block", remedy="Give a neo.Block.")
    sizes: dict[str, int] = {}
    segments = tuple(_segment(segment, number, sizes) for number, segment in enumerate(block.segments))
    return Recording(block.name or "block", sizes, segments)


def _require_neo() -> Any:
    try:
        import neo
    except ModuleNotFoundError:
        raise ModelError(
            "there is no package neo.", field="neo", remedy="Install it with: pip install 'eqspike[interop]'."
        ) from None
    return neo


def _trains(neo: Any, segment: Segment, layer: str, size: int) -> list[Any]:
    t, i = segment.spikes[layer]
    order = np.lexsort((t, i))
    borders = np.searchsorted(i[order], np.arange(size + 1))
    return [
        neo.SpikeTrain(
            t[order[borders[n] : borders[n + 1]]],
            units="s",
            t_start=0.0,
            t_stop=max(segment.duration_s, t.max(initial=0.0)),  # the last tick's time, to rounding
            name=f"{layer} {n}",
            layer=layer,
            neuron=n,
        )
        for n in range(size)
    ]


def _signal(neo: Any, quantity: str, layer: str, values: np.ndarray, tick_s: float) -> Any:
    import quantities as pq

    unit = "dimensionless" if quantity == "potential" else "Hz"
    scaled = values if quantity == "potential" else values / tick_s  # rates are recorded per tick
    return neo.AnalogSignal(
        scaled, units=unit, sampling_period=tick_s * pq.s, t_start=tick_s * pq.s, name=f"{quantity} {layer}",
        layer=layer, quantity=quantity,
    )  # fmt: skip


def _segment(segment: Any, number: int, sizes: dict[str, int]) -> Segment:
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    seen, end = set(), 0.0
    for place, train in enumerate(segment.spiketrains):
        layer, neuron = train.annotations.get("layer", "neurons"), train.annotations.get("neuron", place)
        times, stop = train.rescale("s").magnitude, float(train.t_stop.rescale("s"))
        whole = isinstance(neuron, int | np.integer) and neuron >= 0
        for wrong, problem in (
            (not isinstance(layer, str) or not whole, f"layer {layer!r} and neuron {neuron!r} name no neuron."),
            ((layer, neuron) in seen, f"neuron {neuron} of layer {layer} has two trains."),
            (not np.isfinite(times).all() or times.min(initial=0) < 0, "a spike is before 0, or at no time."),
            (not np.isfinite(stop), "it ends nowhere."),
        ):
            if wrong:
                field = f"segments[{number}].spiketrains[{place}]"
                raise ModelError(problem, field=field, remedy="Change its annotations or times.")
        seen.add((layer, neuron))
        end, sizes[layer] = max(end, stop), max(sizes.get(layer, 0), int(neuron) + 1)
        found.setdefault(layer, []).append((times, np.full(len(times), int(neuron))))
    return Segment(end, {layer: _joined(parts) for layer, parts in found.items()}, *_signals(segment))


def _joined(parts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    t, i = (np.concatenate([part[k] for part in parts]) for k in range(2))
    order = np.lexsort((i, t))
    return t[order], i[order]


def _signals(segment: Any) -> tuple[dict[tuple[str, str], np.ndarray], float | None]:
    """Return the signals that we wrote, rates per tick again, and their common sampling period."""
    signals, tick_s = {}, None
    for signal in segment.analogsignals:
        key = signal.annotations.get("quantity"), signal.annotations.get("layer")
        if key[0] in ("potential", "rate") and isinstance(key[1], str):
            tick_s = float(signal.sampling_period.rescale("s"))
            values = signal.magnitude
            signals[key] = values if key[0] == "potential" else values * tick_s
    return signals, tick_s
