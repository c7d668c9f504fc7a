"""Laws of the simulator in ticks: threads and pieces change nothing; rates, charges and orders are those of theory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.simulation_cases import UNLIMITED_HZ, counted

from eqspike.learning.stdp import PairSTDP, TripletSTDP
from eqspike.network.connectivity import AllToAll, FixedIndegree, FixedProbability, Normal, OneToOne, Pairs
from eqspike.network.description import Layer, Network, Projection
from eqspike.network.inputs import Poisson, SpikeList
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.clocks import Clocked, FixedPoint
from eqspike.substrates.spiking.simulation import Simulation, prepare, simulate

FEW = settings(max_examples=settings.default.max_examples // 6)
TICK_S = 1e-3
DOUBLE = Clocked(tick_s=TICK_S, precision=64)
JOINED = (
    AllToAll(), FixedProbability(probability=0.1), FixedIndegree(indegree=7),
    Pairs(np.zeros(1, np.int64), np.full(1, 69)), Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64)),
)  # fmt: skip


def wide(joined, weight, tau_s: float, learns: bool, sizes: tuple[int, int]) -> Network:
    """Return two layers, the first of one size, with every kind of synapse and delays of at least 5 ticks."""
    neuron = LIF(tau_membrane_s=12e-3, drive=0.6, refractory_s=2e-3)
    adaptive = LIF(reset="soft", drive=0.9, tau_adaptation_s=0.05, adaptation_step=0.2)
    layers = (
        Layer("a", sizes[0], "lif", neuron), Layer("noise", 90, "source"), Layer("b", sizes[1], "lif", adaptive),
        Layer("list", 5, "source"),
    )  # fmt: skip
    delays = np.random.default_rng(3).integers(5, 12, sizes[0]) * TICK_S
    return Network(layers, (
        Projection("noise", "a", connectivity=FixedProbability(probability=0.2), weight=0.3, delay_s=5e-3),
        Projection("a", "b", connectivity=joined, weight=weight, delay_s=delays, tau_synapse_s=tau_s, plastic=learns),
        Projection("b", "b", connectivity=OneToOne(), weight=Normal(mean=0.2, sd=0.1), delay_s=7e-3, plastic=learns),
        Projection("b", "a", connectivity=FixedIndegree(indegree=3), weight=-0.2, delay_s=9e-3, plastic=learns),
        Projection("list", "b", connectivity=AllToAll(), weight=0.2, delay_s=6e-3),
    ))  # fmt: skip


def begin(network: Network, rule, threads: int, clock=DOUBLE) -> Simulation:
    rng = np.random.default_rng(0)
    inputs = {
        "noise": Poisson(rate_hz=90), "b": Poisson(rate_hz=200, weight=0.1), "a": Poisson(rate_hz=20, weight=0.3),
        "list": SpikeList(rng.uniform(0, 0.3, 90), rng.integers(0, 5, 90)),
    }  # fmt: skip
    return prepare(network, clock=clock, inputs=inputs, rule=rule, seed=4, threads=threads, max_rate_hz=UNLIMITED_HZ)


def assert_identical(one: Simulation, other: Simulation) -> None:
    """Compare bit for bit."""
    for name in one.spikes:
        assert np.array_equal(one.spikes[name].t, other.spikes[name].t)
        assert np.array_equal(one.spikes[name].i, other.spikes[name].i)
    for before, after in ((one.potentials(), other.potentials()), (one.weights(), other.weights())):
        assert all(np.array_equal(before[name], after[name]) for name in before)
    assert counted(one.ledger()) == counted(other.ledger())


@FEW
@given(
    joined=st.sampled_from(JOINED),
    weight=st.sampled_from([0.31, -0.2, None]),
    tau_s=st.sampled_from([0.0, 4e-3]),
    rule=st.sampled_from([None, PairSTDP(w_max=0.8), TripletSTDP()]),
    sizes=st.sampled_from([(70, 130), (64, 70), (70, 200)]),
    threads=st.sampled_from([2, 3]),
)
def test_threads_and_pieces_change_nothing(joined, weight, tau_s: float, rule, sizes, threads: int) -> None:
    drawn = isinstance(joined, Pairs) or weight is not None
    network = wide(joined, weight if drawn and weight else Normal(mean=0.3, sd=0.1), tau_s, rule is not None, sizes)
    whole, split, pieces = begin(network, rule, 1), begin(network, rule, threads), begin(network, rule, threads)
    whole.run(0.25)
    split.run(0.25)
    for duration in (0.003, 0.1, 0.001, 0.146):
        pieces.run(duration)
    assert len(split.parts) == threads
    assert all(len(spikes.t) > 0 for spikes in whole.spikes.values())
    assert_identical(whole, split)
    assert_identical(whole, pieces)


@pytest.mark.parametrize("clock", [Clocked(tick_s=TICK_S), FixedPoint(tick_s=TICK_S)], ids=["32 bits", "integers"])
def test_threads_change_nothing_in_fewer_bits(clock) -> None:
    network = wide(FixedProbability(probability=0.2), 0.3, 4e-3, False, (70, 130))
    runs = [begin(network, None, threads, clock) for threads in (1, 2)]
    for run in runs:
        run.run(0.25)
    assert len(runs[0].spikes["b"].t) > 100
    assert_identical(*runs)


def test_small_layers_leave_threads_without_neurons() -> None:
    """A thread may own no neuron of a layer, and no synapse of a projection: the weights of others are not its own."""
    layers = (Layer("in", 3, "source"), Layer("out", 3, "lif", LIF()), Layer("more", 80, "lif", LIF()))
    pairs = Pairs(np.array([0, 2]), np.array([1, 2]))
    network = Network(layers, tuple(
        Projection("in", post, connectivity=joined, weight=weight, delay_s=6e-3, plastic=True, label=str(k))
        for k, (post, joined, weight) in enumerate([
            ("out", OneToOne(), np.array([0.7, 0.8, 0.9])), ("out", AllToAll(), 0.4), ("out", pairs, 0.6),
            ("more", Pairs(np.array([1]), np.array([79])), 0.3), ("more", AllToAll(), 0.5),
        ])
    ))  # fmt: skip
    inputs = {"in": Poisson(rate_hz=200)}
    runs = [simulate(network, 0.2, clock=DOUBLE, inputs=inputs, rule=PairSTDP(), threads=n) for n in (1, 2)]
    assert not np.array_equal(runs[0].weights()["in->out:0"], [0.7, 0.8, 0.9])
    assert [runs[0].weights()[f"in->{name}"].size for name in ("out:0", "out:1", "out:2", "more:3")] == [3, 9, 2, 1]
    assert_identical(*runs)


def test_a_stopped_run_goes_on_as_if_nothing_had_been_seen_twice() -> None:
    """Whether a layer runs away is judged on whole windows of 200 ticks, however the run is cut."""
    layers = (Layer("in", 1, "source"), Layer("out", 1, "lif", LIF(tau_membrane_s=None)))
    network = Network(layers, (Projection("in", "out", connectivity=AllToAll(), weight=1.5),))
    times = (1 + np.arange(100)) * TICK_S
    outcomes = []
    for durations in ((0.2,), (0.12, 0.08)):
        found = prepare(
            network, clock=DOUBLE, max_rate_hz=450, inputs={"in": SpikeList(times, np.zeros(100, np.int64))}
        )
        outcomes.append([found.run(duration).kind for duration in durations][-1])
    assert outcomes == ["runaway", "runaway"]


def lone(neuron: LIF, *, weight: float = 0.0, times_s=(), tau_s: float = 0.0, delay_s=None, **settings) -> Simulation:
    """Return one neuron behind one listed source, run for 1 s unless ``settings`` say otherwise."""
    network = Network(
        (Layer("in", 1, "source"), Layer("out", 1, "lif", neuron)),
        (Projection("in", "out", connectivity=AllToAll(), weight=weight, tau_synapse_s=tau_s, delay_s=delay_s),),
    )
    inputs = {"in": SpikeList(np.array(times_s, float), np.zeros(len(times_s), np.int64))}
    duration = settings.pop("duration_s", 1.0)
    return simulate(network, duration, **{"clock": Clocked(tick_s=1e-4, precision=64), "inputs": inputs} | settings)


@pytest.mark.parametrize("tau", [None, 0.02])
@pytest.mark.parametrize("refractory", [0.0, 0.003])
def test_a_constant_drive_gives_the_rate_of_theory(tau: float | None, refractory: float) -> None:
    """Interval = refractory + tau ln((drive + rest - reset) / (drive + rest - threshold)), on a grid of ticks."""
    drive = 1.7 if tau else 63.0
    neuron = LIF(tau_membrane_s=tau, drive=drive, v_rest=-0.2, v_reset=-0.1, refractory_s=refractory)
    rise = tau * np.log((drive - 0.2 + 0.1) / (drive - 0.2 - 1.0)) if tau else 1.1 / drive
    intervals = np.diff(lone(neuron, initial={"out": np.array([-0.1])}).spikes["out"].t)
    assert np.ptp(intervals) < 1e-9
    assert intervals[0] == pytest.approx(refractory + np.ceil(rise / 1e-4) * 1e-4, abs=1e-9)


@pytest.mark.parametrize("tau", [5e-3, 20e-3, 20e-3 * (1 + 1e-7), 20e-3 * (1 + 1e-10)])
def test_an_exponential_synapse_brings_its_potential(tau: float) -> None:
    """V(t) = w tau_s / (tau_m - tau_s) (exp(-t/tau_m) - exp(-t/tau_s)), of equal ones w t / tau exp(-t / tau)."""
    found = lone(LIF(), weight=0.5, times_s=[0.01], tau_s=tau, duration_s=0.035)
    t, membrane = 0.035 - 0.0101, 0.02
    near = abs(tau - membrane) < 1e-6
    wanted = t / membrane * np.exp(-t / membrane)
    if not near:
        wanted = tau / (membrane - tau) * (np.exp(-t / membrane) - np.exp(-t / tau))
    assert found.potentials()["out"][0] == pytest.approx(0.5 * wanted, rel=1e-6)


def test_an_exponential_synapse_brings_its_charge() -> None:
    """Onto an integrate-and-fire neuron all of w tau_s arrives; nothing does before the delay is over."""
    neuron = LIF(tau_membrane_s=None)
    charge = {"weight": 30.0, "times_s": [0.01], "tau_s": 5e-3, "delay_s": 0.02}
    assert lone(neuron, **charge).potentials()["out"][0] == pytest.approx(30 * 5e-3, rel=1e-12)
    assert lone(neuron, **charge, duration_s=0.0300).potentials()["out"][0] == 0
    assert lone(neuron, **charge, duration_s=0.0302).potentials()["out"][0] > 0


def test_adaptation_slows_a_neuron_down_to_where_it_balances() -> None:
    """Mean adaptation is step x rate x tau: what is left of the drive carries just that rate."""
    neuron = LIF(tau_membrane_s=None, drive=80.0, tau_adaptation_s=0.5, adaptation_step=2.0)
    found = lone(neuron, duration_s=6.0).spikes["out"].t
    rate = np.sum(found > 4) / 2
    assert np.sum(found < 0.1) / 0.1 > 1.5 * rate
    assert rate == pytest.approx(80 / (1 + 2.0 * 0.5), rel=0.02)


def test_what_arrives_while_a_neuron_rests_is_lost() -> None:
    """A spike of tick n arrives in tick n + 1 at the earliest; a neuron at rest hears the last of its 3 ticks."""
    clock = Clocked(tick_s=TICK_S, precision=64)
    neuron = LIF(tau_membrane_s=None, refractory_s=3e-3)
    for later, kept in ((2, 0.0), (3, 0.0), (4, 0.4), (5, 0.4)):
        times = (
            np.array([10, 10, 10, 10 + later]) * TICK_S
        )  # three at once cross the threshold in the second tick after
        found = lone(neuron, weight=0.4, times_s=times, clock=clock, duration_s=0.03)
        assert len(found.spikes["out"].t) == 1
        assert found.potentials()["out"][0] == kept


@pytest.mark.parametrize("rate_hz", [5.0, 200.0, 4000.0])
def test_poisson_sources_have_their_rate_and_no_memory(rate_hz: float) -> None:
    layers = (Layer("in", 130, "source"), Layer("out", 1, "lif", LIF()))
    network = Network(layers, (Projection("in", "out", connectivity=AllToAll(), weight=0.0),))
    found = simulate(network, 4.0, clock=DOUBLE, inputs={"in": Poisson(rate_hz=rate_hz)}).spikes["in"]
    wanted = 130 * 4.0 * rate_hz
    assert abs(len(found.t) - wanted) < 4 * np.sqrt(wanted)
    by_tick = np.zeros((130, 4000))
    np.add.at(by_tick, (found.i, np.rint(found.t / TICK_S).astype(int) - 1), 1)
    fano = by_tick.reshape(130, 80, 50).sum(axis=2).var() / (50 * TICK_S * rate_hz)
    assert fano == pytest.approx(1, abs=4 * np.sqrt((2 + 1 / (50 * TICK_S * rate_hz)) / (130 * 80)))
    if rate_hz == 5.0:
        intervals = np.concatenate([np.diff(found.t[found.i == i]) for i in range(130)])
        assert np.std(intervals) / np.mean(intervals) == pytest.approx(1, abs=0.08)


def test_a_background_brings_its_events() -> None:
    layers = (Layer("in", 1, "source"), Layer("out", 200, "lif", LIF(tau_membrane_s=None, v_threshold=1e6)))
    network = Network(layers, (Projection("in", "out", connectivity=AllToAll(), weight=0.0),))
    inputs = {"in": Poisson(rate_hz=0), "out": Poisson(rate_hz=300, weight=0.5)}
    found = simulate(network, 1.0, clock=DOUBLE, inputs=inputs)
    events = found.potentials()["out"] / 0.5
    assert counted(found.ledger())["poisson->out", "synaptic_events_forward"] == events.sum()
    assert abs(events.sum() - 60_000) < 4 * np.sqrt(60_000)
    assert events.var() / 300 == pytest.approx(1, abs=4 * np.sqrt(2 / 200))


def test_single_precision_agrees_with_double_where_no_spike_comes_back() -> None:
    network = Network(
        (Layer("in", 40, "source"), Layer("out", 50, "lif", LIF()), Layer("top", 30, "lif", LIF(reset="soft"))),
        (
            Projection("in", "out", connectivity=FixedProbability(probability=0.4), weight=Normal(mean=0.1, sd=0.05)),
            Projection("out", "top", connectivity=AllToAll(), weight=0.41, tau_synapse_s=6e-3, delay_s=3e-3),
        ),
    )
    single, double = (
        simulate(network, 1.0, clock=replace_precision(bits), inputs={"in": Poisson(rate_hz=60)}) for bits in (32, 64)
    )
    for name in ("out", "top"):
        one, other = (set(zip(run.spikes[name].t, run.spikes[name].i, strict=True)) for run in (single, double))
        assert len(other) > 100
        assert len(one ^ other) <= 0.01 * len(other)
    assert single.weights()["out->top"].dtype == np.float64
    assert single.parts[0].state.weights.dtype == np.float32


def replace_precision(bits: int) -> Clocked:
    return DOUBLE.model_copy(update={"precision": bits})
