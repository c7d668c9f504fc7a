"""The ledger of a feed-forward network: what passes forward and backward, and changes of stored weights, amount to."""

from __future__ import annotations

import numpy as np

from eqspike.core.ledger import LAYER_COUNTERS, PROJECTION_COUNTERS, Ledger
from eqspike.network.description import Network
from eqspike.substrates.feedforward.batches import Tally

_UPDATES = LAYER_COUNTERS.index("neuron_updates")
_WRITES = PROJECTION_COUNTERS.index("weight_writes")
_FLIPS = PROJECTION_COUNTERS.index("weight_flips")
_ACCUMULATED = PROJECTION_COUNTERS.index("accumulator_writes")


class Counter:
    """Counted events of a network; its shifts and gains are projections ``bias->layer``.

    A pass evaluates one layer a tick. Forward, a synapse is used where its presynaptic neuron (or pixel) is not zero;
    backward, where the error of its postsynaptic neuron comes through, but never towards the input. Binary weights are
    added or subtracted (synaptic events), others multiplied (MACs).

    Parameters
    ----------
    network : whose rows the ledger has.
    binary : whether a weight is one bit.
    """

    def __init__(self, network: Network, binary: bool) -> None:
        self.network, self.binary = network, binary
        names = tuple(layer.name for layer in network.layers)
        rows = tuple(projection.name for projection in network.projections)
        self.ledger = Ledger(names, rows + tuple(f"bias->{name}" for name in names[1:]))
        self.shapes = np.array([network.stored(projection) for projection in network.projections], np.int64)
        kind = "synaptic_events" if binary else "macs"
        self._ways = [PROJECTION_COUNTERS.index(f"{kind}_{way}") for way in ("forward", "backward")]

    def clear(self, phase: str) -> None:
        """Forget what was counted in ``phase``."""
        counts = self.ledger.phases[phase]
        counts.layers[:], counts.projections[:] = 0, 0
        counts.ticks = counts.presentations = 0

    def forward(self, phase: str, active: np.ndarray) -> None:
        """Enter passes forward; ``active`` (n, n_projections) are presynaptic neurons that are not zero."""
        self._pass(phase, len(active))
        table = self.ledger.phases[phase].projections
        table[: len(self.shapes), self._ways[0]] += _sum(active) * self.shapes[:, 1]

    def training(self, tally: Tally, n: int) -> None:
        """Enter the first ``n`` samples of a chunk that was learnt from."""
        active, passing = (np.asarray(values)[:n].astype(np.int64) for values in (tally.active, tally.passing))
        self.forward("free", active)
        self._pass("nudged", n)
        table, projections = self.ledger.phases["nudged"].projections, len(self.shapes)
        table[1:projections, self._ways[1]] += (_sum(passing) * self.shapes[:, 0])[1:]
        table[:projections, _ACCUMULATED] += (active * passing).sum(0)
        written = {group: np.array([_sum(of) for of in values]) for group, values in tally.written.items()}
        table[:projections, _WRITES] += written["weights"]
        if self.binary:
            table[:projections, _FLIPS] += written["weights"]
        table[projections:, _WRITES] += sum(values for group, values in written.items() if group != "weights")

    def _pass(self, phase: str, samples: int) -> None:
        counts = self.ledger.phases[phase]
        counts.presentations += samples
        counts.ticks += samples * len(self.shapes)
        counts.layers[1:, _UPDATES] += samples * np.array([layer.size for layer in self.network.layers[1:]])


def _sum(values: np.ndarray) -> np.ndarray:
    return np.asarray(values).sum(0, dtype=np.int64)
