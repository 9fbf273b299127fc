"""What the scripts that train on MNIST share: images as latencies, the network's weights, training, the clock.

Layers of leaky neurons, as in `with_torch`, without biases; the last one is a leaky integrator v <- decay * v + x that
never spikes. The loss is the cross entropy of its v, summed over time or at its maximum, and the optimiser is Adam.
"""

import gzip
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import timing
import torch

CLASSES, PIXELS = 10, 784


def idx(name):
    """Array of bytes of an idx file of MNIST in $TREPLICA_DATA/mnist, gzipped or not."""
    data = os.environ.get("TREPLICA_DATA")
    folder = Path(data) / "mnist" if data else Path.home() / ".cache" / "treplica" / "mnist"
    plain, packed = folder / name, folder / f"{name}.gz"
    content = gzip.decompress(packed.read_bytes()) if packed.exists() else plain.read_bytes()
    axes = content[3]
    shape = np.frombuffer(content, ">u4", axes, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def split(prefix, s):
    """Step of the spike of every pixel int16 [m, 784], `steps` where it is silent; labels int64 [m].

    1 comes in the first step, 0 would come in the last; values up to `cut` are silent.
    """
    values = np.arange(256) / 255.0
    steps = np.rint(1.0 + (1.0 - values) * (s["steps"] - 1)) - 1.0
    steps = np.where(values > s["cut"], steps, s["steps"]).astype(np.int16)
    images = idx(f"{prefix}-images-idx3-ubyte").reshape(-1, PIXELS)
    labels = idx(f"{prefix}-labels-idx1-ubyte").astype(np.int64)
    return torch.from_numpy(steps[images]), torch.from_numpy(labels)


def dense(steps, s):
    """Spikes float32 [T, B, 784], at most one for every pixel."""
    spikes = torch.zeros(s["steps"] + 1, *steps.shape)
    return spikes.scatter_(0, steps[None].long(), 1.0)[:-1]


class Network(torch.nn.Module):
    """The linear layers; what is between them is a peer's. Weights are uniform, within gain / sqrt(inputs)."""

    def __init__(self, s):
        super().__init__()
        sizes = [PIXELS, *s["hidden"], CLASSES]
        random = torch.Generator().manual_seed(s["seed"])
        self.linears = torch.nn.ModuleList()
        for inputs, outputs, gain in zip(sizes[:-1], sizes[1:], s["gains"], strict=True):
            layer = torch.nn.Linear(inputs, outputs, bias=False)
            bound = gain / inputs**0.5
            torch.nn.init.uniform_(layer.weight, -bound, bound, generator=random)
            self.linears.append(layer)


def train(kind, version):
    """Train what kind(settings) makes: a `Network` from spikes [T, B, 784] to scores [B, 10].

    Prints a line after each epoch: test accuracy, and the seconds of training so far, without evaluation. Stops at the
    accuracy `target`, after `limit_s` of training, or after `epochs`.
    """
    s = timing.settings()
    torch.set_num_threads(s["threads"])
    network = kind(s)
    run = torch.compile(network, dynamic=False) if s["compile"] else network
    (steps, labels), test = split("train", s), split("t10k", s)
    optimiser = torch.optim.Adam(network.parameters(), lr=s["lr"])
    random = torch.Generator().manual_seed(s["seed"])
    epochs, losses, first_step_s, elapsed = [], [], None, 0.0
    while not epochs or (
        epochs[-1]["accuracy"] < s["target"] and elapsed < s["limit_s"] and len(epochs) < s["epochs"]
    ):
        started = time.perf_counter()
        order = torch.randperm(len(steps), generator=random)
        for batch in order[: len(order) // s["batch"] * s["batch"]].split(s["batch"]):
            optimiser.zero_grad()
            loss = torch.nn.functional.cross_entropy(run(dense(steps[batch], s)), labels[batch])
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
            now = elapsed + time.perf_counter() - started
            first_step_s = first_step_s or now
            if now > s["limit_s"]:
                break
        elapsed += time.perf_counter() - started
        epochs.append({"accuracy": accuracy(network, *test, s), "elapsed_s": elapsed, "loss": losses[-1]})
        print(json.dumps(epochs[-1]), file=sys.stderr, flush=True)
    figures = {
        "accuracy": epochs[-1]["accuracy"],
        "elapsed_s": elapsed,
        "first_step_s": first_step_s,
        "batches": len(losses),
        "first_loss": losses[0],
        "peak_memory_bytes": timing.peak_memory(),
    }
    about = {"torch": torch.__version__, "numpy": np.__version__}
    print(json.dumps({"figures": figures, "version": version, "versions": about, "epochs": epochs}))


@torch.no_grad()
def accuracy(network, steps, labels, s):
    """Share of images whose label has the highest score."""
    batches = zip(steps.split(1000), labels.split(1000), strict=True)
    right = sum(int((network(dense(one, s)).argmax(1) == label).sum()) for one, label in batches)
    return right / len(labels)
