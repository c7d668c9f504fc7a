"""Numba functions on arrays and floats only: no classes, files, units or names."""
