"""Label maps compared on the command line: files, folders, statistics, the page."""

import csv
import json

import numpy as np
import pytest

from cormack.core.labels import Label, LabelMap, LabelTable
from cormack.files.nifti import write_labels

AFFINE = np.diag([2.0, 2.0, 3.0, 1.0])
TABLE = LabelTable((Label(1, "ball", "B", (255, 0, 0)), Label(2, "cube", "C", (0, 255, 0))))


def drawn(shift=0, grow=0, cube=True):
    data = np.zeros((30, 26, 20), np.uint8)
    i, j, k = np.indices(data.shape)
    data[((i - 9 - shift) ** 2 + (j - 12) ** 2 + (k - 10) ** 2) < (6 + grow) ** 2] = 1
    if cube:
        data[20 + shift : 27, 8:18, 6:14] = 2
    return data


def write(path, data, affine=AFFINE, codes=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_labels(path, LabelMap(data, affine, TABLE), codes=codes)


def rows_of(out):
    with (out / "agreement.tsv").open(encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f, delimiter="\t"))


@pytest.fixture
def names(tmp_path):
    path = tmp_path / "names.tsv"
    path.write_text("index\tname\n1\tball\n2\tcube\n", encoding="utf-8")
    return path


def test_two_files(tmp_path, cormack, names):
    write(tmp_path / "truth.nii.gz", drawn())
    # The same places, stored with the axes in another order.
    write(tmp_path / "mine.nii.gz", drawn(1), codes="LAS")
    out = tmp_path / "out"
    code, told, _ = cormack(
        "compare", tmp_path / "truth.nii.gz", tmp_path / "mine.nii.gz", out, "--names", names, "--tolerance", 2, "-q"
    )
    assert (code, told) == (0, "")
    ball, cube = rows_of(out)
    assert (ball["subject"], ball["method"], ball["structure"]) == ("1", "mine", "ball")
    a, b = drawn() == 1, drawn(1) == 1
    assert float(ball["dice"]) == pytest.approx(2 * (a & b).sum() / (a.sum() + b.sum()), rel=1e-5)
    assert float(ball["hausdorff_mm"]) == 2.0
    assert float(ball["surface_dice"]) == 1
    assert float(cube["difference_ml"]) == pytest.approx(-10 * 8 * 12 / 1000)
    record = json.loads((out / "agreement.json").read_text(encoding="utf-8"))
    assert record["ToleranceMm"] == 2
    assert set(record["Columns"]) < set(ball)
    assert record["PairedTests"] == []
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Agreement with the reference" in page
    assert page.count("data:image/svg+xml") == 4
    assert "http" not in page.replace("http-equiv", "")


@pytest.fixture
def cohort(tmp_path):
    """Eight subjects by two methods; the second method lacks one, and one is on another grid."""
    rng = np.random.default_rng(0)
    for n in range(1, 9):
        name = f"sub-{n:02d}_dseg.nii.gz"
        write(tmp_path / "truth" / name, drawn())
        write(tmp_path / "good" / name, drawn(int(rng.integers(0, 2)), cube=n != 3))
        if n < 8:
            affine = AFFINE if n != 2 else np.diag([3.0, 2.0, 2.0, 1.0])
            write(tmp_path / "poor" / name, drawn(2 + int(rng.integers(0, 2))), affine)
    return tmp_path


def test_folders_of_subjects_and_methods(cohort, cormack, names):
    folders = [cohort / name for name in ("truth", "good", "poor")]
    code, told, warned = cormack("compare", *folders, cohort / "out", "--names", names, "--plot", "violin")
    assert code == 0
    assert "1 predictions are missing" in warned
    assert "1 of 8 subjects could not be compared" in warned
    assert "sub-02_dseg" not in warned
    assert "good: mean Dice 0." in told
    assert "poor: mean Dice 0." in told
    rows = rows_of(cohort / "out")
    assert len(rows) == 2 * (7 + 6)
    assert rows[0]["subject"] == "sub-01"
    absent = next(row for row in rows if row["subject"] == "sub-03" and row["method"] == "good" and row["index"] == "2")
    assert absent["hausdorff_mm"] == "n/a"
    assert float(absent["dice"]) == 0
    assert absent["undefined"] == "absent in the prediction"
    record = json.loads((cohort / "out" / "agreement.json").read_text(encoding="utf-8"))
    assert record["Subjects"] == 7
    assert record["Methods"] == ["good", "poor"]
    summary = next(s for s in record["Summary"] if s["metric"] == "hausdorff95_mm" and s["structure"] == "cube")
    assert (summary["subjects"], summary["undefined"]) == (7, 1)
    assert len(record["PairedTests"]) == 6
    test = record["PairedTests"][0]
    assert (test["metric"], test["structure"], test["test"]["pairs"]) == ("dice", "ball", 6)
    assert test["test"]["mean_difference"] < 0
    assert test["test"]["p_value"] == pytest.approx(2 / 64)
    assert [c["level"] for c in record["DiceRegression"]["coefficients"]] == ["poor", "cube"]
    assert {f["Code"] for f in record["Warnings"]} == {"predictions-missing", "subjects-not-compared"}


def test_chosen_slices_and_undecided_voxels(tmp_path, cormack):
    truth = drawn()
    truth[:, :, :9] = truth[:, :, 11:] = 0
    truth[0, 0, 9] = 9
    write(tmp_path / "truth.nii", truth)
    write(tmp_path / "mine.nii", drawn())
    paths = tmp_path / "truth.nii", tmp_path / "mine.nii"
    for slices in ("drawn", "9-10", "9,10"):
        code, told, _ = cormack(
            "compare", *paths, tmp_path / "out", "--slices", slices, "--undecided", 9, "--no-surfaces"
        )
        assert code == 0
        assert "mean Dice 1.000 over 2 structures of 1 subjects" in told
    assert rows_of(tmp_path / "out")[0]["structure"] == "label 1"
    assert cormack("compare", *paths, tmp_path / "out", "--slices", "some")[0] == 2


def test_what_cannot_be_compared(cohort, cormack):
    truth = cohort / "truth" / "sub-01_dseg.nii.gz"
    code, _, said = cormack("compare", truth, cohort / "good", cohort / "out")
    assert (code, "all of them as folders" in said) == (1, True)
    code, _, said = cormack("compare", truth, cohort / "names.txt", cohort / "out")
    assert (code, "labels import" in said) == (1, True)
    code, _, said = cormack("compare", truth, cohort / "poor" / "sub-02_dseg.nii.gz", cohort / "out")
    assert (code, "does not lie on the grid" in said) == (1, True)
    (cohort / "empty").mkdir()
    code, _, said = cormack("compare", cohort / "truth", cohort / "empty", cohort / "out")
    assert (code, "none of its 8 NIfTI files" in said) == (1, True)
    assert not (cohort / "out").exists()
