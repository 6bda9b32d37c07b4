"""Two scans of one digital head, turned, shifted and with a bleeding in the second."""

import csv
import json
import os
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from cormack.core.findings import Finding
from cormack.core.labels import BRAIN, LabelMap
from cormack.core.transforms import Affine, TransformChain, grid_points
from cormack.files.transforms import read_transform
from cormack.pipeline.follow_up import follow_up
from cormack.pipeline.follow_up_outputs import FollowUpOptions
from cormack.register.engine import Kind, Metric
from cormack.register.register import Registration

SPACING_MM = 3.0
BLEEDING_MM, BLEEDING_CENTRE = 18.0, np.array([28.0, -10.0, 20.0])
BLEEDING_ML = 4 / 3 * np.pi * BLEEDING_MM**3 / 1000


def inside(points, centre, semi_axes):
    return (((points - centre) / semi_axes) ** 2).sum(axis=-1) <= 1


def scanned(pose, affine, shape, *, bleeding=False, mr=False):
    """A head of ellipsoids with ventricles, scanned where `pose` puts it: scanner millimetres to head millimetres."""
    points = pose.apply(grid_points(affine, shape))
    data = np.full(shape, -1000.0)
    parts = (
        ((0, 0, 0), (78, 98, 84), 50),
        ((0, 0, 0), (72, 92, 78), 1100),
        ((0, 0, 0), (65, 85, 71), 34),
        ((-12, 8, 8), (7, 26, 12), 6),
        ((12, 8, 8), (7, 26, 12), 6),
        ((0, -45, -35), (38, 22, 18), 44),
        ((8, 60, 15), (12, 10, 14), 22),
    )
    for centre, semi_axes, hu in parts:
        data[inside(points, np.array(centre, float), np.array(semi_axes, float))] = hu
    if bleeding:
        data[np.linalg.norm(points - BLEEDING_CENTRE, axis=-1) <= BLEEDING_MM] = 70
    data += np.random.default_rng(0).normal(0, 3, shape)
    if mr:
        return np.where(data < -500, 0, np.where(data > 500, 20, 400 - 4 * data)).clip(0).astype(np.float32)
    return np.rint(data).astype(np.int16)


def nifti(path, data, affine):
    image = nib.Nifti1Image(data, affine)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    return path


POSE = np.eye(4)
POSE[:3, :3] = Rotation.from_euler("zxy", [10, -6, 4], degrees=True).as_matrix()
POSE[:3, 3] = [5, -8, 6]
POSE = Affine(POSE)
SHAPE = (70, 78, 68)
GRID = np.diag([3.0, 3.0, 3.0, 1.0])
GRID[:3, 3] = [-103, -116, -101]


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scans")
    nifti(folder / "a.nii.gz", scanned(Affine.identity(), GRID, SHAPE), GRID)
    nifti(folder / "b.nii.gz", scanned(POSE, GRID, SHAPE, bleeding=True), GRID)
    nifti(folder / "mr.nii.gz", scanned(POSE, GRID, SHAPE, mr=True), GRID)
    for name, pose, radius in (("la", Affine.identity(), 20.0), ("lb", POSE, 22.0)):
        away = np.linalg.norm(pose.apply(grid_points(GRID, SHAPE)) - [0, 30, 0], axis=-1)
        nifti(folder / f"{name}.nii.gz", (away <= radius).astype(np.uint8) * 7, GRID)
    return folder


def known_answer(moving, fixed, kind, **_):
    """What registering the two scans gives, with an error of 0.2 mm one way and of 0.1 mm the other."""
    bleeds = np.count_nonzero((fixed.data > 60) & (fixed.data < 80)) > 500
    error = np.eye(4)
    error[0, 3] = 0.2 if bleeds else 0.1
    chain = TransformChain((Affine(error), POSE if bleeds else POSE.inverse()))
    return Registration(chain, Kind(kind), Metric.MI, "known", Affine.identity(), None)


def quick_brain(volume, *, head):
    """The inside of a skull without holes, faster than by extraction that is tested elsewhere."""
    soft, _ = ndimage.label((volume.data > -50) & (volume.data < 150))
    middle = tuple(np.round(volume.voxel([0, 0, -20])).astype(int))
    return LabelMap((soft == soft[middle]).astype(np.uint8), volume.affine, BRAIN)


@pytest.fixture(scope="module")
def compared(scans):
    """Both orders."""
    from cormack.cli.main import main

    labels = ["--labels", str(scans / "la.nii.gz"), str(scans / "lb.nii.gz")]
    words = ["follow-up", "--spacing", str(SPACING_MM), "-q"]
    a, b = str(scans / "a.nii.gz"), str(scans / "b.nii.gz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cormack.register.halfway.register_volumes", known_answer)
        patch.setattr("cormack.pipeline.follow_up.brain_mask", quick_brain)
        assert main([*words, a, b, str(scans / "ab"), *labels]) == 0
        assert main([*words, b, a, str(scans / "ba"), labels[0], labels[2], labels[1]]) == 0
    return scans / "ab", scans / "ba"


def table(folder):
    with (folder / "volumes.tsv").open() as f:
        return {row["structure"]: row for row in csv.DictReader(f, delimiter="\t")}


def voxels(folder, name):
    return nib.load(folder / f"{name}.nii.gz").get_fdata()


def missed_mm(folder):
    """How far the transforms that were written miss the pose, at places in the head."""
    first, second = (read_transform(folder / "transforms" / name) for name in ("first", "second"))
    points = np.random.default_rng(0).normal(0, 40, (200, 3))
    there = second.apply(first.inverse().apply(points))
    return np.linalg.norm(there - POSE.inverse().apply(points), axis=1)


def test_the_mean_of_both_directions_is_taken(compared):
    # One way errs by +0.1 mm, the other, led back, by about -0.2 mm along x.
    assert missed_mm(compared[0]).max() < 0.1
    record = json.loads((compared[0] / "follow_up.json").read_text())
    turn = np.degrees(Rotation.from_matrix(POSE.matrix[:3, :3]).magnitude())
    assert record["Turn"] == pytest.approx(turn, abs=1e-3)
    assert record["Disagreement"] == pytest.approx(0.3, abs=0.05)


def test_both_are_turned_by_half(compared):
    turns = []
    for name in ("first", "second"):
        matrix = read_transform(compared[0] / "transforms" / name).transforms[0].matrix
        turns.append(Rotation.from_matrix(matrix[:3, :3]).as_rotvec())
    np.testing.assert_allclose(turns[0], -turns[1], atol=1e-6)


@pytest.mark.slow
def test_ants_finds_the_pose(scans, tmp_path):
    if not os.environ.get("CORMACK_SLOW"):
        pytest.skip("CORMACK_SLOW=1 runs it")
    pytest.importorskip("ants")
    made = follow_up(scans / "a.nii.gz", scans / "b.nii.gz", tmp_path / "out")
    assert missed_mm(tmp_path / "out").mean() < 0.5
    assert not made.findings
    # Of CT and MR.
    follow_up(scans / "a.nii.gz", scans / "mr.nii.gz", tmp_path / "mixed")
    assert missed_mm(tmp_path / "mixed").mean() < 1.0


def test_the_bleeding_is_what_changed(compared):
    folder, _ = compared
    image = nib.load(folder / "difference.nii.gz")
    brighter = image.get_fdata() > 20
    halfway = read_transform(folder / "transforms" / "first")
    places = halfway.apply(grid_points(image.affine, image.shape)[brighter])
    near = np.linalg.norm(places - BLEEDING_CENTRE, axis=1) < BLEEDING_MM + 3
    assert np.count_nonzero(near) * SPACING_MM**3 / 1000 == pytest.approx(BLEEDING_ML, rel=0.15)


def test_volumes_that_did_not_change_do_not(compared):
    rows = table(compared[0])
    assert set(rows) == {"head", "intracranial space", "label 7"}
    for name in ("head", "intracranial space"):
        assert abs(float(rows[name]["change_percent"])) < 1.5
        assert float(rows[name]["dice"]) > 0.98
    ratio = (22 / 20) ** 3
    assert float(rows["label 7"]["change_percent"]) == pytest.approx(200 * (ratio - 1) / (ratio + 1), abs=4)


def test_exchanging_the_scans_mirrors_everything(compared):
    ab, ba = compared
    np.testing.assert_allclose(nib.load(ab / "first.nii.gz").affine, nib.load(ba / "second.nii.gz").affine, atol=1e-4)
    assert np.abs(voxels(ab, "first") - voxels(ba, "second")).max() <= 1
    assert np.abs(voxels(ab, "second") - voxels(ba, "first")).max() <= 1
    assert np.abs(voxels(ab, "difference") + voxels(ba, "difference")).max() <= 1
    one, other = table(ab), table(ba)
    for name, row in one.items():
        assert float(row["first_ml"]) == pytest.approx(float(other[name]["second_ml"]), rel=1e-3)
        assert float(row["change_percent"]) == pytest.approx(-float(other[name]["change_percent"]), abs=0.1)


def test_the_page_needs_nothing_from_elsewhere(compared):
    page = (compared[0] / "report.html").read_text()
    assert page.count("<svg") == 24
    assert "http" not in page.replace("http-equiv", "")
    assert "intracranial space" in page
    assert "halved" in page


def test_ct_and_mr_are_not_subtracted(scans, tmp_path, monkeypatch):
    monkeypatch.setattr("cormack.register.halfway.register_volumes", known_answer)
    out = tmp_path / "out"
    made = follow_up(scans / "a.nii.gz", scans / "mr.nii.gz", out, FollowUpOptions(spacing_mm=SPACING_MM))
    assert not (out / "difference.nii.gz").exists()
    assert json.loads((out / "follow_up.json").read_text())["Units"] == ["HU", "arbitrary"]
    assert (out / "report.html").read_text().count("<svg") == 18
    assert made.changes == ()


def test_scans_of_unlike_resolution_and_a_cut_head_raise_doubts(scans, tmp_path, monkeypatch):
    monkeypatch.setattr("cormack.register.halfway.register_volumes", known_answer)
    thick = np.diag([3.0, 3.0, 9.0, 1.0])
    thick[:3, 3] = GRID[:3, 3]
    slab = nifti(tmp_path / "slab.nii.gz", scanned(POSE, thick, (70, 78, 4), bleeding=True), thick)
    made = follow_up(scans / "a.nii.gz", slab, tmp_path / "out", FollowUpOptions(spacing_mm=SPACING_MM))
    codes = {finding.code for finding in made.findings}
    assert "resolution-differs" in codes
    assert (tmp_path / "out" / "report.html").exists()


def test_a_failed_registration_leaves_nothing(cormack, scans, tmp_path, monkeypatch):
    def failing(moving, fixed, kind, **_):
        finding = Finding("registration-diverged", "registration failed: nothing fits")
        return replace(known_answer(moving, fixed, kind), failure=finding)

    monkeypatch.setattr("cormack.register.halfway.register_volumes", failing)
    code, _, err = cormack("follow-up", scans / "a.nii.gz", scans / "b.nii.gz", tmp_path / "out")
    assert (code, "nothing fits" in err) == (1, True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("case", "words"),
    [("missing", "no such file"), ("inside", "lies inside"), ("constant", "one value only"), ("labels", "labels are")],
)
def test_what_cannot_be_compared_is_said_and_leaves_nothing(case, words, cormack, scans, tmp_path):
    first, second, out, more = scans / "a.nii.gz", scans / "b.nii.gz", tmp_path / "out", []
    if case == "missing":
        second = tmp_path / "nothing.nii.gz"
    elif case == "inside":
        first = out = tmp_path
        nifti(tmp_path / "x.nii.gz", np.zeros((4, 4, 4), np.int16), GRID)
    elif case == "constant":
        second = nifti(tmp_path / "flat.nii.gz", np.full(SHAPE, -1000, np.int16), GRID)
    elif case == "labels":
        more = ["--labels", scans / "a.nii.gz", scans / "lb.nii.gz"]
    code, _, err = cormack("follow-up", first, second, out, *more, "--spacing", "4")
    assert code == 1
    assert words in err
    assert not (tmp_path / "out").exists()
