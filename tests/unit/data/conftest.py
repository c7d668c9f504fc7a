"""Tiny data sets on disk: idx files with their declared source, and a mended .npz to damage."""

from __future__ import annotations

import gzip
import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from eqspike.data import files
from eqspike.data.sources import Source, SourceFile


def pack_idx(array: np.ndarray) -> bytes:
    header = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(header + array.astype(np.uint8).tobytes(), mtime=0)


@dataclass
class TinySource:
    source: Source
    contents: dict[str, bytes]
    arrays: dict[str, np.ndarray]

    def write(self, root: Path) -> Path:
        """Write the files as ``root`` would hold them; return their folder."""
        folder = root / self.source.folder
        folder.mkdir(parents=True)
        for name, content in self.contents.items():
            (folder / name).write_bytes(content)
        return folder


def _tiny_source(url: str) -> TinySource:
    pixels = np.random.default_rng(1).integers(0, 256, (42, 3, 4))
    labels = np.arange(42) % 3
    arrays = {"x_train": pixels[:30], "y_train": labels[:30], "x_test": pixels[30:], "y_test": labels[30:]}
    contents = {f"{array}.gz": pack_idx(values) for array, values in arrays.items()}
    declared = tuple(
        SourceFile(name.removesuffix(".gz"), name, hashlib.md5(content).hexdigest())
        for name, content in contents.items()
    )
    source = Source(
        name="tiny",
        description="noise",
        image_shape=(3, 4),
        class_names=("a", "b", "c"),
        sizes=(30, 12),
        validation=6,
        full_scale=255.0,
        licence="none",
        citation="nobody",
        url=url,
        folder="tiny_folder",
        files=declared,
    )
    return TinySource(source, contents, arrays)


@pytest.fixture
def tiny() -> TinySource:
    return _tiny_source("http://127.0.0.1:9/")


@pytest.fixture
def cache(monkeypatch, tmp_path) -> Path:
    """An empty cache, and no EQSPIKE_DATA."""
    monkeypatch.delenv(files.ENVIRONMENT_VARIABLE, raising=False)
    folder = tmp_path / "cache"
    monkeypatch.setattr(files, "cache_folder", lambda: folder)
    return folder


@pytest.fixture
def own() -> dict[str, np.ndarray]:
    """Arrays of a good own data set: 24 + 6 images of 2x3 bytes, three classes."""
    rng = np.random.default_rng(2)
    return {
        "x_train": rng.integers(0, 256, (24, 2, 3), dtype=np.uint8),
        "y_train": np.arange(24) % 3,
        "x_test": rng.integers(0, 256, (6, 2, 3), dtype=np.uint8),
        "y_test": np.arange(6) % 3,
    }
