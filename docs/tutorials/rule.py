# [functions]
from typing import NamedTuple

import numpy as np

import eqspike


class SoftBounds(NamedTuple):
    up: float
    down: float


def on_pre(parameters, weight, pre, i, post, j):
    return -parameters.down * weight * post[0, j]


def on_post(parameters, weight, pre, i, post, j):
    return parameters.up * (1.0 - weight) * pre[0, i]


rule = eqspike.TraceRule(
    SoftBounds(up=0.1, down=0.05),
    (eqspike.Trace("trace", tau_s=20e-3),),
    on_pre,
    on_post,
    w_min=0.0,
    w_max=1.0,
)

# [pairs]
differences_s = np.array([-40e-3, -10e-3, -2e-3, 2e-3, 10e-3, 40e-3])
n = len(differences_s)
one_to_one = eqspike.OneToOne()
network = eqspike.Network(
    layers=(
        eqspike.Layer("pre", n, "source"),
        eqspike.Layer("teacher", n, "source"),
        eqspike.Layer("post", n, "lif", eqspike.LIF()),
    ),
    projections=(
        eqspike.Projection(
            "pre", "post", connectivity=one_to_one, weight=0.5, delay_s=1e-3, plastic=True
        ),
        eqspike.Projection(
            "teacher", "post", connectivity=one_to_one, weight=2.0, delay_s=1e-3
        ),
    ),
)
neurons = np.arange(n)
inputs = {
    "pre": eqspike.SpikeList(np.full(n, 50e-3), neurons),
    "teacher": eqspike.SpikeList(50e-3 + differences_s, neurons),
}

# [window]
simulation = eqspike.simulate(
    network, 0.12, clock=eqspike.Exact(), inputs=inputs, rule=rule
)
changes = simulation.weights()["pre->post"] - 0.5
for difference, change in zip(differences_s, changes, strict=True):
    print(f"{1e3 * difference:+4.0f} ms  {change:+.4f}")

# [law]
closed_form = np.where(differences_s > 0, 0.1 * 0.5, -0.05 * 0.5) * np.exp(
    -np.abs(differences_s) / 20e-3
)
print("as derived" if np.allclose(changes, closed_form, rtol=1e-4) else "not as derived")


# [phases]
class Drift(NamedTuple):
    keep: float


def advance(parameters, traces, spikes, tick):
    for i in range(spikes.size):
        traces[0, i] = traces[0, i] * parameters.keep + spikes[i]


def drift_on_pre(parameters, weight, pre, i, post, j):
    return post[0, j] * (1 - weight)


def drift_on_post(parameters, weight, pre, i, post, j):
    return -0.1 * pre[0, i]


drift = eqspike.Plasticity(Drift(0.9), ("activity",), advance, drift_on_pre, drift_on_post)

# [train]
layered = eqspike.Network(
    layers=(
        eqspike.Layer("input", 4, "source"),
        eqspike.Layer("output", 2, "lif", eqspike.Neuron()),
    ),
    projections=(
        eqspike.Projection("input", "output", eqspike.Synapse(learning_rate=0.1)),
    ),
)
phases = eqspike.Phases(free_ticks=30, nudged_ticks=0, readout_ticks=10)
substrate = eqspike.SpikingSubstrate(
    layered, drift, phases, eqspike.Encoding(kind="poisson")
)
images, labels = np.ones((1, 4), np.float32), np.zeros(1, np.int64)
substrate.train(images, labels, np.arange(1), 0, 1, scale=1.0, offset=0)
print(f"{substrate.ledger().total('free', 'weight_writes')} weight writes")
