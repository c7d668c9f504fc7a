"""The named data sets, read: digits from scikit-learn, MNIST and CIFAR-10 and their like from verified files."""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from collections.abc import Callable

import numpy as np

from eqspike.core.errors import ConfigError, DataError
from eqspike.data.arrays import dataset_from_arrays
from eqspike.data.batches import read_batches
from eqspike.data.checks import check_validation
from eqspike.data.dataset import Dataset
from eqspike.data.files import read_file
from eqspike.data.sources import DIGITS, DIGITS_MD5, Source
from eqspike.data.splits import stratified_split

_UBYTE = 0x08


def load_digits(validation: int | None = None) -> Dataset:
    """Load the embedded digits: a fixed stratified split into 1,079 training, 359 validation and 359 test images.

    Parameters
    ----------
    validation : None or 359 for the fixed split; 0 joins its validation images to the training images.

    Raises
    ------
    ConfigError : another ``validation``.
    DataError : scikit-learn's digits are not the known ones.
    """
    if validation not in (None, 0, DIGITS.validation) or isinstance(validation, bool):
        raise ConfigError(
            f"cannot set {validation!r} images aside for validation: the split of digits is fixed.",
            field="validation",
            remedy=f"Leave it out ({DIGITS.validation} images), or give 0 to train on these as well.",
        )
    images, labels = _embedded_digits()
    totals = (DIGITS.sizes[1], DIGITS.validation)
    chosen = dict(zip(("test", "validation", "train"), stratified_split(labels, totals), strict=True))
    split = "fixed: 1,079 training, 359 validation and 359 test images, stratified by class"
    if validation == 0:
        chosen["train"] = np.union1d(chosen["train"], chosen.pop("validation"))
        split = "fixed: 1,438 training and 359 test images, stratified by class; no validation images"
    arrays = {f"x_{part}": images[positions] for part, positions in chosen.items()}
    arrays |= {f"y_{part}": labels[positions] for part, positions in chosen.items()}
    return _assemble(DIGITS, arrays, split, f"md5:{DIGITS_MD5}")


def _embedded_digits() -> tuple[np.ndarray, np.ndarray]:
    import sklearn
    from sklearn.datasets import load_digits as sklearn_digits

    bunch = sklearn_digits()
    images, labels = bunch.images.astype(np.uint8), bunch.target.astype(np.uint8)
    md5 = hashlib.md5(images.tobytes() + labels.tobytes(), usedforsecurity=False).hexdigest()
    if md5 != DIGITS_MD5:
        raise DataError(
            f"scikit-learn {sklearn.__version__} embeds other digits: expected md5 {DIGITS_MD5}, found {md5}.",
            field=DIGITS.name,
            remedy="Reinstall scikit-learn.",
        )
    return images, labels.astype(np.int64)


def load_idx_source(source: Source, validation: int | None = None) -> Dataset:
    """Load a data set of four idx files; its last ``validation`` training images are set aside.

    Raises
    ------
    ConfigError : ``validation`` leaves no training images.
    DataError : a file is missing, damaged, or not what was declared.
    """
    return _load_files(source, _read_idx, validation)


def load_batch_source(source: Source, validation: int | None = None) -> Dataset:
    """Load a data set of pickled batches; its last ``validation`` training images are set aside.

    Raises
    ------
    ConfigError : ``validation`` leaves no training images.
    DataError : a file is missing, damaged, or not what was declared.
    """
    return _load_files(source, read_batches, validation)


def _load_files(source: Source, read: Callable[[Source], dict[str, np.ndarray]], validation: int | None) -> Dataset:
    n_train, _ = source.sizes
    check_validation(validation, n_train - len(source.class_names))
    total = source.validation if validation is None else int(validation)
    arrays = read(source)
    kept = len(arrays["x_train"]) - total
    split = f"the last {total:,} training images are for validation" if total else "no validation images"
    if total:
        arrays |= {f"{axis}_validation": arrays[f"{axis}_train"][kept:] for axis in "xy"}
        arrays |= {f"{axis}_train": arrays[f"{axis}_train"][:kept] for axis in "xy"}
    sums = " ".join(file.md5 for file in source.files)
    checksum = hashlib.md5(sums.encode(), usedforsecurity=False).hexdigest()
    return _assemble(source, arrays, split, f"md5:{checksum}")


def _read_idx(source: Source) -> dict[str, np.ndarray]:
    arrays = {}
    for file in source.files:
        n_axes = 1 + len(source.image_shape) if file.holds.startswith("x_") else 1
        arrays[file.holds] = parse_idx(read_file(source, file), n_axes=n_axes, field=file.name)
    return arrays


def parse_idx(packed: bytes, *, n_axes: int, field: str) -> np.ndarray:
    """Return the uint8 array of a gzipped idx file.

    Two zero bytes, the type (8: unsigned byte), the number of axes, each extent as a big-endian 32-bit integer, then
    the values in row-major order.

    Raises
    ------
    DataError : not gzip, truncated, another type or number of axes, or a length that contradicts the extents.
    """
    remedy = "Replace it by the original file."
    try:
        content = gzip.decompress(packed)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"the gzip file is truncated or damaged ({error}).", field=field, remedy=remedy) from error
    offset = 4 + 4 * n_axes
    if content[:4] != bytes((0, 0, _UBYTE, n_axes)) or len(content) < offset:
        raise DataError(
            f"not an idx file of unsigned bytes with {n_axes} axes: it begins with {content[:4].hex() or 'nothing'}.",
            field=field,
            remedy=remedy,
        )
    shape = tuple(int(extent) for extent in np.frombuffer(content, ">u4", n_axes, 4))
    if len(content) - offset != math.prod(shape):
        raise DataError(
            f"its header declares {math.prod(shape):,} values of shape {shape}, it holds {len(content) - offset:,}.",
            field=field,
            remedy=remedy,
        )
    return np.frombuffer(content, np.uint8, offset=offset).reshape(shape)


def _assemble(source: Source, arrays: dict[str, np.ndarray], split: str, checksum: str) -> Dataset:
    return dataset_from_arrays(
        arrays,
        name=source.name,
        validation=None if "x_validation" in arrays else 0,
        scale=source.full_scale,
        source=f"{source.citation} ({source.url})",
        licence=source.licence,
        checksum=checksum,
        split=split,
        class_names=source.class_names,
    )
