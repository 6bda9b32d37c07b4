from cormack.dicom.inventory import take_inventory
from cormack.dicom.source import FolderSource
from cormack.pipeline.load import unreadable_files


def test_files_that_may_be_images_are_told_and_others_not(tmp_path):
    assert unreadable_files({"not DICOM": 3, "DICOMDIR": 1}) == ()
    (finding,) = unreadable_files({"not DICOM": 3, "damaged DICOM file": 2, "unreadable file": 1})
    assert finding.code == "files-unreadable"
    assert finding.message.endswith("could not be read: 2 x damaged DICOM file, 1 x unreadable file")


def test_the_inventory_counts_them_under_these_names(monkeypatch, tmp_path):
    from cormack.pipeline.phantom import make_phantom_series

    export = make_phantom_series(tmp_path / "export", slices=5, thickness_mm=5.0, pixels=64)
    source = FolderSource(export.folder)
    (source.items[3].where).unlink()
    inventory = take_inventory(source)
    assert [finding.evidence for finding in unreadable_files(inventory.skipped)] == [{"unreadable file": 1}]
