"""Units of constants: joules, watts, seconds, hertz, square metres and pure numbers, and each per something."""

from __future__ import annotations

from functools import cache

from hw_models.errors import ConstantError

PREFIXES = {
    "": 1.0,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "m": 1e-3,
    "u": 1e-6,
    "n": 1e-9,
    "p": 1e-12,
    "f": 1e-15,
    "a": 1e-18,
}
_BASES = {"J": 1, "W": 1, "s": 1, "Hz": 1, "m2": 2}
_PER = {"kB": 1.0, "neuron": 1.0, "core": 1.0, "synapse": 1.0, "Hz": 1.0, "kHz": 1e3, "MHz": 1e6}
DIMENSIONS = (
    "J",
    "W",
    "W/kB",
    "W/neuron",
    "W/core",
    "W/Hz",
    "s",
    "Hz",
    "m2",
    "m2/kB",
    "m2/neuron",
    "m2/core",
    "m2/synapse",
    "1",
)


@cache
def split_unit(unit: str) -> tuple[str, float]:
    """Return the dimension of ``unit`` and what one unit is in SI: ``uW/MHz`` gives ``W/Hz`` and 1e-12.

    Prefixes go from ``a`` to ``G`` (``u`` for micro); ``mm2`` is a square millimetre; a kB is 1024 bytes and stays.

    Raises
    ------
    ConstantError
        If the unit is not one of :data:`DIMENSIONS` with an SI prefix.
    """
    if unit == "1":
        return "1", 1.0
    counted, _, per = unit.partition("/")
    for base, power in _BASES.items():
        prefix = counted.removesuffix(base)
        dimension = f"{base}/{per.lstrip('kM') if per.endswith('Hz') else per}" if per else base
        known = prefix in PREFIXES and f"{prefix}{base}" == counted and dimension in DIMENSIONS
        if known and (not per or per in _PER):
            return dimension, PREFIXES[prefix] ** power / _PER.get(per, 1.0)
    raise ConstantError(
        f"{unit!r} is not a unit.",
        field="unit",
        remedy=f"Units: {', '.join(DIMENSIONS)}, with an SI prefix ({', '.join(filter(None, PREFIXES))}).",
    )
