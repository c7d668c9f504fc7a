"""Pure description of networks: layers, projections, initial weights."""
