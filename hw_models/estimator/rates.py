"""The energy of a synaptic event against the rate at which neurons fire: where static power stops to rule."""

from __future__ import annotations

from dataclasses import dataclass

from hw_models.chips import Chip
from hw_models.estimator.pricing import operating_points, price
from hw_models.report import Band
from hw_models.workload import LayerShape, PhaseCounts, ProjectionShape, Workload, require_tick

SECONDS = 1_000  # of emulated time, so that slow rates still give whole counts


@dataclass(frozen=True)
class EventEnergy:
    """Joules of a synaptic event at one mean rate: all-in, and what one more event costs."""

    rate_hz: float
    all_in: Band
    marginal: Band


def event_energy(
    chip: Chip, rate_hz: float, *, neurons: int, fan_out: int, weight_bits: int = 1, tick_s: float = 1e-3
) -> EventEnergy:
    """Return what a synaptic event costs where ``neurons`` of ``fan_out`` synapses each fire at ``rate_hz``.

    E_all-in = P_static / (neurons x fan_out x rate) + E_event + (neuron updates, spikes and routing) per event

    Parameters
    ----------
    tick_s : seconds of a tick, of a chip that has none of its own.

    Raises
    ------
    UnpricedError
        If the chip has no price for what is counted here.
    """
    require_tick(tick_s)
    own = chip.knobs.tick_s or (chip.constant(chip.tick).si.value if chip.tick is not None else tick_s)
    ticks = round(SECONDS / own)
    spikes = round(neurons * rate_hz * SECONDS)
    counts = {
        ("neurons", "spikes"): spikes,
        ("neurons", "neuron_updates"): neurons * ticks,
        ("synapses", "synaptic_events_forward"): spikes * fan_out,
    }
    synapses = ProjectionShape("synapses", "neurons", "neurons", neurons * fan_out, weight_bits, False, False)
    phase = PhaseCounts("rates", 1, ticks, counts)
    report = price(Workload("rates", (LayerShape("neurons", neurons),), (synapses,), (phase,), own), chip)
    return EventEnergy(rate_hz, report.per_synaptic_event(), report.marginal_per_synaptic_event())


def published_events(chip: Chip, *, neurons: int, fan_out: int) -> list[tuple[float, float]]:
    """Return (rate in Hz, joules of an event, all-in) of the published points of a network of this size."""
    found = []
    for point, made in zip(chip.operating_points, operating_points(chip), strict=True):
        events = point.rates.get("synaptic_events", 0.0)
        if point.neurons == neurons and events and "static" in point.parts:
            each = made.measured if point.quantity == "energy_per_event_j" else made.measured / events
            found.append((events / (neurons * fan_out), each))
    return found
