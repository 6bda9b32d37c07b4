"""Where instances come from: folders, files, archives, and what is skipped."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from synthetic import Recipe, datasets, series, write

from cormack.core.errors import CormackError, DicomError, InputError
from cormack.dicom.read import read_scan
from cormack.dicom.source import open_source


def test_a_missing_path_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        open_source(tmp_path / "nowhere")


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    with pytest.raises(InputError, match="holds no files"):
        open_source(tmp_path)


def test_a_path_with_nul_is_told() -> None:
    with pytest.raises(InputError):
        open_source("a\0b")


def test_an_unreadable_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InputError, match="cannot be read"):
        open_source(tmp_path)


def test_unreadable_files_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    series(tmp_path)

    def refuse(self: Path, *args: object, **kwargs: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match="6 x unreadable file"):
        read_scan(tmp_path)


def test_nested_folders_links_and_pipes(tmp_path: Path) -> None:
    series(tmp_path / "a" / "b c" / "é")
    (tmp_path / "a" / "notes.txt").write_text("not DICOM")
    (tmp_path / "a" / "empty").touch()
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "a" / "dangling").symlink_to(tmp_path / "gone")
    os.mkfifo(tmp_path / "a" / "pipe")
    scan = read_scan(tmp_path)
    assert scan.assembly.stack.data.shape == (10, 8, 6)
    assert scan.inventory.skipped == {
        "empty file": 1,
        "link to a folder": 1,
        "broken link": 1,
        "not a plain file": 1,
        "not DICOM": 1,
    }


def _zip(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for n, path in enumerate(sorted(folder.rglob("*"))):
            archive.write(path, f"deep/er/{n}")
        archive.writestr("../../evil", path.read_bytes())
        archive.writestr("/absolute", b"x")
        archive.writestr("C:\\windows", b"x")
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("readme.txt", "hello")


def _tar(folder: Path, target: Path) -> None:
    with tarfile.open(target, "w:gz" if target.suffix == ".gz" else "w") as archive:
        for n, path in enumerate(sorted(folder.rglob("*"))):
            archive.add(path, f"deep/er/{n}")
        for name in ("../../evil", "/absolute", "C:\\windows"):
            archive.addfile(tarfile.TarInfo(name))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        member = tarfile.TarInfo("readme.txt")
        member.size = 5
        archive.addfile(member, io.BytesIO(b"hello"))


@pytest.mark.parametrize(("name", "pack"), [("x.zip", _zip), ("x.tar", _tar), ("x.tar.gz", _tar)])
def test_archives_are_read_in_place(tmp_path: Path, name: str, pack: object) -> None:
    series(tmp_path / "in")
    pack(tmp_path / "in", tmp_path / name)  # type: ignore[operator]
    plain, packed = read_scan(tmp_path / "in"), read_scan(tmp_path / name)
    assert (plain.assembly.stack.data == packed.assembly.stack.data).all()
    assert plain.input_digest == packed.input_digest
    assert packed.inventory.skipped == {"archive entry with an unsafe name": 3, "link in an archive": 1, "not DICOM": 1}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", name]


@pytest.mark.parametrize("share", [0.01, 0.2, 0.6])
@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
def test_a_damaged_archive_is_refused_or_told(tmp_path: Path, name: str, share: float) -> None:
    series(tmp_path / "in")
    (_zip if name.endswith("zip") else _tar)(tmp_path / "in", tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / "cut").write_bytes(whole[: int(share * len(whole))])
    try:
        skipped = read_scan(tmp_path / "cut").inventory.skipped
    except CormackError:
        return
    # A tar whose last slice is whole can be read, but is not passed over in silence.
    assert name == "x.tar"
    assert skipped["archive without its end: it may be cut short"] == 1


def test_a_zip_bomb_that_states_less_than_it_holds_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", b"\0" * 10_000_000)
    data = bytearray((tmp_path / "x.zip").read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = (1000).to_bytes(4, "little")
    (tmp_path / "x.zip").write_bytes(data)
    with open_source(tmp_path / "x.zip") as source, pytest.raises(DicomError, match="cannot be unpacked"):
        source.read(source.items[0])


def test_a_copy_of_a_file_counts_once(tmp_path: Path) -> None:
    series(tmp_path / "a")
    for path in list((tmp_path / "a").iterdir())[:2]:
        (tmp_path / f"copy_{path.name}").write_bytes(path.read_bytes())
    scan = read_scan(tmp_path)
    assert scan.inventory.skipped == {"copy of another file": 2}
    assert scan.assembly.stack.data.shape[2] == 6


def test_archives_in_a_folder_are_read_in_place(tmp_path: Path) -> None:
    """Half of a series in a zip, half in a tar; a damaged archive, and one that only calls itself so, beside them."""
    recipe = Recipe(n=8)
    paths = write(tmp_path / "loose", datasets(recipe))
    folder = tmp_path / "export"
    (folder / "deep").mkdir(parents=True)
    with zipfile.ZipFile(folder / "a.ZIP", "w") as archive:
        for path in paths[:4]:
            archive.write(path, path.name)
        archive.writestr("inner.zip", (folder / "a.ZIP").read_bytes())
        archive.writestr("../up", b"x")
    with tarfile.open(folder / "deep" / "b.tar.gz", "w:gz") as archive:
        for path in paths[4:7]:
            archive.add(path, path.name)
    (folder / "c.zip").write_bytes(paths[7].read_bytes())
    (folder / "d.zip").write_bytes(b"PK\3\4" + bytes(500))
    (folder / "e.tar").write_bytes(b"notes")
    packed, loose = read_scan(folder), read_scan(tmp_path / "loose")
    np.testing.assert_array_equal(packed.assembly.stack.data, loose.assembly.stack.data)
    assert packed.input_digest == loose.input_digest
    assert packed.inventory.skipped == {"archive entry with an unsafe name": 1, "not DICOM": 3}
