"""Images from files, as floats from 0 (black) to 1."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treplica.coding.files import optional, reading
from treplica.coding.grid import check_count
from treplica.errors import DescriptionError, InvalidValue

Images = NDArray[np.float32]

# Luminance of red, green and blue, ITU-R BT.601.
LUMINANCE = np.array([0.299, 0.587, 0.114])


def read_images(path: str | os.PathLike[str], shape: tuple[int, int] | None = None) -> Images:
    """Images float32[m, h, w] in 0 … 1.

    - `path`: one of
        - .npy, or .npz with one array or one named "images": [h, w] or [m, h, w]; truth values, floats in
          0 … 1, or grey levels as uint8 or uint16;
        - .csv: one image per line, row by row, as floats in 0 … 1, or grey levels 0 … 255 where one is > 1;
        - .png, or a folder of .png of one size, in the order of their names (colours by luminance, alpha
          ignored; needs matplotlib).
    - `shape`: (h, w) of the images of a .csv; None for square ones

    Raises `DescriptionError` for what cannot be read so, `MissingExtra` without matplotlib.
    """
    place = Path(path)
    if place.is_dir():
        files = sorted(entry for entry in place.iterdir() if entry.suffix.lower() == ".png")
        if not files:
            raise DescriptionError(place, "is a folder without .png files")
        return _stack(files)
    match place.suffix.lower():
        case ".png":
            return _stack([place])
        case ".npy" | ".npz":
            return _grey(place, _load_array(place))
        case ".csv":
            return _grey(place, _load_table(place, shape))
    advice = "Give a .npy, .npz, .csv or .png file or a folder of .png files."
    raise DescriptionError(place, "has a name that tells no known image format", advice)


def _load_array(path: Path) -> NDArray[Any]:
    with reading(path, "NumPy file"):
        if path.suffix.lower() == ".npy":
            # Mapped first, so that a damaged header cannot ask for more memory than the file has bytes.
            return np.array(np.lib.format.open_memmap(path, mode="r"))
        # Opened here, because NumPy leaves a damaged archive open.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as found:
            names = found.files
            name = "images" if "images" in names else names[0] if len(names) == 1 else None
            if name is None:
                listing = ", ".join(names) or "none"
                raise DescriptionError(path, f"holds no array named images (its arrays: {listing})")
            return np.asarray(found[name])


def _load_table(path: Path, shape: tuple[int, int] | None) -> NDArray[Any]:
    with reading(path, "CSV file of numbers"):
        lines = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
        if not lines:
            raise ValueError("it is empty")
        table = np.array([[float(cell) for cell in line.split(",")] for line in lines])
    width = table.shape[1]
    h, w = shape if shape is not None else (math.isqrt(width), math.isqrt(width))
    if h * w != width:
        wanted = f"{h}·{w}" if shape is not None else "a square number"
        raise DescriptionError(
            path, f"has {width} values per line, not {wanted}", "Give shape=(height, width)."
        )
    if (table > 1.0).any():
        if (table != np.rint(table)).any() or table.max() > 255.0:
            raise DescriptionError(path, "holds neither floats in 0 … 1 nor grey levels 0 … 255")
        table /= 255.0
    return table.reshape(-1, h, w)


def _grey(path: Path, array: NDArray[Any]) -> Images:
    """Images in 0 … 1 of an array of truth values, grey levels or floats."""
    images = array[None] if array.ndim == 2 else array
    if images.ndim != 3 or not images.size:
        raise DescriptionError(
            path, f"holds an array {list(array.shape)}, not images [m, h, w] or one [h, w]"
        )
    if images.dtype in (np.uint8, np.uint16):
        return (images / float(np.iinfo(images.dtype).max)).astype(np.float32)
    if images.dtype.kind not in "bf":
        advice = "Convert it to uint8 levels or to floats in 0 … 1."
        raise DescriptionError(path, f"holds numbers of type {images.dtype}", advice)
    floats = images.astype(np.float64)
    if not ((floats >= 0.0) & (floats <= 1.0)).all():
        raise DescriptionError(path, "holds values outside 0 … 1", "Scale them first.")
    return floats.astype(np.float32)


def _stack(files: list[Path]) -> Images:
    images = [_read_png(file) for file in files]
    for file, image in zip(files, images, strict=True):
        if image.shape != images[0].shape:
            size, first = ("·".join(map(str, one.shape)) for one in (image, images[0]))
            raise DescriptionError(
                file, f"has {size} pixels, but {files[0].name} has {first}", "Use `resize` first."
            )
    return np.stack(images)


def _read_png(path: Path) -> Images:
    image = optional("matplotlib.image", "plot", "Reading PNG images")
    with reading(path, "PNG image"), open(path, "rb") as file:
        pixels = np.asarray(image.imread(file, format="png"), dtype=np.float64)
    if pixels.ndim == 3:  # grey and alpha; red, green and blue; or these and alpha
        pixels = pixels[..., 0] if pixels.shape[2] < 3 else pixels[..., :3] @ LUMINANCE
    return np.clip(pixels, 0.0, 1.0).astype(np.float32)


def resize(images: ArrayLike, height: int, width: int) -> NDArray[Any]:
    """Images [m, h, w] in another size, [m, height, width], in their own float type (float64 for integers).

    Along each axis: mean over the area of a pixel when shrinking (so the image's mean stays), linear
    interpolation between pixel centres when growing. Raises `InvalidValue`.
    """
    given = np.asarray(images)
    if given.ndim != 3 or not given.size or given.dtype.kind not in "biuf":
        raise InvalidValue(
            "images", (given.shape, str(given.dtype)), "an array of numbers [m, h, w], none of them 0"
        )
    floats = given if given.dtype.kind == "f" else given.astype(np.float64)
    rows = _weights(given.shape[1], check_count("height", height, 1)).astype(floats.dtype)
    columns = _weights(given.shape[2], check_count("width", width, 1)).astype(floats.dtype)
    resized: NDArray[Any] = rows @ floats @ columns.T
    return resized


def _weights(old: int, new: int) -> NDArray[np.float64]:
    """Matrix [new, old] that resamples one axis; its rows sum to 1."""
    if new <= old:
        edges = np.arange(new + 1) * (old / new)
        left, right = edges[:-1, None], edges[1:, None]
        pixels = np.arange(old)
        overlap = np.minimum(right, pixels + 1) - np.maximum(left, pixels)
        weights = overlap * (new / old)
    else:
        centres = np.clip((np.arange(new) + 0.5) * (old / new) - 0.5, 0.0, old - 1.0)
        weights = 1.0 - np.abs(centres[:, None] - np.arange(old))
    positive: NDArray[np.float64] = np.maximum(weights, 0.0)
    return positive
