"""Spikes as a tensor of their places: what reaches a layer when nearly all entries are zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from treplica.errors import InvalidValue
from treplica.learning.sparse.product import Entries, entries_of


@dataclass(frozen=True, eq=False)
class SpikeTensor:
    """A time-major tensor [T, B, n] by its non-zero entries, on the CPU.

    starts: int64[T B + 1], where the entries of row (t, b) begin. channels: int32[k], ascending within a row. values:
    [k], 1 for a plain spike. Gradients flow to weights, not to spikes.
    """

    shape: tuple[int, int, int]
    starts: Tensor
    channels: Tensor
    values: Tensor

    def __post_init__(self) -> None:
        rows = self.shape[0] * self.shape[1]
        if self.starts.shape != (rows + 1,) or self.starts.dtype != torch.int64:
            raise InvalidValue(
                "SpikeTensor.starts", list(self.starts.shape), f"int64 of T B + 1 = {rows + 1} numbers"
            )
        if self.channels.dtype != torch.int32 or self.channels.shape != self.values.shape:
            allowed = f"int32, as many as values ({list(self.values.shape)})"
            raise InvalidValue(
                "SpikeTensor.channels", f"{self.channels.dtype} {list(self.channels.shape)}", allowed
            )

    @classmethod
    def of_rows(
        cls, shape: tuple[int, int, int], starts: np.ndarray[Any, Any], channels: np.ndarray[Any, Any]
    ) -> SpikeTensor:
        """Plain spikes from numpy arrays, such as `SpikeSamples.rows` gives."""
        places = torch.from_numpy(np.ascontiguousarray(channels, np.int32))
        return cls(
            shape, torch.from_numpy(np.ascontiguousarray(starts, np.int64)), places, torch.ones(places.shape)
        )

    @classmethod
    def of_dense(cls, x: Tensor) -> SpikeTensor:
        """The non-zero entries of a tensor [T, B, n] on the CPU."""
        if x.ndim != 3 or x.device.type != "cpu":
            raise InvalidValue(
                "SpikeTensor.of_dense(x)", f"{list(x.shape)} on {x.device}", "[T, B, n] on the CPU"
            )
        entries = entries_of(x.detach().flatten(0, 1).contiguous())
        assert entries is not None
        return cls((x.shape[0], x.shape[1], x.shape[2]), *entries)

    @property
    def ndim(self) -> int:
        """Three axes: time, samples, channels."""
        return 3

    @property
    def dtype(self) -> torch.dtype:
        """That of the values."""
        return self.values.dtype

    @property
    def entries(self) -> Entries:
        """As rows of a matrix [T B, n]."""
        return Entries(self.starts, self.channels, self.values)

    def to(self, dtype: torch.dtype) -> SpikeTensor:
        """The same with values of another type."""
        return SpikeTensor(self.shape, self.starts, self.channels, self.values.to(dtype))

    def dense(self) -> Tensor:
        """The tensor [T, B, n]."""
        rows = torch.repeat_interleave(torch.arange(len(self.starts) - 1), self.starts.diff())
        result = torch.zeros((len(self.starts) - 1, self.shape[2]), dtype=self.dtype)
        result[rows, self.channels.long()] = self.values
        return result.reshape(self.shape)

    def __len__(self) -> int:
        return int(self.channels.numel())

    def __repr__(self) -> str:
        return f"SpikeTensor({list(self.shape)}, {len(self)} spikes)"
