import json

import pyarrow.parquet
import pytest


def test_table_on_the_terminal_explains_the_choice(cormack, export):
    code, out, err = cormack("scan", export)
    assert code == 0
    assert "39 files, 39 images of 1 patient(s), 1 study(ies)" in out
    assert "series 2: chosen" in out
    assert "localizer" in out
    assert "Reading headers" in err


def test_tsv_and_json(cormack, export, tmp_path):
    code, out, _ = cormack("scan", export, "--format", "tsv", "-q")
    lines = [line.split("\t") for line in out.splitlines()]
    assert code == 0
    assert {len(line) for line in lines} == {len(lines[0])}
    tilt = dict(zip(lines[0], next(line for line in lines if "36" in line), strict=True))["tilt_deg"]
    assert float(tilt) == pytest.approx(-18, abs=0.01)
    code, out, _ = cormack("scan", export, "-o", tmp_path / "series.json")
    record = json.loads((tmp_path / "series.json").read_text())
    assert (record["files"], record["patients"]) == (39, 1)
    assert [row["images"] for row in record["series"] if row["chosen"]] == [36]


def test_nothing_to_take_is_said_not_raised(cormack, export):
    code, out, _ = cormack("scan", export / "S0001", "-q")
    assert code == 0
    assert "no series would be taken: only localizers" in out
    assert cormack("scan", export / "none")[0] == 1


def test_rules_can_be_replaced(cormack, export, tmp_path):
    (tmp_path / "rules.toml").write_text("min_slices = 37\n")
    code, out, _ = cormack("scan", export, "--rules", tmp_path / "rules.toml", "-q")
    assert code == 0
    assert "no series would be taken" in out
    assert cormack("convert", export, tmp_path / "x.nii.gz", "--rules", tmp_path / "rules.toml")[0] == 1
    (tmp_path / "rules.toml").write_text("no_such_rule = 1\n")
    assert "no_such_rule" in cormack("scan", export, "--rules", tmp_path / "rules.toml")[2]


def test_headers_without_patient_data(cormack, export, tmp_path):
    code, out, _ = cormack("headers", export, tmp_path / "h.tsv")
    assert (code, "39 rows" in out) == (0, True)
    lines = [line.split("\t") for line in (tmp_path / "h.tsv").read_text().splitlines()]
    assert len(lines) == 40
    assert {len(line) for line in lines} == {len(lines[0])}
    assert not {"PatientName", "PatientID", "StudyDate", "SOPInstanceUID"} & set(lines[0])
    assert cormack("headers", export, tmp_path / "h.parquet", "-q")[0] == 0
    table = pyarrow.parquet.read_table(tmp_path / "h.parquet")
    assert table.num_rows == 39
    assert table.column_names == lines[0]
    code, _, err = cormack("headers", export, tmp_path / "h.csv")
    assert code == 1
    assert ".tsv or .parquet" in err
