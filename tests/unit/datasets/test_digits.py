"""The digits of scikit-learn and their split."""

import numpy as np
import pytest

from treplica.datasets import digits
from treplica.errors import UnknownName


def test_all_digits() -> None:
    images = digits("all")
    assert (images.inputs.shape, images.inputs.dtype) == ((1797, 8, 8), np.float32)
    assert (images.inputs.min(), images.inputs.max()) == (0.0, 1.0)
    assert np.bincount(images.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_the_split_divides_them() -> None:
    whole, train, test = digits("all"), digits("train"), digits("test")
    assert (len(train), len(test)) == (1437, 360)
    assert np.array_equal(np.concatenate([train.inputs, test.inputs]), whole.inputs)
    assert np.array_equal(np.concatenate([train.labels, test.labels]), whole.labels)
    # every class is in both, about as often as the others
    assert np.bincount(train.labels).min() >= 140
    assert np.bincount(test.labels).min() >= 33


def test_an_unknown_split() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'train'"):
        digits("training")  # type: ignore[arg-type]
