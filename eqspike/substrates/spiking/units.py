"""From a description in seconds to the numbers of a tick: real propagators, or a chip's shifts and integers."""

from __future__ import annotations

from math import exp, expm1, floor, lgamma, log, log2

import numpy as np

from eqspike.core.errors import ConfigError
from eqspike.kernels.simulation_layout import FRACTION, NO_LEAK
from eqspike.network.description import Layer, Network, Projection
from eqspike.network.inputs import Poisson
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.clocks import Clocked, FixedPoint

_MOST_EVENTS = 1000  # Poisson events of one neuron in one tick


class Units:
    """Real numbers: every tick is the exact solution over ``tick_s``."""

    def __init__(self, clock: Clocked | FixedPoint) -> None:
        self.clock, self.tick_s = clock, clock.tick_s
        self.limits: tuple = ()
        if isinstance(clock, Clocked):
            self.dtype = self.weights = np.dtype(np.float32 if clock.precision == 32 else np.float64)

    def ticks(self, seconds: float) -> int:
        """Return a duration in whole ticks."""
        return round(seconds / self.tick_s)

    def poisson_tails(self, rate_hz: float, layer: str) -> list[int]:
        """Return 2^32 P(count > k) for k = 0, 1, ... of the events of one tick.

        Raises
        ------
        ConfigError
            if a tick has too many events.
        """
        mean = rate_hz * self.tick_s
        if mean > _MOST_EVENTS:
            raise ConfigError(
                f"{mean:.3g} events a neuron and tick.",
                field=f"inputs.{layer}.rate_hz",
                remedy=f"At most {_MOST_EVENTS}: shorten clock.tick_s, or use fewer, heavier events.",
            )
        found: list[int] = []
        below = 0.0
        while mean > 0:
            below += exp(len(found) * log(mean) - mean - lgamma(len(found) + 1))  # exp(-mean) alone is 0 from 746 on
            tail = int((1.0 - below) * 2.0**32)
            if tail <= 0 and len(found) >= mean:
                return found
            found.append(min(tail, 2**32 - 1))
        return found

    def neuron(self, neuron: LIF) -> list[float]:
        """Return (keep, threshold, reset, adaptation: keep, into, step)."""
        keep = 1.0 if neuron.tau_membrane_s is None else exp(-self.tick_s / neuron.tau_membrane_s)
        adapt = (1.0, 0.0)
        if neuron.tau_adaptation_s is not None:
            adapt = self.synapse(neuron, neuron.tau_adaptation_s)
        return [keep, neuron.v_threshold, neuron.v_reset, *adapt, neuron.adaptation_step]

    def constant(self, neuron: LIF) -> float:
        """Return what rest and drive add in a tick."""
        if neuron.tau_membrane_s is None:
            return neuron.drive * self.tick_s
        return -(neuron.v_rest + neuron.drive) * expm1(-self.tick_s / neuron.tau_membrane_s)

    def synapse(self, neuron: LIF, tau_s: float) -> tuple[float, float]:
        """Return (decay, into): what is left of a current of time constant ``tau_s``, and what it adds to V."""
        tick, tau = self.tick_s, neuron.tau_membrane_s
        decay = exp(-tick / tau_s)
        if tau is None:
            return decay, -tau_s * expm1(-tick / tau_s)
        apart = abs(tau - tau_s)
        if apart == 0:
            return decay, tick / tau * decay
        # exp(-tick / tau) - decay, without cancellation where the time constants are nearly equal
        return decay, -tau_s / apart * exp(-tick / max(tau, tau_s)) * expm1(-tick * apart / (tau * tau_s))

    def potential(self, layer: Layer, values: np.ndarray) -> np.ndarray:
        """Return potentials in the program's unit."""
        return values.astype(self.dtype)

    def real_potential(self, layer: Layer, values: np.ndarray) -> np.ndarray:
        """Return potentials in the user's unit."""
        return values.astype(np.float64)

    def background(self, layer: Layer, given: Poisson) -> float:
        """Return what an event of a layer's background adds."""
        return given.weight

    def trace(self, tau_s: float) -> float:
        """Return how a plasticity trace decays in a tick."""
        return exp(-self.tick_s / tau_s)

    def parameters(self, rule) -> tuple:
        """Return a rule's parameters as kernels take them."""
        return rule.typed(self.dtype)

    def weights_of(self, projection: Projection, layer: Layer, values: np.ndarray, rule=None) -> np.ndarray:
        """Return weights in the program's unit; a ``rule`` may move them within its bounds."""
        return values.astype(self.weights)

    def learning(self, projection: Projection, layer: Layer, values: np.ndarray, rule) -> tuple[list[int], tuple]:
        """Return (multiplier, down, up) of an update and the (low, high) that weights are kept in."""
        return [0, 0, 0], (0.0, 0.0) if rule is None else (rule.w_min, rule.w_max)

    def real_weights(self, projection: Projection, layer: Layer, values: np.ndarray) -> np.ndarray:
        """Return weights in the user's unit."""
        return values.astype(np.float64)


class FixedUnits(Units):
    """Integers: the threshold lies 2^(potential_bits - 2) above rest; time constants are powers of two of a tick."""

    def __init__(self, clock: FixedPoint) -> None:
        super().__init__(clock)
        self.dtype, self.weights = np.dtype(np.int64), np.dtype(np.int32)
        top = 1 << (clock.potential_bits - 1)
        self.limits = (np.array([-top, top - 1, clock.overflow == "wrap"], np.int64),)

    def unit(self, neuron: LIF) -> float:
        """Return one step of the potential in the user's unit."""
        return (neuron.v_threshold - neuron.v_rest) / (1 << (self.clock.potential_bits - 2))

    def shift(self, tau_s: float | None) -> int:
        """Return the right shift nearest to a time constant."""
        return NO_LEAK if tau_s is None else max(1, min(30, round(log2(tau_s / self.tick_s))))

    def neuron(self, neuron: LIF) -> list[float]:
        unit = self.unit(neuron)
        step = neuron.adaptation_step * self._per_tick(neuron)
        adapt = (NO_LEAK, 0) if neuron.tau_adaptation_s is None else self.synapse(neuron, neuron.tau_adaptation_s)
        levels = [round((value - neuron.v_rest) / unit) for value in (neuron.v_threshold, neuron.v_reset)]
        if levels[1] < self.limits[0][0]:
            raise ConfigError(
                "v_reset lies further below v_rest than twice the threshold above it.",
                field="v_reset",
                remedy="A potential in fixed point does not reach there: raise v_reset.",
            )
        return [self.shift(neuron.tau_membrane_s), *levels, *adapt, round(step / unit)]

    def constant(self, neuron: LIF) -> int:
        if neuron.tau_membrane_s is None:
            return round(neuron.drive * self.tick_s / self.unit(neuron))
        return round(neuron.drive / self.unit(neuron) / (1 << self.shift(neuron.tau_membrane_s)))

    def _per_tick(self, neuron: LIF) -> float:
        """Return what scales a current: of an integrate-and-fire neuron it is a rate of change."""
        return self.tick_s if neuron.tau_membrane_s is None else 1.0

    def synapse(self, neuron: LIF, tau_s: float) -> tuple[int, int]:
        into = 0 if neuron.tau_membrane_s is None else self.shift(neuron.tau_membrane_s)
        return self.shift(tau_s), into

    def potential(self, layer: Layer, values: np.ndarray) -> np.ndarray:
        low, high, _ = self.limits[0]
        return np.clip(np.round((values - layer.neuron.v_rest) / self.unit(layer.neuron)), low, high).astype(np.int64)

    def real_potential(self, layer: Layer, values: np.ndarray) -> np.ndarray:
        return layer.neuron.v_rest + values * self.unit(layer.neuron)

    def background(self, layer: Layer, given: Poisson) -> int:
        wanted = given.weight * self._scale(given.tau_synapse_s, layer)
        up = self._up(f"inputs.{layer.name}.weight", np.array([wanted]))
        return round(wanted / (1 << up)) << up

    def trace(self, tau_s: float) -> int:
        return self.shift(tau_s)

    def parameters(self, rule) -> tuple:
        return rule.integers()[0]

    def _scale(self, tau_synapse_s: float, layer: Layer) -> float:
        """Return the steps of potential of a weight of one."""
        return (self._per_tick(layer.neuron) if tau_synapse_s > 0 else 1.0) / self.unit(layer.neuron)

    def weights_of(self, projection: Projection, layer: Layer, values: np.ndarray, rule=None) -> np.ndarray:
        wanted = values * self._scale(projection.tau_synapse_s, layer)
        up = self._range(projection, layer, values, rule)
        return (np.round(wanted / (1 << up)) * (1 << up)).astype(np.int32)

    def real_weights(self, projection: Projection, layer: Layer, values: np.ndarray) -> np.ndarray:
        return values / self._scale(projection.tau_synapse_s, layer)

    def learning(self, projection: Projection, layer: Layer, values: np.ndarray, rule) -> tuple[list[int], tuple]:
        if rule is None:
            return [0, 0, 0], (0, 0)
        scale, up = self._scale(projection.tau_synapse_s, layer), self._range(projection, layer, values, rule)
        steps = scale / (rule.integers()[1] * (1 << FRACTION) * (1 << up))  # of the weight for a unit of what is asked
        down = min(62, 14 - floor(log2(steps)))
        bounds = [np.clip(bound * scale / (1 << up), -self._most, self._most) for bound in (rule.w_min, rule.w_max)]
        return [round(steps * 2.0**down), down, up], tuple(round(bound) << up for bound in bounds)

    @property
    def _most(self) -> int:
        """The largest integer of a weight."""
        return max(1, (1 << (self.clock.weight_bits - 1)) - 1)

    def _range(self, projection: Projection, layer: Layer, values: np.ndarray, rule) -> int:
        """Return the power of two of a weight's steps, wide enough for what a rule may make of it."""
        ends = [] if rule is None else [bound for bound in (rule.w_min, rule.w_max) if np.isfinite(bound)]
        widest = np.append(np.abs(values).max(initial=0), np.abs(ends))
        return self._up(f"{projection.name}.weight", widest * self._scale(projection.tau_synapse_s, layer))

    def _up(self, field: str, wanted: np.ndarray) -> int:
        """Return the smallest power of two times which an integer of the declared width holds the largest weight."""
        largest = np.abs(wanted).max(initial=0)
        if 0 < largest < 0.5:
            raise ConfigError(
                f"every weight is less than half a step of a potential of {self.clock.potential_bits} bits.",
                field=field,
                remedy="Raise clock.potential_bits.",
            )
        if largest >= 1 << 31:
            raise ConfigError(
                f"a weight is {largest:.3g} steps of a potential of {self.clock.potential_bits} bits, beyond 32 bits.",
                field=field,
                remedy="Lower clock.potential_bits.",
            )
        shift = 0
        while np.round(largest / (1 << shift)) > self._most:
            shift += 1
        return shift


def units_of(network: Network, clock: Clocked | FixedPoint) -> Units:
    """Return the units of a clock."""
    return FixedUnits(clock) if isinstance(clock, FixedPoint) else Units(clock)
