"""Images, recordings of events and sounds to train on: found, or downloaded and checked, and read into arrays."""

from treplica.datasets.digits import digits
from treplica.datasets.forms import Images, Recordings, Sounds, Split
from treplica.datasets.idx import read_idx
from treplica.datasets.mnist import fashion_mnist, mnist
from treplica.datasets.nmnist import nmnist
from treplica.datasets.progress import Report
from treplica.datasets.spoken import spoken_digits

__all__ = [
    "Images",
    "Recordings",
    "Report",
    "Sounds",
    "Split",
    "digits",
    "fashion_mnist",
    "mnist",
    "nmnist",
    "read_idx",
    "spoken_digits",
]
