"""`cormack follow-up` of two label maps: rates, and what is refused."""

import csv
import json

import pytest


def sidecar(path, whole, sd=30.0, **changes):
    content = {
        "Task": "hippocampus",
        "Method": "auto",
        "VolumesMl": {"anterior hippocampus": whole / 2000, "posterior hippocampus": whole / 2000},
        "VolumesMm3": {"anterior hippocampus": whole / 2, "posterior hippocampus": whole / 2, "hippocampus": whole},
        "ViewsSdMm3": {"anterior hippocampus": sd, "posterior hippocampus": sd, "hippocampus": sd},
        "VoxelSize": [1.0, 1.0, 1.0],
        "GeneratedBy": {"Name": "Cormack", "Version": "0.1.0"},
    } | changes
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def pair(tmp_path):
    return sidecar(tmp_path / "a.json", 3400.0), sidecar(tmp_path / "b.json", 3200.0)


def test_change_per_year_between_dates(cormack, pair, tmp_path):
    code, said, warned = cormack("follow-up", *pair, tmp_path / "out", "--dates", "2020-01-19", "2022-01-19")
    assert (code, warned) == (0, "")
    assert "hippocampus: 3400 to 3200 mm³ (-3.03 ± 0.64 % a year)" in said
    with (tmp_path / "out" / "volumes.tsv").open() as f:
        rows = {row["structure"]: row for row in csv.DictReader(f, delimiter="\t")}
    assert float(rows["hippocampus"]["percent_per_year"]) == pytest.approx(-100 * 200 / 3300 / 2.0014, abs=0.001)
    record = (tmp_path / "out" / "follow_up.json").read_text()
    assert "2020" not in record
    assert json.loads(record)["Years"] == pytest.approx(731 / 365.2425, abs=1e-4)


def test_volumes_in_millilitres_do_without_spreads(cormack, pair, tmp_path):
    for path in pair:
        content = json.loads(path.read_text())
        path.write_text(json.dumps({k: v for k, v in content.items() if not k.endswith("Mm3")}))
    code, said, _ = cormack("follow-up", *pair, tmp_path / "out", "--years", 2)
    assert code == 0
    assert "anterior hippocampus: 1700 to 1600 mm³ (-3.03 % a year)" in said


def test_what_makes_rates_doubtful_is_said(cormack, pair, tmp_path):
    sidecar(pair[1], 3200.0, Method="head", VoxelSize=[1.0, 1.0, 1.5])
    code, _, warned = cormack("follow-up", *pair, tmp_path / "out", "--years", 0.25)
    assert code == 0
    for words in ("0.25 years", "1.5 mm", "different methods"):
        assert words in warned


@pytest.mark.parametrize(
    ("changes", "options", "told"),
    [
        ({}, ["--dates", "2022-01-19", "2020-01-19"], "earlier one first"),
        ({}, [], "--dates or --years"),
        ({}, ["--years", "1", "--dates", "2020-01-19", "2021-01-19"], "--dates or --years"),
        ({"Task": "lungs"}, ["--years", "1"], "second by lungs"),
        ({"VolumesMm3": {"thalamus": 1.0}}, ["--years", "1"], "no structure"),
    ],
)
def test_what_cannot_be_compared_is_refused(cormack, pair, tmp_path, changes, options, told):
    sidecar(pair[1], 3200.0, **changes)
    code, _, warned = cormack("follow-up", *pair, tmp_path / "out", *options)
    assert code != 0
    assert told in " ".join(warned.split())
    assert not (tmp_path / "out").exists()


def test_scans_take_no_dates(cormack, tmp_path):
    scan = tmp_path / "scan.nii.gz"
    scan.write_bytes(b"")
    code, _, warned = cormack("follow-up", scan, scan, tmp_path / "out", "--years", 1)
    assert code != 0
    assert "--dates and --years" in warned
