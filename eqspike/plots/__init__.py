"""Figures: STDP windows. Matplotlib is imported here and nowhere else."""
