"""Real constants of a recipe as the shifts and short multipliers that stand for them, and what cannot be one."""

from __future__ import annotations

import math
from typing import NamedTuple

from eqspike.core.errors import ConfigError
from eqspike.kernels.fixed_layout import PIXEL_BITS, FixedScales
from eqspike.network.description import Layer, Network, Projection
from eqspike.substrates.spiking.fixed_settings import FixedPoint

MULTIPLIER_BITS, NUDGE_BITS, MOST_DROPPED = 8, 15, 48


def power_of_two(value: float, field: str) -> int:
    """Return log2 of ``value``.

    Raises
    ------
    ConfigError
        if it is no whole number; the nearest power of two is named.
    """
    exponent = round(math.log2(value))
    if 2.0**exponent != value:
        raise ConfigError(
            f"{value} is no power of two, which a shift needs.",
            field=field,
            remedy=f"The nearest is {2.0**exponent:g}.",
        )
    return exponent


def as_multiplier(ratio: float, bits: int = MULTIPLIER_BITS) -> tuple[int, int]:
    """Return (m, s) with ratio = m / 2**s to ``bits`` bits, s from 0 to 48; m is 0 for ratios below 2**-49."""
    if ratio <= 0:
        return 0, 0
    shift = min(max(bits - math.frexp(ratio)[1], 0), MOST_DROPPED)
    return round(math.ldexp(ratio, shift)), shift


def gain_row(ratio: float) -> tuple[int, int, int, int]:
    """Return (multiplier, dropped, up, down) of an update: see kernels.fixed_layout."""
    multiplier, dropped = as_multiplier(ratio)
    return multiplier, dropped, max(0, dropped - 32), max(0, 32 - dropped)


class Scale(NamedTuple):
    """How the weights of one projection are stored: their real unit, its exponent, and the bounds of the register."""

    unit: float
    exponent: int
    low: int
    high: int


def scale_of(fixed: FixedPoint, network: Network, index: int, threshold: float) -> Scale:
    """Return the scale of projection ``index`` within its own bounds, in units of the ``threshold`` of its post layer.

    Raises
    ------
    ConfigError
        if no weight lies within the bounds of the recipe.
    """
    projection = network.projections[index]
    exponent = _exponent(fixed, network, projection, threshold, index)
    unit, (low, high), odd = math.ldexp(threshold, exponent), fixed.codes, int(fixed.odd)
    bounds = projection.synapse.w_min, projection.synapse.w_max
    if bounds[0] is not None:
        low = max(low, math.ceil((bounds[0] / unit - odd) / (1 + odd)))
    if bounds[1] is not None:
        high = min(high, math.floor((bounds[1] / unit - odd) / (1 + odd)))
    if low > high:
        raise ConfigError(
            f"no weight of {fixed.weight_bits} bits in units of {unit:g} lies within [{bounds[0]}, {bounds[1]}].",
            field=f"network.projections ({projection.name})",
            remedy="Widen w_min and w_max, or lower the weight exponent.",
        )
    return Scale(unit, exponent, low, high)


def _exponent(fixed: FixedPoint, network: Network, projection: Projection, threshold: float, index: int) -> int:
    if fixed.weight_exponents is not None:
        return fixed.weight_exponents[index]
    neurons = network.layer(projection.pre).size + network.layer(projection.post).size
    reach = max(4 * projection.synapse.gain * math.sqrt(6.0 / neurons) / threshold, 2.0**-30)
    return math.ceil(math.log2(reach)) - fixed.weight_bits + (0 if fixed.odd else 1)


def neuron_row(layer: Layer, fixed: FixedPoint) -> tuple[list[int], int]:
    """Return (threshold, low, high, rest, floor, ceiling) of a layer as integers, and the shift of its leak (0: none).

    Raises
    ------
    ConfigError
        if the clamp does not fit the register, or the leak is no power of two.
    """
    neuron, one = layer.neuron, 1 << fixed.potential_exponent
    floor, ceiling = -2 * one, 2 * one - 1
    values = [round(value / neuron.threshold * one) for value in (neuron.v_min, neuron.v_max, neuron.reset_value)]
    for name, value in zip(("v_min", "v_max", "reset_value"), values, strict=True):
        if not floor <= value <= ceiling:
            raise ConfigError(
                f"potentials of {fixed.potential_bits} bits hold less than two thresholds.",
                field=f"network.neuron.{name}",
                remedy="Keep it between -2 thresholds and less than 2.",
            )
    leak = -power_of_two(neuron.leak, "network.neuron.leak") if neuron.leak else 0
    return [one, *values, floor, ceiling], leak


def loop_scales(
    fixed: FixedPoint, tau_ticks: float, delay_ticks: int, nudge: tuple[float, float], seed: int, purpose: int
) -> FixedScales:
    """Return the numbers that all stages of the loop read; ``nudge`` is (beta, target_rate).

    Raises
    ------
    ConfigError
        if the time constant of the rate estimate is no power of two.
    """
    multiplier, shift = as_multiplier(math.ldexp(nudge[0], fixed.potential_exponent - fixed.trace_bits), NUDGE_BITS)
    return FixedScales(
        residue=fixed.accumulator_bits,
        odd=int(fixed.odd),
        wrap=fixed.overflow == "wrap",
        trace_bits=fixed.trace_bits,
        trace_shift=power_of_two(tau_ticks, "rule.tau_ticks"),
        delay=delay_ticks,
        dithered=fixed.trace_rounding == "stochastic",
        nudge=multiplier,
        nudge_shift=shift,
        target=round(math.ldexp(nudge[1], fixed.trace_bits)),
        seed=seed,
        purpose=purpose,
    )


def update_ratio(fixed: FixedPoint, scale: Scale, rate: float, beta: float, delay_ticks: int, static: bool) -> float:
    """Return how far what a synapse stores moves for each unit of a trace's change (of a static input: times pixel)."""
    step = scale.unit * (2 if fixed.odd else 1)
    ratio = math.ldexp(rate / (beta * delay_ticks * step), fixed.accumulator_bits - fixed.trace_bits)
    return math.ldexp(ratio, -PIXEL_BITS) if static else ratio
