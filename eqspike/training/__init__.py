"""Runs: what a recipe asks for, the loop that does it, and what comes out."""
