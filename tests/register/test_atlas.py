"""Atlases carried to a scan, with registrations that are known."""

import numpy as np
import pytest

from cormack.core.errors import InputError, RegistrationError
from cormack.core.findings import Finding
from cormack.core.labels import HEAD, Label, LabelMap, LabelTable
from cormack.core.transforms import Affine, TransformChain
from cormack.core.volume import Volume
from cormack.register import atlas as subject
from cormack.register.atlas import Atlas, carry_atlases, carry_labels, label_by_atlases
from cormack.register.engine import Kind, Metric
from cormack.register.fusion import Fusion
from cormack.register.register import Registration

TABLE = LabelTable((Label(3, "ball", "b", (1, 2, 3)),))
SHAPE = (32, 32, 32)
GRID = np.diag([2.0, 2.0, 2.0, 1.0])
SCAN = Volume(np.zeros(SHAPE, np.float32), GRID)


def shifted(mm):
    matrix = np.eye(4)
    matrix[0, 3] = mm
    return Affine(matrix)


def ball(centre_mm, radius_mm=14.0):
    places = np.moveaxis(np.indices(SHAPE), 0, -1) * 2.0
    return np.linalg.norm(places - np.array(centre_mm, float), axis=-1) <= radius_mm


def atlas(offset_mm, brightness=40.0):
    """An atlas whose ball lies `offset_mm` from where the scan has it; its brightness says which it is."""
    labels = LabelMap((ball([30 - offset_mm, 30, 30]) * 3).astype(np.uint8), GRID, TABLE)
    return Atlas(Volume(np.full(SHAPE, brightness, np.float32), GRID), labels)


@pytest.fixture
def known(monkeypatch):
    """Registration by the shift that the brightness of the atlas says; None fails."""

    def give(shifts):
        def register_volumes(moving, fixed, kind, **_):
            mm = shifts[float(fixed.data[0, 0, 0])]
            failure = Finding("registration-diverged", "nothing fits") if mm is None else None
            chain = TransformChain((shifted(mm or 0.0),))
            return Registration(chain, Kind(kind), Metric.MI, "known", Affine.identity(), None, failure)

        monkeypatch.setattr(subject, "register_volumes", register_volumes)

    return give


def test_labels_go_the_way_back():
    # Points of the atlas lie 10 mm lower along x than in the scan.
    carried = carry_labels(atlas(10.0).labels, shifted(10.0), SCAN)
    np.testing.assert_array_equal(carried.data > 0, ball([30, 30, 30]))
    assert carried.table is TABLE


def test_one_atlas_is_carried_as_it_is(known):
    known({40.0: 10.0})
    made = label_by_atlases(SCAN, [atlas(10.0)])
    np.testing.assert_array_equal(made.labels.data == 3, ball([30, 30, 30]))
    assert made.findings == ()


def test_several_are_fused_and_failures_left_out_and_told(known):
    known({40.0: 10.0, 50.0: 4.0, 60.0: None, 70.0: 0.0})
    atlases = [atlas(10.0, 40.0), atlas(4.0, 50.0), atlas(99.0, 60.0), atlas(20.0, 70.0)]
    made = label_by_atlases(SCAN, atlases)
    np.testing.assert_array_equal(made.labels.data == 3, ball([30, 30, 30]))
    assert [finding.code for finding in made.findings] == ["atlases-left-out"]
    assert made.findings[0].evidence == {"atlases": [3]}
    assert len(made.registrations) == 4


def test_atlases_are_carried_one_by_one_and_told(known):
    known({40.0: 10.0, 50.0: None, 60.0: 0.0})
    told = []
    atlases = [atlas(10.0, 40.0), atlas(4.0, 50.0), atlas(20.0, 60.0)]
    made = carry_atlases(SCAN, atlases, on_progress=lambda done, count: told.append((done, count)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert [one for one, _ in made.used] == [atlases[0], atlases[2]]
    np.testing.assert_array_equal(made.opinions[0].data == 3, ball([30, 30, 30]))
    np.testing.assert_array_equal(made.opinions[1].data == 3, ball([10, 30, 30]))
    assert [one.ok for one in made.registrations] == [True, False, True]


def test_images_are_carried_where_fusion_looks_at_them(known):
    known({40.0: 10.0, 50.0: 10.0, 60.0: 0.0})
    texture = np.random.default_rng(0).normal(0, 10, SHAPE).astype(np.float32)
    scan = SCAN.with_data(texture, outside=0.0)
    pieces = []
    for brightness, offset in ((40.0, 10.0), (50.0, 10.0), (60.0, 20.0)):
        data = np.roll(texture, -int(offset / 2), axis=0)
        data[0, 0, 0] = brightness
        pieces.append(Atlas(Volume(data, GRID, outside=0.0), atlas(offset).labels))
    # The third is registered wrongly: its image does not fit, its vote counts little.
    made = label_by_atlases(scan, pieces[1:], fusion=Fusion.WEIGHTED)
    truth = ball([30, 30, 30])
    assert np.mean((made.labels.data == 3)[truth]) > 0.97
    assert np.mean((made.labels.data == 3)[~truth]) < 0.01


def test_what_cannot_be_labelled(known):
    known({40.0: None})
    with pytest.raises(InputError, match="no atlas"):
        label_by_atlases(SCAN, [])
    with pytest.raises(RegistrationError, match="none of 1"):
        label_by_atlases(SCAN, [atlas(0.0)])
    with pytest.raises(InputError, match="mask"):
        label_by_atlases(SCAN, [atlas(0.0)], scan_mask=LabelMap(np.ones(SHAPE, np.uint8), GRID, HEAD))
