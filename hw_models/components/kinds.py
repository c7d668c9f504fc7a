"""The kinds of components by the name that a chip file gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pydantic import ValidationError

from hw_models.components.arithmetic import Adder, Multiplier
from hw_models.components.base import Built, Technology
from hw_models.components.links import Converter, OffchipLink, Router
from hw_models.components.memory import SramBank
from hw_models.components.neurons import AnalogNeuron, DigitalNeuron
from hw_models.components.synapses import DigitalSynapseArray, MemristiveSynapseArray
from hw_models.errors import ChipError, ConstantError

KINDS = {
    "sram_bank": SramBank,
    "adder": Adder,
    "multiplier": Multiplier,
    "digital_neuron": DigitalNeuron,
    "analog_neuron": AnalogNeuron,
    "digital_synapse_array": DigitalSynapseArray,
    "memristive_synapse_array": MemristiveSynapseArray,
    "router": Router,
    "offchip_link": OffchipLink,
    "converter": Converter,
}


def expand(components: Mapping[str, Mapping[str, Any]], technology: Technology) -> Built:
    """Return what all ``components`` give together, each a table with its ``kind`` and parameters.

    Raises
    ------
    ChipError
        If a kind is unknown, or a parameter is missing, unknown or out of range; its field names the key.
    """
    built = Built()
    for name, table in components.items():
        where = f"components.{name}"
        if not isinstance(table, Mapping):
            raise ChipError("not a table.", field=where, remedy=f"Write [{where}] with its kind.")
        try:
            built += _component(name, dict(table), where).build(technology)
        except ConstantError as error:
            raise ChipError(error.problem, field=where, remedy=error.remedy) from error
        except ChipError as error:
            raise ChipError(error.problem, field=error.field or where, remedy=error.remedy) from error
    return built


def _component(name: str, table: dict[str, Any], where: str):
    kind = table.pop("kind", None)
    if not isinstance(kind, str) or kind not in KINDS:
        raise ChipError(f"{kind!r} is not a kind.", field=f"{where}.kind", remedy=f"Kinds: {', '.join(KINDS)}.")
    known = [entry.name for entry in fields(KINDS[kind])]
    for key in table:
        if key not in known[1:]:
            remedy = f"Parameters of {kind}: {', '.join(known[1:])}."
            raise ChipError("the parameter is unknown.", field=f"{where}.{key}", remedy=remedy)
    try:
        return KINDS[kind](name=name, **table)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise ChipError(
            f"{first['msg'].lower()}.", field=f"{where}.{key}", remedy=f"Found {first['input']!r}."
        ) from error
