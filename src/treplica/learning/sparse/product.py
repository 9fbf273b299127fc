"""Products of spikes with weights on tensors."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from treplica.learning.native.launch import Value, launch
from treplica.learning.native.threads import threads_for


class Entries(NamedTuple):
    """The non-zero entries of a matrix, row by row: starts int64[rows + 1], columns int32[k], values [k]."""

    starts: Tensor
    columns: Tensor
    values: Tensor


def entries_of(x: Tensor, most: float = 1.0) -> Entries | None:
    """The entries of a matrix [rows, inputs], contiguous on the CPU; None where they are more than a share `most`."""
    from treplica.learning.sparse.kernels_product import TOO_MANY

    rows, inputs = x.shape
    starts = torch.zeros(rows + 1, dtype=torch.int64)
    # Memory that is never touched costs nothing.
    room = rows * inputs
    roomy = dict(COLUMNS=torch.empty(room, dtype=torch.int32), VALUES=x.new_empty(room))
    given = dict(ROWS=rows, INPUTS=inputs, MOST=int(most * room), DENSE=x, STARTS=starts, **roomy)
    if _run("collect", x.dtype, rows, given) >= TOO_MANY:
        return None
    torch.cumsum(starts, 0, out=starts)
    count = int(starts[-1])
    columns, values = torch.empty(count, dtype=torch.int32), x.new_empty(count)
    _run("pack", x.dtype, rows, given | dict(SORTED_ROWS=columns, SORTED=values))
    return Entries(starts, columns, values)


def times(entries: Entries, weights: Tensor, bias: Tensor | None) -> Tensor:
    """[rows, outputs] = entries times weights [inputs, outputs], plus bias [outputs]. Contiguous."""
    rows, (inputs, outputs) = entries.starts.numel() - 1, weights.shape
    result = weights.new_empty((rows, outputs))
    given = dict(ROWS=rows, INPUTS=inputs, OUTPUTS=outputs, WEIGHTS=weights, BIAS=bias, RESULT=result)
    _run("forward", weights.dtype, rows * outputs, given | _of(entries))
    return result


def transposed_times(entries: Entries, gradient: Tensor, inputs: int) -> Tensor:
    """[inputs, outputs] = entries, transposed, times a gradient [rows, outputs]. Contiguous."""
    from treplica.learning.sparse.kernels_product import TILE

    rows, outputs = gradient.shape
    places = torch.empty((-(-rows // TILE), inputs + 1), dtype=torch.int32)
    rows_of, values_of = torch.empty_like(entries.columns), torch.empty_like(entries.values)
    by_column = dict(PLACES=places, SORTED_ROWS=rows_of, SORTED=values_of)
    given = dict(ROWS=rows, INPUTS=inputs, OUTPUTS=outputs, **by_column, **_of(entries))
    _run("transpose", gradient.dtype, rows, given)
    weights = gradient.new_empty((inputs, outputs))
    _run("backward", gradient.dtype, outputs, given | dict(WEIGHTS=weights, RESULT=gradient))
    return weights


def _of(entries: Entries) -> dict[str, Value]:
    return dict(STARTS=entries.starts, COLUMNS=entries.columns, VALUES=entries.values)


def _run(name: str, dtype: torch.dtype, work: int, given: dict[str, Value]) -> int:
    """Run a kernel; its counter of chunks afterwards."""
    from treplica.learning.sparse import kernels_product

    return launch(kernels_product, name, dtype.itemsize, given, threads_for(work // 64 + 1))
