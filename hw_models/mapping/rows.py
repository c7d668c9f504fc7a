"""Compiled building of compressed rows: the synapses of neuron i are ``targets[starts[i]:starts[i + 1]]``."""

from __future__ import annotations

from hw_models.jit import kernel


def _transpose(starts, targets, in_starts, sources):
    """Fill the rows of incoming synapses; ``in_starts`` (n_post + 1,) must be zeros."""
    for place in range(len(targets)):
        in_starts[targets[place] + 1] += 1
    for post in range(1, len(in_starts)):
        in_starts[post] += in_starts[post - 1]
    for pre in range(len(starts) - 1):
        for place in range(starts[pre], starts[pre + 1]):
            post = targets[place]
            sources[in_starts[post]] = pre
            in_starts[post] += 1
    for post in range(len(in_starts) - 1, 0, -1):
        in_starts[post] = in_starts[post - 1]
    in_starts[0] = 0


transpose = kernel(_transpose)


def _place_rows(starts, targets, offset, cursor, out):
    """Append rows to those of ``out``, where ``cursor`` says how far each has been filled."""
    for pre in range(len(starts) - 1):
        for place in range(starts[pre], starts[pre + 1]):
            out[cursor[pre]] = targets[place] + offset
            cursor[pre] += 1


place_rows = kernel(_place_rows)


def _place_dense(n_post, offset, cursor, out):
    """Append all of ``n_post`` neurons to every row."""
    for pre in range(len(cursor)):
        for post in range(n_post):
            out[cursor[pre] + post] = post + offset
        cursor[pre] += n_post


place_dense = kernel(_place_dense)


def _place_one_to_one(offset, cursor, out):
    """Append neuron k to row k."""
    for pre in range(len(cursor)):
        out[cursor[pre]] = pre + offset
        cursor[pre] += 1


place_one_to_one = kernel(_place_one_to_one)
