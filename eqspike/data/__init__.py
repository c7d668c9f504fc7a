"""Labelled images as arrays: the embedded digits, MNIST, Fashion-MNIST, CIFAR-10, and your own ``.npz`` files."""

from __future__ import annotations

from eqspike.data.arrays import dataset_from_arrays
from eqspike.data.dataset import Dataset
from eqspike.data.loading import DatasetInfo, available_datasets, load_dataset

__all__ = ["Dataset", "DatasetInfo", "available_datasets", "dataset_from_arrays", "load_dataset"]
