"""The suite of the exact clock measures what it says."""

from __future__ import annotations

from eqspike.bench import exact
from eqspike.bench.balanced import Brunel


def test_silence_is_silent_and_long_silence_no_dearer() -> None:
    simulation = exact.silent(1_000)
    assert exact.seconds(simulation, 1000.0, 2) < 1.0
    assert simulation.time_s > 2000
    assert list(simulation.ledger().rows()) == [("inference", "run", "presentations", 1)]


def test_the_balanced_network_is_active() -> None:
    simulation = exact.balanced(Brunel(excitatory=200, inhibitory=50, from_excitatory=20, from_inhibitory=5))
    assert exact.seconds(simulation, 0.02, 1) > 0
    ledger = simulation.ledger()
    assert ledger.total("inference", "spikes") > 0
    assert ledger.total("inference", "synaptic_events") > 0.8 * 250 * 20_000 * 0.021
