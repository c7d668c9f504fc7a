"""From seconds to the numbers of a tick: propagators, tails of Poisson counts, a chip's shifts and integers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import poisson

from eqspike.core.errors import ConfigError
from eqspike.kernels.simulation_layout import NO_LEAK
from eqspike.network.connectivity import AllToAll
from eqspike.network.description import Layer, Projection
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.clocks import Clocked, FixedPoint
from eqspike.substrates.spiking.units import FixedUnits, Units, units_of


@pytest.mark.parametrize("mean", [1e-6, 0.3, 12.0, 744.0, 746.0, 1000.0])
def test_tails_are_those_of_the_poisson_distribution(mean: float) -> None:
    """From 746 on exp(-mean) is 0 in double precision."""
    tails = np.array(Units(Clocked(tick_s=1.0)).poisson_tails(mean, "in"))
    wanted = poisson.sf(np.arange(tails.size), mean) * 2.0**32
    np.testing.assert_allclose(tails, wanted, rtol=1e-6, atol=2)
    assert poisson.sf(tails.size, mean) * 2.0**32 < 1.01


def test_there_is_no_tail_at_rate_zero() -> None:
    assert Units(Clocked()).poisson_tails(0.0, "in") == []


def test_too_many_events_a_tick_are_refused() -> None:
    with pytest.raises(ConfigError) as error:
        Units(Clocked(tick_s=1e-3)).poisson_tails(2e6, "in")
    assert error.value.field == "inputs.in.rate_hz"
    assert "clock.tick_s" in error.value.remedy


@pytest.mark.parametrize("tau", [None, 0.02])
@pytest.mark.parametrize("tau_s", [1e-6, 5e-3, 0.02, 0.02 * (1 + 1e-12), 0.02 * (1 + 1e-7), 0.02 * (1 - 1e-4), 3.0])
@pytest.mark.parametrize("tick", [1e-4, 1e-3])
def test_a_current_adds_its_filtered_integral(tau: float | None, tau_s: float, tick: float) -> None:
    decay, into = Units(Clocked(tick_s=tick)).synapse(LIF(tau_membrane_s=tau), tau_s)

    def flow(t: float) -> float:
        return np.exp(-t / tau_s) * (np.exp(-(tick - t) / tau) / tau if tau else 1.0)

    wanted, _ = quad(flow, 0, tick, points=[min(20 * tau_s, tick)], epsabs=0, epsrel=1e-12)
    assert into == pytest.approx(wanted, rel=1e-9)
    assert decay == pytest.approx(np.exp(-tick / tau_s), rel=1e-12)


def test_the_constant_is_what_a_tick_of_rest_and_drive_adds() -> None:
    units = Units(Clocked(tick_s=1e-3))
    assert units.constant(LIF(v_rest=-0.5, drive=2.0)) == pytest.approx(1.5 * (1 - np.exp(-1 / 20)), rel=1e-12)
    assert units.constant(LIF(tau_membrane_s=None, v_rest=-0.5, drive=2.0)) == pytest.approx(2e-3, rel=1e-12)


@pytest.mark.parametrize(("tau_ticks", "shift"), [(1.0, 1), (2.0, 1), (3.0, 2), (16.0, 4), (180.0, 7), (182.0, 8)])
def test_a_time_constant_is_the_nearest_power_of_two(tau_ticks: float, shift: int) -> None:
    assert FixedUnits(FixedPoint(tick_s=1e-3)).shift(tau_ticks * 1e-3) == shift


def fixed(**settings) -> FixedUnits:
    return FixedUnits(FixedPoint(**{"tick_s": 1e-3, "potential_bits": 10, "weight_bits": 4} | settings))


def test_the_threshold_lies_at_a_quarter_of_the_range() -> None:
    keep, threshold, reset, *_ = fixed().neuron(LIF(tau_membrane_s=None, v_threshold=3.0, v_rest=1.0, v_reset=0.5))
    assert (keep, threshold, reset) == (NO_LEAK, 256, -64)
    assert fixed().limits[0].tolist() == [-512, 511, 0]
    assert fixed(overflow="wrap").limits[0][2] == 1


def test_weights_are_few_bits_times_the_least_power_of_two() -> None:
    layer, projection = Layer("out", 2, "lif", LIF()), Projection("in", "out", connectivity=AllToAll())
    held = fixed().weights_of(projection, layer, np.array([0.21, -0.07, 0.011, 0.0]))
    assert held.tolist() == [56, -16, 0, 0], "0.21 is 53.8 of 256 steps, 7 times 8; 0.011 is less than half of 8"
    assert fixed().real_weights(projection, layer, held).tolist() == [56 / 256, -16 / 256, 0, 0]
    assert fixed(weight_bits=1).weights_of(projection, layer, np.array([0.21, -0.2])).tolist() == [64, -64]
    assert fixed(weight_bits=16).weights_of(projection, layer, np.array([0.21])).tolist() == [54]


@pytest.mark.parametrize(("weight", "bits", "remedy"), [(1e-3, 8, "Raise"), (3.0, 32, "Lower")])
def test_weights_that_do_not_fit_are_refused(weight: float, bits: int, remedy: str) -> None:
    layer, projection = Layer("out", 2, "lif", LIF()), Projection("in", "out", connectivity=AllToAll())
    with pytest.raises(ConfigError) as error:
        fixed(potential_bits=bits).weights_of(projection, layer, np.array([weight]))
    assert error.value.field == "in->out.weight"
    assert error.value.remedy == f"{remedy} clock.potential_bits."


def test_a_reset_beyond_the_register_is_refused() -> None:
    with pytest.raises(ConfigError, match="twice the threshold") as error:
        fixed().neuron(LIF(v_reset=-2.1))
    assert error.value.field == "v_reset"
    assert fixed().neuron(LIF(v_reset=-2.0))[2] == -512


def test_potentials_go_into_steps_and_back() -> None:
    layer = Layer("out", 3, "lif", LIF(v_rest=-1.0, v_threshold=1.0))
    steps = fixed().potential(layer, np.array([-1.0, 0.5, 1e9]))
    assert steps.tolist() == [0, 192, 511]
    assert fixed().real_potential(layer, steps)[:2].tolist() == [-1.0, 0.5]


def test_each_clock_has_its_units() -> None:
    assert type(units_of(None, Clocked())) is Units
    assert type(units_of(None, FixedPoint())) is FixedUnits
    assert Units(Clocked()).weights == np.float32
    assert Units(Clocked(precision=64)).weights == np.float64
