"""Energy-based networks with real-valued states: Hopfield-like networks that settle to a fixed point."""
