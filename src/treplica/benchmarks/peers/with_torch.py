"""What the scripts of the layer benchmark share: weights and input, times, memory, the check of the dynamics.

One Linear(n, n) without bias and one layer of leaky neurons:

    v <- decay * v + x;  spike = v >= threshold;  v <- 0 where there is a spike

The reset passes no gradient to the spike. The spike's derivative is that of the arctan surrogate,
alpha / 2 / (1 + (pi / 2 * alpha * (v - threshold))^2). The loss is the sum of all spikes.
"""

import ctypes
import json
import statistics
import time
from pathlib import Path

import numpy as np
import timing
import torch

THRESHOLD = 1.0
#: Of glibc's mallopt: blocks of so many bytes are mapped by themselves.
M_MMAP_THRESHOLD = -3


def inputs(s):
    """Float32 [steps, batch, neurons]: Gaussian noise, or spikes of a probability; and weights [neurons, neurons].

    The weights are scaled so that the current into a neuron has the standard deviation `drive` for every input.
    """
    random = torch.Generator().manual_seed(s["seed"])
    shape = (s["steps"], s["batch"], s["neurons"])
    if s["input"] == "noise":
        x, power = torch.randn(shape, generator=random), 1.0
    else:
        power = s["probability"]
        x = torch.empty(shape).bernoulli_(power, generator=random)
    weights = torch.randn(s["neurons"], s["neurons"], generator=random)
    return x, weights.mul_(s["drive"] / (power * s["neurons"]) ** 0.5)


class Layer(torch.nn.Module):
    """Linear over all steps at once, then neurons: a peer's layer has `rest` and `advance`.

    With `compile`, `advance` goes through torch.compile in blocks of so many steps. Its loop over steps is unrolled
    by that, so the time of compilation grows with the block, for some peers to hours for a whole input.
    """

    def __init__(self, s, weights):
        super().__init__()
        self.linear = torch.nn.Linear(*reversed(weights.shape), bias=False, device="meta")
        self.linear.weight = torch.nn.Parameter(weights)
        self.block = s["compile"]

    def rest(self, current):
        """The state before the first step; current [B, n]."""
        return torch.zeros_like(current)

    def advance(self, currents, state):
        """Spikes of some steps and the state after them; currents [t, B, n]."""
        raise NotImplementedError

    def forward(self, x):
        """Spikes [T, B, n] of x [T, B, n], from rest."""
        currents = self.linear(x)
        state = self.rest(currents[0])
        if not self.block:
            return self.advance(currents, state)[0]
        parts = []
        for block in currents.split(self.block):
            spikes, state = self.advance(block, state)
            parts.append(spikes)
        return torch.cat(parts)


def measure(layer, version, s=None):
    """Print the figures of a kind of `Layer`; with `check`, a folder, what it makes of the input that lies there.

    s: settings, if not the script's argument.
    """
    s = s or timing.settings()
    torch.set_num_threads(s["threads"])
    about = {"version": version, "versions": {"torch": torch.__version__, "numpy": np.__version__}}
    found = {"fingerprint": fingerprint(s, layer)} if s.get("check") else {"figures": figures(s, layer)}
    print(json.dumps({**found, **about}))


def figures(s, layer):
    """Times, as medians, memory and the share of neurons that spike in a step."""
    small = {**s, "neurons": 8, "steps": 3, "compile": 0}
    once(made(layer, small, inputs(small)[1]), inputs(small)[0])  # loads libraries, starts threads
    x, weights = inputs(s)
    module, found = made(layer, s, weights), {}
    if s["compile"]:
        started = time.perf_counter()
        for _ in range(2):  # some peers' state is of another kind at first
            once(module, x)
        found["compile_s"] = time.perf_counter() - started
    once(module, x)
    runs = [once(module, x) for _ in range(s["repeats"])]
    found |= {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    return found | memory(module, x)


def made(layer, s, weights):
    """The module, its steps compiled if asked for."""
    module = layer(s, weights)
    if s["compile"]:
        module.advance = torch.compile(module.advance, dynamic=False)
    return module


def once(module, x):
    """Forward and backward, timed. On the CPU an operation has ended when it returns: there is nothing to wait for."""
    started = time.perf_counter()
    spikes = module(x)
    middle = time.perf_counter()
    spikes.sum().backward()
    ended = time.perf_counter()
    for parameter in module.parameters():
        parameter.grad = None
    return {
        "forward_s": middle - started,
        "backward_s": ended - middle,
        "rate": spikes.detach().mean().item(),
    }


def memory(module, x):
    """Bytes above what is held before (input, weights, libraries): at the peak of both passes, and kept between them.

    The peak is the kernel's own: writing 5 to clear_refs sets VmHWM back to the memory now resident, and reading it
    later gives the highest since. Nothing can be missed between samples, and memory that is asked for and never
    touched does not count. What earlier work has freed is given back to the system first: a pass that fills such
    pages again would seem to need none.

    The C library's heap has holes, where a freed block is too small for the next one; with blocks of one step they
    can double the peak, in one run and not in the next. So there are two measurements, with each block mapped by
    itself, which leaves no holes but takes whole pages, and from the heap. The smaller one counts. Needs Linux.
    """
    libc = ctypes.CDLL(None)
    found = []
    for least in (4096, 2**25):  # the heap serves what is smaller
        libc.mallopt(M_MMAP_THRESHOLD, least)
        libc.malloc_trim(0)
        before = reset_peak()
        spikes = module(x)
        forward = timing.peak_memory() - before
        libc.malloc_trim(0)
        kept = reset_peak() - before
        spikes.sum().backward()
        backward = timing.peak_memory() - before
        for parameter in module.parameters():
            parameter.grad = None
        del spikes
        found.append({"forward_peak_bytes": forward, "backward_peak_bytes": backward, "kept_bytes": kept})
        found[-1]["peak_memory_bytes"] = max(forward, backward)
    return min(found, key=lambda one: one["peak_memory_bytes"])


def reset_peak():
    """Begin a new peak; the bytes resident now."""
    Path("/proc/self/clear_refs").write_text("5")
    return timing.peak_memory()


def fingerprint(s, layer):
    """Run on input.npy, weights.npy and direction.npy of a folder; the names of the files of spikes and gradient.

    The loss is the sum of spikes times direction [T, B, n], so that every spike counts in its own way.
    """
    folder = Path(s["check"])
    x, weights, direction = (
        torch.from_numpy(np.load(folder / f"{name}.npy")) for name in ("input", "weights", "direction")
    )
    module = made(layer, s, weights)
    spikes = module(x)
    (spikes * direction).sum().backward()
    (parameter,) = module.parameters()
    found = {"spikes": spikes.detach().numpy(), "gradient": parameter.grad.numpy()}
    files = {name: str(folder / f"{name}-{s['name']}.npy") for name in found}
    for name, array in found.items():
        np.save(files[name], array)
    return files
