"""Texts of HDF5 files, read without the library's help.

They lie in global heaps, and the library does not notice what damage does to those: it walks in a circle forever (hdf5
issue 1707) or makes room for gigabytes of text. Here a place and a length are believed only where they fit.

HDF5 File Format Specification 3.0, III.E: after "GCOL", a version, 3 bytes and the length of the heap stand objects of
(index: 2 bytes, count: 2, nothing: 4, length: 8) and their content, filled up to 8 bytes; index 0 is what is left, with
the length of all of it. A data set holds for each text its (length: 4, heap: 8, index: 4).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

MARK = b"GCOL\x01"
HEAD = 16
OBJECT = struct.Struct("<H6xQ")
REFERENCE = struct.Struct("<IQI")


class Heaps:
    """The texts of a file, given as its bytes; `base` is where HDF5 begins in it."""

    def __init__(self, data: bytes, base: int = 0) -> None:
        self.data, self.base = data, base
        self.found: dict[tuple[int, int], tuple[int, int]] = {}
        for place in _marks(data):
            for index, start, length in _objects(data, place):
                self.found[place, index] = start, length

    def texts(self, place: int, count: int) -> list[str]:
        """Return the texts of a data set whose bytes are at `place`; raises `ValueError` where they are not there."""
        if not 0 <= place <= len(self.data) - count * REFERENCE.size:
            raise ValueError("its texts are not in the file")
        stop = place + count * REFERENCE.size
        return [self._text(*each) for each in REFERENCE.iter_unpack(self.data[place:stop])]

    def _text(self, length: int, heap: int, index: int) -> str:
        start, room = self.found.get((heap + self.base, index), (0, 0))
        if length > room:
            raise ValueError("one of its texts is not in the file")
        return self.data[start : start + length].partition(b"\0")[0].decode("utf-8")


def _marks(data: bytes) -> Iterator[int]:
    place = data.find(MARK)
    while place >= 0:
        yield place
        place = data.find(MARK, place + 1)


def _objects(data: bytes, start: int) -> Iterator[tuple[int, int, int]]:
    """Walk through a heap as far as it goes; give (index, place, length) of every object."""
    if start + HEAD > len(data):
        return
    end = min(len(data), start + int(struct.unpack_from("<8xQ", data, start)[0]))
    place = start + HEAD
    while place + HEAD <= end:
        index, length = OBJECT.unpack_from(data, place)
        if index == 0 or place + HEAD + length > end:
            return
        yield index, place + HEAD, length
        place += HEAD + (length + 7) // 8 * 8
