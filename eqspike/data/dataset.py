"""The form in which every data set reaches a network: pixels in [0, 1] and integer labels, in three parts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from eqspike.core.errors import ConfigError


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled images in three parts: training, validation (may be empty) and test.

    Parameters
    ----------
    name : the registered name, or the name of the file that it came from.
    x_train, x_validation, x_test : (n, n_pixels) float32, C-contiguous, in [0, 1], images flattened in row-major order.
    y_train, y_validation, y_test : (n,) int64, labels 0 .. n_classes - 1.
    image_shape : shape of one image before it was flattened: (d,), (h, w) or (h, w, c).
    n_classes : number of classes; every one of them occurs in the training set.
    source : where the images came from.
    licence : licence as known, or ``"not stated"``.
    checksum : ``"md5:..."`` of what was read (files, or arrays), before scaling and splitting.
    scaling : the rule that brought the pixels into [0, 1].
    split : the rule that chose the validation images.
    class_names : one name per class.
    """

    name: str
    x_train: np.ndarray = field(repr=False)
    y_train: np.ndarray = field(repr=False)
    x_validation: np.ndarray = field(repr=False)
    y_validation: np.ndarray = field(repr=False)
    x_test: np.ndarray = field(repr=False)
    y_test: np.ndarray = field(repr=False)
    image_shape: tuple[int, ...]
    n_classes: int
    source: str
    licence: str
    checksum: str
    scaling: str = ""
    split: str = ""
    class_names: tuple[str, ...] = field(default=(), repr=False)

    @property
    def n_pixels(self) -> int:
        """Number of input values of one image."""
        return self.x_train.shape[1]

    def limited(self, train: int | None = None, test: int | None = None, validation: int | None = None) -> Dataset:
        """Return the data set with at most the first ``train``, ``test`` and ``validation`` samples (None: all).

        Raises
        ------
        ConfigError : a limit is not a positive whole number.
        """
        limits = {"train": train, "test": test, "validation": validation}
        kept = {}
        for part, limit in limits.items():
            if limit is None:
                continue
            if isinstance(limit, bool) or not isinstance(limit, int | np.integer) or limit < 1:
                raise ConfigError(
                    f"cannot keep {limit!r} samples.", field=part, remedy="Give a whole number of at least 1."
                )
            for axis in ("x", "y"):
                kept[f"{axis}_{part}"] = getattr(self, f"{axis}_{part}")[:limit]
        return replace(self, **kept)

    def describe(self) -> dict[str, str]:
        """Return what a reader wants to know about the data set, as rows of a table."""
        rows = {
            "data set": self.name,
            "samples": f"{len(self.x_train):,} training, {len(self.x_validation):,} validation, "
            f"{len(self.x_test):,} test",
            "image": "x".join(str(extent) for extent in self.image_shape),
            "classes": str(self.n_classes),
            "scaling": self.scaling,
            "split": self.split,
            "source": self.source,
            "licence": self.licence,
            "checksum": self.checksum,
        }
        return {row: text for row, text in rows.items() if text}
