"""The ledger of a network that settles: what iterations, contrasts and changes of weights amount to."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from eqspike.core.contrast import Contrast
from eqspike.core.ledger import LAYER_COUNTERS, PHASES, PROJECTION_COUNTERS, Ledger
from eqspike.energies.model import Theta
from eqspike.network.description import Network
from eqspike.substrates.hopfield.batches import Tally
from eqspike.substrates.hopfield.program import uses_below

_WAYS = [PROJECTION_COUNTERS.index(f"macs_{way}") for way in ("forward", "backward")]
_UPDATES = LAYER_COUNTERS.index("neuron_updates")
_WRITES = PROJECTION_COUNTERS.index("weight_writes")
_ACCUMULATED = PROJECTION_COUNTERS.index("accumulator_writes")


class Counter:
    """Counted events of a network, and samples that had not settled when their free phase ended, by phase.

    Parameters
    ----------
    network : whose rows the ledger has; biases are projections ``bias->layer``.
    states : how many of its layers settle: all but the input, and but a read-out.
    contrast : the phases of a presentation that learns.
    """

    def __init__(self, network: Network, states: int, contrast: Contrast) -> None:
        self.network, self.contrast = network, contrast
        self.settling = network.layers[1 : 1 + states]
        self.uses = [uses_below(network, projection) for projection in network.projections]
        names = tuple(layer.name for layer in network.layers)
        rows = tuple(projection.name for projection in network.projections)
        self.ledger = Ledger(names, rows + tuple(f"bias->{name}" for name in names[1:]))
        self.unsettled = dict.fromkeys(PHASES, 0)

    @property
    def input_uses(self) -> np.ndarray:
        """How often each pixel multiplies a weight in one look at the input, (n_pixels,) int32."""
        pairs = zip(self.uses, self.network.projections, strict=True)
        return sum(uses for uses, projection in pairs if projection.pre == "input").reshape(-1).astype(np.int32)

    def clear(self, phase: str) -> None:
        """Forget what was counted in ``phase``."""
        counts = self.ledger.phases[phase]
        counts.layers[:], counts.projections[:] = 0, 0
        counts.ticks = counts.presentations = 0
        self.unsettled[phase] = 0

    def free(self, phase: str, samples: int, iterations: int, used: int, unsettled: int) -> None:
        """Enter free settling: ``iterations`` of all samples together, ``used`` weights in looking at the input."""
        self.unsettled[phase] += unsettled
        self._settle(phase, samples, iterations)
        table = self.ledger.phases[phase].projections
        for row, (projection, uses) in enumerate(zip(self.network.projections, self.uses, strict=True)):
            per_pass = int(uses.sum())
            if projection.pre == "input":
                table[row, _WAYS[0]] += used
            elif projection.read_out:
                table[row, _WAYS[0]] += per_pass * samples
            else:
                table[row, _WAYS] += per_pass * iterations

    def training(self, tally: Tally, n: int) -> None:
        """Enter the first ``n`` samples of a chunk that was learnt from."""
        used, free, nudged, unsettled = (int(np.asarray(values)[:n].sum(dtype=np.int64)) for values in tally[1:5])
        self.free("free", n, free, used, unsettled)
        self._perturbed(n, nudged)
        table = self.ledger.phases["nudged"].projections
        for row, changed in self._written(tally.written):
            table[row, _WRITES] += changed
        for row, (projection, uses) in enumerate(zip(self.network.projections, self.uses, strict=True)):
            if projection.accumulates:
                active = used if projection.pre == "input" else n * int(uses.sum())
                table[row, _ACCUMULATED] += (2 if projection.separate else 1) * self.contrast.terms * active

    def _settle(self, phase: str, samples: int, iterations: int, *, held: bool = False) -> None:
        counts = self.ledger.phases[phase]
        counts.presentations += samples
        counts.ticks += iterations
        for place, layer in enumerate(self.settling[: -1 if held else None], 1):
            counts.layers[place, _UPDATES] += iterations * layer.size

    def _perturbed(self, samples: int, iterations: int) -> None:
        """Enter perturbed settling; a clamped output is not evaluated, and its force is computed once."""
        clamped = self.contrast.clamped
        self._settle("nudged", samples, iterations, held=clamped)
        products = self._real_parts(iterations)
        table = self.ledger.phases["nudged"].projections
        for row, (projection, uses) in enumerate(zip(self.network.projections, self.uses, strict=True)):
            per_pass = int(uses.sum())
            if projection.read_out:
                table[row, _WAYS] += per_pass * (samples if clamped else iterations)
            elif projection.pre != "input":
                held = clamped and projection.post == self.settling[-1].name
                table[row, _WAYS[1] if held else _WAYS] += per_pass * products

    def _real_parts(self, iterations: int) -> int:
        """Return how many real-valued passes the perturbed ``iterations`` are: a complex state counts twice."""
        betas = self.contrast.betas
        complex_ones = sum(isinstance(beta, complex) for beta in betas)
        whole = self.contrast.periods > 0 and complex_ones > 0  # one state goes through all phases
        return iterations * 2 if whole else iterations * (len(betas) + complex_ones) // len(betas)

    def _written(self, written: Theta) -> Iterator[tuple[int, int]]:
        """Yield (row of the ledger, changed values) of every parameter array; separate ways share their row."""
        names = [projection.name for projection in self.network.projections]
        for group, values in written.items():
            for name, per_batch in values.items():
                changed = int(np.asarray(per_batch).sum(dtype=np.int64))
                if group == "biases":
                    yield len(names) + int(name) - 1, changed
                elif group == "readout":
                    yield len(names) - 1 if name == "weights" else len(self.ledger.projections) - 1, changed
                else:
                    yield names.index(name), changed
