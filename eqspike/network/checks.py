"""What every substrate refuses: samples that do not fit its network, and weights of another shape."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eqspike.core.errors import DataError


def check_samples(images: np.ndarray, labels: np.ndarray, pixels: int, classes: int) -> None:
    """Refuse what compiled loops, which check no index, could not survive.

    Parameters
    ----------
    images : (n, n_pixels).
    labels : classes, none where nothing is learnt.

    Raises
    ------
    DataError
        if images have another size, or a label is no class.
    """
    if images.ndim != 2 or images.shape[1] != pixels:
        raise DataError(
            f"the array has shape {images.shape}.", field="images", remedy=f"The network takes (n, {pixels})."
        )
    if len(labels) and not (labels.min() >= 0 and labels.max() < classes):
        raise DataError("a label is no class of the network.", field="labels", remedy=f"Use 0 to {classes - 1}.")


def check_arrays(given: Mapping[str, np.ndarray], known: Mapping[str, np.ndarray]) -> None:
    """Refuse arrays that are not among the known ones, or of another shape than theirs.

    Raises
    ------
    DataError
        if a name is unknown or an array has the wrong shape.
    """
    for name, values in given.items():
        wanted = known[name].shape if name in known else "no such array"
        if np.shape(values) != wanted:
            raise DataError(f"has shape {np.shape(values)}.", field=name, remedy=f"Expected: {wanted}.")
