"""Slow, obvious twins of the compiled kernels: plain loops and whole histories, nothing remembered from tick to tick."""
