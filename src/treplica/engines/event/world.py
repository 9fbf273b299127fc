"""What the compiled loop works on: every array, and what its columns mean."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Columns of a population. first: number of its neuron 0 among all. sums: where the sums of its port 0 begin. onto:
#: what each port changes, `DELTA` or a current. links_from, links_to: its connections. heard, listens: whether the loop
#: is to stop after its spikes, and after arrivals. pending: where its list of neurons begins that wait for their step.
POPULATION = (
    "kind", "first", "size", "ports", "sums", "onto_0", "onto_1", "onto_2", "links_from", "links_to", "heard",
    "listens", "pending",
)  # fmt: skip
(P_KIND, P_FIRST, P_SIZE, P_PORTS, P_SUMS, P_ONTO, _, _, P_LINKS_FROM, P_LINKS_TO, P_HEARD, P_LISTENS,
 P_PENDING) = range(len(POPULATION))  # fmt: skip
P_COLUMNS = len(POPULATION)
#: Ports of a neuron with a closed form, at most, and what they change.
MOST_PORTS, DELTA = 3, -1

#: Columns of a connection. first: its first source neuron. rows: how many. indptr: where theirs begin. neuron:
#: the target neuron 0 among all. sums: where the sums of the port begin. drawn: whether
#: synapses have weights of their own, that of synapse j at `weights` + j. timed: likewise for delays. stepped: whether
#: its targets have no closed form. listens: whether somebody waits for what arrives at them.
LINK = (
    "first", "rows", "indptr", "neuron", "sums", "weight", "drawn", "weights", "timed", "delays", "population",
    "stepped", "listens",
)  # fmt: skip
(L_FIRST, L_ROWS, L_INDPTR, L_NEURON, L_SUMS, L_WEIGHT, L_DRAWN, L_WEIGHTS, L_TIMED, L_DELAYS, L_POPULATION,
 L_STEPPED, L_LISTENS) = range(len(LINK))  # fmt: skip
L_COLUMNS = len(LINK)
#: Columns of a drive. sums: those of its port, or -1 where it makes neurons fire. ids: where its neurons are listed.
#: chances: where their cumulative rates begin, or -1 where all are equal. count: spikes so far. next: the one that it
#: reaches.
DRIVE = ("stream", "sums", "neuron", "ids", "size", "chances", "count", "next")
D_STREAM, D_SUMS, D_NEURON, D_IDS, D_SIZE, D_CHANCES, D_COUNT, D_NEXT = range(len(DRIVE))
D_COLUMNS = len(DRIVE)

#: Numbers of the loop itself. fired, sent: neurons that fired at this instant, and those of them that were sent.
#: written: spikes in the buffer. events, updates: synapses of sent spikes, neurons brought up to date. given: the next
#: given arrival. pause: somebody waits for what happened. step: whether neurons without a closed form have their step.
#: noted: arrivals that somebody listens to. crossed: levels that were crossed. broken: number of a neuron whose state
#: is not finite, plus 1.
BOARD = (
    "fired",
    "sent",
    "written",
    "events",
    "updates",
    "given",
    "pause",
    "step",
    "noted",
    "crossed",
    "broken",
)
(B_FIRED, B_SENT, B_WRITTEN, B_EVENTS, B_UPDATES, B_GIVEN, B_PAUSE, B_STEP, B_NOTED, B_CROSSED,
 B_BROKEN) = range(len(BOARD))  # fmt: skip
#: How many there are of what. clocks: the last is the one of the next step. buffer: spikes that it holds.
SIZES = ("neurons", "drives", "watches", "clocks", "given", "buffer")
S_NEURONS, S_DRIVES, S_WATCHES, S_CLOCKS, S_GIVEN, S_BUFFER = range(len(SIZES))
#: Marks of a neuron: something arrives at it, it fires by itself, it crosses a level by itself.
TOUCHED, FIRES, CROSSES = 1, 2, 4

#: Why the loop returns: the time is over, the queue or the buffer of spikes is full, somebody waits for what happened,
#: neurons without a closed form have their step, a state is not finite.
DONE, NO_ROOM, FULL, PAUSED, STEP, BROKEN = range(6)


class World(NamedTuple):
    """Neurons, numbered through all populations, with what arrives at them.

    cells: float64[neurons, CELL]. owner: int32[neurons, 2], population and row of constants. constants:
    float64[classes, COLUMNS]. populations: int64[populations, POPULATION]. units: float64[populations, MOST_PORTS].
    sums: int64, whole units by port and neuron. extra: float64, likewise, of Poisson drives. reached: uint8, likewise,
    whether something has arrived, where somebody listens. mark: uint8[neurons]. touched, fired: int32[neurons].
    values: int32[neurons], of the spikes. pending: int32, neurons that wait for their step. waiting:
    int64[populations], how many. noted: float64[neurons, MOST_PORTS + 1], neuron and what arrived (NaN: nothing).
    watches: int64[watches, 3], population, clock of its neuron 0, column of the cell. levels: float64[watches].
    crossed: int32[most, 2], watch and neuron. now: float64[2], time of the instant and of the spikes that are sent.
    seed: uint32[2]. board: int64[BOARD]. sizes: int64[SIZES]. grid: float64[2], length of a step and how much later
    steps are computed.
    """

    cells: NDArray[np.float64]
    owner: NDArray[np.int32]
    constants: NDArray[np.float64]
    populations: NDArray[np.int64]
    units: NDArray[np.float64]
    sums: NDArray[np.int64]
    extra: NDArray[np.float64]
    reached: NDArray[np.uint8]
    mark: NDArray[np.uint8]
    touched: NDArray[np.int32]
    fired: NDArray[np.int32]
    values: NDArray[np.int32]
    pending: NDArray[np.int32]
    waiting: NDArray[np.int64]
    noted: NDArray[np.float64]
    watches: NDArray[np.int64]
    levels: NDArray[np.float64]
    crossed: NDArray[np.int32]
    now: NDArray[np.float64]
    seed: NDArray[np.uint32]
    board: NDArray[np.int64]
    sizes: NDArray[np.int64]
    grid: NDArray[np.float64]


class Synapses(NamedTuple):
    """Rows of all connections, one behind the other.

    links: int64[connections, LINK]. delay: float64[connections], where there is one for all. indptr: int64. targets:
    int32, ids in the target population. weights: int32 or int64, whole units. delays: float64, ms, ascending in a row.
    """

    links: NDArray[np.int64]
    delay: NDArray[np.float64]
    indptr: NDArray[np.int64]
    targets: NDArray[np.int32]
    weights: NDArray[np.signedinteger]
    delays: NDArray[np.float64]


class Drives(NamedTuple):
    """Poisson spikes in continuous time, one process for all neurons of a drive.

    table: int64[drives, DRIVE]. rates: float64[drives], all spikes per ms. weights: float64[drives]. ids: int32,
    neurons. chances: float64, cumulative rates over their sum.
    """

    table: NDArray[np.int64]
    rates: NDArray[np.float64]
    weights: NDArray[np.float64]
    ids: NDArray[np.int32]
    chances: NDArray[np.float64]


class Given(NamedTuple):
    """Arrivals that are given, times ascending. sums: which sum each changes. neurons: whose that is."""

    times: NDArray[np.float64]
    sums: NDArray[np.int64]
    neurons: NDArray[np.int32]
    amounts: NDArray[np.int64]


class Fired(NamedTuple):
    """Spikes that were found: times in ms, neurons, values."""

    times: NDArray[np.float64]
    neurons: NDArray[np.int32]
    values: NDArray[np.int32]
