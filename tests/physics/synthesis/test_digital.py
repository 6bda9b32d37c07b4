import numpy as np
import pytest

from cormack.physics.head import DigitalHead
from cormack.physics.synthesis.anatomy import Tissue
from cormack.physics.synthesis.digital import ENLARGED, digital_anatomy


def test_the_digital_head_becomes_an_anatomy_with_its_exact_volume():
    anatomy = digital_anatomy(np.random.default_rng(0))
    voxel_ml = ENLARGED**3 / 1000
    assert anatomy.targets.sum() * voxel_ml == pytest.approx(
        DigitalHead().intracranial_volume_ml * ENLARGED**3, rel=0.01
    )
    inside = set(np.unique(anatomy.tissues[anatomy.targets > 0]))
    assert {Tissue.CSF, Tissue.GRAY, Tissue.WHITE, Tissue.DURA} <= inside
    assert not inside & {Tissue.AIR, Tissue.BONE, Tissue.FAT}
    assert ((anatomy.depth > 0) == (anatomy.targets > 0)).all()
    assert {Tissue.AIR, Tissue.SINUS, Tissue.BONE, Tissue.MARROW, Tissue.FAT} <= set(np.unique(anatomy.tissues))
