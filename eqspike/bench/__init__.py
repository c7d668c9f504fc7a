"""Benchmark suites: medians of one run, beside a peer and a roofline measured in the same run."""
