# [describe]
import eqspike
from eqspike import LIF, FixedIndegree, Layer, Network, Poisson, Projection

neuron = LIF(tau_membrane_s=20e-3, v_threshold=20e-3, v_reset=10e-3, refractory_s=2e-3)
to_e, to_i = FixedIndegree(indegree=40), FixedIndegree(indegree=10)
network = Network(
    layers=(Layer("E", 400, "lif", neuron), Layer("I", 100, "lif", neuron)),
    projections=(
        Projection("E", "E", connectivity=to_e, weight=1e-3, delay_s=1.5e-3),
        Projection("E", "I", connectivity=to_e, weight=1e-3, delay_s=1.5e-3),
        Projection("I", "E", connectivity=to_i, weight=-5e-3, delay_s=1.5e-3),
        Projection("I", "I", connectivity=to_i, weight=-5e-3, delay_s=1.5e-3),
    ),
)

# [simulate]
drive = Poisson(rate_hz=1_000, weight=1e-3)
simulation = eqspike.simulate(network, 0.5, inputs={"E": drive, "I": drive}, seed=1)
print(simulation.outcome.kind)

# [look]
for layer in network.layers:
    spikes = simulation.spikes[layer.name]
    rate_hz = len(spikes.t) / layer.size / simulation.time_s
    print(f"{layer.name}: {rate_hz:.0f} Hz, first spike at {spikes.t[0]:.4f} s")

# [clocks]
clocks = (eqspike.Clocked(), eqspike.FixedPoint(weight_bits=8), eqspike.Exact())
for clock in clocks:
    again = eqspike.simulate(
        network, 0.5, clock=clock, inputs={"E": drive, "I": drive}, seed=1
    )
    print(f"{clock.kind:12} {len(again.spikes['E'].t) / 400 / 0.5:.0f} Hz")

# [count]
ledger = simulation.ledger()
for counter in ("spikes", "synaptic_events", "neuron_updates"):
    print(f"{counter:16} {ledger.total('inference', counter):9,}")
energy = eqspike.price(simulation, chip="loihi").energy()
print(f"{energy.value:.1e} J on loihi, between {energy.low:.1e} and {energy.high:.1e}")

# [mistake]
from eqspike.core.errors import ConfigError

try:
    Network(network.layers, (Projection("E", "X", connectivity=to_e, weight=1e-3),))
except ConfigError as error:
    print(error)
