"""Products of spikes with weights on tensors."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from treplica.learning.native.launch import Value, launch
from treplica.learning.native.threads import threads_for

#: Rows whose entries are sorted by column together: their gradients fit the second-level cache.
TILE = 512
#: Rows that tell whether it is worth to look at all.
_LOOKED_AT = 32


class Entries(NamedTuple):
    """The non-zero entries of a matrix, row by row: starts int64[rows + 1], columns int32[k], values [k]."""

    starts: Tensor
    columns: Tensor
    values: Tensor


def entries_of(x: Tensor, most: float = 1.0) -> Entries | None:
    """The entries of a matrix [rows, inputs], contiguous on the CPU; None where they are more than a share `most`.

    Where some rows have twice that share, the others are not looked at.
    """
    from treplica.learning.sparse.kernels_product import ROWS, TOO_MANY

    rows, inputs = x.shape
    if most < 1.0 and rows > _LOOKED_AT:
        some = x[:: rows // _LOOKED_AT]
        if int(some.count_nonzero()) > 2.0 * most * some.numel():
            return None
    starts, placed = (
        torch.zeros(rows + 1, dtype=torch.int64),
        torch.empty(rows // ROWS + 1, dtype=torch.int64),
    )
    room, most_entries = torch.get_num_threads() * ROWS * inputs, int(most * rows * inputs)
    given: dict[str, Value] = dict(
        ROWS=rows, INPUTS=inputs, MOST=most_entries, DENSE=x, STARTS=starts, PLACED=placed
    )
    given |= dict(TILE_COLUMNS=torch.empty(room, dtype=torch.int32), TILE_VALUES=x.new_empty(room))
    given |= dict(
        FOUND_COLUMNS=torch.empty(most_entries, dtype=torch.int32), FOUND_VALUES=x.new_empty(most_entries)
    )
    if _run("collect", x.dtype, rows, given) >= TOO_MANY:
        return None
    torch.cumsum(starts, 0, out=starts)
    count = int(starts[-1])
    columns, values = torch.empty(count, dtype=torch.int32), x.new_empty(count)
    _run("pack", x.dtype, rows, given | dict(COLUMNS=columns, VALUES=values))
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
    rows, outputs = gradient.shape
    weights = gradient.new_empty((inputs, outputs))
    given = dict(ROWS=rows, INPUTS=inputs, OUTPUTS=outputs, WEIGHTS=weights, RESULT=gradient)
    _run("backward", gradient.dtype, outputs, given | by_column(entries, inputs, 1).slots())
    return weights


class ByColumn(NamedTuple):
    """Entries of rows (t, b), sorted by column within tiles of `group` samples and `span` steps, samples first.

    bases: int64[tiles], where the entries of a tile begin; places: int32[tiles, inputs + 1], where in a tile those of
    a column do; rows: int32[entries], the row within the tile; values [entries].
    """

    group: int
    span: int
    bases: Tensor
    places: Tensor
    rows: Tensor
    values: Tensor

    def slots(self) -> dict[str, Value]:
        """By the names that kernels give them."""
        return dict(
            GROUP=self.group, SPAN=self.span, BASES=self.bases, PLACES=self.places, SORTED_ROWS=self.rows,
            SORTED=self.values,
        )  # fmt: skip


def by_column(entries: Entries, inputs: int, batch: int, unit: int = 1) -> ByColumn:
    """Entries of rows (t, b) of so many samples by column; tiles have a whole number of `unit` steps, or the last."""
    steps = (entries.starts.numel() - 1) // batch
    span = steps if steps <= TILE else max(unit, TILE // unit * unit)
    group = max(1, TILE // span)
    pieces, groups = -(-steps // span), -(-batch // group)
    counts = torch.zeros(pieces * span, groups * group, dtype=torch.int64)
    counts[:steps, :batch] = entries.starts.diff().view(steps, batch)
    each = counts.view(pieces, span, groups, group).sum((1, 3)).t().reshape(-1)
    bases = each.cumsum(0) - each
    places = torch.empty((pieces * groups, inputs + 1), dtype=torch.int32)
    found = ByColumn(
        group, span, bases, places, torch.empty_like(entries.columns), torch.empty_like(entries.values)
    )
    given = dict(ROWS=steps * batch, INPUTS=inputs, BATCH=batch, **_of(entries))
    _run("transpose", entries.values.dtype, steps * batch, given | found.slots())
    return found


def _of(entries: Entries) -> dict[str, Value]:
    return dict(STARTS=entries.starts, COLUMNS=entries.columns, VALUES=entries.values)


def _run(name: str, dtype: torch.dtype, work: int, given: dict[str, Value]) -> int:
    """Run a kernel; its counter of chunks afterwards."""
    from treplica.learning.sparse import kernels_product

    return launch(kernels_product, name, dtype.itemsize, given, threads_for(work // 64 + 1))
