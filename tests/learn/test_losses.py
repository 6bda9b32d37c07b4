"""Losses against MONAI, torch and hand calculations."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch.nn import functional

from cormack.core.errors import ConfigurationError
from cormack.learn.losses import class_weights, cross_entropy, dice_loss, jaccard_loss, make_loss, soft_dice_per_class
from cormack.learn.trainer import hard_dice_per_class

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from monai.losses import DiceLoss


def some(classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    logits = torch.randn(2, classes, 4, 5, 6)
    if classes == 1:
        return logits, torch.rand(2, 1, 4, 5, 6)
    return logits, functional.one_hot(torch.randint(0, classes, (2, 4, 5, 6)), classes).movedim(-1, 1).float()


@pytest.mark.parametrize("classes", [1, 4])
@pytest.mark.parametrize(("ours", "jaccard"), [(dice_loss, False), (jaccard_loss, True)])
def test_overlap_losses_are_those_of_monai(classes: int, ours, jaccard: bool) -> None:  # type: ignore[no-untyped-def]
    logits, targets = some(classes)
    # For Jaccard MONAI doubles numerator and denominator before it adds.
    smooth = 2.0 if jaccard else 1.0
    theirs = DiceLoss(
        sigmoid=classes == 1, softmax=classes > 1, include_background=classes == 1, squared_pred=True, batch=True,
        jaccard=jaccard, smooth_nr=smooth, smooth_dr=smooth,
    )  # fmt: skip
    assert float(ours(logits, targets)) == pytest.approx(float(theirs(logits, targets)), abs=1e-5)


def test_soft_dice_of_a_perfect_share_is_one() -> None:
    targets = torch.full((1, 1, 3, 3, 3), 0.3)
    assert float(soft_dice_per_class(torch.logit(targets), targets)) == pytest.approx(1)


def test_cross_entropy_is_that_of_torch() -> None:
    logits, targets = some(4)
    weights = torch.tensor([0.5, 1.0, 2.0, 4.0])
    expected = functional.cross_entropy(logits, targets.argmax(1), weight=weights)
    assert float(cross_entropy(logits, targets, weights)) == pytest.approx(float(expected), rel=1e-5)
    plain = functional.cross_entropy(logits, targets.argmax(1))
    assert float(cross_entropy(logits, targets)) == pytest.approx(float(plain), rel=1e-5)
    logits, targets = some(1)
    entropy = functional.binary_cross_entropy_with_logits(logits, targets)
    assert float(make_loss("cross-entropy")(logits, targets)) == pytest.approx(float(entropy))


def test_weights_of_classes() -> None:
    """Three classes of 80, 15 and 5 voxels: w_c = 100 / (3 n_c)."""
    balanced = class_weights([80, 15, 5], "balanced").numpy()
    np.testing.assert_allclose(balanced, [100 / 240, 100 / 45, 100 / 15], rtol=1e-6)
    np.testing.assert_allclose(class_weights([80, 15, 5], "attenuated").numpy(), np.cbrt(balanced), rtol=1e-6)
    with pytest.raises(ConfigurationError, match="class 1 has no voxel"):
        class_weights([80, 0, 5], "balanced")


def test_a_sum_of_losses_and_an_unknown_one() -> None:
    logits, targets = some(1)
    parts = float(dice_loss(logits, targets)) + float(cross_entropy(logits, targets))
    assert float(make_loss("dice + cross-entropy")(logits, targets)) == pytest.approx(parts)
    with pytest.raises(ConfigurationError, match="'focal'"):
        make_loss("focal")


def test_hard_dice_by_hand() -> None:
    logits = torch.tensor([[[[1.0, 1.0, -1.0, -1.0]]]])
    targets = torch.tensor([[[[1.0, 0.2, 0.9, 0.0]]]])
    assert hard_dice_per_class(logits, targets) == pytest.approx([0.5])
    absent = torch.zeros(1, 3, 1, 4)
    absent[:, 0] = 1
    assert hard_dice_per_class(absent, absent) == pytest.approx([1, 1])


def test_dice_and_cross_entropy_in_one_pass_are_the_sum_of_both_with_the_same_gradient() -> None:
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(2, 4, 5, 7, 6, generator=generator)
    targets = functional.one_hot(torch.randint(0, 4, (2, 5, 7, 6), generator=generator), 4).movedim(-1, 1).float()

    found = []
    for loss in (make_loss("dice+cross-entropy"), lambda z, t: dice_loss(z, t) + cross_entropy(z, t)):
        z = logits.clone().requires_grad_()
        value = 3 * loss(z, targets)
        value.backward()
        found.append((value.detach(), z.grad))
    torch.testing.assert_close(found[0], found[1])
