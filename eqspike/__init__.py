"""eqspike: an emulator of neuromorphic hardware that learns by itself, counted and priced."""

from __future__ import annotations

from importlib import import_module

__version__ = "0.1.0"

_WHERE = {
    "train": "eqspike.training.api",
    "resume": "eqspike.training.api",
    "resolve": "eqspike.training.api",
    "open_run": "eqspike.training.run",
    "Run": "eqspike.training.run",
    "RunSpec": "eqspike.training.spec",
    "SpikingSpec": "eqspike.training.spiking_spec",
    "HopfieldSpec": "eqspike.training.hopfield_spec",
    "BinarySpec": "eqspike.training.binary_spec",
    "FeedforwardSpec": "eqspike.training.feedforward_spec",
    "load_dataset": "eqspike.data",
    "Network": "eqspike.network.description",
    "Layer": "eqspike.network.description",
    "Projection": "eqspike.network.description",
    "Neuron": "eqspike.network.description",
    "Synapse": "eqspike.network.description",
    "LIF": "eqspike.network.neurons",
    "AllToAll": "eqspike.network.connectivity",
    "OneToOne": "eqspike.network.connectivity",
    "FixedProbability": "eqspike.network.connectivity",
    "FixedIndegree": "eqspike.network.connectivity",
    "FixedTotal": "eqspike.network.connectivity",
    "Pairs": "eqspike.network.connectivity",
    "Normal": "eqspike.network.connectivity",
    "Uniform": "eqspike.network.connectivity",
    "Kernel": "eqspike.network.description",
    "Poisson": "eqspike.network.inputs",
    "SpikeList": "eqspike.network.inputs",
    "Clocked": "eqspike.substrates.spiking.clocks",
    "FixedPoint": "eqspike.substrates.spiking.clocks",
    "Exact": "eqspike.substrates.spiking.clocks",
    "simulate": "eqspike.substrates.spiking.simulation",
    "SpikingSubstrate": "eqspike.substrates.spiking.substrate",
    "Phases": "eqspike.substrates.spiking.settings",
    "Encoding": "eqspike.substrates.spiking.settings",
    "BinarySubstrate": "eqspike.substrates.binary.substrate",
    "Plasticity": "eqspike.learning.plasticity",
    "EqSpike": "eqspike.learning.eqspike",
    "PairSTDP": "eqspike.learning.stdp",
    "TripletSTDP": "eqspike.learning.stdp",
    "TraceRule": "eqspike.learning.trace_rule",
    "Trace": "eqspike.learning.trace_rule",
    "price": "eqspike.costing.run",
    "sweep": "eqspike.sweeps.runner",
    "SweepResult": "eqspike.sweeps.state",
    "collect": "eqspike.sweeps.collect",
    "search": "eqspike.sweeps.search",
}

__all__ = ["__version__", *_WHERE]


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for, so that ``import eqspike`` stays light."""
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
