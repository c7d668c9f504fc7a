"""Laws of single neurons: what a constant current makes of them, seen through the whole engine."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.cases import spikes_of

from eqspike.learning.eqspike import EqSpike
from eqspike.network.description import Layer, Network, Neuron, Projection, Synapse
from eqspike.substrates.spiking.settings import Encoding, Phases
from eqspike.substrates.spiking.substrate import SpikingSubstrate

pytestmark = pytest.mark.kernels
TICKS = 100
CURRENTS = st.lists(st.floats(-2, 3), min_size=1, max_size=5)


def driven(currents: list[float], *, pixel: float = 0.0, **neuron) -> tuple[np.ndarray, np.ndarray]:
    """Return spikes and potentials (TICKS, n) under constant currents, given as biases or as weights of a pixel."""
    n = len(currents)
    network = Network(
        (Layer("input", 1, "static"), Layer("output", n, "lif", Neuron(**neuron))),
        (Projection("input", "output", Synapse(learning_rate=0)),),
    )
    phases = Phases(free_ticks=TICKS, nudged_ticks=1, readout_ticks=TICKS)
    engine = SpikingSubstrate(network, EqSpike().plasticity(), phases, Encoding(), precision=64)
    engine.set_weights({"input->output": np.array([currents])}, {"output": np.array(currents) * (pixel == 0)})
    record = engine.observe(np.array([[pixel]]), None, 0)
    return spikes_of(engine, record.raster)["output"], record.potential[:, engine.compiled.block("output")]


@given(currents=CURRENTS)
def test_without_leak_and_with_soft_reset_the_rate_is_the_clipped_current(currents: list[float]) -> None:
    spikes, _ = driven(currents)
    assert np.all(np.abs(spikes.sum(axis=0) - TICKS * np.clip(currents, 0, 1)) <= 1)


@given(currents=CURRENTS, threshold=st.floats(0.2, 4))
def test_the_rate_is_in_units_of_the_threshold(currents: list[float], threshold: float) -> None:
    spikes, _ = driven(currents, threshold=threshold, v_max=5.0)
    assert np.all(np.abs(spikes.sum(axis=0) - TICKS * np.clip(np.array(currents) / threshold, 0, 1)) <= 1)


@given(currents=st.lists(st.floats(0, 1), min_size=1, max_size=5), pixel=st.floats(0.1, 1))
def test_a_static_pixel_drives_by_its_brightness_times_the_weight(currents: list[float], pixel: float) -> None:
    spikes, _ = driven(currents, pixel=pixel)
    assert np.all(np.abs(spikes.sum(axis=0) - TICKS * pixel * np.array(currents)) <= 1)


@given(leak=st.floats(0.05, 0.5), excess=st.lists(st.floats(0.02, 1), min_size=1, max_size=5))
def test_a_leak_shifts_the_threshold_of_the_current(leak: float, excess: list[float]) -> None:
    """Only currents above leak x threshold fire, with hard reset at intervals ln(1 - leak / I) / ln(1 - leak)."""
    currents = [leak * 0.999, *(leak * (1 + more) for more in excess)]
    spikes, potentials = driven(currents, leak=leak, reset="hard")
    assert spikes[:, 0].sum() == 0
    assert potentials[-1, 0] == pytest.approx(0.999 * (1 - (1 - leak) ** TICKS), rel=1e-9)
    for k, current in enumerate(currents[1:], start=1):
        exact = math.log(1 - leak / current) / math.log(1 - leak)
        if abs(exact - round(exact)) < 1e-6:
            continue
        fired = np.flatnonzero(spikes[:, k]) + 1
        assert np.array_equal(fired, np.arange(math.ceil(exact), TICKS + 1, math.ceil(exact)))


@pytest.mark.parametrize("ticks", [1, 4])
def test_a_refractory_neuron_stands_still(ticks: int) -> None:
    spikes, potentials = driven([0.6, 5.0], refractory_ticks=ticks, v_max=9.0)
    assert np.array_equal(np.flatnonzero(spikes[:, 1]), np.arange(0, TICKS, ticks + 1))
    for t in np.flatnonzero(spikes[:-ticks, 0]):
        assert np.all(potentials[t : t + ticks + 1, 0] == potentials[t, 0])
        assert not spikes[t + 1 : t + ticks + 1, 0].any()
        assert potentials[t, 0] < 0.6


@pytest.mark.parametrize(("reset", "after"), [("soft", 0.4), ("hard", -0.25)])
def test_reset_subtracts_the_threshold_or_goes_to_its_value(reset: str, after: float) -> None:
    _, potentials = driven([0.7], reset=reset, reset_value=-0.25)
    assert potentials[:2, 0] == pytest.approx([0.7, after])


def test_the_clamp_holds_the_potential() -> None:
    spikes, potentials = driven([-0.2, 1.9], v_min=-0.5, v_max=0.75)
    assert potentials[:4, 0] == pytest.approx([-0.2, -0.4, -0.5, -0.5])
    assert potentials[:3, 1] == pytest.approx([0.75, 0.75, 0.75])
    assert spikes[:, 1].all()
