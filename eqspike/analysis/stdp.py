"""Three protocols that show how far a rule is spike-timing-dependent plasticity, each as an StdpWindow of numbers.

``isolated_pair`` needs one pair of spikes, ``rate_ramp`` an ensemble of changing rates, ``during_training`` a trained
network. Figures of the windows are drawn by :mod:`eqspike.plots.stdp`.
"""

from eqspike.analysis.isolated import isolated_pair
from eqspike.analysis.ramps import rate_ramp
from eqspike.analysis.replay import replay
from eqspike.analysis.stdp_training import TrainingWindows, during_training, training_pairs
from eqspike.analysis.window import StdpWindow

__all__ = ["StdpWindow", "TrainingWindows", "during_training", "isolated_pair", "rate_ramp", "replay", "training_pairs"]
