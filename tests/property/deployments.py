"""A deployed module beside its network: every layer's spikes, bit for bit, shifted by the offsets."""

import numpy as np
import torch

import treplica as tr
from treplica import learning
from treplica.coding import SpikeTrains
from treplica.engines.plain import PlainEngine
from treplica.testing.engines import run_engine

nn = torch.nn
Linear, Neurons, Recurrent, Residual = (
    learning.Linear,
    learning.Neurons,
    learning.Recurrent,
    learning.Residual,
)

UNIT = dict(v=0.0, v_rest=0.0, v_th=1.0)


def lif(**more):
    return Neurons(tr.LIF(v_reset=0.0, refractory=0.0, tau=8.0, **UNIT), **more)


def soft():
    return Neurons(tr.SoftResetLIF(tau=5.0, **UNIT))


def seeded(seed: int = 0) -> None:
    torch.manual_seed(seed)


def scaled(module, by: float):
    with torch.no_grad():
        for p in module.parameters():
            p.mul_(by)
    return module


def outputs_of(module, x):
    """What the module gives, and every layer of neurons by its path."""
    found, hooks = {}, []
    inner = {
        f"{path}.neurons".lstrip(".") for path, part in module.named_modules() if isinstance(part, Recurrent)
    }
    for path, part in module.named_modules():
        if isinstance(part, (Neurons, Recurrent)) and path not in inner:

            def keep(layer, given, result, path=path):
                found[path] = result.detach()

            hooks.append(part.register_forward_hook(keep))
    with torch.no_grad():
        result = module(x)
    for hook in hooks:
        hook.remove()
    return result, found


def population_of(path: str) -> str:
    name = path.replace(".", "_") or "neurons"
    return name if name[0].isalpha() and name not in ("input", "output") else f"layer_{name}"


def spikes_for(shape, rate: float, steps: int, seed: int = 1):
    return (torch.rand(steps, 1, *shape, generator=torch.Generator().manual_seed(seed)) < rate).double()


def check(module, inputs, rate: float = 0.2, steps: int = 30, x=None, exact: bool = True) -> int:
    """Compare all populations of the plain engine with the module's layers; how many spikes there were."""
    module = module.double().eval()
    learning.snap_(module)
    shape = (inputs,) if isinstance(inputs, int) else inputs
    x = spikes_for(shape, rate, steps) if x is None else x
    steps = len(x)
    result, expected = outputs_of(module, x)
    deployed = learning.from_torch(module, inputs)
    assert not exact or all(deployed.exact.values())
    total = steps + max(deployed.offsets.values())
    t, n = np.nonzero(x.reshape(steps, -1).numpy())
    net = deployed.network.copy()
    net.stimulate(
        net.population("input"),
        tr.SpikeInput(SpikeTrains.from_steps(t + 1, n, x[0].numel(), deployed.dt, total)),
    )
    record = run_engine(PlainEngine, net, deployed.dt, total, "float64")
    assert not record.failure
    count = 0
    for path, wanted in expected.items():
        name = population_of(path)
        trains, offset = record.spikes[name], deployed.offsets[name]
        raster = np.zeros((total, trains.size))
        raster[trains.steps - 1, trains.ids] = 1.0 if trains.values is None else trains.values
        count += int((raster != 0).sum())
        assert not raster[:offset].any()
        if name not in deployed.states:
            there = np.trunc(wanted.reshape(steps, -1).numpy())
            np.testing.assert_array_equal(raster[offset : offset + steps], there, err_msg=name)
    found = deployed.simulate(x, engine="plain")[deployed.output]
    np.testing.assert_array_equal(found.numpy(), result.detach().numpy())
    return count
