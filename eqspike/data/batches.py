"""CIFAR's batches: pickled dictionaries of images and labels, read by an unpickler that can build nothing else."""

from __future__ import annotations

import io
import math
import pickle

import numpy as np

from eqspike.core.errors import DataError
from eqspike.data.files import read_file
from eqspike.data.sources import Source

_REMEDY = "Replace it by the original file."
# What the unpickler and the stand-ins below raise on a pickle that is damaged or made to harm.
_DAMAGE = (
    pickle.UnpicklingError,
    AttributeError,
    EOFError,
    ImportError,
    IndexError,
    KeyError,
    MemoryError,
    OverflowError,
    TypeError,
    ValueError,
)


def read_batches(source: Source) -> dict[str, np.ndarray]:
    """Return ``x_train``, ``y_train``, ``x_test`` and ``y_test`` of a data set of batches, in the order of its files.

    A batch holds its images channel after channel; they are returned as (n, height, width, channels) uint8.

    Raises
    ------
    DataError : a file is missing, damaged, or does not hold what was declared.
    """
    height, width, channels = source.image_shape
    arrays = {}
    for part, size in zip(("train", "test"), source.sizes, strict=True):
        images, labels = np.empty((size, *source.image_shape), np.uint8), np.empty(size, np.int64)
        filled = 0
        for file in (each for each in source.files if each.holds == part):
            rows, classes = parse_batch(read_file(source, file), math.prod(source.image_shape), field=file.name)
            end = filled + len(rows)
            if end > size:
                raise _wrong_size(part, size, f"{end:,} or more")
            images[filled:end] = rows.reshape(-1, channels, height, width).transpose(0, 2, 3, 1)
            labels[filled:end] = classes
            filled = end
        if filled != size:
            raise _wrong_size(part, size, f"{filled:,}")
        arrays |= {f"x_{part}": images, f"y_{part}": labels}
    return arrays


def parse_batch(content: bytes, n_pixels: int, *, field: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the images (n, ``n_pixels``) uint8 and labels (n,) int64 of a pickled batch; nothing in it is executed.

    Raises
    ------
    DataError : not a pickle, one that asks for anything but arrays of uint8, or not a batch of such images.
    """
    try:
        batch = _BatchUnpickler(io.BytesIO(content), encoding="bytes").load()
    except _DAMAGE as error:
        raise DataError(
            f"the pickle is damaged or not a batch of images ({str(error) or type(error).__name__}).",
            field=field,
            remedy=_REMEDY,
        ) from error
    held = batch if isinstance(batch, dict) else {}
    data, labels = held.get(b"data"), held.get(b"labels")
    images = data.values if isinstance(data, _Bytes) else None
    if images is None or images.shape[1:] != (n_pixels,):
        found = "none" if images is None else f"shape {images.shape}"
        raise DataError(f"expected images of {n_pixels:,} bytes each, found {found}.", field=field, remedy=_REMEDY)
    if not isinstance(labels, list) or len(labels) != len(images) or not all(map(_is_label, labels)):
        raise DataError(f"expected {len(images):,} whole numbers of 0 .. 255 as labels.", field=field, remedy=_REMEDY)
    return images, np.array(labels, np.int64)


def _is_label(value: object) -> bool:
    return type(value) is int and 0 <= value < 256


def _wrong_size(part: str, declared: int, found: str) -> DataError:
    return DataError(f"the {part} batches hold {found} images, {declared:,} were declared.", field=part, remedy=_REMEDY)


class _Uint8:
    """Stands in for ``numpy.dtype``: the type of bytes, and no other."""

    def __init__(self, code: bytes, align: int, copy: int) -> None:
        if code != b"u1":
            raise pickle.UnpicklingError(f"it holds an array of type {code!r}")

    def __setstate__(self, state: tuple) -> None:
        """Ignore the byte order and the like, which change nothing for single bytes."""


class _Bytes:
    """Stands in for ``numpy.ndarray`` and what rebuilds one: an array of bytes, row by row, and no other."""

    values: np.ndarray | None = None

    def __init__(self, kind: type, shape: tuple[int, ...], code: bytes) -> None:
        pass  # numpy starts from an empty array; what it becomes follows in the state

    def __setstate__(self, state: tuple[int, tuple[int, ...], _Uint8, bool, bytes]) -> None:
        _, shape, dtype, column_order, content = state
        if type(dtype) is not _Uint8 or column_order or not isinstance(content, bytes) or min(shape) < 0:
            raise pickle.UnpicklingError("it holds an array of anything but bytes, row by row")
        self.values = np.frombuffer(content, np.uint8).reshape(shape)


_STAND_INS = {
    ("numpy.core.multiarray", "_reconstruct"): _Bytes,
    ("numpy", "ndarray"): _Bytes,
    ("numpy", "dtype"): _Uint8,
}


class _BatchUnpickler(pickle.Unpickler):
    """Knows the three names that a batch asks for, each by a stand-in: not even numpy sees what the file says."""

    def find_class(self, module: str, name: str) -> type:
        if (module, name) not in _STAND_INS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return _STAND_INS[module, name]
