"""Networks of ReLUs and the spiking networks converted from them: test accuracy on MNIST and Fashion-MNIST.

    python benchmarks/conversion.py [--networks perceptron convolutional] [--seeds 3] [--steps 4 8 16 32]

Every network is trained by PyTorch, with batch normalisation, for a few epochs; then it is converted anew for each
number of steps, with 512 training images to balance thresholds and biases, and reads all 10,000 test images. After each
it writes results/conversion.json, where other runs for the same numbers of steps stay, and the table of README.md. It
fails where a network loses more than 0.3 points at the largest number of steps.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Iterator
from datetime import date
from itertools import product
from pathlib import Path

import torch
from tables import fill, lines
from torch import Tensor, nn

import treplica as tr
from treplica.benchmarks.report import machine, versions
from treplica.learning import Converted, Neurons, convert

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "conversion.json"
DATA = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
EPOCHS = {"perceptron": 5, "convolutional": 2}
CALIBRATION, BATCH, LARGEST_LOSS = 512, 100, 0.3


def perceptron() -> nn.Module:
    """784 inputs, 512 ReLUs, 10 classes."""
    hidden = [nn.Linear(784, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Dropout(0.2)]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(512, 10))


def convolutional() -> nn.Module:
    """Two convolutions with average pooling, 128 ReLUs, 10 classes."""

    def block(before: int, channels: int) -> nn.Module:
        convolution = nn.Conv2d(before, channels, 3, padding=1)
        return nn.Sequential(convolution, nn.BatchNorm2d(channels), nn.ReLU(), nn.AvgPool2d(2))

    rows = [nn.Linear(32 * 7 * 7, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 10)]
    return nn.Sequential(block(1, 16), block(16, 32), nn.Flatten(), *rows)


NETWORKS = {"perceptron": perceptron, "convolutional": convolutional}


def images(name: str, split: str) -> tuple[Tensor, Tensor]:
    """Images [N, 1, 28, 28] and their labels."""
    found = getattr(tr.datasets, name)(split)
    return torch.from_numpy(found.inputs).unsqueeze(1), torch.from_numpy(found.labels)


def batches(order: Tensor) -> Iterator[Tensor]:
    yield from order.split(BATCH)


def trained(network: str, x: Tensor, y: Tensor, seed: int) -> nn.Module:
    """A network after the last of its epochs."""
    torch.manual_seed(seed)
    module, epochs = NETWORKS[network](), EPOCHS[network]
    optimiser = torch.optim.Adam(module.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=epochs * (len(x) // BATCH))
    for _ in range(epochs):
        for some in batches(torch.randperm(len(x))):
            optimiser.zero_grad()
            nn.functional.cross_entropy(module(x[some]), y[some]).backward()
            optimiser.step()
            schedule.step()
    return module.eval()


def accuracy(module: nn.Module, x: Tensor, y: Tensor) -> float:
    """Percent of the images that are read rightly."""
    with torch.no_grad():
        right = sum(
            int((module(x[some]).argmax(1) == y[some]).sum()) for some in batches(torch.arange(len(x)))
        )
    return 100.0 * right / len(x)


def spiking(converted: Converted, x: Tensor, y: Tensor) -> tuple[float, float]:
    """Accuracy of a converted network, and its spikes per neuron and image."""
    sent = 0.0

    def count(layer: nn.Module, given: object, spikes: Tensor) -> None:
        nonlocal sent
        sent += float(spikes.sum())

    layers = [part for part in converted.network if isinstance(part, Neurons) and part.output == "spike"]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    found = accuracy(converted, x, y)
    for hook in hooks:
        hook.remove()
    neurons = sum(torch.Size(balance.shape).numel() for balance in converted.report)
    return found, sent / neurons / len(x)


def measure(name: str, network: str, seed: int, steps: list[int]) -> dict:
    """One network: trained, converted for each number of steps, tested."""
    x, y = images(name, "train")
    test_x, test_y = images(name, "test")
    module = trained(network, x, y, seed)
    some = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))[:CALIBRATION]
    relu = accuracy(module, test_x, test_y)
    rows = {}
    for number in steps:
        found, spikes = spiking(convert(module, x[some], number), test_x, test_y)
        rows[str(number)] = dict(accuracy=found, lost=relu - found, spikes_per_neuron=spikes)
        print(
            f"conversion: {name}, {network}, seed {seed}: {relu:.2f} %, {number} steps {found:.2f} %",
            file=sys.stderr,
            flush=True,
        )
    return dict(data=name, network=network, seed=seed, relu=relu, steps=rows)


def table(report: dict) -> str:
    """A row for each network; where there are seeds, means, and the largest loss of one."""
    groups: dict[tuple[str, str], list[dict]] = {}
    for run in report["runs"]:
        groups.setdefault((run["network"], run["data"]), []).append(run)
    steps = list(report["runs"][0]["steps"])
    head = ["network", "images", "seeds", "ReLUs, %"]
    head += [f"{number} steps, %" for number in steps]
    head += [f"points lost, {number}" for number in steps]
    head += ["most lost by a seed, " + steps[-1], "spikes per neuron, " + steps[-1]]
    rows = []
    for (network, data), runs in groups.items():

        def mean(key: str, number: str, runs: list[dict] = runs) -> float:
            return statistics.mean(run["steps"][number][key] for run in runs)

        row = [network, DATA[data], str(len(runs)), f"{statistics.mean(run['relu'] for run in runs):.2f}"]
        row += [f"{mean('accuracy', number):.2f}" for number in steps]
        row += [f"{mean('lost', number):.2f}" for number in steps]
        row += [f"{max(run['steps'][steps[-1]]['lost'] for run in runs):.2f}"]
        rows.append([*row, f"{mean('spikes_per_neuron', steps[-1]):.2f}"])
    about = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    return f"{lines(head, rows)}\n\n{report['date']}; {report['machine']['processor']}; {about}."


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=list(NETWORKS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, nargs="+", default=[4, 8, 16, 32])
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    steps, runs = sorted(options.steps), {}
    known = {name: version for name, version in versions().items() if name in ("treplica", "python", "numpy")}
    report = dict(date=str(date.today()), machine=machine(), versions={**known, "torch": torch.__version__})
    if RESULTS.exists():
        runs = {
            key(run): run
            for run in json.loads(RESULTS.read_text())["runs"]
            if list(run["steps"]) == [*map(str, steps)]
        }
    for seed, network, name in product(range(options.seeds), options.networks, DATA):
        run = measure(name, network, seed, steps)
        runs[key(run)] = run
        report["runs"] = [runs[k] for k in sorted(runs, reverse=True)]
        RESULTS.write_text(json.dumps(report, indent=1) + "\n")
        readme = HERE / "README.md"
        readme.write_text(fill(readme.read_text(), "conversion", table(report)))
    print(table(report))
    if any(run["steps"][str(steps[-1])]["lost"] > LARGEST_LOSS for run in report["runs"]):
        sys.exit(f"more than {LARGEST_LOSS} points are lost at {steps[-1]} steps")


def key(run: dict) -> tuple[str, str, int]:
    return run["network"], run["data"], run["seed"]


if __name__ == "__main__":
    main()
