"""Small networks of every kind the engine takes, each built twice: compiled, and as its slow twin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from eqspike.learning.eqspike import EqSpike
from eqspike.learning.plasticity import Plasticity
from eqspike.learning.stdp import PairSTDP
from eqspike.network.description import Network, Neuron, Projection, Synapse
from eqspike.network.layered import layered
from eqspike.substrates.spiking.settings import Encoding, Phases
from eqspike.substrates.spiking.substrate import SpikingSubstrate
from reference.clocked import Presentation, Twin
from reference.rules import twin_of

CLASSES = 3


@dataclass(frozen=True)
class Case:
    """A network with its physics, nudge and images; ``seed`` fills in weights, biases, images and labels."""

    network: Network
    encoding: Encoding
    phases: Phases
    seed: int
    beta: float = 1.37
    random_sign: bool = True
    target_rate: float = 0.93

    def images(self, n: int) -> np.ndarray:
        """Return ``n`` images (n, n_pixels), a quarter of the pixels dark and one fully lit."""
        rng = np.random.default_rng([self.seed, 1])
        images = rng.random((n, self.network.layers[0].size))
        images[rng.random(images.shape) < 0.25] = 0
        images[:, 0] = 1
        return images

    def labels(self, n: int) -> np.ndarray:
        return np.random.default_rng([self.seed, 2]).integers(0, CLASSES, n)

    def weights(self) -> tuple[dict, dict]:
        """Return weights within their bounds and large enough that every layer spikes, and biases."""
        rng, network = np.random.default_rng([self.seed, 3]), self.network
        scale = {p.name: 1.6 / np.sqrt(network.layer(p.pre).size) for p in network.projections}
        weights = {}
        for p in network.projections:
            drawn = rng.normal(0.15, scale[p.name], (network.layer(p.pre).size, network.layer(p.post).size))
            bounds = [p.synapse.w_min, p.synapse.w_max]
            weights[p.name] = drawn if bounds == [None, None] else np.clip(drawn, *bounds)
        return weights, {
            layer.name: rng.normal(0.1, 0.1, layer.size) for layer in network.layers if layer.kind == "lif"
        }

    def build(self, rule: Plasticity, rule_twin, *, precision: int = 64) -> tuple[SpikingSubstrate, Twin]:
        """Return the engine and its twin with equal weights."""
        nudge = {"beta": self.beta, "random_sign": self.random_sign, "target_rate": self.target_rate}
        engine = SpikingSubstrate(
            self.network, rule, self.phases, self.encoding, seed=self.seed, precision=precision, **nudge
        )
        engine.set_weights(*self.weights())
        twin = Twin(self.network, rule_twin, self.phases, self.encoding, seed=self.seed, **nudge)
        twin.adopt(*engine.get_weights())
        return engine, twin

    def build_with(self, rule: EqSpike | PairSTDP) -> tuple[SpikingSubstrate, Twin]:
        return self.build(rule.plasticity(), twin_of(rule))


NEURONS = st.builds(
    Neuron,
    threshold=st.sampled_from([1.0, 0.7]),
    leak=st.sampled_from([0.0, 0.05, 0.3]),
    reset=st.sampled_from(["soft", "hard"]),
    reset_value=st.sampled_from([0.0, -0.2]),
    refractory_ticks=st.sampled_from([0, 0, 1, 3]),
    v_min=st.sampled_from([-1.0, -0.3]),
    v_max=st.sampled_from([1.0, 1.8, 0.8]),
)

SYNAPSES = st.builds(
    Synapse,
    learning_rate=st.sampled_from([0.3, 0.05]),
    commit=st.sampled_from(["immediate", "end_of_phase"]),
    tau_synapse_ticks=st.sampled_from([0.0, 0.0, 2.0, 7.5]),
    plastic=st.sampled_from([True, True, True, False]),
    w_min=st.sampled_from([None, -0.6]),
    w_max=st.sampled_from([None, 0.7]),
)

# With tau 1 rates are 0 or 1: delays are powers of two, so that sums which cancel do so in any order of summation.
EQSPIKE = st.one_of(
    st.builds(EqSpike, tau_ticks=st.sampled_from([1.0, 4.0, 9.5]), delay_ticks=st.sampled_from([1, 4, 8])),
    st.builds(
        EqSpike,
        tau_ticks=st.sampled_from([4.0, 9.5]),
        derivative=st.just("slow_trace"),
        tau_slow_ticks=st.sampled_from([3.0, 12.0]),
    ),
)

PAIR_STDP = st.builds(
    PairSTDP,
    tau_plus=st.sampled_from([3.0, 11.0]),
    tau_minus=st.sampled_from([5.0, 8.0]),
    A_plus=st.sampled_from([0.3, 0.02]),
    A_minus=st.sampled_from([0.2, 0.05]),
    pairs=st.sampled_from(["all-to-all", "nearest-neighbour"]),
)

ENCODINGS = st.builds(
    Encoding, kind=st.sampled_from(["static", "regular", "poisson"]), max_rate=st.sampled_from([1.0, 0.6])
)

PHASES = st.sampled_from(
    [
        Phases(free_ticks=18, nudged_ticks=14, readout_ticks=18),
        Phases(free_ticks=25, nudged_ticks=9, readout_ticks=7),
        Phases(free_ticks=1, nudged_ticks=20, readout_ticks=1),
    ]
)


@st.composite
def networks(draw, kind: str) -> Network:
    """Draw layered networks, and some with lateral and skipping projections, which learn too."""
    hidden = draw(st.sampled_from([[4], [17], [5, 3]]))
    sizes = [draw(st.sampled_from([3, 6])), *hidden, CLASSES]
    network = layered(sizes, kind, draw(NEURONS), [draw(SYNAPSES) for _ in sizes[1:]])
    if draw(st.booleans()):
        return network
    last = network.projections[-1].synapse
    side = draw(SYNAPSES).model_copy(update={"learning_rate": last.learning_rate})
    extra = draw(st.sampled_from([("input", "output"), ("output", "output"), ("output", network.layers[1].name)]))
    if extra[1] != "output":
        side = side.model_copy(update={"learning_rate": network.projections[0].synapse.learning_rate})
    return Network(network.layers, (*network.projections, Projection(*extra, side)))


@st.composite
def cases(draw) -> Case:
    encoding = draw(ENCODINGS)
    return Case(
        draw(networks(encoding.kind)),
        encoding,
        draw(PHASES),
        draw(st.integers(0, 2**40)),
        beta=draw(st.sampled_from([1.37, 0.41])),
        random_sign=draw(st.booleans()),
    )


def plain_case(
    kind: str = "regular", *, seed: int = 5, commit: str = "immediate", w_min=None, w_max=None, **neuron
) -> Case:
    """Return one ordinary network: 6 inputs, 7 hidden, 3 outputs."""
    synapses = [Synapse(learning_rate=rate, commit=commit, w_min=w_min, w_max=w_max) for rate in (0.05, 0.08)]
    network = layered([6, 7, CLASSES], kind, Neuron(**neuron), synapses)
    phases = Phases(free_ticks=20, nudged_ticks=15, readout_ticks=12)
    return Case(network, Encoding(kind=kind, max_rate=0.8), phases, seed)


def spikes_of(engine: SpikingSubstrate, raster: np.ndarray) -> dict[str, np.ndarray]:
    """Cut a raster (ticks, n_neurons) of the engine into layers."""
    return {layer.name: raster[:, engine.compiled.block(layer.name)] for layer in engine.network.layers}


def counts_of(ledger) -> dict[tuple[str, str, str], int]:
    """Return a ledger's counts by (phase, row, counter), zeros left out."""
    return {(phase, row, counter): count for phase, row, counter, count in ledger.rows()}


def assert_same_weights(engine: SpikingSubstrate, twin: Twin, *, rtol: float = 1e-12) -> None:
    """Compare weights and biases; the absolute tolerance is for weights that learning brought near zero."""
    weights, biases = engine.get_weights()
    for name, values in weights.items():
        np.testing.assert_allclose(values, twin.weights[name], rtol=rtol, atol=rtol * 0.1, err_msg=name)
    for name, values in biases.items():
        np.testing.assert_allclose(values, twin.biases[name], rtol=rtol, atol=rtol * 0.1, err_msg=name)


def assert_same_record(engine: SpikingSubstrate, record, seen: Presentation, *, rtol: float = 1e-12) -> None:
    """Compare spikes exactly; potentials, rates and single updates to rounding."""
    for layer in engine.network.layers:
        block = engine.compiled.block(layer.name)
        np.testing.assert_array_equal(record.raster[:, block], np.array(seen.spikes[layer.name]), err_msg=layer.name)
        for recorded, ours in ((record.potential, seen.potentials), (record.rate, seen.rates)):
            if ours[layer.name]:
                np.testing.assert_allclose(recorded[:, block], np.array(ours[layer.name]), rtol=rtol, atol=rtol)
    n = int(record.n_updates[0])
    assert n == len(seen.updates)
    if n == 0:
        return
    order, wanted = np.lexsort(record.update_place[:n].T[::-1]), sorted(seen.updates)
    np.testing.assert_array_equal(record.update_place[:n][order], [update[:5] for update in wanted])
    values = [update[5] for update in wanted]
    np.testing.assert_allclose(record.update_value[:n][order], values, rtol=1e-9, atol=rtol)
