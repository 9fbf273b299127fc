"""What pictures of a training show is read back from the figures; how they look is for the eye."""

from pathlib import Path

import numpy as np
import pytest

from treplica.analysis import confusion_plot, layer_raster, learning_curves
from treplica.errors import InvalidValue


def texts(figure: object) -> list[str]:
    """All words in a figure."""
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text)]  # type: ignore[attr-defined]


def test_curves_are_drawn_over_epochs(tmp_path: Path) -> None:
    curves = {
        "accuracy": {"training": [0.2, 0.5, 0.9], "validation": [0.1, np.nan, 0.8]},
        "loss": {"training": [3, 2, 1]},
    }
    figure = learning_curves(curves, tmp_path / "c.png", title="a title")
    left, right = figure.axes
    assert [line.get_xdata().tolist() for line in left.lines] == [[1, 2, 3]] * 2
    assert left.lines[0].get_ydata().tolist() == [0.2, 0.5, 0.9]
    assert np.isnan(left.lines[1].get_ydata()[1])
    assert right.lines[0].get_ydata().tolist() == [3.0, 2.0, 1.0]
    assert {"a title", "accuracy", "loss", "epoch", "training", "validation"} <= set(texts(figure))
    assert right.get_legend() is None  # one curve needs no name
    assert (tmp_path / "c.png").stat().st_size > 5_000


def test_a_confusion_matrix_says_every_count() -> None:
    counts = np.array([[1203, 0, 4], [0, 90, 10], [1, 0, 0]])
    figure = confusion_plot(counts, ("one", "two", "three"), title="confused")
    found = texts(figure)
    assert [found.count(str(n)) for n in ("90", "4", "10", "1")] == [1, 1, 1, 1]
    assert {"1,203", "one", "two", "three", "answer", "class", "confused"} <= set(found)
    assert f"{1293 / 1308:.2%} of 1,308 right" in found
    assert "0" not in found
    (image,) = figure.axes[0].images
    colours = image.get_array()
    assert (colours[counts == 0] == 1.0).all()  # white
    blue, vermilion = colours[0, 0], colours[2, 0]
    assert blue[2] > blue[0]
    assert vermilion[0] > vermilion[2]
    assert (colours[0, 2] < 1.0).any()  # 4 of 1,207 are to be seen


def test_many_classes_have_colours_only() -> None:
    figure = confusion_plot(np.eye(20, dtype=int) * 77)
    assert "77" not in texts(figure)
    assert "19" in texts(figure)
    assert "100.00% of 1,540 right" in texts(figure)


def test_a_mark_covers_the_step_of_its_spike() -> None:
    first, second = np.zeros((4, 3)), np.zeros((4, 50))
    first[1, 2], first[3, 0], second[0, 49] = 1.0, 2.0, 1.0
    figure = layer_raster({"input": first, "hidden": second}, dt=0.5, title="a sample")
    above, below = figure.axes
    (marks,) = above.collections
    assert [segment.tolist() for segment in marks.get_segments()] == [
        [[0.5, 2.0], [1.0, 2.0]],
        [[1.5, 0.0], [2.0, 0.0]],
    ]
    assert len(below.collections[0].get_segments()) == 1
    assert below.get_xlim() == (0.0, 2.0)
    expected = {
        "input",
        "hidden",
        "a sample",
        "time (ms)",
        "2 spikes, 2 of 3 active",
        "1 spikes, 1 of 50 active",
    }
    assert expected <= set(texts(figure))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: learning_curves({}), "one quantity or more"),
        (lambda: learning_curves({"loss": {}}), "one quantity or more"),
        (lambda: confusion_plot(np.ones((2, 3), int)), r"whole numbers >= 0, \[classes, classes\]"),
        (lambda: confusion_plot(np.ones((2, 2))), "whole numbers"),
        (lambda: confusion_plot(np.eye(2, dtype=int), ("a",)), "2 names, one for each row"),
        (lambda: layer_raster({}), r"arrays \[T, n\] with the same T"),
        (lambda: layer_raster({"a": np.ones((3, 2)), "b": np.ones((4, 2))}), "with the same T"),
        (lambda: confusion_plot(np.eye(2, dtype=int), path="a.xyz"), "a file name that ends in"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make: object, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        make()
