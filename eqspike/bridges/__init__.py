"""Bridges to formats of other tools: optional guests, each behind one door."""
