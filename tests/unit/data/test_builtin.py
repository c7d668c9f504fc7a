from __future__ import annotations

import gzip
import lzma
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from eqspike.core.errors import ConfigError, DataError
from eqspike.data import builtin, load_dataset
from eqspike.data.builtin import load_batch_source, load_idx_source, parse_idx
from eqspike.data.sources import CIFAR10, DIGITS, FASHION_MNIST, MNIST, SOURCES

needs_files = pytest.mark.skipif(
    not os.environ.get("EQSPIKE_DATA"), reason="the environment variable EQSPIKE_DATA is not set"
)

needs_cifar10 = pytest.mark.skipif(
    not (Path(os.environ.get("EQSPIKE_DATA", "nowhere")) / CIFAR10.folder).is_dir(),
    reason="EQSPIKE_DATA does not hold cifar10",
)


def raw_digits() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return bunch.data, bunch.target


def as_rows(x: np.ndarray, y: np.ndarray) -> list[tuple]:
    return sorted((*row, label) for row, label in zip(x.tolist(), y.tolist(), strict=True))


class TestDigits:
    def test_the_split_is_complete_and_disjoint(self):
        """The three parts together hold each of scikit-learn's images as often as it does (no two are equal)."""
        x, y = raw_digits()
        got = load_dataset("digits")
        parts = [(got.x_train, got.y_train), (got.x_validation, got.y_validation), (got.x_test, got.y_test)]
        assert [len(labels) for _, labels in parts] == [1079, 359, 359]
        together = as_rows(np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]))
        assert together == as_rows(x / 16, y)
        assert len(set(together)) == 1797

    def test_every_class_has_its_share_to_within_one_image(self):
        _, y = raw_digits()
        got = load_dataset("digits")
        for labels in (got.y_validation, got.y_test):
            assert (np.abs(np.bincount(labels) - np.bincount(y) * 359 / 1797) < 1).all()
        assert (np.bincount(got.y_train) >= 0.59 * np.bincount(y)).all()

    def test_two_calls_agree_bit_for_bit(self):
        first, second = load_dataset("digits"), load_dataset("digits", validation=359)
        for name in ("x_train", "y_train", "x_validation", "y_validation", "x_test", "y_test"):
            np.testing.assert_array_equal(getattr(first, name), getattr(second, name))

    def test_zero_joins_the_validation_images_and_leaves_the_test_set_alone(self):
        split, joined = load_dataset("digits"), load_dataset("digits", validation=0)
        assert joined.x_validation.shape == (0, 64)
        np.testing.assert_array_equal(joined.x_test, split.x_test)
        both = np.concatenate([split.x_train, split.x_validation]), np.concatenate([split.y_train, split.y_validation])
        assert as_rows(joined.x_train, joined.y_train) == as_rows(*both)

    def test_the_form(self):
        got = load_dataset("digits")
        assert (got.image_shape, got.n_classes, got.class_names) == ((8, 8), 10, tuple("0123456789"))
        assert got.x_train.dtype == np.float32
        assert got.y_train.dtype == np.int64
        assert got.x_train.flags.c_contiguous
        assert (got.x_train.min(), got.x_train.max()) == (0, 1)

    @pytest.mark.parametrize("validation", [1, 500, -1, True, "0"])
    def test_the_split_is_fixed(self, validation):
        with pytest.raises(ConfigError, match="fixed") as caught:
            load_dataset("digits", validation=validation)
        assert caught.value.field == "validation"

    def test_other_digits_are_refused(self, monkeypatch):
        monkeypatch.setattr(builtin, "DIGITS_MD5", "0" * 32)
        with pytest.raises(DataError, match="expected md5 0000"):
            load_dataset("digits")


class TestIdxSource:
    def test_files_become_a_data_set(self, tiny, cache):
        tiny.write(cache)
        got = load_idx_source(tiny.source)
        assert (len(got.x_train), len(got.x_validation), len(got.x_test)) == (24, 6, 12)
        expected = (tiny.arrays["x_train"].reshape(30, 12) / 255).astype(np.float32)
        np.testing.assert_array_equal(got.x_train, expected[:24])
        np.testing.assert_array_equal(got.x_validation, expected[24:])
        np.testing.assert_array_equal(got.y_validation, tiny.arrays["y_train"][24:])
        np.testing.assert_array_equal(got.y_test, tiny.arrays["y_test"])
        assert (got.image_shape, got.class_names, got.licence) == ((3, 4), ("a", "b", "c"), "none")

    def test_zero_trains_on_all(self, tiny, cache):
        tiny.write(cache)
        got = load_idx_source(tiny.source, validation=0)
        assert (len(got.x_train), got.x_validation.shape) == (30, (0, 12))

    @pytest.mark.parametrize("validation", [-1, 28, 2.0, False])
    def test_a_number_out_of_range_is_refused(self, tiny, cache, validation):
        tiny.write(cache)
        with pytest.raises(ConfigError, match="to 27"):
            load_idx_source(tiny.source, validation=validation)

    def test_a_damaged_file_is_refused(self, tiny, cache):
        folder = tiny.write(cache)
        (folder / "y_test.gz").write_bytes(tiny.contents["y_test.gz"][:-1])
        with pytest.raises(DataError, match="expected md5"):
            load_idx_source(tiny.source)


class TestBatchSource:
    def test_batches_become_a_data_set(self, batches, cache):
        batches.write(cache)
        got = load_batch_source(batches.source)
        expected = (batches.arrays["x_train"].reshape(20, 24) / 255).astype(np.float32)
        np.testing.assert_array_equal(got.x_train, expected[:15])
        np.testing.assert_array_equal(got.x_validation, expected[15:])
        np.testing.assert_array_equal(got.y_train, batches.arrays["y_train"][:15])
        np.testing.assert_array_equal(got.y_validation, batches.arrays["y_train"][15:])
        np.testing.assert_array_equal(got.x_test, (batches.arrays["x_test"].reshape(8, 24) / 255).astype(np.float32))
        np.testing.assert_array_equal(got.y_test, batches.arrays["y_test"])
        assert (got.image_shape, got.class_names) == ((3, 4, 2), ("a", "b", "c"))
        assert got.split == "the last 5 training images are for validation"

    def test_a_number_out_of_range_is_refused(self, batches, cache):
        with pytest.raises(ConfigError, match="to 17"):
            load_batch_source(batches.source, validation=18)

    def test_a_damaged_batch_is_refused_before_it_is_unpickled(self, batches, cache, monkeypatch):
        folder = batches.write(cache)
        (folder / "second").write_bytes(batches.contents["second"][:-1] + b"0")
        with pytest.raises(DataError, match="expected md5"):
            load_batch_source(batches.source)


class TestParseIdx:
    def test_extents_are_big_endian_and_values_row_major(self):
        content = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255])
        got = parse_idx(gzip.compress(content), n_axes=2, field="f")
        assert got.dtype == np.uint8
        assert got.tolist() == [[1, 2, 3], [4, 5, 255]]

    @pytest.mark.parametrize(
        "content, problem",
        [
            (b"", "begins with nothing"),
            (bytes([0, 0, 8]), "begins with 000008"),
            (bytes([0, 0, 8, 1, 0, 0, 0, 1, 7]), "begins with 00000801"),
            (bytes([0, 0, 13, 2, 0, 0, 0, 1, 0, 0, 0, 1, 7]), "begins with 00000d02"),
            (bytes([0, 0, 8, 2, 0, 0, 0, 1, 0, 0]), "begins with 00000802"),
            (bytes([0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 2, 7]), "declares 2 values of shape (1, 2), it holds 1"),
            (bytes([0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 1, 7, 7]), "declares 1 values of shape (1, 1), it holds 2"),
            (struct.pack(">BBBBII", 0, 0, 8, 2, 2**32 - 1, 2**32 - 1), "it holds 0"),
        ],
    )
    def test_headers_that_lie_are_refused(self, content, problem):
        with pytest.raises(DataError) as caught:
            parse_idx(gzip.compress(content), n_axes=2, field="train.gz")
        assert problem in str(caught.value)
        assert caught.value.field == "train.gz"

    @pytest.mark.parametrize(
        "damage", [lambda c: c[:-9], lambda c: c[:15], lambda c: b"PK" + c[2:], lambda c: b"\0" * 40]
    )
    def test_damaged_gzip_is_refused(self, damage):
        packed = gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3]))
        with pytest.raises(DataError, match="gzip file is truncated or damaged"):
            parse_idx(damage(packed), n_axes=1, field="f")


@pytest.mark.parametrize("source", SOURCES.values(), ids=lambda source: source.name)
def test_declarations_are_complete(source):
    assert source.licence
    assert source.citation
    assert source.url.startswith("http")
    assert len(source.files) == {DIGITS: 0, CIFAR10: 6}.get(source, 4)
    assert len(source.class_names) == 10


@needs_files
@pytest.mark.parametrize("source", [MNIST, FASHION_MNIST], ids=lambda source: source.name)
def test_the_published_files(source):
    """Sizes, balance and the last validation images, recounted from the raw bytes."""
    got = load_dataset(source.name)
    assert (got.x_train.shape, got.x_validation.shape, got.x_test.shape) == ((50000, 784), (10000, 784), (10000, 784))
    assert (got.x_train.min(), got.x_train.max()) == (0, 1)
    assert got.image_shape == (28, 28)
    folder = Path(os.environ["EQSPIKE_DATA"]) / source.folder
    with gzip.open(folder / "train-labels-idx1-ubyte.gz") as raw:
        labels = raw.read()[8:]
    assert got.y_validation.tolist() == list(labels[50000:])
    assert got.y_train.tolist() == list(labels[:50000])
    with gzip.open(folder / "t10k-images-idx3-ubyte.gz") as raw:
        last = raw.read()[-784:]
    np.testing.assert_array_equal(got.x_test[-1], np.array(list(last), np.float32) / np.float32(255))


@needs_files
def test_mnist_without_validation_has_the_known_class_sizes():
    got = load_dataset("mnist", validation=0)
    assert np.bincount(got.y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(got.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@needs_cifar10
def test_cifar10_as_published():
    """Known first images, and pixels and labels of the last batch, recounted from its raw bytes.

    The batch holds its labels as 10 runs of 1,000 (opcode K and a byte each), its pixels as one block of 10,000 images
    of 3 channels of 32 rows of 32 bytes.
    """
    got = load_dataset("cifar10")
    assert (got.x_train.shape, got.x_validation.shape, got.x_test.shape) == ((45000, 3072), (5000, 3072), (10000, 3072))
    assert (got.x_train.dtype, got.x_train.min(), got.x_train.max()) == (np.float32, 0, 1)
    assert np.rint(255 * got.x_train[0, :6]).tolist() == [59, 62, 63, 43, 46, 45]
    assert [got.class_names[label] for label in got.y_train[:3]] == ["frog", "truck", "truck"]
    assert np.rint(255 * got.x_test[0, :3]).tolist() == [158, 112, 49]
    assert [got.class_names[label] for label in got.y_test[:3]] == ["cat", "ship", "ship"]
    assert np.bincount(got.y_test).tolist() == [1000] * 10
    assert (np.bincount(got.y_train) + np.bincount(got.y_validation)).tolist() == [5000] * 10
    path = Path(os.environ["EQSPIKE_DATA"]) / CIFAR10.folder / "data_batch_5"
    raw = path.read_bytes() if path.is_file() else lzma.decompress(path.with_name("data_batch_5.xz").read_bytes())
    start = raw.index(b"labels") + len(b"labelsq\x04]q\x05(")
    labels = b"".join(raw[start + 2002 * run : start + 2002 * run + 2000] for run in range(10))
    assert labels[::2] == b"K" * 10000
    assert got.y_validation.tolist() == list(labels[1::2])[5000:]
    start = raw.index(b"T" + struct.pack("<i", 30_720_000)) + 5
    for image, row, column, channel in [(0, 0, 0, 0), (0, 0, 1, 0), (0, 1, 0, 2), (7, 31, 30, 1), (4999, 31, 31, 2)]:
        byte = raw[start + 3072 * (5000 + image) + 1024 * channel + 32 * row + column]
        found = got.x_validation[image].reshape(got.image_shape)[row, column, channel]
        assert found == np.float32(byte) / np.float32(255)
