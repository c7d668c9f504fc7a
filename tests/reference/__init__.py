"""Slow, obvious twins of the compiled kernels: plain loops over whole histories."""
