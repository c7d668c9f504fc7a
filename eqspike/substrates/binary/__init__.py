"""Binary networks: weights stored as bits, activations real (setting A) or binary (setting B), driven by events."""
