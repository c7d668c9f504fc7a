"""The simulator in a chip's integers equals its twin bit for bit, and with many bits the one in real numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from reference.simulation_cases import TICK_S, Case, assert_same_spikes, cases, counted
from reference.simulation_fixed import FixedTwin

from eqspike.core.errors import ConfigError
from eqspike.network.connectivity import AllToAll, FixedProbability
from eqspike.network.description import Layer, Network, Projection
from eqspike.network.inputs import Poisson, SpikeList
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.clocks import Clocked, FixedPoint
from eqspike.substrates.spiking.simulation import simulate

CLOCKS = st.builds(
    FixedPoint,
    tick_s=st.just(TICK_S),
    weight_bits=st.sampled_from([1, 3, 8, 16]),
    potential_bits=st.sampled_from([9, 16, 30]),
    overflow=st.sampled_from(["saturate", "wrap"]),
)
FEW = settings(max_examples=settings.default.max_examples // 2)


@pytest.mark.kernels
@FEW
@given(case=cases(), clock=CLOCKS)
def test_integers_run_as_their_twin(case: Case, clock: FixedPoint) -> None:
    try:
        engine = case.start(clock)
    except ConfigError:  # every weight of a projection may be drawn too small for these bits
        reject()
    twin = FixedTwin(case.network, TICK_S, case.inputs, seed=case.seed, clock=clock, initial=case.initial)
    for ticks in (60, 90):
        assert engine.run(ticks * TICK_S).kind == "completed"
        twin.run(ticks)
        assert_same_spikes(engine, twin.spikes)
        for name, v in engine.potentials().items():
            np.testing.assert_array_equal(v, twin.potentials(name), err_msg=name)
        assert counted(engine.ledger()) == +twin.counts


def one_pulse(tau_membrane_s: float | None, weight: float, clock) -> tuple[int, float]:
    """Return how often a neuron fires after one spike through an exponential synapse, and where it comes to rest."""
    layers = (Layer("in", 1, "source"), Layer("out", 1, "lif", LIF(tau_membrane_s=tau_membrane_s)))
    network = Network(layers, (Projection("in", "out", connectivity=AllToAll(), weight=weight, tau_synapse_s=5e-3),))
    found = simulate(network, 2.0, clock=clock, inputs={"in": SpikeList(np.array([0.01]), np.array([0]))})
    return len(found.spikes["out"].t), float(found.potentials()["out"][0])


@pytest.mark.parametrize("bits", [12, 16, 24])
@pytest.mark.parametrize("sign", [1, -1])
def test_no_current_flows_for_ever(bits: int, sign: int) -> None:
    clock = FixedPoint(potential_bits=bits)
    spikes, v = one_pulse(None, sign * 0.5 / 5e-3, clock)
    assert spikes == 0
    assert v == pytest.approx(sign * 0.5, abs=0.7), "a time constant of 50 ticks is one of 64 in shifts"
    assert one_pulse(0.02, sign * 3.0, clock) == (0, 0.0), "a leak takes the potential back to rest, all of it"


def balanced(drive: float) -> Network:
    """Return a network whose time constants are powers of two of 1 ms."""
    neuron = LIF(tau_membrane_s=16e-3, v_rest=-0.2, v_reset=-0.1, drive=drive, refractory_s=2e-3)
    layers = (Layer("in", 20, "source"), Layer("out", 40, "lif", neuron))
    one = Projection("in", "out", connectivity=FixedProbability(probability=0.3), weight=0.21, delay_s=2e-3)
    two = Projection(
        "out", "out", connectivity=FixedProbability(probability=0.2), weight=-0.4, delay_s=3e-3, tau_synapse_s=8e-3
    )
    return Network(layers, (one, two))


def rate(clock, drive: float = 1.1) -> float:
    found = simulate(balanced(drive), 2.0, clock=clock, inputs={"in": Poisson(rate_hz=80)}, seed=3)
    return len(found.spikes["out"].t) / 80


def test_many_bits_approach_real_numbers() -> None:
    """A shift is a decay of 1 - 2^-k a tick where an exact tick is exp(-2^-k): the rates differ by what that does."""
    wanted = rate(Clocked(tick_s=1e-3, precision=64))
    fine = rate(FixedPoint(tick_s=1e-3, weight_bits=16, potential_bits=30))
    finer = rate(FixedPoint(tick_s=1.25e-4, weight_bits=16, potential_bits=30))
    wanted_finer = rate(Clocked(tick_s=1.25e-4, precision=64))
    assert wanted > 10
    assert fine == pytest.approx(wanted, rel=0.1)
    assert finer == pytest.approx(wanted_finer, rel=0.03)


@pytest.mark.parametrize(("overflow", "wanted"), [("saturate", 127 / 64), ("wrap", 160 / 64 - 256 / 64)])
def test_what_does_not_fit_saturates_or_wraps_and_is_counted(overflow: str, wanted: float) -> None:
    """Registers of 8 bits hold -128 to 127, the threshold is 64: 160 do not fit, and wrap to -96."""
    layers = (Layer("in", 1, "source"), Layer("out", 1, "lif", LIF(tau_membrane_s=None)))
    network = Network(layers, (Projection("in", "out", connectivity=AllToAll(), weight=2.5),))
    found = simulate(
        network, 2e-3, clock=FixedPoint(tick_s=1e-3, potential_bits=8, overflow=overflow, weight_bits=9),
        inputs={"in": SpikeList(np.array([1e-3]), np.array([0]))},
    )  # fmt: skip
    assert found.potentials()["out"] == [wanted]
    assert found.ledger().total("inference", "saturations") == 1


def test_weights_that_all_vanish_are_refused() -> None:
    network = balanced(0.0)
    small = Projection("in", "out", connectivity=AllToAll(), weight=1e-4)
    with pytest.raises(ConfigError) as error:
        simulate(
            Network(network.layers, (small,)),
            0.1,
            clock=FixedPoint(potential_bits=8),
            inputs={"in": Poisson(rate_hz=1)},
        )
    assert error.value.field == "in->out.weight"
    assert "potential_bits" in error.value.remedy


def test_weights_beyond_the_register_are_refused() -> None:
    network = balanced(0.0)
    large = Projection("in", "out", connectivity=AllToAll(), weight=9.0)
    with pytest.raises(ConfigError, match="beyond 32 bits") as error:
        simulate(
            Network(network.layers, (large,)),
            0.1,
            clock=FixedPoint(potential_bits=32),
            inputs={"in": Poisson(rate_hz=1)},
        )
    assert error.value.field == "in->out.weight"
