from __future__ import annotations

import subprocess
import sys

import pytest

from eqspike.core.errors import ConfigError, DataError
from eqspike.data import available_datasets, files, load_dataset


@pytest.mark.parametrize(
    "name, hint",
    [("minst", "'mnist'"), ("Digits", "'digits'"), ("fashion_mnist", "'fashion-mnist'"), ("CIFAR-10", "'cifar10'")],
)
def test_an_unknown_name_lists_the_known_ones(name, hint):
    with pytest.raises(DataError, match="there is no data set") as caught:
        load_dataset(name)
    assert f"Did you mean {hint}?" in caught.value.remedy
    for known in ("digits", "mnist", "fashion-mnist", "cifar10", "FILE.npz"):
        assert known in caught.value.remedy
    assert caught.value.field == "dataset"


@pytest.mark.parametrize("name", ["", "zzzzzz", "no/such/place", "."])
def test_a_name_like_no_other_gets_no_guess(name):
    with pytest.raises(DataError) as caught:
        load_dataset(name)
    assert "Did you mean" not in str(caught.value)


def test_named_data_sets_keep_their_scale():
    with pytest.raises(ConfigError) as caught:
        load_dataset("digits", scale=255)
    assert caught.value.field == "scale"


def test_the_list_agrees_with_what_loads(cache):
    by_name = {info.name: info for info in available_datasets()}
    assert list(by_name) == ["digits", "mnist", "fashion-mnist", "cifar10"]
    digits, loaded = by_name["digits"], load_dataset("digits")
    assert (digits.n_train, digits.n_validation, digits.n_test) == tuple(
        len(x) for x in (loaded.x_train, loaded.x_validation, loaded.x_test)
    )
    assert (digits.image_shape, digits.n_classes) == (loaded.image_shape, loaded.n_classes)
    assert digits.licence == loaded.licence


def test_the_list_says_where_each_would_be_found(cache, tmp_path, monkeypatch):
    assert [info.where for info in available_datasets()] == ["embedded", "download", "download", "download"]
    monkeypatch.setenv(files.ENVIRONMENT_VARIABLE, str(tmp_path))
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (tmp_path / "mnist").mkdir(exist_ok=True)
        (tmp_path / "mnist" / f"{name}-ubyte.gz").touch()
    assert [info.where for info in available_datasets()] == ["embedded", "EQSPIKE_DATA", "download", "download"]


def test_digits_need_no_data_folder(monkeypatch, tmp_path):
    monkeypatch.setenv(files.ENVIRONMENT_VARIABLE, str(tmp_path / "nowhere"))
    assert load_dataset("digits").n_classes == 10
    with pytest.raises(DataError, match="EQSPIKE_DATA"):
        load_dataset("mnist")


def test_importing_the_package_is_light():
    code = "import sys, eqspike.data; print([m for m in ('sklearn', 'pooch', 'scipy', 'numba') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
