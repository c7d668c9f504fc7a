"""Feed-forward networks that learn by backpropagation: binary with metaplastic hidden weights, quantised, or real."""
