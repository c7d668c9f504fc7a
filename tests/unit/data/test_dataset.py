from __future__ import annotations

import numpy as np
import pytest

from eqspike.core.errors import ConfigError
from eqspike.data import dataset_from_arrays


def test_limited_keeps_the_first_samples_of_each_part(own):
    whole = dataset_from_arrays(own, validation=6)
    small = whole.limited(train=5, test=2)
    assert (len(small.x_train), len(small.x_validation), len(small.x_test)) == (5, 6, 2)
    np.testing.assert_array_equal(small.x_train, whole.x_train[:5])
    np.testing.assert_array_equal(small.y_train, whole.y_train[:5])
    np.testing.assert_array_equal(small.y_test, whole.y_test[:2])
    assert small.x_train.flags.c_contiguous
    assert (small.n_classes, small.image_shape, small.n_pixels) == (3, (2, 3), 6)


def test_a_limit_beyond_the_data_keeps_everything(own):
    whole = dataset_from_arrays(own, validation=6)
    assert len(whole.limited(train=1000, validation=4).x_train) == 18
    assert len(whole.limited(validation=4).y_validation) == 4


@pytest.mark.parametrize("limit", [0, -3, 1.5, True, "5"])
def test_a_limit_is_a_positive_whole_number(own, limit):
    with pytest.raises(ConfigError, match="whole number of at least 1") as caught:
        dataset_from_arrays(own).limited(test=limit)
    assert caught.value.field == "test"


def test_describe_tells_sizes_scaling_and_split(own):
    rows = dataset_from_arrays(own, name="mine", validation=6).describe()
    assert rows["data set"] == "mine"
    assert rows["samples"] == "18 training, 6 validation, 6 test"
    assert rows["image"] == "2x3"
    assert rows["scaling"] == "divided by 255, full scale of uint8"
    assert "stratified" in rows["split"]
    assert all(isinstance(text, str) for text in rows.values())
