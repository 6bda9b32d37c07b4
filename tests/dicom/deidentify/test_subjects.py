"""Lists of chosen subject names."""

import pytest

from cormack.core.errors import InputError
from cormack.dicom.deidentify.subjects import read_subjects


@pytest.mark.parametrize(
    "text",
    [
        "123,A-1\nDoe 7,sub-02\n",
        "old,new\n123,A-1\nDoe 7,sub-02\n",
        "\ufeffOld;New\r\n123;A-1\r\n\r\nDoe 7 ; sub-02\r\n",
        '123\tA-1\n"Doe 7"\tsub-02',
        "PatientID,subject\n123,A-1\nDoe 7,sub-02\n",
    ],
)
def test_lists(tmp_path, text: str) -> None:
    path = tmp_path / "subjects.csv"
    path.write_bytes(text.encode())
    assert read_subjects(path) == {"123": "A-1", "Doe 7": "sub-02"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no line"),
        ("old,new\n", "no line"),
        ("123,A\n123,B\n", "line 2: this old PatientID"),
        ("123,A\n124,a\n", "line 2: this new name was given in line 1"),
        ("123,\n", "line 1: 2 values, or an empty one"),
        ("secretid,A,B\n", "line 1: 3 values"),
        ("secretid\n", "line 1: 1 values"),
        ("secretid,../up\n", "line 1: the new name"),
        ("secretid,a/b\n", "the new name"),
        ("secretid,.hidden\n", "the new name"),
        ("secretid,a b\n", "the new name"),
        ("secretid,a^b\n", "the new name"),
        ("secretid," + "a" * 65 + "\n", "the new name"),
        ("secretid,secretid\n", "are the same"),
        ('"secretid,A\n', "not CSV"),
    ],
)
def test_lists_that_are_refused(tmp_path, text: str, told: str) -> None:
    path = tmp_path / "subjects.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=told) as error:
        read_subjects(path)
    assert "secretid" not in str(error.value)


def test_files_that_are_no_text(tmp_path) -> None:
    path = tmp_path / "subjects.csv"
    path.write_bytes(b"123,\xff\xfe\n")
    with pytest.raises(InputError, match="not UTF-8"):
        read_subjects(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_subjects(tmp_path / "missing.csv")
