"""Small networks in continuous time of every kind, each built twice: in ticks of the engine, and as its slow twin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from eqspike.learning.stdp import PairSTDP, TripletSTDP
from eqspike.network.connectivity import AllToAll, FixedIndegree, FixedProbability, Normal, OneToOne, Pairs, Uniform
from eqspike.network.description import Kernel, Layer, Network, Projection
from eqspike.network.inputs import Input, Poisson, SpikeList
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.clocks import Clocked
from eqspike.substrates.spiking.simulation import Simulation, prepare

TICK_S = 1e-3
UNLIMITED_HZ = 1e9


@dataclass(frozen=True)
class Case:
    """A network with all that drives it."""

    network: Network
    inputs: Mapping[str, Input]
    seed: int
    rule: PairSTDP | TripletSTDP | None = None
    initial: Mapping[str, np.ndarray] = field(default_factory=dict)

    def start(self, clock=None, *, threads: int = 1) -> Simulation:
        """Return the engine before its first tick; it never stops for high rates."""
        return prepare(
            self.network, clock=clock or Clocked(tick_s=TICK_S, precision=64), inputs=self.inputs, rule=self.rule,
            seed=self.seed, initial=self.initial, threads=threads, max_rate_hz=UNLIMITED_HZ,
        )  # fmt: skip

    def twin(self, kind):
        return kind(self.network, TICK_S, self.inputs, seed=self.seed, rule=self.rule, initial=self.initial)


# Numbers of many digits: sums of weights do not fall on a threshold, so that rounding never decides over a spike.
MEMBRANES = st.sampled_from([None, 8.19e-3, 21.37e-3])
SYNAPSES = st.sampled_from([0.0, 0.0, 3.117e-3, 21.37e-3])


@st.composite
def neurons(draw) -> LIF:
    tau = draw(MEMBRANES)
    reset = draw(st.sampled_from(["hard", "soft"]))
    adapts = draw(st.booleans())
    scale = 1.0 if tau else 1 / 15e-3
    return LIF(
        tau_membrane_s=tau,
        v_threshold=1.0,
        v_rest=draw(st.sampled_from([0.0, -0.3917])),
        v_reset=draw(st.sampled_from([0.0, -0.2713])),
        reset=reset,
        refractory_s=draw(st.sampled_from([0.0, 1e-3, 4e-3])) if reset == "hard" else 0.0,
        drive=draw(st.sampled_from([0.0, 0.731948, 1.548173])) * scale,
        tau_adaptation_s=draw(st.sampled_from([15.31e-3, tau or 8e-3])) if adapts else None,
        adaptation_step=draw(st.sampled_from([0.1413, -0.0771])) * scale if adapts else 0.0,
    )


@st.composite
def connectivities(draw, pre: Layer, post: Layer, rng: np.random.Generator):
    kinds = ["all-to-all", "probability", "indegree", "pairs"] + ["one-to-one"] * (pre.size == post.size)
    chosen = draw(st.sampled_from(kinds))
    itself = draw(st.booleans()) or min(pre.size, post.size) < 2
    if chosen == "all-to-all":
        return AllToAll()
    if chosen == "one-to-one":
        return OneToOne()
    if chosen == "probability":
        return FixedProbability(probability=draw(st.sampled_from([0.4, 1.0])), self_connections=itself)
    if chosen == "indegree":
        return FixedIndegree(indegree=draw(st.integers(1, 4)), self_connections=itself)
    n = draw(st.integers(0, 12))
    return Pairs(rng.integers(0, pre.size, n), rng.integers(0, post.size, n))


@st.composite
def projections(draw, pre: Layer, post: Layer, label: str, learns: bool, rng: np.random.Generator) -> Projection:
    joined = draw(connectivities(pre, post, rng))
    tau, membrane = draw(SYNAPSES), post.neuron.tau_membrane_s
    scale = 0.6 if tau == 0 else 2.5 if membrane else 0.5 / tau
    shapes = {AllToAll: (pre.size, post.size), OneToOne: (pre.size,)}
    shape = (len(joined.pre),) if isinstance(joined, Pairs) else shapes.get(type(joined))
    weights = [scale * 0.414213562, -scale * 0.223606798, Normal(mean=0.3 * scale, sd=0.4 * scale)]
    weights += [Uniform(low=-0.4 * scale, high=0.9 * scale)]
    if shape is not None and np.prod(shape) > 0:
        weights.append(rng.normal(0.25 * scale, 0.5 * scale, shape))
    delays = [None, 1e-3, 6e-3, rng.integers(1, 8, pre.size) * TICK_S, Uniform(low=1e-3, high=7e-3)]
    return Projection(
        pre.name, post.name, connectivity=joined, weight=draw(st.sampled_from(weights)),
        delay_s=draw(st.sampled_from(delays)), tau_synapse_s=tau, plastic=learns and draw(st.booleans()), label=label,
    )  # fmt: skip


@st.composite
def rules(draw, bounded: bool = False):
    taus = {name: draw(st.sampled_from([9e-3, 20e-3])) for name in ("tau_plus", "tau_minus")}
    bounds = {"w_min": draw(st.sampled_from([None, -40.0])), "w_max": draw(st.sampled_from([None, 0.5]))}
    pairs = draw(st.sampled_from(["all-to-all", "nearest-neighbour"]))
    if draw(st.booleans()):
        return PairSTDP(**taus, A_plus=0.0531, A_minus=0.0317, pairs=pairs, **bounds)
    amplitudes = {"A2_plus": 0.0121, "A2_minus": 0.0317, "A3_plus": 0.0273, "A3_minus": 0.0091}
    return TripletSTDP(**taus, tau_x=31e-3, tau_y=40e-3, **amplitudes, pairs=pairs, **bounds)


@st.composite
def cases(draw, learns: bool = False) -> Case:
    """Draw one to three layers of neurons behind one or two sources, joined at random, some of them twice."""
    seed = draw(st.integers(0, 2**40))
    rng = np.random.default_rng(seed)
    layers = [Layer(f"in{k}", draw(st.sampled_from([1, 4, 7])), "source") for k in range(draw(st.integers(1, 2)))]
    sizes = draw(st.lists(st.sampled_from([1, 3, 4, 19]), min_size=1, max_size=3))
    groups = [Layer(f"n{k}", size, "lif", draw(neurons())) for k, size in enumerate(sizes)]
    rule = draw(rules()) if learns else None
    found = [draw(projections(draw(st.sampled_from(layers)), post, "", learns, rng)) for post in groups]
    for k in range(draw(st.integers(0, 3))):
        pre, post = draw(st.sampled_from([*layers, *groups])), draw(st.sampled_from(groups))
        found.append(draw(projections(pre, post, f"more{k}", learns, rng)))
    if rule is not None:
        found = [within(p, rule) for p in found]
    if draw(st.integers(0, 3)) == 0:
        image, kernel = Layer("image", 24, "source", shape=(4, 3, 2)), draw(kernels())
        maps = Layer(
            "maps", int(np.prod(kernel.pooled(image.shape))), "lif", draw(neurons()), shape=kernel.pooled(image.shape)
        )
        filters = rng.normal(0.1, 0.4, (kernel.size, kernel.size, 2, kernel.channels))
        layers, groups = [*layers, image], [*groups, maps]
        found.append(
            Projection("image", "maps", kernel=kernel, weight=filters, delay_s=2e-3, tau_synapse_s=draw(SYNAPSES))
        )
    inputs: dict[str, Input] = {layer.name: draw(sources(layer, rng)) for layer in layers}
    inputs |= {layer.name: Poisson(rate_hz=180, weight=0.217391) for layer in groups if draw(st.booleans())}
    initial = {layer.name: rng.uniform(-0.5, 0.95, layer.size) for layer in groups if draw(st.booleans())}
    order = draw(st.permutations([*layers, *groups]))
    return Case(Network(tuple(order), tuple(found)), inputs, seed, rule, initial)


@st.composite
def kernels(draw) -> Kernel:
    return Kernel(
        channels=draw(st.integers(1, 2)), size=draw(st.integers(1, 3)), padding=draw(st.integers(0, 1)), pool="none"
    )


@st.composite
def sources(draw, layer: Layer, rng: np.random.Generator) -> Input:
    if draw(st.booleans()):
        return Poisson(rate_hz=draw(st.sampled_from([60.0, 400.0])))
    n = draw(st.integers(0, 40)) * layer.size // 2
    return SpikeList(rng.uniform(0, 0.2, n), rng.integers(0, layer.size, n))


def within(p: Projection, rule) -> Projection:
    """Return a projection whose weights lie within the bounds of its rule."""
    if not p.plastic:
        return p
    low, high = (-np.inf if rule.w_min is None else rule.w_min), (np.inf if rule.w_max is None else rule.w_max)
    if isinstance(p.weight, Normal | Uniform):
        given: object = Uniform(low=-0.31, high=0.49)
    else:
        given = np.clip(p.weight, low, high)
        given = float(given) if given.ndim == 0 else given
    return Projection(
        p.pre, p.post, connectivity=p.connectivity, weight=given, delay_s=p.delay_s, tau_synapse_s=p.tau_synapse_s,
        plastic=True, label=p.label,
    )  # fmt: skip


def counted(ledger) -> dict[tuple[str, str], int]:
    """Return a ledger's counts by (row, counter) of its one phase, those of the run and zeros left out."""
    return {(row, counter): count for _, row, counter, count in ledger.rows() if row != "run"}


def assert_same_spikes(simulation: Simulation, wanted: dict[str, list[tuple[int, int]]]) -> None:
    """Compare spikes by layer, in order."""
    for name, found in spikes_by_tick(simulation).items():
        np.testing.assert_array_equal(np.reshape(found, (-1, 2)), np.reshape(wanted[name], (-1, 2)), err_msg=name)


def spikes_by_tick(simulation: Simulation) -> dict[str, list[tuple[int, int]]]:
    """Return spikes as (tick, neuron); a spike of tick n is at the end of that tick."""
    return {
        name: [(round(t / TICK_S) - 1, int(i)) for t, i in zip(spikes.t, spikes.i, strict=True)]
        for name, spikes in simulation.spikes.items()
    }
