"""What a network asks of a chip's local memory and wires, against what the chip has: walls fail, budgets degrade."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hw_models.chips.limits import Limits

MEANINGS = {
    "cores": ("cores", "use more chips"),
    "neurons_per_core": ("neurons in one core", "spread the layer over more cores"),
    "synapse_bits_per_core": ("bits of synapses in one core", "store narrower weights, or fewer synapses a neuron"),
    "fan_in": ("synapses onto one neuron", "make the layers before it smaller, or connect them sparsely"),
    "fan_out": ("synapses from one neuron", "make the layers after it smaller, or connect them sparsely"),
    "axons_in_per_core": ("sources that one core listens to", "make the layers before it smaller"),
    "axons_out_per_core": ("destinations that one core sends to", "make the layers after it smaller"),
    "weight_bits": ("bits of a weight", "store narrower weights"),
    "state_bits": ("bits of a neuron's state", "compute with narrower states"),
    "delay_ticks": ("ticks of delay", "use shorter delays or longer ticks"),
    "queue_depth": ("spikes into one core in one tick", "lower the rates, or spread the layer over more cores"),
}


def amount(number: float) -> str:
    """Return a number of something as text: whole with its thousands apart, else with three digits."""
    return f"{number:,.0f}" if number == int(number) else f"{number:,.3g}"


@dataclass(frozen=True)
class Need:
    """How much of something is needed, and where."""

    amount: float
    where: str


@dataclass(frozen=True)
class Demand:
    """What a network, once placed, asks of a chip: one :class:`Need` by the name of each limit that it touches.

    ``spare`` holds needs that no limit names, such as the synaptic bits of inference alone.
    """

    needs: Mapping[str, Need]
    spare: Mapping[str, float]

    def amount(self, name: str) -> float:
        """Return how much of ``name`` is needed, 0 where the network says nothing of it."""
        return self.needs[name].amount if name in self.needs else 0


@dataclass(frozen=True)
class Constraint:
    """One limit of a chip beside what a network needs of it.

    ``kind`` is ``wall`` (the chip cannot do more) or ``budget`` (beyond it the chip is slower, or leaves its memory).
    """

    name: str
    kind: Literal["wall", "budget"]
    demand: float
    limit: float
    where: str
    source: str

    @property
    def utilisation(self) -> float:
        """Demand over limit; infinite where something is needed that the chip has nothing of."""
        if self.limit:
            return self.demand / self.limit
        return float("inf") if self.demand else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return {name, kind, where, demand, limit, utilisation, source}."""
        share = self.utilisation
        return {
            "name": self.name,
            "kind": self.kind,
            "where": self.where,
            "demand": self.demand,
            "limit": self.limit,
            "utilisation": share if share < float("inf") else None,
            "source": self.source,
        }


@dataclass(frozen=True)
class Violation:
    """A limit that a network passes, and what mends it."""

    name: str
    kind: Literal["wall", "budget"]
    where: str
    demand: float
    limit: float
    remedy: str

    def __str__(self) -> str:
        meaning = MEANINGS[self.name][0]
        passed = f"{self.where} needs {amount(self.demand)} {meaning}, the {self.kind} is {amount(self.limit)}"
        if self.kind == "wall" or not self.limit or self.name == "cores":
            return f"{self.name}: {passed}"
        return f"{self.name}: {passed}: {self.demand / self.limit:.3g} times what the chip serves at full speed"

    def to_dict(self) -> dict[str, Any]:
        """Return the violation as JSON types."""
        return {key: getattr(self, key) for key in ("name", "kind", "where", "demand", "limit", "remedy")}


def weigh(demand: Demand, limits: Limits) -> list[Constraint]:
    """Return every limit that the chip states and the network touches, the fullest first."""
    found = [
        Constraint(name, limit.kind, demand.needs[name].amount, limit.value, demand.needs[name].where, limit.source)
        for name, limit in limits.items()
        if name in demand.needs
    ]
    return sorted(found, key=lambda constraint: -constraint.utilisation)


def check(demand: Demand, limits: Limits) -> list[Violation]:
    """Return the limits that ``demand`` passes, walls before budgets; a demand at its limit passes none.

    A queue is never a wall: what comes in one tick is served within it, so a short queue is a risk, not a refusal.
    """
    passed = [
        Violation(
            one.name,
            "budget" if one.name == "queue_depth" else one.kind,
            one.where,
            one.demand,
            one.limit,
            MEANINGS[one.name][1].capitalize() + ".",
        )
        for one in weigh(demand, limits)
        if one.demand > one.limit
    ]
    return sorted(passed, key=lambda violation: violation.kind == "budget")
