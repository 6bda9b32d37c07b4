"""`cormack plot`, `resample` and `filter` on the digital head."""

import json

import nibabel as nib
import numpy as np
import pytest


@pytest.fixture(scope="module")
def scan(export, tmp_path_factory):
    """The export on 2.5 mm voxels, and a label map of three boxes on the same grid."""
    from cormack.cli.main import main

    folder = tmp_path_factory.mktemp("scan")
    assert main(["convert", str(export), str(folder / "head.nii.gz"), "--spacing", "2.5", "-q"]) == 0
    image = nib.load(folder / "head.nii.gz")
    labels = np.zeros(image.shape, np.uint8)
    for n in range(3):
        labels[20 + 10 * n : 28 + 10 * n, 30:50, 20:35] = n + 1
    made = nib.Nifti1Image(labels, image.affine)
    made.header.set_xyzt_units("mm")
    nib.save(made, folder / "labels.nii.gz")
    (folder / "names.tsv").write_text("index\tname\n1\tleft\n2\tmiddle\n3\tright\n")
    return folder


@pytest.mark.parametrize("kind", ["histogram", "montage", "planes"])
def test_pictures_straight_from_dicom(cormack, export, tmp_path, kind):
    code, out, err = cormack("plot", kind, export, tmp_path / "a.png", "--dpi", "60")
    assert (code, out.strip()) == (0, f"wrote {tmp_path / 'a.png'}")
    assert "tilted" in err
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_a_picture_coarser_than_the_scan_says_so(cormack, tmp_path):
    fine = nib.Nifti1Image(np.full((700, 500, 4), 40, np.int16), np.diag([0.1, 0.1, 3.0, 1.0]))
    fine.header.set_xyzt_units("mm")
    nib.save(fine, tmp_path / "fine.nii.gz")
    for kind, pixel in (("montage", "0.2"), ("planes", "0.3")):
        code, _, err = cormack("plot", kind, tmp_path / "fine.nii.gz", tmp_path / "a.svg", "--dpi", "40")
        assert code == 0
        assert f"the picture is coarser than the scan: pixels of {pixel} mm, voxels of 0.1 mm" in err


@pytest.mark.parametrize(
    "words",
    [
        ("histogram", "--linear", "--even"),
        ("montage", "--every", "9", "--plane", "sagittal", "--window", "equalised"),
        ("planes", "--at", "0,-10,20", "--normal", "0,-0.3,1", "--window", "40,80", "--sigmoid", "--color-map", "bone"),
        ("planes", "--plane", "coronal", "--window", "all-range"),
    ],
)
def test_options_of_pictures(cormack, scan, tmp_path, words):
    assert cormack("plot", words[0], scan / "head.nii.gz", tmp_path / "a.svg", *words[1:], "-q")[0] == 0
    assert "<svg" in (tmp_path / "a.svg").read_text()


def test_overlay_names_labels_with_volumes(cormack, scan, tmp_path):
    words = ("plot", "overlay", scan / "head.nii.gz", scan / "labels.nii.gz", tmp_path / "a.svg")
    assert cormack(*words, "--names", scan / "names.tsv", "-q")[0] == 0
    text = (tmp_path / "a.svg").read_text()
    volume = 8 * 20 * 15 * 2.5**3 / 1000
    assert f"middle, {volume:.3g} ml" in text
    words = ("plot", "montage", scan / "head.nii.gz", tmp_path / "b.png", "--labels", scan / "labels.nii.gz", "-q")
    assert cormack(*words)[0] == 0


@pytest.mark.parametrize("kind", ["side", "checkerboard", "difference"])
def test_pairs_of_scans_on_different_grids(cormack, scan, export, tmp_path, kind):
    words = ("plot", "pair", scan / "head.nii.gz", export, tmp_path / "a.pdf", "--kind", kind, "-q")
    assert cormack(*words)[0] == 0
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_surfaces_of_a_scan_and_of_labels(cormack, scan, tmp_path):
    words = ("plot", "surface", scan / "head.nii.gz", tmp_path / "a.stl", "--surface", "bone", "--faces", "9000")
    code, out, _ = cormack(*words)
    assert code == 0
    assert "bone: " in out
    assert "watertight" in out
    faces = int.from_bytes((tmp_path / "a.stl").read_bytes()[80:84], "little")
    assert faces == pytest.approx(9000, rel=0.1)
    code, out, _ = cormack(
        "plot", "surface", scan / "labels.nii.gz", tmp_path / "a.obj", "--labels", "--names", scan / "names.tsv"
    )
    assert code == 0
    assert out.count("watertight") == 3
    assert "g middle" in (tmp_path / "a.obj").read_text()


def test_surface_as_a_picture_and_as_a_page(cormack, scan, tmp_path):
    for name in ("a.png", "a.html"):
        words = ("plot", "surface", scan / "head.nii.gz", tmp_path / name, "--surface", "500", "--faces", "4000", "-q")
        assert cormack(*words, "--dpi", "50")[0] == 0
    assert (tmp_path / "a.html").stat().st_size < 10_000_000


def test_huge_volumes_are_thinned_and_it_is_said(cormack, scan, tmp_path, monkeypatch):
    monkeypatch.setattr("cormack.pipeline.surfaces.MOST_VOXELS", 100_000)
    code, _, err = cormack("plot", "surface", scan / "head.nii.gz", tmp_path / "a.ply")
    assert code == 0
    assert "blocks of" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("histogram", "{scan}", "a.jpg"), "must end in .png"),
        (("surface", "{scan}", "a.gif"), "must end in"),
        (("planes", "{scan}", "a.png", "--window", "brian"), "give one of"),
        (("planes", "{scan}", "a.png", "--at", "0,0,900"), "outside the volume"),
        (("surface", "{scan}", "a.png", "--surface", "3000000"), "values run from"),
        (("surface", "{scan}", "a.png", "--surface", "skull"), "skin, bone"),
        (("overlay", "{scan}", "{empty}", "a.png"), "nothing to draw"),
        (("surface", "{empty}", "a.png", "--labels"), "nothing to draw"),
        (("planes", "{four}", "a.png"), "4-D"),
        (("planes", "{colour}", "a.png"), "colours"),
        (("planes", "nowhere", "a.png"), "no such file"),
    ],
)
def test_what_cannot_be_drawn_is_told_and_leaves_nothing(cormack, scan, tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    four = nib.Nifti1Image(np.zeros((5, 5, 5, 3), np.int16), np.eye(4))
    colour = nib.Nifti1Image(np.zeros((5, 5, 5), [(c, "u1") for c in "RGB"]), np.eye(4))
    empty = nib.Nifti1Image(np.zeros((5, 5, 5), np.uint8), np.eye(4))
    for name, image in (("four", four), ("colour", colour), ("empty", empty)):
        image.header.set_xyzt_units("mm")
        nib.save(image, f"{name}.nii.gz")
    given = {"scan": scan / "head.nii.gz", **{name: f"{name}.nii.gz" for name in ("four", "colour", "empty")}}
    code, _, err = cormack("plot", *(word.format(**given) for word in words), "-q")
    assert code == 1
    assert told in err
    assert not list(tmp_path.glob("a.*"))


def test_words_that_are_no_point_are_wrong_usage(cormack, scan, tmp_path):
    code, _, err = cormack("plot", "planes", scan / "head.nii.gz", tmp_path / "a.png", "--at", "0,0")
    assert code == 2
    assert "three numbers" in err


# Resampling and filters


def test_resampling_tells_the_true_spacing(cormack, export, tmp_path):
    code, out, _ = cormack("resample", export, tmp_path / "a.nii.gz", "--spacing", "1.7", "--order", "cubic")
    assert code == 0
    image = nib.load(tmp_path / "a.nii.gz")
    np.testing.assert_allclose(image.header.get_zooms(), 1.7, rtol=1e-6)
    shape = " x ".join(str(n) for n in image.shape)
    assert f"{shape} voxels of 1.7 x 1.7 x 1.7 mm (before:" in out
    sidecar = json.loads((tmp_path / "a.json").read_text())
    assert sidecar["VoxelSize"] == [1.7, 1.7, 1.7]
    assert sidecar["Units"] == "HU"


def test_labels_are_resampled_unmixed(cormack, scan, tmp_path):
    words = ("resample", scan / "labels.nii.gz", tmp_path / "a.nii.gz", "--spacing", "2", "--labels", "-q")
    assert cormack(*words)[0] == 0
    assert set(np.unique(nib.load(tmp_path / "a.nii.gz").dataobj)) == {0, 1, 2, 3}
    assert cormack(*words, "--order", "cubic")[0] == 1


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        (("gaussian", "--sigma", "3"), {"Filter": "Gaussian", "SigmaMillimetres": 3}),
        (("median", "--radius", "2.5"), {"Filter": "median", "RadiusMillimetres": 2.5}),
        (("perona-malik", "--sigma", "3", "--edge", "9", "--conductance", "rational"), {"Conductance": "rational"}),
    ],
)
def test_filters_write_scan_sidecar_and_picture(cormack, scan, tmp_path, words, fields):
    before = nib.load(scan / "head.nii.gz")
    paths = (scan / "head.nii.gz", tmp_path / "a.nii.gz")
    code, out, _ = cormack("filter", words[0], *paths, *words[1:], "--picture", tmp_path / "a.png")
    assert code == 0
    assert fields.get("Filter", "Perona-Malik") in out
    after = nib.load(tmp_path / "a.nii.gz")
    np.testing.assert_allclose(after.affine, before.affine, atol=1e-4)
    assert after.get_data_dtype() == np.int16
    assert np.asarray(after.dataobj).std() < np.asarray(before.dataobj).std()
    sidecar = json.loads((tmp_path / "a.json").read_text())
    assert fields.items() <= sidecar.items()
    assert (tmp_path / "a.png").is_file()


def test_tilted_series_are_rectified_before_they_are_filtered(cormack, export, tmp_path):
    assert cormack("filter", "gaussian", export, tmp_path / "a.nii.gz", "--sigma", "1", "-q")[0] == 0
    steps = nib.load(tmp_path / "a.nii.gz").affine[:3, :3]
    unit = steps / np.linalg.norm(steps, axis=0)
    np.testing.assert_allclose(unit.T @ unit, np.eye(3), atol=1e-5)


def test_harmonising_needs_one_target(cormack, scan, tmp_path):
    words = ("filter", "harmonize", scan / "head.nii.gz", tmp_path / "a.nii.gz", "-q")
    code, _, err = cormack(*words)
    assert (code, "--like" in err) == (1, True)
    assert cormack(*words, "--like", scan / "head.nii.gz", "--frequency", "0.2")[0] == 1
