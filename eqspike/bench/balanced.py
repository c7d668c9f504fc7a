"""The networks that simulators are compared on, stated once, and our builders of them.

Numbers are SI; potentials and weights are in volts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eqspike.network.connectivity import FixedIndegree, FixedProbability, FixedTotal, Normal
from eqspike.network.description import Layer, Network, Projection
from eqspike.network.inputs import Poisson
from eqspike.network.neurons import LIF

TICK_S = 1e-4
Case = tuple[Network, dict[str, Poisson], dict[str, np.ndarray]]  # with inputs and initial potentials by layer


@dataclass(frozen=True)
class Brunel:
    """The balanced network of delta synapses, with the numbers of NEST's example brunel_delta_nest.py.

    Every neuron receives from ``from_excitatory`` and ``from_inhibitory`` neurons drawn with replacement, and from a
    Poisson process of its own of eta times the rate that would just hold it at threshold: eta theta / (J tau).

    References
    ----------
    Brunel, J. Comput. Neurosci. 8:183, 2000, doi:10.1023/A:1008925309027.
    """

    excitatory: int = 8_000
    inhibitory: int = 2_000
    from_excitatory: int = 800
    from_inhibitory: int = 200
    weight: float = 1e-4
    g: float = 5.0
    eta: float = 2.0
    delay_s: float = 1.5e-3
    tau_membrane_s: float = 20e-3
    v_threshold: float = 20e-3
    v_reset: float = 0.0
    refractory_s: float = 2e-3

    @property
    def neurons(self) -> int:
        """How many there are of both kinds."""
        return self.excitatory + self.inhibitory

    @property
    def external_rate_hz(self) -> float:
        """Rate of the Poisson process of each neuron."""
        return self.eta * self.v_threshold / (self.weight * self.tau_membrane_s)


@dataclass(frozen=True)
class Cuba:
    """Benchmark 2 of Brette et al. with the numbers of Brian2's example CUBA.py, driven by a rest above threshold.

    All delays are one tick, the shortest that NEST and this engine have; Brian2's example has none.

    References
    ----------
    Brette et al., J. Comput. Neurosci. 23:349, 2007, doi:10.1007/s10827-007-0038-6;
    Vogels and Abbott, J. Neurosci. 25:10786, 2005, doi:10.1523/JNEUROSCI.3508-05.2005.
    """

    excitatory: int = 3_200
    inhibitory: int = 800
    probability: float = 0.02
    weight_excitatory: float = 60e-3 * 0.27 / 10
    weight_inhibitory: float = -20e-3 * 4.5 / 10
    tau_membrane_s: float = 20e-3
    tau_excitatory_s: float = 5e-3
    tau_inhibitory_s: float = 10e-3
    v_rest: float = -49e-3
    v_threshold: float = -50e-3
    v_reset: float = -60e-3
    refractory_s: float = 5e-3
    delay_s: float = TICK_S

    @property
    def neurons(self) -> int:
        """How many there are of both kinds."""
        return self.excitatory + self.inhibitory


BRUNEL, CUBA = Brunel(), Cuba()

# Potjans and Diesmann, Cereb. Cortex 24:785, 2014, doi:10.1093/cercor/bhs358, Tables 4 and 5.
POPULATIONS = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
SIZES = np.array([20_683, 5_834, 21_915, 5_479, 4_850, 1_065, 14_395, 2_948])
PROBABILITIES = np.array(  # rows: targets, columns: sources
    [
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0000, 0.0076, 0.0000],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0000, 0.0042, 0.0000],
        [0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0000],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0000, 0.1057, 0.0000],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0000],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0000],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443],
    ]
)
EXTERNAL = np.array([1_600, 1_500, 2_100, 1_900, 2_000, 1_900, 2_900, 2_100])
BACKGROUND_HZ = 8.0
# 87.8 pA over C = 250 pF and tau = 10 ms: a postsynaptic potential of 0.15 mV.
MICROCIRCUIT_WEIGHT = 87.8e-12 * 10e-3 / 250e-12
MICROCIRCUIT_G, WEIGHT_SPREAD = -4.0, 0.1
DELAYS_S, DELAY_SPREAD = (1.5e-3, 0.75e-3), 0.5  # means, from excitatory and inhibitory neurons; spread over mean
TAU_SYNAPSE_S = 0.5e-3
MICROCIRCUIT_NEURON = LIF(
    tau_membrane_s=10e-3, v_threshold=-50e-3, v_rest=-65e-3, v_reset=-65e-3, refractory_s=2e-3
)  # fmt: skip
# Rates (1/s) of the full-scale network: NEST's example Potjans_2014 (its full_mean_rates), and the excitatory ones of
# the publication as quoted by Romaro et al., Neural Comput. 33:1993, 2021, doi:10.1162/neco_a_01400, Table A.1, beside
# what their own simulator gave.
NEST_RATES_HZ = np.array([0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829])
PUBLISHED_RATES_HZ = {"L23E": 0.86, "L4E": 4.45, "L5E": 7.59, "L6E": 1.09}
NETPYNE_RATES_HZ = np.array([0.90, 2.80, 4.39, 5.70, 6.80, 8.22, 1.14, 7.60])


def brunel(of: Brunel = BRUNEL) -> Case:
    """Return the network, its Poisson drive and no initial potentials: all start at rest."""
    neuron = LIF(
        tau_membrane_s=of.tau_membrane_s, v_threshold=of.v_threshold, v_reset=of.v_reset, refractory_s=of.refractory_s
    )
    sizes = {"E": of.excitatory, "I": of.inhibitory}
    kinds = {"E": (of.from_excitatory, of.weight), "I": (of.from_inhibitory, -of.g * of.weight)}
    projections = [
        Projection(pre, post, connectivity=FixedIndegree(indegree=indegree), weight=weight, delay_s=of.delay_s)
        for pre, (indegree, weight) in kinds.items()
        for post in sizes
    ]
    drive = Poisson(rate_hz=of.external_rate_hz, weight=of.weight)
    return _network(sizes, neuron, projections), dict.fromkeys(sizes, drive), {}


def cuba(of: Cuba = CUBA, *, seed: int = 1) -> Case:
    """Return the network, no input, and initial potentials uniform between reset and threshold.

    A rest above threshold is said as a rest at the reset potential and the drive that lifts it.
    """
    neuron = LIF(
        tau_membrane_s=of.tau_membrane_s, v_threshold=of.v_threshold, v_rest=of.v_reset, v_reset=of.v_reset,
        refractory_s=of.refractory_s, drive=of.v_rest - of.v_reset,
    )  # fmt: skip
    sizes = {"E": of.excitatory, "I": of.inhibitory}
    kinds = {"E": (of.weight_excitatory, of.tau_excitatory_s), "I": (of.weight_inhibitory, of.tau_inhibitory_s)}
    rule = FixedProbability(probability=of.probability)
    projections = [
        Projection(pre, post, connectivity=rule, weight=weight, delay_s=of.delay_s, tau_synapse_s=tau)
        for pre, (weight, tau) in kinds.items()
        for post in sizes
    ]
    rng = np.random.default_rng(seed)
    initial = {name: rng.uniform(of.v_reset, of.v_threshold, size) for name, size in sizes.items()}
    return _network(sizes, neuron, projections), {}, initial


def indegrees() -> np.ndarray:
    """Return the mean in-degrees (target, source) of the full microcircuit: ln(1 - C) / ln(1 - 1/(N_t N_s)) / N_t."""
    pairs = np.outer(SIZES, SIZES).astype(float)
    return np.log1p(-PROBABILITIES) / np.log1p(-1 / pairs) / SIZES[:, None]


def microcircuit_weights() -> np.ndarray:
    """Return mean weights (target, source) in volts; those from L4E to L23E are doubled."""
    weights = np.tile([MICROCIRCUIT_WEIGHT, MICROCIRCUIT_G * MICROCIRCUIT_WEIGHT], (len(SIZES), len(SIZES) // 2))
    weights[0, 2] *= 2
    return weights


def compensation(indegree_scale: float) -> np.ndarray:
    r"""Return the drives (volts) that hold the mean input of each population when in-degrees are scaled.

    With in-degrees k K and weights w / sqrt(k) the variance of the input stays and its mean falls to sqrt(k) of what
    it was. What is lacking is constant in a network that fires at its full-scale rates nu:
    drive = tau_synapse (1 - sqrt(k)) (sum_j K_ij w_ij nu_j + K_ext w nu_bg).

    References
    ----------
    van Albada, Helias and Diesmann, PLoS Comput. Biol. 11:e1004490, 2015, doi:10.1371/journal.pcbi.1004490.
    """
    recurrent = (indegrees() * microcircuit_weights()) @ NEST_RATES_HZ
    external = EXTERNAL * MICROCIRCUIT_WEIGHT * BACKGROUND_HZ
    return TAU_SYNAPSE_S * (1 - np.sqrt(indegree_scale)) * (recurrent + external)


def microcircuit(scale: float, *, indegree_scale: float | None = None, seed: int = 1) -> Case:
    """Return the cortical microcircuit with ``scale`` of its neurons and ``indegree_scale`` of each one's synapses.

    Synapses are drawn as published, a fixed number for each pair of populations, both ends at random with replacement.
    Weights are normal with a spread of 10 %, delays with one of 50 %, a tick at least: here each pre neuron has one a
    projection, where the published network has one a synapse.

    Parameters
    ----------
    indegree_scale : by default ``scale``, the share of pairs that are joined staying as it is. In-degrees kept at 1
        need no `compensation`, but a tenth of the neurons with all their synapses shares so much input that it runs
        away.
    """
    indegree_scale = scale if indegree_scale is None else indegree_scale
    sizes = dict(zip(POPULATIONS, np.rint(SIZES * scale).astype(int).tolist(), strict=True))
    weights, inward = microcircuit_weights() / np.sqrt(indegree_scale), indegrees() * indegree_scale
    weight = MICROCIRCUIT_WEIGHT / np.sqrt(indegree_scale)
    layers, projections, inputs = [], [], {}
    for t, (target, drive) in enumerate(zip(POPULATIONS, compensation(indegree_scale), strict=True)):
        neuron = MICROCIRCUIT_NEURON.model_copy(update={"drive": float(drive)})
        layers.append(Layer(target, sizes[target], "lif", neuron))
        rate = BACKGROUND_HZ * EXTERNAL[t] * indegree_scale
        inputs[target] = Poisson(rate_hz=rate, weight=weight, tau_synapse_s=TAU_SYNAPSE_S)
        for s, pre in enumerate(POPULATIONS):
            synapses = round(inward[t, s] * sizes[target])
            if synapses:
                spread = Normal(mean=weights[t, s], sd=WEIGHT_SPREAD * abs(weights[t, s]))
                mean = DELAYS_S[s % 2]
                delays = np.random.default_rng([seed, t, s]).normal(mean, DELAY_SPREAD * mean, sizes[pre])
                projections.append(
                    Projection(
                        pre, target, connectivity=FixedTotal(number=synapses), weight=spread,
                        delay_s=np.maximum(delays, TICK_S), tau_synapse_s=TAU_SYNAPSE_S,
                    )
                )  # fmt: skip
    rng = np.random.default_rng(seed)
    initial = {name: rng.normal(-58e-3, 10e-3, size) for name, size in sizes.items()}
    return Network(tuple(layers), tuple(projections)), inputs, initial


def _network(sizes: dict[str, int], neuron: LIF, projections: list[Projection]) -> Network:
    return Network(tuple(Layer(name, size, "lif", neuron) for name, size in sizes.items()), tuple(projections))
