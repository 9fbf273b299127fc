"""A converted network is the network of ReLUs in units of its thresholds, and its spikes tell what that computes."""

import copy
import pickle

import pytest

from treplica.errors import InvalidValue, UnknownName
from treplica.io import nir

torch = pytest.importorskip("torch")
learning = pytest.importorskip("treplica.learning")
nn = torch.nn
convert, Neurons = learning.convert, learning.Neurons


def normalisation(kind, channels):
    """A normalisation after some training."""
    norm = kind(channels)
    with torch.no_grad():
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2.0)
        norm.weight.uniform_(-1.5, 1.5)
        norm.bias.normal_()
    return norm


def rows():
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(12, 9, bias=False),
        nn.Dropout(0.5),
        normalisation(nn.BatchNorm1d, 9),
        nn.ReLU(),
        nn.Linear(9, 7),
        nn.ReLU(inplace=True),
        normalisation(nn.BatchNorm1d, 7),
        nn.Linear(7, 4),
    )


def nested():
    relu = nn.ReLU()
    block = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1, bias=False), normalisation(nn.BatchNorm2d, 6), relu, nn.AvgPool2d(2)
    )
    convolution = nn.Conv2d(6, 8, 3, padding=1, groups=2)
    second = nn.Sequential(nn.Identity(), normalisation(nn.BatchNorm2d, 6), nn.Sequential(convolution, relu))
    return nn.Sequential(block, second, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 5), relu, nn.Linear(5, 3))


def pooled():
    return nn.Sequential(
        nn.Conv2d(3, 5, 2),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(5, 6, 1),
        nn.ReLU(),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )


def sequence():
    return nn.Sequential(
        normalisation(nn.BatchNorm1d, 3),
        nn.Conv1d(3, 4, 3, stride=2, dilation=2),
        nn.ReLU(),
        nn.AvgPool1d(2),
        nn.Conv1d(4, 5, 2),
        nn.MaxPool1d(2),
        nn.ReLU(),
        nn.Flatten(1, -1),
        nn.Linear(5, 2),
    )


def only():
    return nn.Sequential(nn.Linear(12, 5), nn.ReLU())


SHAPES = {rows: (12,), nested: (3, 5, 5), pooled: (3, 6, 5), sequence: (3, 17), only: (12,)}


def made(make, samples=40):
    torch.manual_seed(1)
    network = make().double().eval()
    return network, torch.randn(samples, *SHAPES[make], dtype=torch.float64)


@pytest.mark.parametrize("sharing", ["channel", "layer"])
@pytest.mark.parametrize("make", SHAPES)
def test_with_relus_for_neurons_it_is_the_network(make, sharing: str) -> None:
    network, x = made(make)
    converted = convert(network, x, 8, sharing=sharing, correct_biases=False)
    parts = [
        nn.ReLU() if isinstance(part, Neurons) and part.output == "spike" else part
        for part in converted.network
    ]
    assert [type(part) for part in parts].count(nn.ReLU) == len(converted.report) >= 1
    rebuilt = nn.Sequential(*parts[:-1])(x.unsqueeze(0))[0]
    assert rebuilt.shape == network(x).shape
    assert torch.allclose(rebuilt, network(x), rtol=0.0, atol=1e-12)


@pytest.mark.parametrize("start", ["half", "spread"])
@pytest.mark.parametrize("make", SHAPES)
def test_with_many_steps_logits_are_those_of_the_network(make, start: str) -> None:
    network, x = made(make, 10)
    logits = network(x).detach()
    largest = float(logits.abs().max())
    errors = []
    for steps in (30, 1500):
        converted = convert(network, x, steps, method="max", start=start, correct_biases=False)
        errors.append(float((converted(x).detach() - logits).abs().max()) / largest)
    assert errors[1] < min(0.01, 0.2 * errors[0])


def test_one_layer_rounds_activations_to_spikes() -> None:
    network, x = made(only)
    converted = convert(network, x, 8, method="percentile", percentile=90.0, correct_biases=False)
    scale = torch.tensor(converted.report[0].thresholds, dtype=torch.float64)
    expected = (8 * network(x) / scale - 0.5).ceil().clamp(0, 8) * scale / 8
    assert torch.allclose(converted(x), expected, rtol=0.0, atol=1e-12)
    above = network(x) > scale
    assert converted.report[0].clipped == pytest.approx(float(above.sum() / (network(x) > 0).sum()))
    error = ((expected - network(x)).norm() / network(x).norm()).detach()
    assert converted.report[0].error == pytest.approx(float(error))


def test_inputs_may_be_given_for_each_step() -> None:
    network, x = made(nested)
    converted = convert(network, x, 12)
    assert torch.allclose(converted(x), converted(x.expand(12, *x.shape)), rtol=0.0, atol=1e-12)
    with pytest.raises(InvalidValue, match=r"\[B, 3, 5, 5\] or \[T, B, 3, 5, 5\], got \[40, 3, 5\]"):
        converted(x[..., 0])


def test_the_network_is_not_changed_and_the_result_is_its_own() -> None:
    network, x = made(nested)
    network.train()
    before = copy.deepcopy(network.state_dict())
    converted = convert(network, x, 4)
    assert network.training
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())
    logits = converted(x)
    with torch.no_grad():
        for weights in network.parameters():
            weights.zero_()
    assert torch.equal(converted(x), logits)
    assert torch.equal(pickle.loads(pickle.dumps(converted))(x), logits)


def test_corrected_biases_bring_means_near_those_of_the_network() -> None:
    network, x = made(nested, 200)
    wanted = network(x).detach().mean(0)
    far, near = (
        (convert(network, x, 4, correct_biases=correct)(x).detach().mean(0) - wanted).abs().max()
        for correct in (False, True)
    )
    assert float(near) < 1e-12 < float(far)


def test_only_neurons_that_are_averaged_begin_apart() -> None:
    network, x = made(nested)
    layers = dict(convert(network, x, 4).network.named_children())
    assert sorted(set(layers["0_2"].neuron.value("v_threshold"))) == [0.125, 0.375, 0.625, 0.875]
    assert layers["1_2_1"].neuron.value("v_threshold") == layers["5"].neuron.value("v_threshold") == 0.5


def test_a_silent_channel_gets_the_largest_threshold_of_its_layer() -> None:
    network, x = made(only)
    with torch.no_grad():
        network[0].bias[2] = -100.0
    found = convert(network, x, 8).report[0].thresholds
    assert found[2] == max(found)
    with torch.no_grad():
        network[0].bias.fill_(-100.0)
    silent = convert(network, x, 8)
    assert silent.report[0].thresholds == (1.0,) * 5
    assert not silent(x).any()


def test_nir_does_what_the_converted_network_does() -> None:
    torch.manual_seed(2)
    network = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(16, 5),
        nn.ReLU(),
        nn.Linear(5, 3),
    ).double()
    x = torch.randn(20, 2, 4, 4, dtype=torch.float64)
    converted = convert(network, x, 6)
    graph = learning.to_nir(converted.network, (2, 4, 4))
    found = nir.run(graph, x.expand(6, *x.shape).numpy()).output
    assert torch.allclose(torch.from_numpy(found)[-1] / 6, converted(x), rtol=0.0, atol=1e-9)


def test_unknown_choices_and_calibration_that_does_not_fit_are_refused() -> None:
    network, x = made(rows)
    with pytest.raises(UnknownName, match=r"method 'mse' is not known.*error, percentile, max"):
        convert(network, x, method="mse")
    with pytest.raises(UnknownName, match="sharing"):
        convert(network, x, sharing="neuron")
    with pytest.raises(InvalidValue, match="steps"):
        convert(network, x, 0)
    with pytest.raises(InvalidValue, match=r"float64 on cpu, as the network, got 'torch.float32 on cpu'"):
        convert(network, x.float())
    with pytest.raises(InvalidValue, match="finite"):
        convert(network, x / 0.0)
    broken = copy.deepcopy(network)
    nn.init.constant_(broken[5].bias, torch.nan)
    with pytest.raises(InvalidValue, match=r"module '5': what it gives must be finite"):
        convert(broken, x)
    with pytest.raises(InvalidValue, match=r"module '1': what reaches it.*11"):
        convert(network, x[:, 1:])
    with pytest.raises(InvalidValue, match="percentile"):
        convert(network, x, method="percentile", percentile=0.0)


class Own(nn.Module):
    def forward(self, x):
        return x


UNTRACKED = nn.BatchNorm1d(4, track_running_stats=False)


@pytest.mark.parametrize(
    ("parts", "complaint"),
    [
        (
            [nn.Linear(12, 4), nn.Sigmoid()],
            r"module '0.1' must be .*, got 'Sigmoid'. The rate .* train with nn.ReLU",
        ),
        ([nn.Linear(12, 4), nn.ReLU(), nn.Linear(4, 2), nn.Softmax(1)], "'0.3'.*'Softmax'. Take it away"),
        ([nn.Linear(12, 4), nn.LayerNorm(4), nn.ReLU()], "'0.1'.*'LayerNorm'.*batch normalisation"),
        ([nn.Linear(12, 4), Own(), nn.ReLU()], "'0.1'.*'Own'. Write the network as nn.Sequential"),
        ([nn.ReLU(), nn.Linear(12, 4)], "'0.0': ReLU must be after a connection"),
        ([nn.Linear(12, 4)], "a network with nn.ReLU"),
        ([nn.Linear(12, 4), UNTRACKED, nn.ReLU()], "'0.1': running_mean.*track_running_stats=True"),
        ([nn.Unflatten(1, (3, 4)), nn.Linear(4, 4)], "'0.0'.*'Unflatten'"),
        ([nn.Flatten(0), nn.Linear(12, 4)], "'0.0': start_dim"),
    ],
)
def test_what_cannot_be_converted_is_refused_with_its_path(parts, complaint: str) -> None:
    with pytest.raises(InvalidValue, match=complaint):
        convert(nn.Sequential(nn.Sequential(*parts)), torch.rand(5, 12))


def test_modules_of_maps_are_refused_where_they_do_not_fit() -> None:
    x = torch.rand(5, 3, 8, 8)
    with pytest.raises(InvalidValue, match=r"'0': what reaches Linear must be \(8,\).*Flatten"):
        convert(nn.Sequential(nn.Linear(8, 4), nn.ReLU()), x)
    with pytest.raises(InvalidValue, match="return_indices"):
        convert(nn.Sequential(nn.MaxPool2d(2, return_indices=True), nn.ReLU()), x)


@pytest.mark.parametrize(("size", "kind"), [(1, "AvgPool2d"), ((2, None), "AvgPool2d"), (3, "OverTime")])
def test_adaptive_pooling_has_one_window_where_that_is_the_same(size, kind: str) -> None:
    torch.manual_seed(4)
    x = torch.randn(20, 2, 4, 5)
    network = nn.Sequential(nn.Conv2d(2, 3, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(size))
    converted = convert(network, x, 4, correct_biases=False)
    pooling = converted.network[-2]
    assert type(pooling).__name__ == kind
    assert torch.allclose(pooling(x.unsqueeze(0))[0], network[2](x), atol=1e-6)


def test_nir_has_no_max_pooling() -> None:
    network, x = made(nested)
    with pytest.raises(InvalidValue, match=r"CountMaxPool2d.*average pooling"):
        learning.to_nir(convert(network, x, 4).network, (3, 5, 5))
