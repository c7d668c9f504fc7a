"""Tiny data sets on disk: idx files and batches with their declared sources, and a good own data set to damage."""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from eqspike.data import files
from eqspike.data.sources import Archive, Source, SourceFile


def pack_idx(array: np.ndarray) -> bytes:
    header = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(header + array.astype(np.uint8).tobytes(), mtime=0)


class Python2Pickle:
    """Values as Python 2 pickled them, opcode by opcode: the way that the published batches are written."""

    @staticmethod
    def text(content: bytes) -> bytes:
        long = len(content) > 255
        return (b"T" + struct.pack("<i", len(content)) if long else b"U" + bytes([len(content)])) + content

    @staticmethod
    def list(values: Sequence[int]) -> bytes:
        return b"](" + b"".join(b"K" + bytes([value]) for value in values) + b"e"

    @classmethod
    def array(cls, shape: tuple[int, int], content: bytes, code: bytes = b"u1", column_order: bool = False) -> bytes:
        """An array of numpy 1: an empty one, rebuilt, and then its state."""
        empty = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + cls.text(b"b") + b"\x87R"
        extents = b"".join(b"J" + struct.pack("<i", extent) for extent in shape) + b"\x86"
        dtype = b"cnumpy\ndtype\n" + cls.text(code) + b"K\x00K\x01\x87R"
        dtype += b"(K\x03" + cls.text(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        order = b"\x88" if column_order else b"\x89"
        return empty + b"(K\x01" + extents + dtype + order + cls.text(content) + b"tb"

    @classmethod
    def dict(cls, **entries: bytes) -> bytes:
        """A whole pickle of a dictionary."""
        return b"\x80\x02}(" + b"".join(cls.text(key.encode()) + value for key, value in entries.items()) + b"u."

    @classmethod
    def batch(cls, content: bytes, labels: Sequence[int]) -> bytes:
        """A batch with all its entries."""
        data = cls.array((len(labels), len(content) // len(labels)), content)
        names = b"](" + cls.text(b"a.png") * len(labels) + b"e"
        return cls.dict(batch_label=cls.text(b"made up"), labels=cls.list(labels), data=data, filenames=names)


@pytest.fixture
def pickled() -> type[Python2Pickle]:
    return Python2Pickle


def pack_batch(images: np.ndarray, labels: np.ndarray) -> bytes:
    """A batch of (n, h, w, c) images: each row holds the first channel row by row, then the second, ..."""
    channels = [image[:, :, channel].tobytes() for image in images for channel in range(image.shape[2])]
    return Python2Pickle.batch(b"".join(channels), labels.tolist())


def pack_tar(contents: dict[str, bytes]) -> bytes:
    """The archive of a data set, which holds more than its batches."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in (contents | {"page.html": b"<p>"}).items():
            member = tarfile.TarInfo(f"inside/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


@dataclass
class TinySource:
    source: Source
    contents: dict[str, bytes]
    arrays: dict[str, np.ndarray]
    archive: bytes = b""

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


def _tiny_batches(url: str) -> TinySource:
    pixels = np.random.default_rng(3).integers(0, 256, (28, 3, 4, 2), dtype=np.uint8)
    labels = np.arange(28) % 3
    arrays = {"x_train": pixels[:20], "y_train": labels[:20], "x_test": pixels[20:], "y_test": labels[20:]}
    cuts = {"first": slice(0, 12), "second": slice(12, 20), "last": slice(20, 28)}
    contents = {name: pack_batch(pixels[cut], labels[cut]) for name, cut in cuts.items()}
    declared = tuple(
        SourceFile("test" if name == "last" else "train", name, hashlib.md5(content).hexdigest())
        for name, content in contents.items()
    )
    packed = pack_tar(contents)
    source = Source(
        name="tiny-batches",
        description="noise",
        image_shape=(3, 4, 2),
        class_names=("a", "b", "c"),
        sizes=(20, 8),
        validation=5,
        full_scale=255.0,
        licence="none",
        citation="nobody",
        url=url,
        folder="tiny_batches",
        files=declared,
        archive=Archive("tiny.tar", hashlib.md5(packed).hexdigest(), "inside"),
    )
    return TinySource(source, contents, arrays, packed)


@pytest.fixture
def batches() -> TinySource:
    """Three batches of 3x4 images of two channels."""
    return _tiny_batches("http://127.0.0.1:9/")


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
