"""Stratified splits by a written procedure that no library version can change.

Samples of a class are ordered by the first raw 64-bit numbers of ``Philox(key=(SPLIT_SEED, class))``, ties by position.
Only the raw stream is used: numpy guarantees it across versions, unlike its shuffles.
"""

from __future__ import annotations

import numpy as np

SPLIT_SEED = 20210301


def stratified_counts(class_sizes: np.ndarray, total: int) -> np.ndarray:
    """Return how many samples each class gives so that ``total`` are taken and each class keeps at least one.

    Shares are ``total * class_sizes / sum(class_sizes)`` rounded down; what is missing goes one by one to the largest
    remainders, ties to the lower class. ``total`` must be at most ``sum(class_sizes) - n_classes``.

    Parameters
    ----------
    class_sizes : (n_classes,) int, samples of each class, at least 1.
    total : samples to take.
    """
    shares = int(total) * class_sizes.astype(np.int64)
    counts, remainders = np.divmod(shares, class_sizes.sum())
    by_remainder = np.argsort(-remainders, kind="stable")
    while counts.sum() < total:
        for label in by_remainder:
            if counts.sum() < total and counts[label] < class_sizes[label] - 1:
                counts[label] += 1
    return counts


def stratified_split(labels: np.ndarray, totals: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """Return the positions of ``len(totals)`` disjoint parts and of the rest, each ascending.

    Every part takes its classes in the proportion of what the parts before it left, and the rest keeps at least one
    sample of each; the split depends on the labels alone.

    Parameters
    ----------
    labels : (n,) int, classes 0 .. n_classes - 1, each present.
    totals : size of every part but the last, which takes the rest.
    """
    class_sizes = np.bincount(labels)
    bounds = np.zeros((len(totals) + 1, len(class_sizes)), np.int64)
    for part, total in enumerate(totals):
        bounds[part + 1] = bounds[part] + stratified_counts(class_sizes - bounds[part], total)
    pieces: list[list[np.ndarray]] = [[] for _ in range(len(totals) + 1)]
    for label, size in enumerate(class_sizes):
        stream = np.random.Philox(key=np.array([SPLIT_SEED, label], np.uint64)).random_raw(size)
        shuffled = np.flatnonzero(labels == label)[np.argsort(stream, kind="stable")]
        for part, piece in enumerate(np.split(shuffled, bounds[1:, label])):
            pieces[part].append(piece)
    return tuple(np.sort(np.concatenate(part)) for part in pieces)
