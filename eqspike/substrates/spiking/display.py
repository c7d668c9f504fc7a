"""A simulation as a notebook shows it."""

from __future__ import annotations

from eqspike.core.html import Markup, facts, table, whole
from eqspike.core.notebook import card

TOTALS = ("spikes", "synaptic_events", "neuron_updates", "weight_writes")


def simulation_html(simulation) -> Markup:
    """Return the card of a simulation: how it ended, each layer's spikes and mean rate, and what was counted."""
    ledger, seconds = simulation.ledger(), simulation.time_s
    counted = {name: sum(ledger.total(phase, name) for phase in ledger.phases) for name in TOTALS}
    said = [
        ("outcome", simulation.outcome.message or simulation.outcome.kind),
        ("emulated", f"{seconds:.4g} s on the {simulation.clock.kind} clock"),
        *((name.replace("_", " "), whole(number)) for name, number in counted.items() if number),
    ]
    numbers = {name: len(each.t) for name, each in simulation.spikes.items()}
    rows = [
        (layer.name, whole(layer.size), whole(numbers[layer.name]), _rate(numbers[layer.name], layer.size, seconds))
        for layer in simulation.network.layers
    ]
    return card("Simulation", facts(said), table("Layers", ("layer", "neurons", "spikes", "rate (Hz)"), rows))


def _rate(spikes: int, neurons: int, seconds: float) -> str:
    return f"{spikes / (neurons * seconds):.3g}" if seconds > 0 else "-"
