"""What a classifier can be trained on: each check names the array at fault and the remedy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eqspike.core.errors import ConfigError, DataError

REQUIRED = ("x_train", "y_train", "x_test", "y_test")
OPTIONAL = ("x_validation", "y_validation")
_SHOWN = 5


def check_names(names: Mapping | set[str]) -> None:
    """Refuse a set of arrays that lacks a required one, or has one validation array without the other."""
    missing = [name for name in REQUIRED if name not in names]
    if any(name in names for name in OPTIONAL):
        missing += [name for name in OPTIONAL if name not in names]
    if missing:
        held = ", ".join(sorted(names)) or "none"
        raise DataError(
            f"arrays are missing (found: {held}).",
            field=", ".join(missing),
            remedy="Save x_train, y_train, x_test and y_test; x_validation and y_validation both or neither.",
        )


def check_images(name: str, images: np.ndarray, image_shape: tuple[int, ...] | None = None) -> None:
    """Refuse images that are not finite numbers of shape (n, d), (n, h, w) or (n, h, w, c), or not ``image_shape``."""
    if images.dtype.kind not in "buif":
        raise DataError(
            f"images must be integers or floats, not {images.dtype}.",
            field=name,
            remedy="Save them with astype(numpy.float32) or astype(numpy.uint8).",
        )
    if images.ndim not in (2, 3, 4):
        raise DataError(
            f"images must have shape (n, d), (n, h, w) or (n, h, w, c), not {images.shape}.",
            field=name,
            remedy="Reshape the array: the first axis counts the images.",
        )
    if images.size == 0:
        what = "no samples" if len(images) == 0 else "no pixels"
        raise DataError(f"there are {what}: its shape is {images.shape}.", field=name, remedy="Give at least one.")
    if image_shape is not None and images.shape[1:] != image_shape:
        raise DataError(
            f"its images have shape {images.shape[1:]}, those of x_train {image_shape}.",
            field=name,
            remedy="Bring all images to one shape.",
        )
    _check_finite(name, images)


def _check_finite(name: str, images: np.ndarray) -> None:
    with np.errstate(invalid="ignore"):
        extremes = np.array([images.min(), images.max()])
    if np.isfinite(extremes).all():
        return
    bad = ~np.isfinite(images.reshape(len(images), -1)).all(axis=1)
    kind = "NaN" if np.isnan(extremes).any() else "infinite values"
    raise DataError(
        f"{int(bad.sum()):,} of {len(images):,} images hold {kind}, the first is image {int(bad.argmax())}.",
        field=name,
        remedy="Remove these images or replace the values.",
    )


def whole_labels(name: str, labels: np.ndarray, n_images: int) -> np.ndarray:
    """Return ``labels`` as (n_images,) int64; floats are accepted where each is a whole number."""
    if labels.ndim != 1 or labels.dtype.kind not in "buif":
        raise DataError(
            f"labels must be one whole number per image, not {labels.dtype} of shape {labels.shape}.",
            field=name,
            remedy="Save shape (n,) with the class numbers 0, 1, 2, ... (one-hot rows: numpy.argmax(y, axis=1)).",
        )
    if len(labels) != n_images:
        raise DataError(
            f"there are {len(labels):,} labels for {n_images:,} images of x_{name.partition('_')[2]}.",
            field=name,
            remedy="Give one label per image.",
        )
    with np.errstate(invalid="ignore"):
        wrong = ~(labels == np.floor(labels)) if labels.dtype.kind == "f" else np.zeros(labels.shape, bool)
    wrong |= (labels < 0) | (labels > np.iinfo(np.int64).max // 2)
    if wrong.any():
        raise DataError(
            f"label {labels[wrong][0]} (image {int(wrong.argmax())}) is not a class number.",
            field=name,
            remedy="Number the classes 0, 1, 2, ...",
        )
    return labels.astype(np.int64)


def count_classes(labels: np.ndarray) -> int:
    """Return the number of classes of the training labels, each of which must occur: 0 .. n_classes - 1."""
    classes = np.unique(labels)
    if len(classes) < 2:
        raise DataError(
            f"every label is {classes[0]}: there is only one class.",
            field="y_train",
            remedy="Give images of at least two classes.",
        )
    if classes[-1] != len(classes) - 1:
        first_missing = int(np.argmax(classes != np.arange(len(classes))))
        raise DataError(
            f"no image has label {first_missing}, though labels go up to {classes[-1]}.",
            field="y_train",
            remedy=f"Renumber the classes 0 .. {len(classes) - 1} (numpy.unique(y, return_inverse=True)).",
        )
    return len(classes)


def check_range(name: str, labels: np.ndarray, n_classes: int) -> None:
    """Refuse labels of classes that the training set does not have."""
    unknown = np.unique(labels[labels >= n_classes])
    if len(unknown):
        shown = ", ".join(str(label) for label in unknown[:_SHOWN]) + (", ..." if len(unknown) > _SHOWN else "")
        raise DataError(
            f"label {shown} does not occur in y_train, whose classes are 0 .. {n_classes - 1}.",
            field=name,
            remedy="Remove these images, or add such images to the training set.",
        )


def check_validation(validation: int | None, largest: int) -> None:
    """Refuse a number of validation images that is not a whole number of 0 .. ``largest``."""
    if validation is None:
        return
    whole = isinstance(validation, int | np.integer) and not isinstance(validation, bool)
    if not whole or not 0 <= validation <= largest:
        raise ConfigError(
            f"cannot set {validation!r} images aside for validation.",
            field="validation",
            remedy=f"Give a whole number from 0 (train on all images) to {largest:,}.",
        )
