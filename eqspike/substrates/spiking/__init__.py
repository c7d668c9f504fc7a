"""Spiking neurons on a clock."""
