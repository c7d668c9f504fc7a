"""JAX functions on arrays: interactions, dynamics and costs of energy-based networks."""
