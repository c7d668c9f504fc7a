from __future__ import annotations

import numpy as np
import pytest

from eqspike.core.errors import ConfigError, DataError
from eqspike.data import dataset_from_arrays


def refused(arrays, field, *words, **options):
    """Assert that ``arrays`` are refused as data, at ``field``, in ``words``, with a remedy."""
    with pytest.raises(DataError) as caught:
        dataset_from_arrays(arrays, **options)
    assert caught.value.field == field
    assert caught.value.remedy
    for word in words:
        assert word in str(caught.value)


class TestScaling:
    def test_uint8_of_full_range_is_divided_by_255(self, own):
        own["x_train"][0, 0] = [0, 51, 255]
        got = dataset_from_arrays(own, validation=0)
        np.testing.assert_array_equal(got.x_train[0, :3], np.array([0, 0.2, 1], np.float32))
        assert got.scaling == "divided by 255, full scale of uint8"

    def test_full_scale_does_not_depend_on_the_largest_training_pixel(self, own):
        own["x_train"] = np.minimum(own["x_train"], 200)
        own["x_test"][0, 0, 0] = 255
        assert dataset_from_arrays(own).x_test[0, 0] == 1

    def test_uint8_of_few_grey_levels_is_divided_by_its_largest(self, own):
        own["x_train"] = (own["x_train"] % 17).astype(np.uint8)
        own["x_train"][0, 0, :2] = [16, 4]
        own["x_test"] = own["x_test"] % 17
        got = dataset_from_arrays(own, validation=0)
        np.testing.assert_array_equal(got.x_train[0, :2], [1, 0.25])
        assert got.scaling == "divided by 16, the largest value of x_train"

    @pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.int64, np.float16, np.float64, ">f4", ">i4"])
    def test_other_types_are_divided_by_the_largest_training_value(self, own, dtype):
        own["x_train"] = np.minimum(own["x_train"], 100).astype(dtype)
        own["x_test"] = np.minimum(own["x_test"], 100).astype(dtype)
        own["x_train"][0, 0, :2] = [100, 25]
        got = dataset_from_arrays(own, validation=0)
        assert got.x_train.dtype == np.float32
        np.testing.assert_array_equal(got.x_train[0, :2], [1, 0.25])
        assert got.scaling == "divided by 100, the largest value of x_train"

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_floats_within_0_and_1_are_used_as_they_are(self, own, dtype):
        own["x_train"], own["x_test"] = (0.5 * (own[name] / 255).astype(dtype) for name in ("x_train", "x_test"))
        got = dataset_from_arrays(own, validation=0)
        np.testing.assert_array_equal(got.x_train, own["x_train"].reshape(24, 6).astype(np.float32))
        assert got.scaling == "used as they are, within [0, 1]"

    def test_booleans_become_0_and_1(self, own):
        own["x_train"], own["x_test"] = own["x_train"] > 100, own["x_test"] > 100
        got = dataset_from_arrays(own, validation=0)
        np.testing.assert_array_equal(got.x_train, own["x_train"].reshape(24, 6))

    @pytest.mark.parametrize("scale", [510, 510.0, np.float32(510), np.int64(510)])
    def test_a_declared_scale_divides(self, own, scale):
        own["x_train"][0, 0, 0] = 255
        got = dataset_from_arrays(own, scale=scale, validation=0)
        assert got.x_train[0, 0] == 0.5
        assert got.scaling == "divided by 510, as declared"

    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
    def test_full_scale_is_1_though_its_type_rounds_it_up(self, own, dtype):
        """0.3 as float16 or float32 is larger than 0.3."""
        own["x_train"], own["x_test"] = ((own[name] / 255 * 0.3).astype(dtype) for name in ("x_train", "x_test"))
        own["x_train"][0, 0, :2] = [0.3, 0.15]
        got = dataset_from_arrays(own, scale=0.3, validation=0)
        assert got.x_train.max() == got.x_train[0, 0] == 1
        np.testing.assert_allclose(got.x_train[0, 1], 0.5, rtol=2 * np.finfo(dtype).eps)

    @pytest.mark.parametrize("scale", [0, -1.0, np.nan, np.inf, True, "255", None])
    def test_a_scale_is_a_positive_number_or_auto(self, own, scale):
        with pytest.raises(ConfigError) as caught:
            dataset_from_arrays(own, scale=scale)
        assert caught.value.field == "scale"

    def test_a_test_pixel_beyond_the_scale_is_refused(self, own):
        own["x_train"] = np.minimum(own["x_train"], 100).astype(np.int32)
        own["x_train"][0, 0, 0] = 100
        own["x_test"] = own["x_test"].astype(np.int32)
        own["x_test"][3, 0, 0] = 250
        own["x_test"][4, 0, 0] = 0
        refused(own, "x_test", "from 0 to 2.5", "Set scale")

    def test_a_declared_scale_too_small_is_refused(self, own):
        own["x_train"][0, 0, 0], own["x_train"][0, 0, 1] = 200, 0
        own["x_train"] = np.minimum(own["x_train"], 200)
        refused(own, "x_train", "divided by 100", "from 0 to 2", scale=100)

    def test_negative_pixels_are_refused(self, own):
        own["x_train"] = own["x_train"].astype(np.float32) - 10
        own["x_train"][0, 0, 0] = -10
        refused(own, "x_train", "must not be negative", "-10")
        refused(own, "x_train", "outside [0, 1]", scale=255)

    def test_black_images_are_refused(self, own):
        own["x_train"][:] = 0
        refused(own, "x_train", "every pixel is 0")


class TestImages:
    @pytest.mark.parametrize("shape", [(6,), (2, 3), (1, 2, 3), (6, 1, 1)])
    def test_any_image_shape_is_flattened_row_by_row(self, own, shape):
        flat = own["x_train"].reshape(24, 6)
        own["x_train"], own["x_test"] = own["x_train"].reshape(24, *shape), own["x_test"].reshape(6, *shape)
        got = dataset_from_arrays(own, validation=0, scale=255)
        assert got.image_shape == shape
        np.testing.assert_allclose(got.x_train, flat / 255, rtol=1e-7)

    def test_column_order_in_memory_changes_nothing(self, own):
        plain = dataset_from_arrays(own)
        own["x_train"] = np.asfortranarray(own["x_train"])
        got = dataset_from_arrays(own)
        np.testing.assert_array_equal(got.x_train, plain.x_train)
        assert got.x_train.flags.c_contiguous
        assert got.checksum == plain.checksum

    @pytest.mark.parametrize("value, kind", [(np.nan, "NaN"), (np.inf, "infinite"), (-np.inf, "infinite")])
    @pytest.mark.parametrize("name", ["x_train", "x_test"])
    def test_values_that_are_not_finite_are_refused(self, own, name, value, kind):
        own[name] = own[name].astype(np.float32)
        own[name][2:4, 0, 1] = value
        refused(own, name, f"2 of {len(own[name])} images", kind, "image 2")

    @pytest.mark.parametrize("shape", [(24,), (24, 1, 1, 2, 3)])
    def test_wrong_numbers_of_axes_are_refused(self, own, shape):
        own["x_train"] = np.ones(shape, np.uint8)
        refused(own, "x_train", "(n, h, w)", str(shape))

    def test_different_image_shapes_are_refused(self, own):
        own["x_test"] = own["x_test"].reshape(6, 3, 2)
        refused(own, "x_test", "(3, 2)", "(2, 3)")

    @pytest.mark.parametrize("dtype", [complex, "U4", "M8[s]", object])
    def test_images_that_are_not_numbers_are_refused(self, own, dtype):
        own["x_train"] = own["x_train"].astype(dtype)
        refused(own, "x_train", "integers or floats")

    @pytest.mark.parametrize("part", ["train", "test"])
    def test_no_samples_are_refused(self, own, part):
        own[f"x_{part}"], own[f"y_{part}"] = own[f"x_{part}"][:0], own[f"y_{part}"][:0]
        refused(own, f"x_{part}", "no samples")

    def test_no_pixels_are_refused(self, own):
        own["x_train"] = own["x_train"][:, :0]
        refused(own, "x_train", "no pixels")


class TestLabels:
    @pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint64, np.float32, np.float64])
    def test_whole_numbers_of_any_type_become_int64(self, own, dtype):
        expected = own["y_train"].copy()
        own["y_train"] = expected.astype(dtype)
        got = dataset_from_arrays(own, validation=0)
        assert got.y_train.dtype == np.int64
        np.testing.assert_array_equal(got.y_train, expected)
        assert got.n_classes == 3

    @pytest.mark.parametrize("label", [0.5, np.nan, np.inf, -1.0])
    def test_labels_that_are_not_class_numbers_are_refused(self, own, label):
        own["y_test"] = own["y_test"].astype(float)
        own["y_test"][4] = label
        refused(own, "y_test", f"label {label} (image 4)")

    def test_negative_labels_are_refused(self, own):
        own["y_train"][5] = -2
        refused(own, "y_train", "label -2 (image 5)")

    def test_a_label_beyond_int64_is_refused(self, own):
        own["y_train"] = own["y_train"].astype(np.uint64)
        own["y_train"][0] = 2**63 + 1
        refused(own, "y_train", str(2**63 + 1))

    def test_one_hot_and_text_labels_are_refused(self, own):
        refused(own | {"y_train": np.eye(3)[own["y_train"]]}, "y_train", "one whole number per image", "argmax")
        refused(own | {"y_test": own["y_test"].astype(str)}, "y_test", "one whole number per image")

    def test_lengths_that_differ_are_refused(self, own):
        own["y_test"] = own["y_test"][:-1]
        refused(own, "y_test", "5 labels for 6 images of x_test")

    def test_one_class_only_is_refused(self, own):
        own["y_train"][:] = 0
        refused(own, "y_train", "only one class")

    @pytest.mark.parametrize("labels, missing", [([0, 2], 1), ([1, 2], 0), ([0, 10**15], 1)])
    def test_a_class_without_training_images_is_refused(self, own, labels, missing):
        own["y_train"] = np.resize(labels, 24)
        refused(own, "y_train", f"no image has label {missing}", str(max(labels)))

    def test_test_labels_out_of_the_training_range_are_refused(self, own):
        own["y_test"][:2] = [3, 7]
        refused(own, "y_test", "label 3, 7", "0 .. 2")

    @pytest.mark.parametrize("gone", [["x_test"], ["y_train", "x_test"], ["x_train", "y_train", "x_test", "y_test"]])
    def test_missing_arrays_are_listed(self, own, gone):
        for name in gone:
            del own[name]
        with pytest.raises(DataError, match="missing") as caught:
            dataset_from_arrays(own)
        assert sorted(caught.value.field.split(", ")) == sorted(gone)

    def test_half_a_validation_set_is_refused(self, own):
        own["x_validation"] = own["x_test"]
        refused(own, "y_validation", "missing")


class TestValidation:
    def test_one_in_six_by_default_stratified_and_fixed(self, own):
        own["x_train"][:, 0, 0] = np.arange(24)  # marks each image
        got, again = dataset_from_arrays(own, scale=255), dataset_from_arrays(own, scale=255)
        marks = [np.rint(255 * x[:, 0]).astype(int) for x in (got.x_train, got.x_validation)]
        assert [len(part) for part in marks] == [20, 4]
        assert sorted(np.concatenate(marks)) == list(range(24))
        np.testing.assert_array_equal(got.y_validation, marks[1] % 3)
        np.testing.assert_array_equal(got.y_train, marks[0] % 3)
        assert sorted(np.bincount(got.y_validation)) == [1, 1, 2]
        np.testing.assert_array_equal(got.x_validation, again.x_validation)

    def test_zero_trains_on_everything(self, own):
        got = dataset_from_arrays(own, validation=0)
        assert got.x_validation.shape == (0, 6)
        assert got.y_validation.shape == (0,)
        np.testing.assert_array_equal(got.y_train, own["y_train"])

    def test_given_validation_images_are_used(self, own):
        own |= {"x_validation": own["x_test"][::-1], "y_validation": own["y_test"][::-1]}
        got = dataset_from_arrays(own)
        np.testing.assert_array_equal(got.x_validation, got.x_test[::-1])
        np.testing.assert_array_equal(got.y_validation, got.y_test[::-1])
        assert len(got.x_train) == 24

    def test_zero_joins_given_validation_images_to_the_training_images(self, own):
        own |= {"x_validation": own["x_test"], "y_validation": own["y_test"]}
        got = dataset_from_arrays(own, validation=0)
        assert len(got.x_validation) == len(got.y_validation) == 0
        np.testing.assert_array_equal(got.x_train[24:], got.x_test)
        np.testing.assert_array_equal(got.y_train[24:], got.y_test)

    def test_given_validation_images_are_checked_like_the_others(self, own):
        own |= {"x_validation": own["x_test"], "y_validation": own["y_test"] + 5}
        refused(own, "y_validation", "label 5, 6, 7")

    @pytest.mark.parametrize("validation", [-1, 22, 1.0, True, "4"])
    def test_a_number_out_of_range_is_refused(self, own, validation):
        with pytest.raises(ConfigError, match="to 21") as caught:
            dataset_from_arrays(own, validation=validation)
        assert caught.value.field == "validation"

    def test_a_number_against_given_validation_images_is_refused(self, own):
        own |= {"x_validation": own["x_test"], "y_validation": own["y_test"]}
        with pytest.raises(ConfigError, match="bring their own") as caught:
            dataset_from_arrays(own, validation=4)
        assert caught.value.field == "validation"

    def test_the_largest_number_leaves_every_class_one_training_image(self, own):
        assert sorted(dataset_from_arrays(own, validation=21).y_train) == [0, 1, 2]


def test_the_checksum_follows_the_content(own):
    first = dataset_from_arrays(own).checksum
    own["y_test"] = own["y_test"][::-1].copy()
    assert dataset_from_arrays(own).checksum != first
    assert dataset_from_arrays(own, checksum="md5:known").checksum == "md5:known"
