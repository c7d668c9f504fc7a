"""The named data sets as declared data: files, checksums, sizes, licences, and whom to cite."""

from __future__ import annotations

from dataclasses import dataclass, field

_IDX_NAMES = {
    "x_train": "train-images-idx3-ubyte.gz",
    "y_train": "train-labels-idx1-ubyte.gz",
    "x_test": "t10k-images-idx3-ubyte.gz",
    "y_test": "t10k-labels-idx1-ubyte.gz",
}


@dataclass(frozen=True)
class SourceFile:
    """One file of a data set.

    Parameters
    ----------
    holds : the array in it (``x_train`` ...), or the part (``train``, ``test``) that its images and labels are of.
    name : its name.
    md5 : as its publisher states; of the file as published, before anybody packed it further.
    """

    holds: str
    name: str
    md5: str


@dataclass(frozen=True)
class Archive:
    """The tar file that all files of a data set are published in: its name and md5, and their folder inside."""

    name: str
    md5: str
    folder: str


@dataclass(frozen=True)
class Source:
    """A named data set.

    Parameters
    ----------
    name, description : as listed for users.
    image_shape : shape of one image.
    class_names : one name per class.
    sizes : images for training (validation included) and for test.
    validation : validation images unless told otherwise.
    full_scale : the pixel value that becomes 1.
    licence, citation : as known.
    url : where it is published; with ``files``, the folder that they or their ``archive`` are downloaded from.
    folder : name of its folder in ``EQSPIKE_DATA`` and in the cache; empty when the data set is embedded.
    files : what it is read from; none when the data set is embedded.
    archive : what the files are published in; None when each is published by itself.
    """

    name: str
    description: str
    image_shape: tuple[int, ...]
    class_names: tuple[str, ...]
    sizes: tuple[int, int]
    validation: int
    full_scale: float
    licence: str
    citation: str
    url: str
    folder: str = ""
    files: tuple[SourceFile, ...] = field(default=(), repr=False)
    archive: Archive | None = field(default=None, repr=False)


def _idx_files(**md5: str) -> tuple[SourceFile, ...]:
    return tuple(SourceFile(array, name, md5[array]) for array, name in _IDX_NAMES.items())


_DIGIT_NAMES = tuple(str(digit) for digit in range(10))

DIGITS = Source(
    name="digits",
    description="handwritten digits, 8x8, 17 grey levels, embedded in scikit-learn",
    image_shape=(8, 8),
    class_names=_DIGIT_NAMES,
    sizes=(1438, 359),
    validation=359,
    full_scale=16.0,
    licence="CC BY 4.0",
    citation="Alpaydin and Kaynak 1998, Optical Recognition of Handwritten Digits, UCI, doi:10.24432/C50P49",
    url="https://doi.org/10.24432/C50P49",
)

# md5 of the 1,797 images as bytes (row-major), then the 1,797 labels as bytes: the same for every scikit-learn so far.
DIGITS_MD5 = "7696c07daa6d85010f8268703ab8b067"

MNIST = Source(
    name="mnist",
    description="handwritten digits, 28x28, 256 grey levels",
    image_shape=(28, 28),
    class_names=_DIGIT_NAMES,
    sizes=(60_000, 10_000),
    validation=10_000,
    full_scale=255.0,
    licence="CC BY-SA 3.0, as commonly stated",
    citation="LeCun, Bottou, Bengio and Haffner 1998, Proc. IEEE 86, doi:10.1109/5.726791",
    url="https://ossci-datasets.s3.amazonaws.com/mnist/",
    folder="mnist",
    files=_idx_files(
        x_train="f68b3c2dcbeaaa9fbdd348bbdeb94873",
        y_train="d53e105ee54ea40749a09fcbcd1e9432",
        x_test="9fb629c4189551a2d022fa330f9573f3",
        y_test="ec29112dd5afa0611ce80d1b7f02629c",
    ),
)

FASHION_MNIST = Source(
    name="fashion-mnist",
    description="articles of clothing, 28x28, 256 grey levels",
    image_shape=(28, 28),
    class_names=(
        "T-shirt/top",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ),
    sizes=(60_000, 10_000),
    validation=10_000,
    full_scale=255.0,
    licence="MIT (Zalando SE)",
    citation="Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747",
    url="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    folder="fashion_mnist",
    files=_idx_files(
        x_train="8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        y_train="25c81989df183df01b3e8a0aad5dffbe",
        x_test="bef4ecab320f06d8554ea6380940ec79",
        y_test="bb300cfdad3c16e7a12a480ee83cd310",
    ),
)

CIFAR10 = Source(
    name="cifar10",
    description="photographs of animals and vehicles, 32x32, three colours of 256 levels",
    image_shape=(32, 32, 3),
    class_names=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    sizes=(50_000, 10_000),
    validation=5_000,
    full_scale=255.0,
    licence="none stated",
    citation="Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images, University of Toronto",
    url="https://www.cs.toronto.edu/~kriz/",
    folder="cifar10",
    files=(
        SourceFile("train", "data_batch_1", "c99cafc152244af753f735de768cd75f"),
        SourceFile("train", "data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"),
        SourceFile("train", "data_batch_3", "54ebc095f3ab1f0389bbae665268c751"),
        SourceFile("train", "data_batch_4", "634d18415352ddfa80567beed471001a"),
        SourceFile("train", "data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"),
        SourceFile("test", "test_batch", "40351d587109b95175f43aff81a1287e"),
    ),
    archive=Archive("cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a", "cifar-10-batches-py"),
)

SOURCES = {source.name: source for source in (DIGITS, MNIST, FASHION_MNIST, CIFAR10)}
