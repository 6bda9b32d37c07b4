"""The plan of faces: what is masked, what has no face, what is refused; masks against the region itself."""

from __future__ import annotations

import pickle
import stat
from dataclasses import replace

import numpy as np
import pydicom
import pytest

from cormack.dicom.inventory import take_inventory
from cormack.dicom.source import open_source
from cormack.physics.head import digital_head
from cormack.pipeline.face_rules import faceless, of_body_part, without_volume
from cormack.pipeline.faces import FacePlan, plan_faces
from cormack.pipeline.phantom import make_phantom_series

RT_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
COMPREHENSIVE_SR = "1.2.840.10008.5.1.4.1.1.88.33"


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "head"
    make_phantom_series(folder, slices=30, thickness_mm=5.0, pixels=128)
    return folder


@pytest.fixture(scope="module")
def planned(export, tmp_path_factory):
    with open_source(export) as source:
        inventory = take_inventory(source)
        plan = plan_faces(source, inventory=inventory, folder=tmp_path_factory.mktemp("masks"))
    yield inventory, plan
    plan.close()


def entry_of(inventory, number):
    return next(entry for entry in inventory.series if entry.number == number)


def test_a_head_with_localizers_and_a_dose_page(planned):
    inventory, plan = planned
    kinds = {
        number: {plan.verdict(i.sop_uid).kind for i in entry_of(inventory, number).instances} for number in (1, 2, 999)
    }
    assert kinds == {1: {"refused"}, 2: {"masked"}, 999: {"refused"}}
    assert sum(plan.counts().values()) == 33
    assert plan.verdict("1.2.3").kind == "refused"
    assert plan.mask("1.2.3") is None


def test_masks_lie_where_the_eyes_are_and_spare_the_brain(planned):
    inventory, plan = planned
    entry = entry_of(inventory, 2)
    geometry = entry.geometry
    head = digital_head()
    eyes, brain = [], 0
    for index, origin in zip(geometry.order, geometry.origins, strict=True):
        mask = plan.mask(entry.instances[index].sop_uid)
        if mask is None:
            continue
        assert mask.shape == (128, 128)
        affine = np.eye(4)
        affine[:3] = np.column_stack([geometry.step_i, geometry.step_j, geometry.normal, origin])
        truth = head.intracranial_mask(affine, (128, 128, 1))[:, :, 0].T
        brain += np.count_nonzero(mask & truth)
        xyz = origin + np.arange(128)[None, :, None] * geometry.step_i + np.arange(128)[:, None, None] * geometry.step_j
        eye = np.minimum(*(np.linalg.norm(xyz - [x, 64, -13], axis=-1) for x in (-32.5, 32.5))) < 10
        eyes.append((np.count_nonzero(eye & mask), np.count_nonzero(eye)))
    assert brain == 0
    found, there = np.sum(eyes, axis=0)
    assert there > 50
    assert found > 0.95 * there


def test_the_folder_is_for_its_owner_and_goes(export):
    with open_source(export) as source, plan_faces(source, parts=("ears",)) as plan:
        assert stat.S_IMODE(plan.folder.stat().st_mode) == 0o700
        copy = pickle.loads(pickle.dumps(plan))
        uid = next(uid for uid in plan._places)
        np.testing.assert_array_equal(copy.mask(uid), plan.mask(uid))
        assert copy.verdict(uid) == plan.verdict(uid)
    assert not plan.folder.exists()


def test_masks_of_several_frames_lie_in_their_order(planned, tmp_path):
    first = entry_of(planned[0], 2).first
    rng = np.random.default_rng(1)
    masks = rng.random((3, 5, 7)) > 0.5
    masks[1] = False
    plan = FacePlan(tmp_path)
    for n in (2, 0, 1):
        plan._keep(replace(first, sop_uid="1.2", frame=n, rows=5, columns=7), masks[n])
    plan._keep(replace(first, sop_uid="1.3", rows=5, columns=7), masks[0])
    plan._keep(replace(first, sop_uid="1.4", rows=5, columns=7), masks[1])
    np.testing.assert_array_equal(plan.mask("1.2"), masks)
    np.testing.assert_array_equal(plan.mask("1.3"), masks[0])
    assert plan.mask("1.4") is None


def test_an_outline_that_comes_alone_is_refused(export, tmp_path):
    # Without a volume of its study nobody knows what it is the outline of.
    page = pydicom.dcmread(next((export / "S0999").iterdir()))
    del page.PixelData, page.Rows, page.Columns
    page.SOPClassUID = page.file_meta.MediaStorageSOPClassUID = RT_STRUCTURE_SET
    page.save_as(tmp_path / "structures.dcm")
    with open_source(tmp_path) as source, plan_faces(source) as plan:
        assert plan.verdict(page.SOPInstanceUID).kind == "refused"


def changed(entry, **facts):
    return replace(entry, instances=tuple(replace(instance, **facts) for instance in entry.instances))


def test_verdicts_by_rule(planned):
    inventory, _ = planned
    head, page = entry_of(inventory, 2), entry_of(inventory, 999)

    def kind(entry, **known):
        return without_volume(entry, **{"study_shows_head": False, "study_has_volume": True, **known}).kind

    assert of_body_part(head, shows_brain=True) is None
    assert of_body_part(changed(head, body_part="CHEST"), shows_brain=True) is None
    assert of_body_part(changed(head, body_part="CHEST"), shows_brain=False).kind == "absent"
    assert of_body_part(changed(head, body_part="NECK"), shows_brain=False) is None
    structures = changed(page, sop_class=RT_STRUCTURE_SET, rows=0, columns=0)
    assert kind(structures, study_shows_head=True) == "refused"
    assert kind(structures) == "absent"
    assert kind(structures, study_has_volume=False) == "refused"
    assert kind(changed(page, sop_class=COMPREHENSIVE_SR, rows=0)) == "absent"
    assert kind(page) == "refused"
    assert kind(changed(page, modality="XC")) == "refused"
    assert kind(changed(page, modality="US")) == "absent"
    assert kind(changed(page, body_part="KNEE")) == "absent"
    assert kind(changed(page, body_part="KNEE"), study_shows_head=True) == "refused"
    assert kind(changed(page, sop_class="1.2.3.4", modality="US")) == "refused"
    assert "CHEST" in faceless("body_parts")
    assert not {"HEAD", "BRAIN", "NECK", "SKULL", "WHOLEBODY"} & faceless("body_parts")
    assert not {"XC", "PT", "CR", "DX", "OT", "NM"} & faceless("modalities")
