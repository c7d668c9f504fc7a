"""How much of everything one core may hold while a network is packed."""

from __future__ import annotations

from dataclasses import dataclass

from hw_models.chips.limits import Limits

UNLIMITED = 1 << 60
_PACKED = {
    "neurons": "neurons_per_core",
    "bits": "synapse_bits_per_core",
    "axons_in": "axons_in_per_core",
    "axons_out": "axons_out_per_core",
}
STRETCHES = (1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 8.0, 16.0, 64.0)  # how far budgets are passed before they are given up


@dataclass(frozen=True)
class Bounds:
    """The most that a core holds: neurons, synaptic bits, sources it listens to, destinations it sends to.

    ``cores`` is what the chips at hand have together.
    """

    neurons: int = UNLIMITED
    bits: int = UNLIMITED
    axons_in: int = UNLIMITED
    axons_out: int = UNLIMITED
    cores: int = UNLIMITED

    @property
    def kernel(self) -> tuple[int, int, int]:
        """What the compiled packing asks of a core."""
        return self.neurons, self.bits, self.axons_in


def bounds_of(limits: Limits, cores: int, stretch: float) -> Bounds:
    """Return what a core may hold where budgets are passed ``stretch`` times; the last stretch gives them up."""
    found = {"cores": cores}
    for key, name in _PACKED.items():
        limit = getattr(limits, name)
        if limit is None:
            continue
        if limit.kind == "wall":
            found[key] = limit.value
        elif stretch < STRETCHES[-1]:
            found[key] = int(limit.value * stretch)
    return Bounds(**found)


def has_budgets(limits: Limits) -> bool:
    """Whether a limit that packing respects is a budget."""
    return any((limit := getattr(limits, name)) is not None and limit.kind == "budget" for name in _PACKED.values())
