"""Networks with every layer: true gradients, one graph for the compiler, two processes as one."""

import subprocess
import sys
import textwrap

import pytest

import treplica as tr

torch = pytest.importorskip("torch")
nn = torch.nn
learning = pytest.importorskip("treplica.learning")

T, B = 6, 4


def neurons(**choices):
    neuron = tr.LIF(tau=5.0, v_rest=0.0, v_th=0.5, v_reset=0.0, refractory=0.0, v=0.0)
    return learning.Neurons(neuron, reset_gradient="attached", **choices)


def network(**choices):
    """Every layer, from images [T, B, 1, 6, 6] to sums [T, B, 2]."""
    torch.manual_seed(1)
    return nn.Sequential(
        learning.Conv2d(1, 4, 3, padding=1),
        learning.BatchNorm2d(4),
        neurons(**choices),
        learning.AvgPool2d(2),
        learning.Residual(learning.Conv2d(4, 4, 3, padding=1), neurons=neurons(**choices), delay=1),
        learning.SumPool2d(2, stride=1),
        learning.Delay([0, 2, 1, 1], learn=True),
        learning.Flatten(3),
        learning.Conv1d(4, 4, 2),
        learning.Flatten(),
        learning.BatchNorm1d(12),
        learning.Recurrent(neurons(**choices), 12, delay=2),
        learning.Delay(1),
        learning.OverTime(nn.LayerNorm(12)),
        learning.DelayedLinear(12, 5, 3, sigma=0.7),
        neurons(output="v", **choices),
        learning.Linear(5, 2),
    ).double()


def images():
    return torch.rand(T, B, 1, 6, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_gradients_through_every_layer_are_those_of_differences() -> None:
    net = network(smooth=True).train()
    with torch.no_grad():
        net[6].steps.add_(0.4)  # where interpolation has a derivative
    x = images()
    names = [n for n, p in net.named_parameters() if p.requires_grad]

    def along(step):
        """The output where all parameters moved along one direction."""
        generator = torch.Generator().manual_seed(4)
        moved = {
            n: p.detach() + step * torch.randn(p.shape, generator=generator, dtype=p.dtype)
            for n, p in net.named_parameters()
        }
        return torch.func.functional_call(net, moved, (x,)).square().sum()

    assert len(names) > 15
    assert torch.autograd.gradcheck(along, (torch.zeros((), dtype=torch.float64, requires_grad=True),))
    gradients = torch.autograd.grad(net(x).square().sum(), list(net.parameters()))
    assert all(float(g.abs().sum()) > 0 for g in gradients)


def test_a_network_is_one_graph_for_the_compiler() -> None:
    net, x = network(), images()
    net(x)  # kernels are built
    net = network()
    expected = net(x)
    expected.square().sum().backward()
    wanted = {n: p.grad for n, p in net.named_parameters()}
    other = network()
    compiled = torch.compile(other, fullgraph=True, backend="aot_eager")
    result = compiled(x)
    torch.testing.assert_close(result, expected, rtol=1e-12, atol=1e-12)
    result.square().sum().backward()
    found = {n: p.grad for n, p in other.named_parameters()}
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-9)


def test_single_precision_is_near_double() -> None:
    net, x = network(smooth=True), images()
    expected = net(x)
    result = network(smooth=True).float()(x.float())
    assert result.dtype == torch.float32
    torch.testing.assert_close(result.double(), expected, rtol=1e-3, atol=1e-3)


WORKER = """
    import sys
    import torch
    import torch.distributed as dist
    import treplica as tr
    from treplica import learning

    rank, folder = int(sys.argv[1]), sys.argv[2]
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    kept = torch.load(f"{folder}/kept.pt", weights_only=False)
    net = torch.nn.parallel.DistributedDataParallel(kept["net"])
    net(kept["x"][:, rank::2]).square().mean().backward()
    for name, parameter in net.module.named_parameters():
        torch.testing.assert_close(parameter.grad, kept["gradients"][name], rtol=1e-9, atol=1e-12)
    dist.destroy_process_group()
    print("the same")
"""


@pytest.mark.skipif(not torch.distributed.is_available(), reason="PyTorch without torch.distributed")
def test_two_processes_have_the_gradient_of_the_whole_batch(tmp_path) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(
        learning.Conv2d(1, 2, 3),
        neurons(),
        learning.Flatten(),
        learning.DelayedLinear(32, 8, 2, sigma=1.0),
        learning.Recurrent(neurons(), 8),
        learning.Linear(8, 2),
    ).double()
    with torch.no_grad():
        net[0].weight.abs_()  # spikes, and therefore gradients, everywhere
        net[3].weight.abs_()
    x = images()
    net(x).square().mean().backward()
    gradients = {n: p.grad.clone() for n, p in net.named_parameters()}
    assert all(float(g.abs().sum()) > 0 for g in gradients.values())
    net.zero_grad()
    torch.save({"net": net, "x": x, "gradients": gradients}, tmp_path / "kept.pt")
    given = [sys.executable, "-c", textwrap.dedent(WORKER)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen([*given, str(rank), str(tmp_path)], **pipes) for rank in range(2)]
    try:
        results = [p.communicate(timeout=300) for p in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert [out.strip() for out, _ in results] == ["the same"] * 2, results
