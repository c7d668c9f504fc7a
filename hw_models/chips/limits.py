"""What a chip holds: cores, neurons, synapses, wires and queues, each limit a wall or a budget with its source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from hw_models.chips.entry import Entry

Size = Annotated[int, Field(gt=0)]


class Limit(Entry):
    """One limit: a ``wall`` cannot be passed, beyond a ``budget`` the chip gets slower or leaves its local memory."""

    value: Annotated[int, Field(ge=0)]
    kind: Literal["wall", "budget"]
    source: Annotated[str, Field(min_length=1)]


class Limits(Entry):
    """The limits of a chip; None where a limit is not published or does not exist.

    Parameters
    ----------
    cores : cores of one chip.
    neurons_per_core, synapse_bits_per_core : neurons, and bits of synaptic memory, of one core.
    fan_in, fan_out : synapses that one neuron receives, and reaches.
    axons_in_per_core, axons_out_per_core : sources that a core listens to, destinations that it sends to.
    weight_bits, state_bits : widest weight, and neuron state.
    delay_ticks : longest delay.
    queue_depth : events that wait before a core.
    trees : a neuron of larger fan-in may be built from relay neurons.
    mesh : columns and rows of the cores.
    multicast : one packet serves every core of a spike's path.
    """

    cores: Limit | None = None
    neurons_per_core: Limit | None = None
    synapse_bits_per_core: Limit | None = None
    fan_in: Limit | None = None
    fan_out: Limit | None = None
    axons_in_per_core: Limit | None = None
    axons_out_per_core: Limit | None = None
    weight_bits: Limit | None = None
    state_bits: Limit | None = None
    delay_ticks: Limit | None = None
    queue_depth: Limit | None = None
    trees: bool = False
    mesh: tuple[Size, Size] | None = None
    multicast: bool = False

    def items(self) -> Iterator[tuple[str, Limit]]:
        """Yield (name, limit) of every limit that is stated."""
        for name in type(self).model_fields:
            if isinstance(limit := getattr(self, name), Limit):
                yield name, limit

    def value(self, name: str) -> int | None:
        """Return the value of the limit called ``name``, None where it is not stated."""
        limit = getattr(self, name)
        return limit.value if isinstance(limit, Limit) else None
