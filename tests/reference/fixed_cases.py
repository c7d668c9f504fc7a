"""Small networks in fixed point, each built twice: compiled, and as its slow twin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from eqspike.learning.eqspike import EqSpike
from eqspike.network.description import Network, Neuron, Projection, Synapse
from eqspike.network.layered import layered
from eqspike.substrates.spiking.fixed_settings import FixedPoint
from eqspike.substrates.spiking.fixed_substrate import FixedPointSubstrate
from eqspike.substrates.spiking.settings import Phases
from reference.fixed_point import FixedTwin

CLASSES = 3


@dataclass(frozen=True)
class FixedCase:
    """A network with its registers, rule and images; ``seed`` fills in weights, biases, images and labels."""

    network: Network
    phases: Phases
    fixed: FixedPoint
    rule: EqSpike
    seed: int

    def images(self, n: int) -> np.ndarray:
        """Return ``n`` images of 8-bit pixels as fractions of 255, a quarter dark and one fully lit."""
        rng = np.random.default_rng([self.seed, 1])
        images = rng.integers(0, 256, (n, self.network.layers[0].size))
        images[rng.random(images.shape) < 0.25] = 0
        images[:, 0] = 255
        return images / 255

    def labels(self, n: int) -> np.ndarray:
        return np.random.default_rng([self.seed, 2]).integers(0, CLASSES, n)

    def engine(self) -> FixedPointSubstrate:
        """Return the engine with weights spread over its registers, a little more of them positive, and biases."""
        rule = self.rule
        engine = FixedPointSubstrate(
            self.network, rule.plasticity(), self.phases, self.fixed, tau_ticks=rule.tau_ticks,
            delay_ticks=rule.delay_ticks, seed=self.seed, beta=rule.beta, random_sign=rule.random_sign,
            target_rate=rule.target_rate,
        )  # fmt: skip
        rng, weights = np.random.default_rng([self.seed, 3]), {}
        for p, scale in zip(self.network.projections, engine.compiled.scales, strict=True):
            shape = self.network.layer(p.pre).size, self.network.layer(p.post).size
            odd = int(self.fixed.odd)
            codes = np.clip(np.rint(rng.normal(scale.high / 6, scale.high / 2 + 1, shape)), scale.low, scale.high)
            weights[p.name] = ((1 + odd) * codes + odd) * scale.unit
        lif = [layer for layer in self.network.layers if layer.kind == "lif"]
        engine.set_weights(weights, {layer.name: rng.normal(0.1, 0.1, layer.size) for layer in lif})
        return engine

    def build(self) -> tuple[FixedPointSubstrate, FixedTwin]:
        """Return the engine and its twin with equal weights."""
        engine, rule = self.engine(), self.rule
        twin = FixedTwin(
            self.network, self.phases, self.fixed, [scale.exponent for scale in engine.compiled.scales],
            tau_ticks=rule.tau_ticks, delay_ticks=rule.delay_ticks, seed=self.seed, beta=rule.beta,
            random_sign=rule.random_sign, target_rate=rule.target_rate,
        )  # fmt: skip
        twin.adopt(*engine.get_weights())
        return engine, twin


NEURONS = st.builds(
    Neuron,
    threshold=st.sampled_from([1.0, 0.7]),
    leak=st.sampled_from([0.0, 0.0, 0.125, 2.0**-5]),
    reset=st.sampled_from(["soft", "hard"]),
    reset_value=st.sampled_from([0.0, -0.2]),
    refractory_ticks=st.sampled_from([0, 0, 1, 3]),
    v_min=st.sampled_from([-1.0, -0.3]),
    v_max=st.sampled_from([1.0, 0.4]),
)

SYNAPSES = st.builds(
    Synapse,
    learning_rate=st.sampled_from([0.3, 0.04, 1e-9]),
    commit=st.sampled_from(["immediate", "end_of_phase"]),
    plastic=st.sampled_from([True, True, True, False]),
    w_min=st.sampled_from([None, None, -0.6]),
    w_max=st.sampled_from([None, None, 0.7]),
)

REGISTERS = st.builds(
    FixedPoint,
    weight_bits=st.sampled_from([1, 2, 3, 4, 8, 16]),
    weight_levels=st.sampled_from(["signed", "signed", "odd"]),
    accumulator_bits=st.sampled_from([0, 0, 3, 12]),
    potential_bits=st.sampled_from([6, 10, 16, 24, 32]),
    trace_bits=st.sampled_from([4, 9, 15]),
    trace_rounding=st.sampled_from(["down", "stochastic"]),
    overflow=st.sampled_from(["saturate", "wrap"]),
)

RULES = st.builds(
    EqSpike,
    beta=st.sampled_from([2.0, 1.37, 0.41]),
    random_sign=st.booleans(),
    target_rate=st.sampled_from([1.0, 0.83]),
    tau_ticks=st.sampled_from([1.0, 4.0, 16.0]),
    delay_ticks=st.sampled_from([1, 5, 8]),
)

PHASES = st.sampled_from(
    [
        Phases(free_ticks=14, nudged_ticks=11, readout_ticks=14),
        Phases(free_ticks=18, nudged_ticks=7, readout_ticks=5),
        Phases(free_ticks=1, nudged_ticks=15, readout_ticks=1),
    ]
)


@st.composite
def networks(draw) -> Network:
    """Draw layered networks, and some with lateral and skipping projections, which learn too."""
    sizes = [draw(st.sampled_from([3, 6])), *draw(st.sampled_from([[4], [17], [5, 3]])), CLASSES]
    network = layered(sizes, "static", draw(NEURONS), [draw(SYNAPSES) for _ in sizes[1:]])
    if draw(st.booleans()):
        return network
    extra = draw(st.sampled_from([("input", "output"), ("output", "output"), ("output", network.layers[1].name)]))
    return Network(network.layers, (*network.projections, Projection(*extra, draw(SYNAPSES))))


@st.composite
def fixed_cases(draw) -> FixedCase:
    """Draw a network that the registers can hold."""
    network, fixed = draw(networks()), draw(REGISTERS)
    bounded = [p for p in network.projections if p.synapse.w_min is not None or p.synapse.w_max is not None]
    if bounded and fixed.odd:  # a weight without a zero may have no level within narrow bounds
        fixed = fixed.model_copy(update={"weight_exponents": [-5] * len(network.projections)})
    return FixedCase(network, draw(PHASES), fixed, draw(RULES), draw(st.integers(0, 2**40)))


def plain_fixed_case(*, seed: int = 5, commit: str = "immediate", rates=(0.05, 0.08), **registers) -> FixedCase:
    """Return one ordinary network: 6 inputs, 7 hidden, 3 outputs."""
    synapses = [Synapse(learning_rate=rate, commit=commit) for rate in rates]
    network = layered([6, 7, CLASSES], "static", Neuron(), synapses)
    phases = Phases(free_ticks=20, nudged_ticks=15, readout_ticks=12)
    return FixedCase(network, phases, FixedPoint(**registers), EqSpike(tau_ticks=8, delay_ticks=6), seed)
