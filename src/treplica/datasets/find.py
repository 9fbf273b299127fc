"""Where the files of data sets are: given, in TREPLICA_DATA, in the cache, or not yet here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from treplica.coding.files import cache_root
from treplica.datasets.download import download
from treplica.datasets.progress import Report
from treplica.datasets.sources import SOURCES
from treplica.errors import DescriptionError, InvalidValue

Folder = str | os.PathLike[str] | None


@dataclass(frozen=True)
class Search:
    """How the files of one data set are looked for.

    - `dataset`: name of its folder in TREPLICA_DATA and in the cache
    - `folder`: where to look instead; nothing is downloaded then
    - `download`: whether a file that is nowhere is downloaded into the cache
    - `report`: see `Report`
    """

    dataset: str
    folder: Folder = None
    download: bool = True
    report: Report | None = None

    def find(self, *names: str) -> Path:
        """The first of these files and folders that is there; the first of them can be downloaded.

        Raises `DescriptionError` where none is there and none is to be downloaded, and what `download` raises.
        """
        places = self._places()
        for place in places:
            for name in names:
                if (place / name).exists():
                    return place / name
        if self.folder is None and self.download:
            return download(SOURCES[self.dataset][names[0]], places[-1], self.report)
        raise self._absent(names, places)

    def _places(self) -> list[Path]:
        if self.folder is not None:
            return [Path(self.folder).absolute()]
        own = os.environ.get("TREPLICA_DATA")
        if own and not Path(own).is_dir():
            raise InvalidValue("TREPLICA_DATA", own, "a folder that exists", "Correct or unset it.")
        return [*([Path(own) / self.dataset] if own else []), cache_root() / self.dataset]

    def _absent(self, names: tuple[str, ...], places: list[Path]) -> DescriptionError:
        address = SOURCES[self.dataset][names[0]].addresses[0]
        advice = f"Download {address} there, as {names[0]}"
        if self.folder is None:
            advice += ", or allow it with download=True"
        where = " nor in ".join(str(place) for place in places)
        return DescriptionError(" or ".join(names), f"is not in {where}", f"{advice}.")
