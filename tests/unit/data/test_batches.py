from __future__ import annotations

import collections
import os
import pickle
import struct
from dataclasses import replace

import numpy as np
import pytest

from eqspike.core.errors import DataError
from eqspike.data.batches import parse_batch, read_batches


def refused(content: bytes, problem: str, n_pixels: int = 6) -> None:
    with pytest.raises(DataError) as caught:
        parse_batch(content, n_pixels, field="batch_7")
    assert problem in str(caught.value)
    assert (caught.value.field, caught.value.remedy) == ("batch_7", "Replace it by the original file.")


class TestReadBatches:
    def test_channels_come_last_and_batches_in_order(self, batches, cache):
        batches.write(cache)
        got = read_batches(batches.source)
        assert sorted(got) == sorted(batches.arrays)
        for name, expected in batches.arrays.items():
            np.testing.assert_array_equal(got[name], expected)
        assert got["x_train"].dtype == np.uint8
        assert got["x_train"].flags.c_contiguous

    @pytest.mark.parametrize("sizes", [(19, 8), (21, 8), (20, 7), (20, 9), (11, 8)])
    def test_other_sizes_than_declared_are_refused(self, batches, cache, sizes):
        batches.write(cache)
        with pytest.raises(DataError, match="were declared") as caught:
            read_batches(replace(batches.source, sizes=sizes))
        assert caught.value.field == ("train" if sizes[0] != 20 else "test")

    def test_other_image_sizes_than_declared_are_refused(self, batches, cache):
        batches.write(cache)
        with pytest.raises(DataError, match=r"expected images of 12 bytes each, found shape \(12, 24\)"):
            read_batches(replace(batches.source, image_shape=(3, 4, 1)))


class TestParseBatch:
    def test_a_batch_as_python_2_pickled_it(self, pickled):
        rows = bytes(range(250, 256)) + bytes(range(6))
        got, labels = parse_batch(pickled.batch(rows, [2, 0]), 6, field="f")
        assert got.dtype == np.uint8
        assert got.tolist() == [[250, 251, 252, 253, 254, 255], [0, 1, 2, 3, 4, 5]]
        assert labels.dtype == np.int64
        assert labels.tolist() == [2, 0]

    @pytest.mark.parametrize("protocol", range(6))
    def test_a_hostile_pickle_is_refused_and_not_executed(self, tmp_path, protocol):
        """The classic: an object whose reduction calls a function of the system."""
        made = tmp_path / "made"

        class Hostile:
            def __reduce__(self):
                return os.mkdir, (str(made),)

        content = pickle.dumps({"data": Hostile(), "labels": []}, protocol=protocol)
        refused(content, f"it asks for {os.mkdir.__module__}.mkdir")
        assert not made.exists()
        pickle.loads(content)
        assert made.exists(), "the pickle is not hostile, so that the test shows nothing"

    @pytest.mark.parametrize(
        "value",
        [print, os.system, eval, getattr, collections.OrderedDict(), np.arange(3), np.float32(1), 1j],
        ids=str,
    )
    def test_nothing_but_byte_arrays_and_plain_values_can_be_built(self, value):
        refused(pickle.dumps({"data": value}), "it asks for ")

    @pytest.mark.parametrize(
        "name",
        [
            b"cnumpy\nload\n",
            b"cnumpy\nfromfile\n",
            b"cnumpy.core.multiarray\nfromstring\n",
            b"cnumpy\nndarray.tofile\n",
        ],
    )
    def test_numpy_itself_is_out_of_reach(self, pickled, name):
        refused(pickled.dict(data=name), "it asks for numpy")

    def test_the_older_ways_to_make_an_instance_are_closed(self):
        refused(b"(S'echo'\nios\nsystem\n.", "it asks for os.system")
        refused(b"(cos\nsystem\nS'echo'\no.", "it asks for os.system")
        refused(b"\x80\x02\x82\x01.", "damaged")  # an extension code
        refused(b"Pname\n.", "damaged")  # a persistent object

    @pytest.mark.parametrize("code", [b"O8", b"O", b"f4", b"i8", b"V6", b"S6"])
    def test_arrays_of_another_type_are_refused(self, pickled, code):
        refused(pickled.dict(data=pickled.array((1, 6), b"abcdef", code), labels=pickled.list([1])), "array of type")

    def test_an_array_in_column_order_is_refused(self, pickled):
        data = pickled.array((1, 6), b"abcdef", column_order=True)
        refused(pickled.dict(data=data, labels=pickled.list([1])), "row by row")

    @pytest.mark.parametrize("shape", [(2, 6), (1, 5), (2**31 - 1, 2**31 - 1), (-2, 6)])
    def test_a_shape_that_contradicts_the_content_is_refused(self, pickled, shape):
        refused(pickled.dict(data=pickled.array(shape, b"abcdef"), labels=pickled.list([1])), "damaged")

    def test_a_stand_in_cannot_be_changed_for_the_next_batch(self, pickled):
        """BUILD sets attributes on objects that define no other way: here on what stands in for ndarray and dtype."""
        for name in (b"cnumpy\nndarray\n", b"cnumpy\ndtype\n", b"cnumpy.core.multiarray\n_reconstruct\n"):
            state = b"}" + pickled.text(b"__init__") + b"Ns"
            refused(pickled.dict(data=name + state + b"b"), "damaged")
            refused(pickled.dict(data=name + b"N" + state + b"\x86b"), "damaged")
        assert len(parse_batch(pickled.batch(b"abcdef", [1]), 6, field="f")[0]) == 1

    def test_an_array_that_was_never_filled_is_refused(self, pickled):
        refused(pickled.dict(data=b"cnumpy\nndarray\n)\x81", labels=b"]"), "found none")

    @pytest.mark.parametrize("content", [b"", b".", b"\x80\x02", b"\x80\x63.", b"<html>", b"\x80\x02}(U\x04da"])
    def test_bytes_that_are_no_pickle_are_refused(self, content):
        refused(content, "the pickle is damaged")

    @pytest.mark.parametrize("value", [None, 3, [1], {}, {"data": [1, 2]}, {"data": None, "labels": [1]}, {"data": {}}])
    def test_a_pickle_of_something_else_is_refused(self, value):
        refused(pickle.dumps(value, protocol=2), "expected images of 6 bytes each, found none")

    def test_labels_must_be_one_whole_number_per_image(self, pickled):
        data = pickled.array((2, 6), b"abcdefghijkl")
        for labels in (
            b"]",
            pickled.list([1]),
            b"N",
            b"](K\x01Ne",
            b"](K\x01G" + struct.pack(">d", 1.0) + b"e",
            b"](K\x01\x88e",
        ):
            refused(pickled.dict(data=data, labels=labels), "expected 2 whole numbers of 0 .. 255 as labels")
        refused(pickled.dict(data=data), "expected 2 whole numbers of 0 .. 255 as labels")

    def test_a_label_too_large_for_a_class_is_refused(self, pickled):
        huge = b"](\x8a\x0a" + bytes(9) + b"\x01e"
        refused(pickled.dict(data=pickled.array((1, 6), b"abcdef"), labels=huge), "whole numbers of 0 .. 255 as labels")
