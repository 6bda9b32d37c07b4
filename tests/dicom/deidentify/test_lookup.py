"""The encrypted look-up table and its command."""

import csv
import io
import stat
import sys

import pytest

from cormack.cli.main import main
from cormack.core.errors import DependencyError, InputError, OutputError
from cormack.dicom.deidentify.lookup import LookupRow, check_available, read_lookup, write_lookup
from cormack.dicom.deidentify.project_key import ProjectKey, load_or_make_key

KEY = ProjectKey(bytes(range(32)))
ROWS = (
    LookupRow("CRKA", "123", "", "Doe^John=山田^太郎", "19700402", -12),
    LookupRow("CRKB", "=1+1", 'a "quoted", issuer', "Müller\ud800", ""),
)


def test_what_is_written_is_read(tmp_path) -> None:
    path = tmp_path / "lookup.bin"
    assert write_lookup(path, [*reversed(ROWS), ROWS[0]], KEY) == 2
    assert read_lookup(path, KEY) == ROWS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = path.read_bytes()
    for word in (b"Doe", b"123", b"CRKA", b"19700402", bytes(range(16))):
        assert word not in content
    write_lookup(path, ROWS, KEY)
    assert path.read_bytes() != content, "a nonce must not be used twice"
    assert list(tmp_path.iterdir()) == [path]


def test_another_key_reads_nothing(tmp_path) -> None:
    write_lookup(tmp_path / "t", ROWS, KEY)
    with pytest.raises(InputError, match="another project key"):
        read_lookup(tmp_path / "t", ProjectKey(bytes(32)))


def test_a_changed_table_is_refused_as_a_whole(tmp_path) -> None:
    path = tmp_path / "t"
    write_lookup(path, ROWS, KEY)
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(InputError, match="look-up table"):
            read_lookup(path, KEY)
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(InputError, match="look-up table"):
            read_lookup(path, KEY)


def test_missing_files_and_folders(tmp_path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_lookup(tmp_path / "missing", KEY)
    with pytest.raises(OutputError, match="cannot be written"):
        write_lookup(tmp_path / "missing" / "t", ROWS, KEY)
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    with pytest.raises(OutputError, match="cannot be written"):
        write_lookup(tmp_path / "folder", ROWS, KEY)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_without_the_extra(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers.aead", None)
    for call in (check_available, lambda: write_lookup(tmp_path / "t", ROWS, KEY)):
        with pytest.raises(DependencyError, match=r"cormack\[lookup\]"):
            call()
    assert list(tmp_path.iterdir()) == []


def test_command(tmp_path, capsys) -> None:
    key_path, table, out = tmp_path / "key", tmp_path / "table", tmp_path / "out.csv"
    key, _ = load_or_make_key(key_path)
    write_lookup(table, ROWS, key)
    command = ["reidentify", str(table), "--project-key", str(key_path)]
    assert main(command) == 0
    printed = capsys.readouterr().out
    row, odd = csv.DictReader(io.StringIO(printed))
    assert odd["patient_name"] == "Müller\\ud800"
    assert row["pseudonym"] == "CRKA"
    assert row["patient_id"] == "123"
    assert row["shift_days"] == "-12"
    assert main([*command[:2], str(out), *command[2:]]) == 0
    assert out.read_text(encoding="utf-8") == printed
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "2 patients" in capsys.readouterr().out
    assert main([*command[:2], str(out), *command[2:]]) == 1, "an existing file is not replaced"
    assert main(["reidentify", str(table), "--project-key", str(tmp_path / "none")]) == 1
    assert not (tmp_path / "none").exists(), "no key is made to read with"
    assert "Doe" not in capsys.readouterr().err
