"""Neo: recordings there and back, Elephant's statistics on them against ours, and what is refused."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eqspike.analysis.statistics import interval_cv, mean_rate
from eqspike.bridges.neo import from_neo, to_neo
from eqspike.bridges.tables import Recording, Segment, recording_of
from eqspike.core.errors import ModelError
from eqspike.network.connectivity import OneToOne
from eqspike.network.description import Layer, Network, Projection
from eqspike.network.inputs import Poisson
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.simulation import simulate


def test_without_neo_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "neo", None)
    with pytest.raises(ModelError, match=r"pip install 'eqspike\[interop\]'"):
        to_neo(Recording("r", {}, ()))


@st.composite
def recordings(draw) -> Recording:
    """Return recordings of up to 3 segments and 3 layers, some silent."""
    sizes = {f"layer {k}": draw(st.integers(1, 4)) for k in range(draw(st.integers(1, 3)))}
    segments = []
    for _ in range(draw(st.integers(1, 3))):
        ticks, spikes, signals = draw(st.integers(1, 40)), {}, {}
        tick_s = draw(st.sampled_from([1e-6, 1e-4, 1e-3]))
        for name, size in sizes.items():
            pairs = draw(st.sets(st.tuples(st.integers(1, ticks), st.integers(0, size - 1)), max_size=20))
            t, i = np.array(sorted(pairs), np.int64).reshape(-1, 2).T
            spikes[name] = (t * tick_s, i)
            signals["potential", name] = np.arange(ticks * size, dtype=float).reshape(ticks, size)
        segments.append(Segment(ticks * tick_s, spikes, signals, tick_s))
    return Recording("drawn", sizes, tuple(segments))


@settings(max_examples=20)
@given(recordings())
def test_recordings_come_back_as_they_went(recording: Recording) -> None:
    pytest.importorskip("neo")
    back = from_neo(to_neo(recording))
    assert back.name == recording.name and back.sizes == recording.sizes
    for there, here in zip(back.segments, recording.segments, strict=True):
        assert there.duration_s == pytest.approx(here.duration_s, rel=1e-12)
        assert there.tick_s == pytest.approx(here.tick_s, rel=1e-12)
        for name, (t, i) in here.spikes.items():
            assert np.array_equal(there.spikes[name][0], t) and np.array_equal(there.spikes[name][1], i)
            assert np.array_equal(there.signals["potential", name], here.signals["potential", name])


def small_simulation():
    layers = (Layer("in", 6, "source"), Layer("out", 6, "lif", LIF(tau_membrane_s=0.01)))
    network = Network(layers, (Projection("in", "out", connectivity=OneToOne(), weight=0.7),))
    return simulate(network, 2.0, inputs={"in": Poisson(rate_hz=200.0)}, seed=3)


def test_every_neuron_has_a_train_in_its_group() -> None:
    pytest.importorskip("neo")
    simulation = small_simulation()
    block = to_neo(simulation)
    (segment,) = block.segments
    assert len(segment.spiketrains) == 12
    assert [len(group.spiketrains) for group in block.groups] == [6, 6]
    for train in segment.spiketrains:
        spikes = simulation.spikes[train.annotations["layer"]]
        assert np.array_equal(train.magnitude, spikes.t[spikes.i == train.annotations["neuron"]])
        assert train.dimensionality.string == "s" and float(train.t_stop) == pytest.approx(2.0)


@pytest.mark.filterwarnings("ignore")  # Elephant's own
def test_elephant_finds_the_rates_and_intervals_that_we_find() -> None:
    pytest.importorskip("neo")
    statistics = pytest.importorskip("elephant.statistics")
    simulation = small_simulation()
    trains = [t for t in to_neo(simulation).segments[0].spiketrains if t.annotations["layer"] == "out"]
    t, i = simulation.spikes["out"].t, simulation.spikes["out"].i
    rates = [float(statistics.mean_firing_rate(train).rescale("Hz")) for train in trains]
    assert np.mean(rates) == pytest.approx(mean_rate(t, i, 6, 2.0), rel=1e-12)
    intervals = [statistics.isi(train).magnitude for train in trains]
    biased = [np.sqrt(len(one) / (len(one) - 1)) for one in intervals]  # Elephant divides by n, we by n - 1
    cvs = [statistics.cv(one) * factor for one, factor in zip(intervals, biased, strict=True)]
    assert np.mean(cvs) == pytest.approx(interval_cv(t, i, 6, 2.0), rel=1e-9)


def test_potentials_and_rates_of_a_run_are_signals(probed) -> None:
    pytest.importorskip("neo")
    block = to_neo(probed)
    assert len(block.segments) == 2
    signals = {s.name: s for s in block.segments[1].analogsignals}
    assert set(signals) == {"potential hidden", "potential output", "rate hidden", "rate output"}
    potential = signals["potential hidden"]
    assert np.array_equal(potential.magnitude, probed.probes["potential/hidden"][1])
    assert float(potential.sampling_period.rescale("s")) == pytest.approx(1e-3)
    per_second = signals["rate output"].rescale("Hz").magnitude
    assert np.allclose(per_second, 1e3 * probed.probes["rate/output"][1], rtol=1e-6)


def test_an_observed_presentation_is_a_block(probed) -> None:
    pytest.importorskip("neo")
    substrate = probed.substrate
    images = np.random.default_rng(1).random((1, 64), np.float32)
    record = substrate.observe(images, None, 0)
    block = to_neo(record, substrate=substrate, tick_s=1e-3)
    hidden = substrate.compiled.block("hidden")
    counts = [len(t) for t in block.segments[0].spiketrains if t.annotations["layer"] == "hidden"]
    assert counts == record.raster[:, hidden].sum(axis=0).tolist() and sum(counts) > 0
    with pytest.raises(ModelError, match="substrate"):
        recording_of(record)


def _twice(neo, segment):
    segment.spiketrains.extend([neo.SpikeTrain([0.1], units="s", t_stop=1.0, layer="a", neuron=0) for _ in range(2)])


def _early(neo, segment):
    segment.spiketrains.append(neo.SpikeTrain([-0.5], units="s", t_start=-1.0, t_stop=1.0))


def _odd(neo, segment):
    segment.spiketrains.append(neo.SpikeTrain([0.5], units="s", t_stop=1.0, layer="a", neuron=-3))


@pytest.mark.parametrize(("spoil", "said"), [(_twice, "two trains"), (_early, "before 0"), (_odd, "name no neuron")])
def test_blocks_that_make_no_sense_are_refused(spoil, said: str) -> None:
    neo = pytest.importorskip("neo")
    block = neo.Block()
    block.segments.append(neo.Segment())
    spoil(neo, block.segments[0])
    with pytest.raises(ModelError, match=said):
        from_neo(block)


def test_other_things_are_refused() -> None:
    pytest.importorskip("neo")
    for function in (to_neo, from_neo):
        with pytest.raises(ModelError, match="int"):
            function(3)


def test_units_of_others_are_understood() -> None:
    neo = pytest.importorskip("neo")
    block = neo.Block()
    block.segments.append(neo.Segment())
    block.segments[0].spiketrains.append(neo.SpikeTrain([250.0], units="ms", t_stop=1000.0))
    recording = from_neo(block)
    assert recording.segments[0].spikes["neurons"][0] == pytest.approx([0.25])
    assert recording.segments[0].duration_s == pytest.approx(1.0)
