"""Protocols that show how far a rule is spike-timing-dependent plasticity, each as numbers.

``isolated_pair`` needs one pair of spikes, ``rate_ramp`` an ensemble of changing rates, ``during_training`` a trained
network; ``pair_protocol``, ``frequency_protocol`` and ``triplet_protocol`` are the experiments of the literature, and
``read_measurements`` reads what was measured in them. Figures are drawn by :mod:`eqspike.plots.stdp`.
"""

from eqspike.analysis.isolated import isolated_pair
from eqspike.analysis.ramps import rate_ramp
from eqspike.analysis.replay import replay
from eqspike.analysis.stdp_data import read_measurements, with_measurements
from eqspike.analysis.stdp_measured import Comparison, Measurements
from eqspike.analysis.stdp_protocols import ProtocolResult, frequency_protocol, pair_protocol, triplet_protocol
from eqspike.analysis.stdp_synapse import weight_change
from eqspike.analysis.stdp_training import TrainingWindows, during_training, training_pairs
from eqspike.analysis.window import StdpWindow

__all__ = [
    "Comparison",
    "Measurements",
    "ProtocolResult",
    "StdpWindow",
    "TrainingWindows",
    "during_training",
    "frequency_protocol",
    "isolated_pair",
    "pair_protocol",
    "rate_ramp",
    "read_measurements",
    "replay",
    "training_pairs",
    "triplet_protocol",
    "weight_change",
    "with_measurements",
]
