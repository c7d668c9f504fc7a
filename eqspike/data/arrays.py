"""From arrays to a data set: checked, scaled into [0, 1], with validation images set aside."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal

import numpy as np

from eqspike.core.errors import ConfigError, DataError
from eqspike.data.checks import (
    OPTIONAL,
    REQUIRED,
    check_images,
    check_names,
    check_range,
    check_validation,
    count_classes,
    whole_labels,
)
from eqspike.data.dataset import Dataset
from eqspike.data.splits import stratified_split

DEFAULT_VALIDATION_SHARE = 6  # one training image in six, as MNIST's last 10,000 of 60,000
Scale = float | Literal["auto"]


def dataset_from_arrays(
    arrays: Mapping[str, np.ndarray],
    *,
    name: str = "arrays",
    validation: int | None = None,
    scale: Scale = "auto",
    source: str = "arrays in memory",
    licence: str = "not stated",
    checksum: str = "",
    split: str = "",
    class_names: tuple[str, ...] = (),
) -> Dataset:
    """Check, scale and split images and labels.

    Pixels become ``x / s`` and must then lie in [0, 1]. ``scale`` is s, or ``"auto"``: s = 1 where all of x_train is in
    [0, 1] already and is not of an integer type; s = 255 for uint8 that uses the upper half of its range; else s is the
    largest value of x_train.

    Parameters
    ----------
    arrays : ``x_train``, ``y_train``, ``x_test``, ``y_test`` and optionally ``x_validation`` with ``y_validation``;
        images (n, d), (n, h, w) or (n, h, w, c) of integers or floats; labels (n,) whole numbers 0 .. n_classes - 1.
    validation : how many training images are set aside, stratified by class in a fixed shuffled order; None sets aside
        one in six, or uses ``x_validation``; 0 trains on all images, those of ``x_validation`` included.
    scale : the pixel value that becomes 1, or ``"auto"``.
    checksum : of the files that the arrays were read from; empty computes the arrays' own.
    name, source, licence, split, class_names : recorded in the data set.

    Raises
    ------
    DataError : the arrays are not what a classifier can be trained on.
    ConfigError : ``validation`` or ``scale`` is out of range.
    """
    check_names(arrays)
    held = {key: np.asarray(arrays[key]) for key in (*REQUIRED, *OPTIONAL) if key in arrays}
    parts = [key.partition("_")[2] for key in held if key.startswith("x_")]
    for part in parts:
        check_images(f"x_{part}", held[f"x_{part}"], held["x_train"].shape[1:] if part != "train" else None)
        held[f"y_{part}"] = whole_labels(f"y_{part}", held[f"y_{part}"], len(held[f"x_{part}"]))
    n_classes = count_classes(held["y_train"])
    for part in parts:
        check_range(f"y_{part}", held[f"y_{part}"], n_classes)
    checksum = checksum or _checksum(held)
    divisor, scaling = _choose_divisor(held["x_train"], scale)
    image_shape = held["x_train"].shape[1:]
    for part in parts:
        held[f"x_{part}"] = _scaled(f"x_{part}", held[f"x_{part}"], divisor)
    held, rule = _with_validation(held, validation, n_classes)
    return Dataset(
        name=name,
        **held,
        image_shape=image_shape,
        n_classes=n_classes,
        source=source,
        licence=licence,
        checksum=checksum,
        scaling=scaling,
        split=split or rule,
        class_names=class_names or tuple(str(label) for label in range(n_classes)),
    )


def _checksum(arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for key in sorted(arrays):
        array = np.ascontiguousarray(arrays[key])
        digest.update(f"{key} {array.dtype.str} {array.shape} ".encode())
        digest.update(array.data)
    return f"md5:{digest.hexdigest()}"


def _choose_divisor(x_train: np.ndarray, scale: Scale) -> tuple[float, str]:
    if scale != "auto":
        number = isinstance(scale, int | float | np.integer | np.floating) and not isinstance(scale, bool)
        if not number or not 0 < scale < np.inf:
            raise ConfigError(
                f"cannot scale images by {scale!r}.",
                field="scale",
                remedy='Give the pixel value that becomes 1 (a positive number), or "auto".',
            )
        return float(scale), f"divided by {float(scale):g}, as declared"
    smallest, largest = float(x_train.min()), float(x_train.max())
    if smallest < 0:
        raise DataError(
            f"pixels must not be negative to be scaled; they go from {smallest:g} to {largest:g}.",
            field="x_train",
            remedy="Shift and scale the images into [0, 1] before saving them.",
        )
    if largest == 0:
        raise DataError("every pixel is 0.", field="x_train", remedy="Give images that differ.")
    if x_train.dtype.kind in "bf" and largest <= 1:
        return 1.0, "used as they are, within [0, 1]"
    if x_train.dtype == np.uint8 and largest > np.iinfo(np.int8).max:
        return 255.0, "divided by 255, full scale of uint8"
    return largest, f"divided by {largest:g}, the largest value of x_train"


def _scaled(name: str, images: np.ndarray, divisor: float) -> np.ndarray:
    smallest, largest = float(images.min()) / divisor, float(images.max()) / divisor
    rounding = float(np.finfo(images.dtype).eps) if images.dtype.kind == "f" else 0.0
    if smallest < 0 or largest > 1 + rounding:
        raise DataError(
            f"divided by {divisor:g}, its pixels go from {smallest:g} to {largest:g}, outside [0, 1].",
            field=name,
            remedy="Set scale to the largest possible pixel value, or scale the images into [0, 1] before saving them.",
        )
    out = np.empty((len(images), images[0].size), np.float32)
    precision = np.float32 if np.can_cast(images.dtype, np.float32) else np.float64
    np.divide(images.reshape(out.shape), divisor, out=out, dtype=precision, casting="same_kind")
    return np.minimum(out, 1, out=out) if largest > 1 else out


def _with_validation(
    arrays: dict[str, np.ndarray], validation: int | None, n_classes: int
) -> tuple[dict[str, np.ndarray], str]:
    x, y = arrays["x_train"], arrays["y_train"]
    if "x_validation" in arrays:
        if validation is None:
            return arrays, "validation images as given"
        if validation != 0:
            raise ConfigError(
                f"cannot set {validation!r} images aside: the data bring their own validation images.",
                field="validation",
                remedy="Leave it out to use them, or give 0 to train on them as well.",
            )
        joined = {
            f"{axis}_train": np.concatenate([arrays[f"{axis}_{p}"] for p in ("train", "validation")]) for axis in "xy"
        }
        empty = {"x_validation": x[:0], "y_validation": y[:0]}
        return arrays | joined | empty, "the given validation images joined to the training images"
    check_validation(validation, len(y) - n_classes)
    total = min(len(y) // DEFAULT_VALIDATION_SHARE, len(y) - n_classes) if validation is None else int(validation)
    if total == 0:
        return arrays | {"x_validation": x[:0], "y_validation": y[:0]}, "no validation images"
    chosen, rest = stratified_split(y, (total,))
    parts = {"x_train": x[rest], "y_train": y[rest], "x_validation": x[chosen], "y_validation": y[chosen]}
    return arrays | parts, f"{total:,} training images set aside, stratified by class, in a fixed shuffled order"
