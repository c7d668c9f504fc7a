"""The one door to data sets: by registered name, or by the path of an ``.npz`` file."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from eqspike.core.errors import ConfigError, DataError
from eqspike.data.arrays import Scale, dataset_from_arrays
from eqspike.data.builtin import load_batch_source, load_digits, load_idx_source
from eqspike.data.dataset import Dataset
from eqspike.data.files import whereabouts
from eqspike.data.npz import read_npz
from eqspike.data.sources import CIFAR10, DIGITS, FASHION_MNIST, MNIST, SOURCES

_LOADERS = {
    DIGITS.name: load_digits,
    MNIST.name: partial(load_idx_source, MNIST),
    FASHION_MNIST.name: partial(load_idx_source, FASHION_MNIST),
    CIFAR10.name: partial(load_batch_source, CIFAR10),
}


@dataclass(frozen=True)
class DatasetInfo:
    """A named data set as listed for users; ``where`` is embedded, EQSPIKE_DATA, cache or download."""

    name: str
    description: str
    n_train: int
    n_validation: int
    n_test: int
    image_shape: tuple[int, ...]
    n_classes: int
    licence: str
    citation: str
    where: str


def available_datasets() -> list[DatasetInfo]:
    """List the named data sets and where each would be read from now; nothing is read or downloaded.

    Raises
    ------
    DataError : ``EQSPIKE_DATA`` names something that is not a folder.
    """
    return [
        DatasetInfo(
            name=source.name,
            description=source.description,
            n_train=source.sizes[0] - source.validation,
            n_validation=source.validation,
            n_test=source.sizes[1],
            image_shape=source.image_shape,
            n_classes=len(source.class_names),
            licence=source.licence,
            citation=source.citation,
            where=whereabouts(source),
        )
        for source in SOURCES.values()
    ]


def load_dataset(
    name_or_path: str | os.PathLike[str], *, validation: int | None = None, scale: Scale = "auto"
) -> Dataset:
    """Load a named data set, or your own from an ``.npz`` file.

    Parameters
    ----------
    name_or_path : ``digits``, ``mnist``, ``fashion-mnist``, ``cifar10``, or the path of an ``.npz`` file with the
        arrays that :func:`eqspike.data.dataset_from_arrays` describes.
    validation : training images set aside for validation. None: 359 of digits, the last 10,000 of MNIST and
        Fashion-MNIST, the last 5,000 of CIFAR-10, of your own file its ``x_validation`` or else one in six. 0: none,
        train on all.
    scale : for your own file, the pixel value that becomes 1, or ``"auto"``; named data sets declare their own.

    Returns
    -------
    Dataset : pixels (n, n_pixels) float32 in [0, 1], labels (n,) int64.

    Raises
    ------
    DataError : an unknown name; a file that is missing, damaged, or not what a classifier can be trained on.
    ConfigError : ``validation`` or ``scale`` does not fit the data set.
    """
    name = os.fspath(name_or_path)
    if name in SOURCES:
        if scale != "auto":
            raise ConfigError(
                f"{name} declares its own scale, {scale!r} cannot replace it.",
                field="scale",
                remedy='Leave it at "auto".',
            )
        return _LOADERS[name](validation)
    path = Path(name)
    if path.suffix.lower() != ".npz" and not path.is_file():
        raise _unknown(name)
    arrays, checksum = read_npz(path)
    return dataset_from_arrays(
        arrays, name=path.name, validation=validation, scale=scale, source=name, checksum=checksum
    )


def _unknown(name: str) -> DataError:
    close = difflib.get_close_matches(name.lower(), SOURCES, n=1)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    return DataError(
        f"there is no data set {name!r}.",
        field="dataset",
        remedy=f"{hint}Known: {', '.join(SOURCES)}; or give the path of your own FILE.npz.",
    )
