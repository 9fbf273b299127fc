"""Which files data sets are made of, from where they come and what they must be.

Checksums of MNIST and Fashion-MNIST are those of the gzipped files that their authors published, of N-MNIST the md5
of the two archives. GitHub makes its archives anew, so for those the files inside are checked.
"""

from __future__ import annotations

from dataclasses import dataclass

from treplica.datasets.checksums import Checksum


@dataclass(frozen=True)
class Source:
    """One file: its name in the folder of its data set, public addresses that all give it, and its checksum."""

    file: str
    addresses: tuple[str, ...]
    checksum: Checksum


_MNIST = (
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "https://storage.googleapis.com/cvdf-datasets/mnist",
)
_FASHION = ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",)
_NMNIST = "https://data.mendeley.com/public-files/datasets/468j46mzdv/files"
_GITHUB = "https://github.com"


def _idx(folders: tuple[str, ...], file: str, sha256: str) -> Source:
    name = f"{file}-ubyte.gz"
    return Source(name, tuple(f"{folder}/{name}" for folder in folders), Checksum("sha256", sha256))


def _mendeley(file: str, number: str, md5: str) -> Source:
    return Source(file, (f"{_NMNIST}/{number}/file_downloaded",), Checksum("md5", md5))


#: Names of the recordings of the small N-MNIST and of their labels, at the top of the folder or zip or in the
#: repository that they come from.
SMALL_NMNIST = r"(?:^|(?:^|/)NMNISTsmall/)(?:(?P<number>\d+)\.bs2|(?P<labels>train1K|test100)\.txt)$"
#: Names of the recordings of the Free Spoken Digit Dataset: digit, speaker, number.
SPOKEN_DIGITS = r"(?:^|(?:^|/)recordings/)(?P<digit>\d)_(?P<speaker>[a-z]+)_(?P<number>\d+)\.wav$"

_FILES = {
    "mnist": (
        _idx(_MNIST, "train-images-idx3", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        _idx(_MNIST, "train-labels-idx1", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        _idx(_MNIST, "t10k-images-idx3", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        _idx(_MNIST, "t10k-labels-idx1", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    ),
    "fashion_mnist": (
        _idx(_FASHION, "train-images-idx3", "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        _idx(_FASHION, "train-labels-idx1", "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        _idx(_FASHION, "t10k-images-idx3", "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        _idx(_FASHION, "t10k-labels-idx1", "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    ),
    "nmnist": (
        _mendeley("Train.zip", "39c25547-014b-4137-a934-9d29fa53c7a0", "20959b8e626244a1b502305a9e6e2031"),
        _mendeley("Test.zip", "05a4d654-7e03-4c15-bdfa-9bb2bcbea494", "69ca8762b2fe404d9b9bad1103e97832"),
    ),
    "nmnist_small": (
        Source(
            "nmnist_small.zip",
            (f"{_GITHUB}/bamsumit/slayerPytorch/archive/01beeeb6a181546d6c6830382ce6086bfc587836.zip",),
            Checksum("contents", "ae48214fe1a7ac1f2d88f1a4cef18902bd301dc796d740a7ddce3d7cc605a61b", SMALL_NMNIST),
        ),
    ),
    "fsdd": (
        Source(
            "fsdd.zip",
            (f"{_GITHUB}/Jakobovski/free-spoken-digit-dataset/archive/26eb9aaf76e81b692f806f9140c2d2777410d7a1.zip",),
            Checksum("contents", "1801eae019c063377d98f831d3f93574f259475df7332bb0e3d1b080fb5e6959", SPOKEN_DIGITS),
        ),
    ),
}  # fmt: skip

#: By the name of the folder of the data set and the name of the file.
SOURCES = {folder: {source.file: source for source in sources} for folder, sources in _FILES.items()}
