"""Into a template's space as a step of a run."""

import json

import numpy as np
import pytest

from cormack.core.labels import BRAIN, LabelMap
from cormack.core.transforms import Affine
from cormack.core.volume import Volume
from cormack.files.bids import subject_name
from cormack.files.nifti import write_volume
from cormack.files.outputs import OutputSet
from cormack.files.transforms import read_transform
from cormack.imaging.rectify import Rectified
from cormack.pipeline.grids import Grids
from cormack.pipeline.options import RunOptions, SpaceOptions
from cormack.pipeline.progress import Silent
from cormack.pipeline.space import by_brain, by_head, write_space
from cormack.pipeline.steps import RUN_STEPS, steps_of
from cormack.register.engine import GivenEngine

AFFINE = np.diag([4.0, 4.0, 4.0, 1.0])


def ball(values=(-1000, 900, 35)) -> tuple[Volume, LabelMap]:
    distance = np.linalg.norm(np.indices((30, 30, 30)) - np.array([15, 14, 16])[:, None, None, None], axis=0)
    data = np.where(distance < 11, values[1], values[0])
    data = np.where(distance < 9, values[2], data).astype(np.int16)
    data[13:16, 10:20, 12:20] = 5
    return Volume(data, AFFINE), LabelMap((distance < 9).astype(np.uint8), AFFINE, BRAIN)


@pytest.fixture
def engine(monkeypatch):
    def give(matrix):
        monkeypatch.setattr("cormack.register.register.AntsEngine", lambda: GivenEngine(Affine(matrix)))
        monkeypatch.setattr("cormack.register.register._start", lambda *_: (Affine.identity(), ()))

    return give


@pytest.fixture
def template(tmp_path):
    """The CT template in small: a head and its stripped sibling in the template's stretched units."""
    volume, mask = ball()
    units = (np.clip(volume.data, -100, 100) * 10.2 + 2296).astype(np.int16)
    write_volume(tmp_path / "scct.nii", Volume(units, AFFINE))
    write_volume(tmp_path / "scct_stripped.nii", Volume(np.where(mask.data > 0, units, 0).astype(np.int16), AFFINE))
    return str(tmp_path)


def grids(volume: Volume) -> Grids:
    return Grids(Rectified(volume, np.ones(volume.shape, bool), False), None)  # type: ignore[arg-type]


@pytest.mark.parametrize("before", [False, True])
def test_a_scan_gets_its_transforms_and_the_brain_of_the_template(engine, template, tmp_path, before):
    engine(np.eye(4))
    volume, mask = ball()
    options = RunOptions(space=SpaceOptions("ct", kind="rigid", before_brain=before, template_dir=template))
    space = (by_head if before else by_brain)(grids(volume), mask, options, Silent())
    assert space.findings == ()
    assert space.record["Region"]["fixed"] == ("whole volume" if before else "intracranial space")
    np.testing.assert_array_equal(space.template_brain.data, mask.data)
    name = subject_name("01")
    with OutputSet(tmp_path / "out") as outputs:
        written = write_space(outputs, name, space, "RAS")
    folder = tmp_path / "out" / name.folder
    assert {path.name for path in written} == {path.name for path in folder.iterdir()}
    names = {path.name for path in written}
    assert "sub-01_from-ct_to-CTRorden2012_mode-image_xfm.mat" in names
    assert {"sub-01_space-CTRorden2012_ct.nii.gz", "sub-01_desc-templatebrain_mask.nii.gz"} <= names
    back = read_transform(folder / "sub-01_transforms.json")
    np.testing.assert_allclose(back.apply([[1.0, 2, 3]]), [[1, 2, 3]])


def test_a_failure_is_told_and_leaves_no_transform(engine, template, tmp_path):
    away = np.eye(4)
    away[:3, 3] = 500
    engine(away)
    volume, mask = ball()
    options = RunOptions(space=SpaceOptions("ct", kind="rigid", template_dir=template))
    space = by_brain(grids(volume), mask, options, Silent())
    assert [finding.code for finding in space.findings] == ["registration-overlap"]
    assert space.key_rows[0].value == "failed"
    with OutputSet(tmp_path / "out") as outputs:
        written = write_space(outputs, subject_name("01"), space, "RAS")
    assert [path.name for path in written] == ["sub-01_registration.json"]
    record = json.loads((tmp_path / "out" / written[0]).read_text())
    assert record["Failed"] == "registration-overlap"


def test_the_step_comes_before_or_after_the_brain_and_only_if_asked_for():
    def order(options: RunOptions) -> list[str]:
        return [step.gives for step in steps_of(options)]

    assert steps_of(RunOptions()) == RUN_STEPS
    after, before = (order(RunOptions(space=SpaceOptions(before_brain=b))) for b in (False, True))
    assert after.index("space") == after.index("brain") + 1
    assert before.index("space") == before.index("brain") - 1


def test_runs_without_a_space_state_the_parameters_that_they_always_did():
    assert "space" not in RunOptions().as_parameters()
    assert RunOptions(space=SpaceOptions()).as_parameters()["space"]["name"] == "ct"
