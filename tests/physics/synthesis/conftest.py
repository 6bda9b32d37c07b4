import numpy as np
import pytest

from cormack.physics.synthesis.anatomy import Anatomy, Tissue


@pytest.fixture(scope="session")
def ball() -> Anatomy:
    """A ball of gray and white matter around a ventricle, 50 mm in radius, in 6 mm of bone and 6 mm of scalp."""
    i, j, k = np.ogrid[:150, :150, :150]
    radius = np.sqrt((i - 74.5) ** 2 + (j - 74.5) ** 2 + (k - 74.5) ** 2)
    tissues = np.zeros((150,) * 3, np.uint8)
    tissues[radius < 62] = Tissue.FAT
    tissues[radius < 56] = Tissue.BONE
    tissues[radius < 50] = Tissue.GRAY
    tissues[radius < 30] = Tissue.WHITE
    tissues[radius < 12] = Tissue.CSF
    depth = np.clip(4 * (50 - radius), -127, 127).astype(np.int8)
    affine = np.eye(4)
    affine[:3, 3] = -74.5
    return Anatomy(tissues, (radius < 50).astype(np.uint8), depth, affine, "ball")


@pytest.fixture(scope="session")
def shells(ball: Anatomy) -> Anatomy:
    """The ball with 4 mm of fluid below the bone and several targets: 2 fluid, 5 brain, 10 ventricle."""
    i, j, k = np.ogrid[:150, :150, :150]
    radius = np.sqrt((i - 74.5) ** 2 + (j - 74.5) ** 2 + (k - 74.5) ** 2)
    tissues, targets = ball.tissues.copy(), np.zeros((150,) * 3, np.uint8)
    tissues[(radius >= 46) & (radius < 50)] = Tissue.CSF
    targets[radius < 50] = 2
    targets[radius < 46] = 5
    targets[radius < 12] = 10
    return Anatomy(tissues, targets, ball.depth, ball.affine, "shells")
