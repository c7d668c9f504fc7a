"""Sweeps: many runs of one recipe that survive whatever stops them, on one machine, a batch system or a cluster."""
