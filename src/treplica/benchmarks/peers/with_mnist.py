"""What the scripts that train on MNIST share: images as latencies, the network's weights, training, the clock.

A hidden layer of leaky neurons, as in `with_torch`; the last layer is a leaky integrator v <- decay * v + x that never
spikes. The loss is the cross entropy of the mean of its v over time. Hidden neurons are dropped for all steps of a
sample; pictures are shifted; the optimiser is AdamW, its learning rate goes through one cycle.
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

CLASSES, SIDE, PIXELS = 10, 28, 784


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


class Dense:
    """Spikes of images as tensors; a peer may have another form."""

    def __init__(self, steps, s):
        self.steps, self.s = steps, s

    def batch(self, chosen, by=None):
        """Spikes float32 [T, B, 784] of the images `chosen`, at most one for every pixel.

        by: int64 [B, 2], pixels by which an image is moved down and to the right; what comes in is silent.
        """
        steps, silent = self.steps[chosen], self.s["steps"]
        if by is not None:
            most = self.s["shift"]
            padded = torch.nn.functional.pad(steps.view(-1, SIDE, SIDE), [most] * 4, value=silent)
            rows, columns = torch.arange(SIDE) + most - by.T[:, :, None]
            samples = torch.arange(len(steps))[:, None, None]
            steps = padded[samples, rows[:, :, None], columns[:, None, :]].view(-1, PIXELS)
        spikes = torch.zeros(silent + 1, *steps.shape)
        return spikes.scatter_(0, steps[None].long(), 1.0)[:-1]


class Network(torch.nn.Module):
    """The linear layers; the neurons are a peer's. Weights are uniform, within gain / sqrt(inputs)."""

    def __init__(self, s):
        super().__init__()
        random = torch.Generator().manual_seed(s["seed"])
        self.dropout, self.first, self.second = s["dropout"], None, None
        sizes = {"first": (PIXELS, s["hidden"], s["gain"]), "second": (s["hidden"], CLASSES, 1.0)}
        for name, (inputs, outputs, gain) in sizes.items():
            layer, bound = self.linear(inputs, outputs), inputs**-0.5
            with torch.no_grad():
                weights = torch.empty(outputs, inputs).uniform_(-gain * bound, gain * bound, generator=random)
                layer.weight.copy_(weights)
                layer.bias.uniform_(-bound, bound, generator=random)
            setattr(self, name, layer)

    linear, images = torch.nn.Linear, Dense

    def dropped(self, spikes):
        """Spikes [T, B, n] of neurons of which some are silenced, and the others scaled up, while training."""
        if not self.training:
            return spikes
        kept = torch.rand_like(spikes[0]) >= self.dropout
        return spikes * (kept.float() / (1.0 - self.dropout))


def train(kind, version, s=None):
    """Train what kind(settings) makes: a `Network` that gives scores [B, 10].

    s: settings, if not the script's argument.

    Prints a line after each epoch: test accuracy, and the seconds of training so far, without evaluation. Stops after
    `limit_s` of training, or after `epochs`. `reached_s`: seconds of training until an epoch after which the test
    accuracy was `target` or more. `first_loss`: of 1,000 test images before training, without dropout, the same for all
    who compute the same.
    """
    s = s or timing.settings()
    torch.set_num_threads(s["threads"])
    torch.manual_seed(s["seed"])
    network = kind(s)
    run = torch.compile(network, dynamic=False) if s["compile"] else network
    (steps, labels), test = split("train", s), split("t10k", s)
    images, batches = network.images(steps, s), len(steps) // s["batch"]
    optimiser = torch.optim.AdamW(network.parameters(), s["lr"], weight_decay=s["weight_decay"], fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, s["lr"], total_steps=batches * s["epochs"])
    random = torch.Generator().manual_seed(s["seed"])
    epochs, losses, reached_s, elapsed = [], [], None, 0.0
    first_loss = loss_of(network, test, s)
    while elapsed < s["limit_s"] and len(epochs) < s["epochs"]:
        network.train()
        started = time.perf_counter()
        for batch in torch.randperm(len(labels), generator=random)[: batches * s["batch"]].split(s["batch"]):
            optimiser.zero_grad()
            by = torch.randint(-s["shift"], s["shift"] + 1, (s["batch"], 2), generator=random)
            loss = torch.nn.functional.cross_entropy(run(images.batch(batch, by)), labels[batch])
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
            if elapsed + time.perf_counter() - started > s["limit_s"]:
                break
        elapsed += time.perf_counter() - started
        epochs.append({"accuracy": accuracy(network, *test, s), "elapsed_s": elapsed, "loss": losses[-1]})
        if reached_s is None and epochs[-1]["accuracy"] >= s["target"]:
            reached_s = elapsed
        print(json.dumps(epochs[-1]), file=sys.stderr, flush=True)
    figures = {
        "accuracy": epochs[-1]["accuracy"],
        "elapsed_s": elapsed,
        "reached_s": reached_s,
        "batches": len(losses),
        "first_loss": first_loss,
        "peak_memory_bytes": timing.peak_memory(),
    }
    about = {"torch": torch.__version__, "numpy": np.__version__}
    print(json.dumps({"figures": figures, "version": version, "versions": about, "epochs": epochs}))


@torch.no_grad()
def loss_of(network, test, s):
    """The loss of the first 1,000 images."""
    network.eval()
    steps, labels = (each[:1000] for each in test)
    scores = network(network.images(steps, s).batch(torch.arange(1000)))
    return torch.nn.functional.cross_entropy(scores, labels).item()


@torch.no_grad()
def accuracy(network, steps, labels, s):
    """Share of images whose label has the highest score."""
    network.eval()
    images, right = network.images(steps, s), 0
    for chosen in torch.arange(len(labels)).split(1000):
        right += int((network(images.batch(chosen)).argmax(1) == labels[chosen]).sum())
    return right / len(labels)
