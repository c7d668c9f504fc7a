"""Learning rules: one published algorithm, one file."""
