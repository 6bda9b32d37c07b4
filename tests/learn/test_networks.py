"""Networks: sizes, shapes, layers compared with torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cormack.learn.export import fold
from cormack.learn.normalisation import NORMALISATIONS, BatchRenorm, GroupNorm
from cormack.learn.resnet import ResNetUNet, SubPixel
from cormack.learn.unet import ConvolutionBlock, UNet, convolve_on_two_grids
from cormack.learn.widening import widened


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_the_papers_unet_has_31_million_parameters() -> None:
    """As counted from the paper's figure: 31.03 million with two classes (doi 10.1007/978-3-319-24574-4_28)."""
    paper = UNet(
        2, 1, 2, channels=(64, 128, 256, 512, 1024), convolutions=(2,) * 5, norm="none", upsampling="transposed"
    )

    def double(a: int, b: int) -> int:
        return (9 * a + 1) * b + (9 * b + 1) * b

    down = double(1, 64) + double(64, 128) + double(128, 256) + double(256, 512) + double(512, 1024)
    up = sum(double(2 * c, c) + (4 * 2 * c + 1) * c - 0 for c in (512, 256, 128, 64))
    assert parameters(paper) == down + up + 2 * 65
    assert round(parameters(paper) / 1e6, 1) == 31.0


def test_the_default_network_is_small() -> None:
    assert 1.1e6 < parameters(UNet(3, 2, 1)) < 1.2e6


def test_the_encoder_of_resnet34_has_the_published_size() -> None:
    """21.28 million without the classifier, of which the projections' normalisation is not ours."""
    network = ResNetUNet(3, 2)
    encoder = parameters(network.stem) + parameters(network.stages)
    assert encoder == pytest.approx(21.28e6, rel=0.002)
    assert network.eval()(torch.zeros(1, 3, 64, 32)).shape == (1, 2, 64, 32)


@pytest.mark.parametrize("norm", NORMALISATIONS)
@pytest.mark.parametrize("residual", [False, True])
def test_unets_keep_the_grid_and_pass_gradients_to_every_weight(norm: str, residual: bool) -> None:
    network = UNet(3, 2, 3, channels=(4, 6, 8), convolutions=(1, 2, 1), norm=norm, residual=residual)
    logits = network(torch.randn(2, 2, 8, 12, 16))
    assert logits.shape == (2, 3, 8, 12, 16)
    logits.square().mean().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("upsampling", ["nearest", "transposed"])
@pytest.mark.parametrize(("norm", "residual"), [("batch", False), ("instance", True), ("none", False)])
def test_a_wider_network_gives_what_the_narrow_one_gave(
    dimensions: int, upsampling: str, norm: str, residual: bool
) -> None:
    options = {"convolutions": (1, 2, 1), "upsampling": upsampling, "norm": norm, "residual": residual}
    narrow = UNet(dimensions, 2, 3, channels=(3, 5, 6), **options)
    image = torch.randn(2, 2, *[12, 8, 16][:dimensions])
    narrow(image)  # running statistics that are not those of the beginning
    before = narrow.eval()(image)
    wide = UNet(dimensions, 2, 3, channels=(4, 5, 9), **options)
    wide.load_state_dict(widened(narrow.state_dict(), wide.state_dict()))
    torch.testing.assert_close(wide.eval()(image), before)
    wide.train()(image).square().mean().backward()
    assert all(p.grad is not None and p.grad.any() for p in wide.parameters() if p.ndim > 1)


@pytest.mark.parametrize(
    ("inputs", "channels"), [(2, (3, 5, 4)), (3, (4, 5, 9)), (2, (4, 5)), (2, (3, 5, 6, 8))], ids=str
)
def test_only_what_lacks_channels_is_widened(inputs: int, channels: tuple[int, ...]) -> None:
    """Fewer channels at a level, other channels of the image, other levels: another network."""
    narrow = UNet(2, 2, 1, channels=(3, 5, 6), convolutions=(1, 1, 1))
    other = UNet(2, inputs, 1, channels=channels, convolutions=(1,) * len(channels))
    with pytest.raises(RuntimeError):
        other.load_state_dict(widened(narrow.state_dict(), other.state_dict()))


@pytest.mark.parametrize(("kind", "grid"), [(nn.Conv2d, (6, 4)), (nn.Conv3d, (6, 4, 2))])
def test_a_convolution_on_two_grids_is_that_of_the_doubled_grid(kind: type[nn.Module], grid: tuple[int, ...]) -> None:
    layer = kind(5, 4, 3, padding=1).double()
    coarse = torch.randn(2, 3, *grid, dtype=torch.float64, requires_grad=True)
    fine = torch.randn(2, 2, *(2 * n for n in grid), dtype=torch.float64, requires_grad=True)
    doubled = coarse
    for axis in range(2, coarse.ndim):
        doubled = doubled.repeat_interleave(2, dim=axis)
    expected, found = layer(torch.cat([doubled, fine], dim=1)), convolve_on_two_grids(layer, coarse, fine)
    torch.testing.assert_close(found, expected)
    inputs = [coarse, fine, *layer.parameters()]
    for a, b in zip(*(torch.autograd.grad(y.square().sum(), inputs) for y in (found, expected)), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("norm", NORMALISATIONS)
def test_mixed_precision_changes_little(norm: str) -> None:
    network = UNet(2, 1, 2, channels=(4, 8), convolutions=(1, 1), norm=norm)
    x = torch.randn(2, 1, 8, 8)
    expected = network(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = network(x)
    torch.testing.assert_close(found.float(), expected, rtol=0.1, atol=0.1)


@pytest.mark.parametrize(("groups", "reference"), [(1, nn.GroupNorm(1, 8)), (8, nn.InstanceNorm3d(8, affine=True))])
def test_group_norm_is_that_of_torch(groups: int, reference: nn.Module) -> None:
    x = 3 * torch.randn(2, 8, 4, 5, 6) + 1
    torch.testing.assert_close(GroupNorm(groups, 8, 3)(x), reference(x), rtol=1e-4, atol=1e-4)


def test_batch_renorm_begins_as_batch_norm_and_ends_at_the_running_statistics() -> None:
    torch.manual_seed(0)
    ours, torchs = BatchRenorm(4), nn.BatchNorm3d(4)
    x = 2 * torch.randn(3, 4, 4, 4, 4) + 5
    torch.testing.assert_close(ours(x), torchs(x), rtol=1e-4, atol=1e-4)
    ours.num_batches_tracked.fill_(10**6)
    ours.running_mean.copy_(x.mean((0, 2, 3, 4)) + 0.1)
    ours.running_var.copy_(1.2 * x.var((0, 2, 3, 4)))
    before = ours.running_mean.clone(), ours.running_var.clone()
    expected = (x - before[0].reshape(1, 4, 1, 1, 1)) / (before[1].reshape(1, 4, 1, 1, 1) + ours.eps).sqrt()
    torch.testing.assert_close(ours(x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("norm", ["batch", "batch-renorm"])
def test_folded_normalisation_changes_nothing(norm: str) -> None:
    network = UNet(2, 1, 2, channels=(4, 8), convolutions=(2, 1), norm=norm, residual=True)
    for _ in range(3):
        network(torch.randn(2, 1, 8, 8) + 1)
    x = torch.randn(1, 1, 8, 8)
    expected = network.eval()(x)
    folded = fold(network)
    torch.testing.assert_close(folded(x), expected, rtol=1e-4, atol=1e-5)
    assert not [m for m in folded.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]


def test_sub_pixel_convolution_begins_as_nearest_neighbour() -> None:
    fine = SubPixel(6, 3)(torch.randn(1, 6, 5, 4))
    blocks = fine.reshape(1, 3, 5, 2, 4, 2)
    torch.testing.assert_close(blocks, blocks[:, :, :, :1, :, :1].expand_as(blocks))


def test_a_residual_block_halves_the_grid_where_it_strides() -> None:
    block = ConvolutionBlock(2, 4, 8, 2, residual=True, stride=2)
    assert block(torch.zeros(1, 4, 8, 8)).shape == (1, 8, 4, 4)
