"""What runs show, as numbers: the windows of spike-timing-dependent plasticity (see eqspike.analysis.stdp)."""
