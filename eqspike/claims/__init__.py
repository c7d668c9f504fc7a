"""Published claims: what is expected of which recipes and seeds, what came out, and whether it met the target.

A claim is a folder with a ``claim.toml``. What came out is written to ``measured.json`` beside it and is never read as
an expectation.
"""
