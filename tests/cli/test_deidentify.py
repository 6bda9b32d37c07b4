import stat

import pydicom
import pytest

from cormack.cli.deidentify import SWITCHES
from cormack.dicom.deidentify.options import Option


@pytest.fixture
def slices(export, tmp_path):
    """Three slices of the phantom."""
    folder = tmp_path / "in"
    folder.mkdir()
    for path in sorted((export / "S0002").iterdir())[:3]:
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_there_is_a_switch_for_every_option_of_the_profile():
    assert list(SWITCHES) == [option.value for option in Option]


def test_a_run_says_where_the_key_is_and_what_was_written(cormack, slices, tmp_path):
    words = ("deidentify", slices, tmp_path / "out", "--project-key", tmp_path / "key", "--clean-descriptors")
    code, out, err = cormack(*words)
    assert code == 0
    assert f"wrote {tmp_path / 'out'}: 3 objects; 1 patient(s), 1 study(ies), 1 series" in out
    assert "keep it safe" in err
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert "PHANTOM" not in out + err
    one = pydicom.dcmread(next((tmp_path / "out").rglob("*.dcm")))
    assert "clean-descriptors" in one.DeidentificationMethod
    code, out, err = cormack(*words)
    assert code == 0
    assert "0 objects, 3 there already" in out
    assert "keep it safe" not in err


def test_refused_objects_are_counted_by_reason_and_make_the_exit_code_1(cormack, slices, tmp_path):
    path = next(slices.iterdir())
    path.write_bytes(path.read_bytes()[:-100])
    code, out, err = cormack("deidentify", slices, tmp_path / "out", "--project-key", tmp_path / "key", "-vv")
    assert code == 1
    assert "error: 1 object refused: 1 cut short" in err
    assert "wrote" in out
    assert path.name not in out + err


def test_wrong_usage_is_told_apart_from_bad_input(cormack, slices, tmp_path):
    assert cormack("deidentify", slices, tmp_path / "out")[0] == 2
    key = ("--project-key", tmp_path / "key")
    assert cormack("deidentify", tmp_path / "none", tmp_path / "out", *key)[0] == 1
    dates = ("--retain-longitudinal-modified-dates", "--retain-longitudinal-full-dates")
    code, _, err = cormack("deidentify", slices, tmp_path / "out", *key, *dates)
    assert code == 1
    assert "choose one of the two" in err
    assert not (tmp_path / "key").exists()
