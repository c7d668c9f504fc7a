"""Background events through a synaptic current: the mean is theirs, the ledger theirs too."""

from __future__ import annotations

import numpy as np
import pytest

from eqspike import LIF, Clocked, FixedPoint, Layer, Network, OneToOne, Poisson, Projection, simulate

N, RATE, TAU, WEIGHT = 640, 4_000.0, 2e-3, 1e-3
BOUND = Projection("neurons", "neurons", connectivity=OneToOne(), weight=1e-3, delay_s=1e-3)


@pytest.mark.parametrize(
    "clock", [Clocked(tick_s=1e-4), FixedPoint(tick_s=1e-4, potential_bits=24)], ids=["real", "fixed"]
)
@pytest.mark.parametrize("threads", [1, 2])
def test_the_mean_potential_is_rate_times_weight_times_tau(clock, threads: int) -> None:
    neurons = Layer("neurons", N, "lif", LIF(tau_membrane_s=12.8e-3, v_threshold=1.0))
    inputs = {"neurons": Poisson(rate_hz=RATE, weight=WEIGHT, tau_synapse_s=TAU)}
    found = simulate(Network((neurons,), (BOUND,)), 0.2, clock=clock, inputs=inputs, threads=threads)
    tau = TAU if isinstance(clock, Clocked) else 1e-4 * 2 ** round(np.log2(TAU / 1e-4))
    mean = found.potentials()["neurons"].mean()
    spread = WEIGHT * np.sqrt(RATE * tau / 2 * tau / (tau + 12.8e-3)) / np.sqrt(N)
    assert mean == pytest.approx(RATE * WEIGHT * tau, abs=5 * spread + 0.03 * RATE * WEIGHT * tau)
    events = found.ledger().total("inference", "synaptic_events")
    assert events == pytest.approx(N * RATE * 0.2, abs=5 * np.sqrt(N * RATE * 0.2))


def test_threads_change_nothing() -> None:
    neurons = Layer("neurons", N, "lif", LIF(tau_membrane_s=10e-3, v_threshold=6e-3, refractory_s=1e-3))
    inputs = {"neurons": Poisson(rate_hz=RATE, weight=WEIGHT, tau_synapse_s=TAU)}
    one, two = (simulate(Network((neurons,), (BOUND,)), 0.1, inputs=inputs, threads=threads) for threads in (1, 2))
    assert len(one.spikes["neurons"].t) > 100
    np.testing.assert_array_equal(one.spikes["neurons"].t, two.spikes["neurons"].t)
    np.testing.assert_array_equal(one.potentials()["neurons"], two.potentials()["neurons"])
