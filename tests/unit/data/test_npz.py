from __future__ import annotations

import hashlib
import io
import pickle
import struct
import zipfile

import numpy as np
import pytest

from eqspike.core.errors import DataError
from eqspike.data import load_dataset, npz


@pytest.fixture
def path(tmp_path):
    return tmp_path / "own.npz"


def member(array: np.ndarray, **changes) -> bytes:
    """An .npy member whose header may lie: ``changes`` replace shape or descr."""
    header = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape} | changes
    text = f"{header}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + array.tobytes()


def write_with(path, own, name, content: bytes):
    """Write ``own`` with the member ``name`` replaced by ``content``."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, array in own.items():
            archive.writestr(f"{key}.npy", content if key == name else member(array))


def refused(path, field, *words):
    with pytest.raises(DataError) as caught:
        load_dataset(str(path))
    assert caught.value.field == field
    assert caught.value.remedy
    for word in words:
        assert word in str(caught.value)


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return open, (str(self.mark), "w")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_good_file_loads(path, own, save):
    save(path, **own)
    got = load_dataset(path)
    assert (got.name, got.source, got.licence) == ("own.npz", str(path), "not stated")
    assert (len(got.x_train), len(got.x_validation), len(got.x_test)) == (20, 4, 6)
    np.testing.assert_allclose(got.x_test, own["x_test"].reshape(6, 6) / 255, rtol=1e-7)
    np.testing.assert_array_equal(got.y_test, own["y_test"])


def test_the_checksum_is_that_of_the_file(path, own):
    np.savez(path, **own)
    assert load_dataset(path).checksum == f"md5:{hashlib.md5(path.read_bytes()).hexdigest()}"


def test_options_reach_the_arrays(path, own):
    np.savez(path, **own)
    got = load_dataset(path, validation=0, scale=510)
    assert len(got.x_train) == 24
    assert got.scaling == "divided by 510, as declared"


def test_column_order_survives(path, own):
    np.savez(path, **own)
    plain = load_dataset(path)
    np.savez(path, **own | {"x_train": np.asfortranarray(own["x_train"])})
    np.testing.assert_array_equal(load_dataset(path).x_train, plain.x_train)


def test_other_arrays_are_not_read(path, own):
    np.savez(path, **own, notes=np.array([{"never": "unpickled"}], object))
    assert load_dataset(path).n_classes == 3


def test_missing_arrays_are_listed_with_those_found(path, own):
    np.savez(path, x_train=own["x_train"], y_train=own["y_train"], labels=own["y_test"])
    refused(path, "x_test, y_test", "missing", "found: labels, x_train, y_train")


def test_an_archive_of_something_else_has_no_arrays(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x_train.csv", "1,2")
    refused(path, "x_train, y_train, x_test, y_test", "found: none")


def test_object_arrays_are_never_unpickled(path, own, tmp_path):
    mark = tmp_path / "unpickled"
    np.savez(path, **own | {"x_train": np.array([Bomb(mark)] * 24, object)})
    refused(path, "x_train", "never unpickled")
    assert not mark.exists()


def test_a_pickle_in_the_place_of_an_array_is_never_unpickled(path, own, tmp_path):
    mark = tmp_path / "unpickled"
    write_with(path, own, "y_test", pickle.dumps(Bomb(mark)))
    refused(path, "y_test", "the array is damaged")
    assert not mark.exists()


@pytest.mark.parametrize("dtype", ["U3", "c8", "M8[s]", [("a", "i4"), ("b", "f4")]])
def test_arrays_that_are_not_numbers_are_refused(path, own, dtype):
    np.savez(path, **own | {"x_test": np.zeros((6, 2, 3), dtype)})
    refused(path, "x_test", "integers or floats")


def test_a_header_that_declares_more_than_the_archive_holds_is_refused(path, own):
    write_with(path, own, "x_train", member(own["x_train"], shape=(1000, 1000, 1000)))
    refused(path, "x_train", "declares 1,000,000,000 bytes", "holds 144")


def test_a_header_that_declares_less_than_the_archive_holds_is_refused(path, own):
    write_with(path, own, "x_train", member(own["x_train"], shape=(23, 2, 3)))
    refused(path, "x_train", "declares 138 bytes", "holds 144")


def test_a_huge_array_is_refused_before_anything_is_allocated(path, own):
    write_with(path, own, "x_train", member(own["x_train"], shape=(2**40, 2**40)))
    refused(path, "x_train", f"at most {npz.MAX_VALUES:,} are read")


def test_an_array_beyond_the_limit_is_refused_though_the_archive_holds_it(path, own, monkeypatch):
    np.savez_compressed(path, **own)
    monkeypatch.setattr(npz, "MAX_VALUES", 143)
    refused(path, "x_train", "144 values; at most 143 are read")


@pytest.mark.parametrize("shape", [(-24, 2, 3), (-24, -6), (True, 144)])
def test_impossible_shapes_are_refused(path, own, shape):
    write_with(path, own, "x_train", member(own["x_train"], shape=shape))
    refused(path, "x_train", "declares shape")


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff\xff{", b"not an array" * 9])
def test_members_that_are_not_arrays_are_refused(path, own, content):
    write_with(path, own, "x_test", content)
    refused(path, "x_test", "the array is damaged")


def test_a_later_header_format_is_refused(path, own):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, own["x_test"], version=(2, 0))
    write_with(path, own, "x_test", buffer.getvalue())
    refused(path, "x_test", "format version is 2.0")


@pytest.mark.parametrize("kept", [0, 1, 100, -1, -30, -300])
def test_truncated_files_are_refused(path, own, kept):
    np.savez(path, **own)
    path.write_bytes(path.read_bytes()[:kept])
    refused(path, str(path), "not an .npz file, or it is truncated or damaged")


@pytest.mark.parametrize("n_pixels", [6, 20_000])
def test_a_flipped_pixel_fails_the_archives_own_checksum(path, own, n_pixels):
    """Few pixels lie in the header's read-ahead, many do not."""
    own["x_train"], own["x_test"] = np.ones((24, n_pixels), np.uint8), np.ones((6, n_pixels), np.uint8)
    own["x_train"][23, :6] = [1, 2, 3, 4, 5, 6]
    np.savez(path, **own)
    content = path.read_bytes()
    at = content.index(bytes([1, 2, 3, 4, 5, 6]))
    path.write_bytes(content[:at] + b"\xff" + content[at + 1 :])
    refused(path, "x_train", "the array is damaged", "CRC")


@pytest.mark.parametrize("seed", range(20))
def test_any_damage_is_one_clear_error_or_none(path, own, seed):
    """Random bytes overwritten anywhere: an error that names the field, or data that the damage did not touch."""
    np.savez_compressed(path, **own)
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(seed)
    for _ in range(20):
        damaged = content.copy()
        for at in rng.integers(0, len(content), rng.integers(1, 6)):
            damaged[at] = rng.integers(0, 256)
        path.write_bytes(damaged)
        try:
            got = load_dataset(path, validation=0)
        except DataError as error:
            assert error.field
            assert error.remedy
        else:
            np.testing.assert_array_equal(got.y_test, own["y_test"])
            np.testing.assert_allclose(255 * got.x_train, own["x_train"].reshape(24, 6), rtol=1e-6)


def test_files_of_another_kind_are_refused(tmp_path):
    np.save(tmp_path / "one.npy", np.zeros(3))
    refused(tmp_path / "one.npy", str(tmp_path / "one.npy"), "not an .npz file")
    (tmp_path / "text.npz").write_text("hello")
    refused(tmp_path / "text.npz", str(tmp_path / "text.npz"), "not an .npz file")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    refused(tmp_path / "none.npz", str(tmp_path / "none.npz"), "no such file")
    (tmp_path / "folder.npz").mkdir()
    refused(tmp_path / "folder.npz", str(tmp_path / "folder.npz"), "cannot be read")
