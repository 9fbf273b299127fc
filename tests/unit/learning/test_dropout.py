"""Masks of `Dropout`: probability, scale, independence of threads, seeds."""

import pytest

torch = pytest.importorskip("torch")

from treplica.learning import Dropout  # noqa: E402
from treplica.learning.native.mask import drawn_mask  # noqa: E402


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("p", [0.0, 0.15, 0.5, 0.999])
def test_each_number_is_kept_with_the_same_probability(p: float, dtype: torch.dtype) -> None:
    torch.manual_seed(1)
    mask = drawn_mask(torch.empty(1000, 333, dtype=dtype), p)
    kept = torch.tensor(1.0 / (1.0 - p), dtype=dtype)
    assert mask.dtype == dtype
    assert bool(((mask == 0) | (mask == kept)).all())
    chance = 1.0 - p
    for axis in (0, 1):
        found, many = (mask > 0).double().mean(axis), mask.shape[axis]
        error = 5.5 * (chance * (1.0 - chance) / many) ** 0.5
        assert float((found - chance).abs().max()) <= error + 1e-12


def test_masks_follow_the_seed_and_not_the_threads() -> None:
    like, threads = torch.empty(7, 11, 613), torch.get_num_threads()
    found = []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            torch.manual_seed(5)
            found.append((drawn_mask(like, 0.3), drawn_mask(like, 0.3)))
    finally:
        torch.set_num_threads(threads)
    for first, second in found:
        assert torch.equal(first, found[0][0])
        assert torch.equal(second, found[0][1])
        assert not torch.equal(first, second)


def test_a_sample_has_one_mask_for_all_steps() -> None:
    torch.manual_seed(2)
    layer = Dropout(0.4)
    result = layer(torch.ones(5, 3, 40))
    assert torch.equal(result, result[:1].expand_as(result))
    assert not torch.equal(result[0, 0], result[0, 1])
    assert not Dropout(1.0)(torch.ones(2, 3, 4)).any()
    layer.eval()
    assert torch.equal(layer(torch.ones(2, 3, 4)), torch.ones(2, 3, 4))


def test_compiled_networks_draw_too() -> None:
    """In `torch.compile` PyTorch draws, with the same probability."""
    torch.manual_seed(3)
    compiled = torch.compile(Dropout(0.25), backend="eager", fullgraph=True)
    mask = compiled(torch.ones(1, 100, 1000))
    assert abs(float((mask > 0).double().mean()) - 0.75) < 0.01
    assert bool(((mask == 0) | ((mask - 4.0 / 3.0).abs() < 1e-6)).all())
