"""Views: which neurons a slice, ids or a mask mean, and what is refused."""

import re
from typing import Any

import numpy as np
import pytest

import treplica as tr
from treplica.errors import InvalidValue

TEN = tr.Population("ten", 10, tr.LIF())


@pytest.mark.parametrize(
    ("index", "ids"),
    [
        (slice(None), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (slice(3), [0, 1, 2]),
        (slice(7, None), [7, 8, 9]),
        (slice(-2, None), [8, 9]),
        (slice(1, 10, 4), [1, 5, 9]),
        (slice(np.int64(2), np.int32(4)), [2, 3]),
        (0, [0]),
        (np.int64(9), [9]),
        ([2], [2]),
        ([0, 1, 5], [0, 1, 5]),
        ((0, 4), [0, 4]),
        (range(1, 8, 3), [1, 4, 7]),
        (np.array([1, 2, 9], np.uint8), [1, 2, 9]),
        (np.arange(10) % 3 == 0, [0, 3, 6, 9]),
        ([True] + [False] * 9, [0]),
    ],
)
def test_the_neurons_that_an_index_means(index: Any, ids: list[int]) -> None:
    view = TEN[index]
    assert view.ids().tolist() == ids
    assert view.ids().dtype == np.int64
    assert len(view) == len(ids)
    assert (view.population, view.size) == ("ten", 10)
    assert view.is_whole == (len(ids) == 10)


def test_the_same_neurons_are_the_same_view() -> None:
    assert TEN[::3] == TEN[[0, 3, 6, 9]] == TEN[np.arange(10) % 3 == 0]
    assert TEN[:] == TEN.view() == TEN[list(range(10))] == tr.View("ten", 10, tuple(range(10)))
    assert TEN[4] == TEN[4:5] == TEN[[4]]
    assert TEN[:5] != TEN[:6]
    assert repr(TEN[::3]) == repr(TEN[[0, 3, 6, 9]]) == "ten[0:10:3]"
    assert repr(TEN[4:10:7]) == repr(TEN[4]) == "ten[4:5]"
    assert hash(TEN[::3]) == hash(TEN[[0, 3, 6, 9]])
    assert TEN[:3] != tr.Population("other", 10, tr.LIF())[:3]


def test_a_view_says_what_it_is() -> None:
    shown = [repr(view) for view in (TEN[:], TEN[2:5], TEN[1:10:4], TEN[[0, 1, 5]], TEN[7])]
    assert shown == ["ten", "ten[2:5]", "ten[1:10:4]", "ten[3 ids]", "ten[7:8]"]


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (10, "ten id must be from 0 to 9, got 10."),
        (-1, "ten id must be from 0 to 9, got -1."),
        ([3, 12], "ten id must be from 0 to 9, got 12."),
        (slice(0, 11), "ten[0:11] must be inside 0 to 10, got 11. Slices of a population end inside it."),
        (slice(-11, None), "ten[-11:] must be inside 0 to 10, got -11."),
        (slice(5, 5), "ten[5:5] must be a slice with at least one neuron"),
        (slice(5, 2), "ten[5:2] must be a slice with at least one neuron"),
        (slice(None, None, 0), "step of ten[::0] must be at least 1, got 0."),
        (slice(None, None, -1), "step of ten[::-1] must be at least 1, got -1. Views are sorted"),
        (slice("a", None), "ten[a:] must be a slice with whole numbers"),
        (slice(1.5, 3), "ten[1.5:3] must be a slice with whole numbers"),
        ([1, 2, 2], "ten[...] must be ids without repeats"),
        ([5, 3], "ten[...] must be ids in ascending order, got (5, 3). Views are sorted"),
        ([], "ten[...] must be a slice, an id, a mask or several whole ids, got []."),
        (np.zeros(10, bool), "ten[...] must be a slice, an id, a mask or several whole ids"),
        (np.ones(9, bool), "shape of the mask ten[...] must be (10,), got (9,)."),
        ([1.0, 2.0], "ten[...] must be a slice, an id, a mask or several whole ids"),
        ([[1, 2]], "ten[...] must be a slice, an id, a mask or several whole ids"),
        ([1, [2]], "ten[...] must be a slice, an id, a mask or several whole ids"),
        ("abc", "ten[...] must be a slice, an id, a mask or several whole ids, got 'abc'."),
        (True, "ten[...] must be a slice, an id or several ids, got True."),
        (None, "ten[...] must be a slice, an id or several ids, got None."),
        (2.0, "ten[...] must be a slice, an id or several ids, got 2.0."),
        (2**70, "ten[...] must be a slice, an id, a mask or several whole ids"),
    ],
)
def test_what_means_no_neurons_is_refused(index: Any, message: str) -> None:
    with pytest.raises(InvalidValue, match=re.escape(message)):
        TEN[index]


@pytest.mark.parametrize(
    "chosen",
    [range(11), range(-1, 3), range(0), range(3, 0, -1), range(10**30), (3, 10), (), (2, 1), "ab", 3, None],
)
def test_a_view_made_by_hand_cannot_leave_its_population(chosen: Any) -> None:
    with pytest.raises(InvalidValue, match="ten"):
        tr.View("ten", 10, chosen)


def test_the_size_of_a_view_is_that_of_a_population() -> None:
    for size in (0, -1, 2**31, 2.0, True):
        with pytest.raises(InvalidValue, match="size of ten must be a whole number from 1"):
            tr.View("ten", size, range(1))  # type: ignore[arg-type]
