import numpy as np
import pytest

from cormack.core.labels import LabelMap
from cormack.files.minc import BRAINWEB
from cormack.physics.synthesis.anatomy import Anatomy, Tissue
from cormack.physics.synthesis.skull import intracranial
from cormack.physics.synthesis.transplant import transplanted

SHAPE = (110, 120, 110)


def radius(middle: tuple[float, float, float], axes: tuple[float, float, float]) -> np.ndarray:
    i, j, k = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    return np.sqrt(sum(((n - m) / a) ** 2 for n, m, a in zip((i, j, k), middle, axes, strict=True)))


def canal(middle: tuple[float, float], below: float) -> np.ndarray:
    i, j, k = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    return (np.hypot(i - middle[0], j - middle[1]) < 10) & (k < below)


@pytest.fixture(scope="module")
def host() -> LabelMap:
    """A ball of white matter in fluid, 5 mm of bone and 6 mm of fat around it, a canal below."""
    codes = np.zeros(SHAPE, np.uint8)
    head = radius((54, 59, 64), (38, 44, 36))
    for grow, code in ((11, Tissue.FAT), (5, Tissue.BONE), (0, Tissue.CSF), (-3, Tissue.WHITE)):
        codes[radius((54, 59, 64), (38 + grow, 44 + grow, 36 + grow)) < 1] = code
    codes[canal((54, 59), 40) & (head >= 1)] = Tissue.CSF
    return LabelMap(codes, np.eye(4), BRAINWEB)


@pytest.fixture(scope="module")
def guest() -> Anatomy:
    """A box-like brain, gray all through, with another canal."""
    i, j, k = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    inside = ((i - 50) / 34.0) ** 4 + ((j - 62) / 46.0) ** 4 + ((k - 60) / 34.0) ** 4 < 1
    inside |= canal((50, 66), 34)
    tissues = np.where(inside, np.uint8(Tissue.GRAY), np.uint8(Tissue.AIR))
    tissues[radius((50, 62, 60), (8, 8, 8)) < 1] = Tissue.VEIN
    return Anatomy(tissues, inside.astype(np.uint8), np.zeros(SHAPE, np.int8), np.eye(4), "guest")


def test_the_guest_fills_the_host(host, guest):
    found = transplanted(host, guest)
    assert found.table is BRAINWEB
    assert np.array_equal(found.affine, host.affine)
    # Nothing of the host's brain is left above the canal, all of the guest's has arrived.
    assert np.count_nonzero(found.data[:, :, 40:] == Tissue.WHITE) == 0
    assert np.count_nonzero(found.data == Tissue.VESSEL) > 1500
    before, after = (intracranial(labels.data)[:, :, 40:] for labels in (host, found))
    # The guest's box is the host's, and a box of these ends holds more than the ellipsoid does.
    for axis in range(3):
        others = tuple(n for n in range(3) if n != axis)
        ends = [np.flatnonzero(space.any(axis=others))[[0, -1]] for space in (before, after)]
        assert np.abs(ends[0] - ends[1]).max() <= 2
    assert after.sum() > 1.2 * before.sum()


def test_bone_and_fat_keep_their_thickness(host, guest):
    found = transplanted(host, guest).data
    inside = intracranial(found)
    for line in (found[54, 59, :], found[54, 64:, 66], found[56:, 59, 66]):
        outwards = line[np.flatnonzero(np.isin(line, (Tissue.GRAY, Tissue.DURA)))[-1] + 1 :]
        assert np.count_nonzero(outwards == Tissue.BONE) == pytest.approx(5, abs=2)
        assert np.count_nonzero(outwards == Tissue.FAT) == pytest.approx(6, abs=2)
    # A corner of the guest, where the host had none of its brain, lies inside now.
    corner = [round(m + 0.72 * a) for m, a in zip((54, 59, 64), (38, 44, 36), strict=True)]
    assert inside[tuple(corner)]


def test_the_canal_is_the_hosts(host, guest):
    found = transplanted(host, guest)
    assert np.array_equal(found.data[:, :, :20], host.data[:, :, :20])
