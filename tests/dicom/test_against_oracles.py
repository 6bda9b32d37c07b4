"""Voxels and positions of real series against dcm2niix and SimpleITK, which read the same files by their own means."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pydicom
import pytest
import SimpleITK
from synthetic import Recipe, datasets, stored_volume, write

from cormack.core.volume import SliceStack
from cormack.dicom.assemble import assemble
from cormack.dicom.inventory import SeriesEntry, take_inventory
from cormack.dicom.read import Scan, read_scan
from cormack.dicom.source import open_source

if TYPE_CHECKING:
    from agreement import Other


_spec = importlib.util.spec_from_file_location(
    "benchmarks_agreement", Path(__file__).resolve().parents[2] / "benchmarks" / "agreement.py"
)
assert _spec is not None
assert _spec.loader is not None
bench: ModuleType = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = bench  # dataclasses look their module up
_spec.loader.exec_module(bench)

#: Series of which dcm2niix and SimpleITK have every voxel and every place as Cormack has them.
AGREED = (
    "toshiba_2mm",
    "failing/slicecount/001",
    "failing/sliceorientation/001 #202",
    "failing/sliceorientation/001 #501",
    "generic/anatomical/002_non_isotropic",
    "hyperfine/anatomical/001",
    "siemens_multiframe/anatomical/001",
    *(f"generic/{kind}/001" for kind in ("compressed", "compressed_j2k", "compressed_jpeg", "compressed_jpegls")),
    "generic/compressed_rle/001",
    *(
        f"{maker}anatomical/001{syntax}"
        for maker in ("", "ge/", "generic/", "hitachi/", "philips/", "siemens/")
        for syntax in ("", "_implicit")
    ),
)
#: Where their affines cannot be right for every slice, and why.
DIFFERENT = {
    "cq500_cta": "tilt+uneven",
    "ge_tilted": "tilt+uneven",
    "philips_phantom/S2010": "tilt",
    "failing/gantrytilting/001": "tilt",
    "failing/sliceincrement/001": "uneven",
    "failing/sliceincrement/002": "tilt+uneven",
}
#: Where dcm2niix takes the vendor's own scale instead of RescaleSlope.
OWN_SCALE = ("philips_enhanced/anatomical/001", "philips_enhanced/anatomical/001_implicit")

HEADS = ("ge_tilted", "philips_phantom", "cq500_cta", "toshiba_2mm")
#: Slices, distances as dcm2niix sees them, and what the reader should find worth telling.
EXPECTED = {
    "ge_tilted": (28, -18.5, {"tilt", "unequal-spacing"}, (-1500.0,)),
    "philips_phantom": (30, -18.5, {"tilt"}, ()),
    "cq500_cta": (238, -8.5, {"tilt", "gap", "stray-slices"}, (-3024.0,)),
    "toshiba_2mm": (91, 0.0, set(), (-2048.0,)),
}


@pytest.fixture(scope="module", params=HEADS)
def head(request: pytest.FixtureRequest, shared_data: Path) -> tuple[str, Path, Scan]:
    folder = shared_data / "head_ct" / request.param
    return request.param, folder, read_scan(folder)


def test_what_is_found(head: tuple[str, Path, Scan]) -> None:
    name, _, scan = head
    slices, tilt, codes, padding = EXPECTED[name]
    assert scan.assembly.stack.data.shape == (512, 512, slices)
    assert scan.assembly.stack.data.dtype == np.int16
    assert scan.assembly.stack.tilt_deg == pytest.approx(tilt, abs=1e-3)
    assert {finding.code for finding in scan.findings} == codes
    assert scan.assembly.padding_hu == padding
    assert len(set(scan.input_hashes)) == slices


def test_simpleitk_has_every_slice_where_it_is(head: tuple[str, Path, Scan]) -> None:
    name, folder, scan = head
    stack = scan.assembly.stack
    where = {uid: k for k, uid in enumerate(stack.sop_instance_uids)}
    seen = 0
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in paths[:: 10 if name == "cq500_cta" else 3]:
        uid = pydicom.dcmread(path, stop_before_pixels=True, force=True).get("SOPInstanceUID")
        if uid not in where:
            continue
        k, image = where[uid], _itk(path)
        assert np.array_equal(SimpleITK.GetArrayViewFromImage(image)[0], stack.data[:, :, k].T)
        for i, j in ((0, 0), (511, 0), (0, 511), (511, 511)):
            theirs = np.array(image.TransformIndexToPhysicalPoint((i, j, 0))) * [-1, -1, 1]
            assert stack.world([i, j, k]) == pytest.approx(theirs, abs=0.01)
        seen += 1
    assert seen > 5


def _itk(path: Path) -> SimpleITK.Image:
    reader = SimpleITK.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(path))
    return reader.Execute()


def test_every_stack_of_dicom2nifti_equals_simpleitk(shared_data: Path) -> None:
    """MR and CT, four orientations, five transfer syntaxes, per-slice rescale, enhanced multi-frame."""
    compared = 0
    with open_source(shared_data / "dicom_edge" / "dicom2nifti") as source:
        for entry in take_inventory(source).series:
            if entry.geometry is None or entry.n_slices < 3 or entry.first.samples != 1:
                continue
            stack = assemble(entry).stack
            instances = {instance.key: instance for instance in entry.instances}
            for k, uid in enumerate(stack.sop_instance_uids):
                instance = instances[uid]
                image = _itk(source.items[instance.item].where)
                theirs = SimpleITK.GetArrayFromImage(image)[instance.frame or 0]
                assert np.allclose(stack.data[:, :, k].T, theirs, rtol=1e-6, atol=1e-4), entry.label
                if instance.frame is None:
                    assert stack.origins[k] == pytest.approx(np.array(image.GetOrigin()) * [-1, -1, 1], abs=1e-3)
                compared += 1
    assert compared > 80


@pytest.fixture(scope="module")
def entries(shared_data: Path) -> dict[str, SeriesEntry]:
    return dict(bench.series_of(shared_data))


def _others(entry: SeriesEntry, tmp: Path, *options: str) -> tuple[SliceStack, Other, Other]:
    """The stack, the uncorrected one of dcm2niix and the volume of SimpleITK, from the same files."""
    bench.link_files(entry, tmp / "in")
    simpleitk = bench.by_simpleitk(tmp / "in")
    assert simpleitk is not None
    return assemble(entry, min_slices=2).stack, bench.by_dcm2niix(tmp / "in", tmp / "out", *options)[""], simpleitk


def test_every_series_is_judged(entries: dict[str, SeriesEntry]) -> None:
    assert set(entries) == {*AGREED, *DIFFERENT, *OWN_SCALE}


@pytest.mark.parametrize("name", AGREED)
def test_all_agree(name: str, entries: dict[str, SeriesEntry], tmp_path: Path) -> None:
    stack, *others = _others(entries[name], tmp_path)
    for other in others:
        found = bench.compare(stack, other)
        assert found.equal, found
    if stack.affine is not None:
        assert bench.misplaced_mm(stack.affine, stack) <= bench.SAME_PLACE_MM


@pytest.mark.parametrize("name", DIFFERENT)
def test_same_voxels_but_an_affine_that_is_wrong_as_explained(
    name: str, entries: dict[str, SeriesEntry], tmp_path: Path
) -> None:
    stack, dcm2niix, simpleitk = _others(entries[name], tmp_path)
    for other, expected in (
        (dcm2niix, bench.expected_of_dcm2niix(stack)),
        (simpleitk, bench.expected_of_simpleitk(stack)),
    ):
        found = bench.compare(stack, other)
        assert found.worst == 0
        assert found.reason == DIFFERENT[name]
        assert found.place_mm > 0.1
        assert bench.turned(other, stack).affine == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("name", OWN_SCALE)
def test_dcm2niix_takes_the_scale_of_the_vendor_unless_told_not_to(
    name: str, entries: dict[str, SeriesEntry], tmp_path: Path
) -> None:
    stack, dcm2niix, simpleitk = _others(entries[name], tmp_path / "standard", "-p", "n")
    assert bench.compare(stack, dcm2niix).equal
    assert bench.compare(stack, simpleitk).equal
    _, vendors, _ = _others(entries[name], tmp_path / "vendor")
    header = pydicom.dcmread(entries[name].source.items[0].where, stop_before_pixels=True)
    frame = header.PerFrameFunctionalGroupsSequence[0]
    slope = float(frame.PixelValueTransformationSequence[0].RescaleSlope)
    scale = next(float(e.value) for e in frame.iterall() if e.tag == 0x2005100E)
    theirs = bench.turned(vendors, stack).data
    assert np.allclose(theirs * (slope * scale), stack.data, rtol=1e-5)


def test_single_images_of_every_transfer_syntax(shared_data: Path, tmp_path: Path) -> None:
    compared = {"dcm2niix": 0, "SimpleITK": 0}
    for number, (name, entry) in enumerate(bench.series_of(shared_data, 1)):
        if entry.n_slices > 1 or len(entry.instances) > 1 or "truncated" in name:
            continue
        bench.link_files(entry, tmp_path / f"in{number}")
        stack = assemble(entry, min_slices=1).stack
        written = bench.by_dcm2niix(tmp_path / f"in{number}", tmp_path / f"out{number}")
        for program, other in (
            ("dcm2niix", written.get("")),
            ("SimpleITK", bench.by_simpleitk(tmp_path / f"in{number}")),
        ):
            if other is not None:
                assert bench.compare(stack, other).equal, name
                compared[program] += 1
    # dcm2niix reads no JPEG Extended, and no single image in several fragments.
    assert compared == {"dcm2niix": 30, "SimpleITK": 36}


def _made(tmp: Path, *parts: list[pydicom.FileDataset]) -> list[SliceStack]:
    """Stacks of series made for the test, whose files lie in one folder."""
    for number, part in enumerate(parts):
        write(tmp / "in", part, prefix=f"part{number}_")
    with open_source(tmp / "in") as source:
        return [assemble(entry).stack for entry in take_inventory(source).series]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32])
@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"])
def test_every_size_and_sign_beside_both(dtype: type, syntax: str, tmp_path: Path) -> None:
    (stack,) = _made(tmp_path, datasets(Recipe(rows=24, columns=32, dtype=dtype, syntax=syntax, slope=1.37)))
    # dcm2niix takes signed bytes for unsigned ones; GDCM swaps the halves of 32-bit values in big endian.
    wrong = {
        "dcm2niix": dtype is np.int8,
        "SimpleITK": dtype in (np.int32, np.uint32) and syntax == "1.2.840.10008.1.2.2",
    }
    others = {
        "dcm2niix": bench.by_dcm2niix(tmp_path / "in", tmp_path / "out")[""],
        "SimpleITK": bench.by_simpleitk(tmp_path / "in"),
    }
    assert {name: not bench.compare(stack, other).equal for name, other in others.items()} == wrong


def test_monochrome1_is_turned_round_by_simpleitk_alone(tmp_path: Path) -> None:
    (stack,) = _made(
        tmp_path, datasets(Recipe(rows=32, columns=32, extra={"PhotometricInterpretation": "MONOCHROME1"}))
    )
    assert bench.compare(stack, bench.by_dcm2niix(tmp_path / "in", tmp_path / "out")[""]).equal
    simpleitk = bench.turned(bench.by_simpleitk(tmp_path / "in"), stack).data
    assert len(np.unique(simpleitk.astype(int) + stack.data)) == 1


def test_rescale_of_each_slice_is_cut_to_the_type_of_the_first_by_simpleitk(tmp_path: Path) -> None:
    slices = datasets(Recipe(rows=32, columns=32, dtype=np.uint16))
    for k, ds in enumerate(slices):
        ds.RescaleSlope, ds.RescaleIntercept = 1 + 0.25 * k, -1000 - k
    (stack,) = _made(tmp_path, slices)
    assert bench.compare(stack, bench.by_dcm2niix(tmp_path / "in", tmp_path / "out")[""]).equal
    simpleitk = bench.turned(bench.by_simpleitk(tmp_path / "in"), stack).data
    # The first slice is whole, so whole numbers are what its series reader keeps of the others.
    assert simpleitk.dtype.kind == "i"
    assert np.array_equal(simpleitk, np.trunc(stack.data))


@pytest.mark.parametrize("numbered_on", [True, False])
def test_two_phases_of_one_series(numbered_on: bool, tmp_path: Path) -> None:
    """Two stacks here, a fourth axis in dcm2niix, one stack of both in SimpleITK."""
    recipes = [
        Recipe(rows=32, columns=32, series_uid="1.2.3.9", seed=n, extra={"AcquisitionNumber": n}) for n in (1, 2)
    ]
    parts = [datasets(recipe) for recipe in recipes]
    for k, ds in enumerate(parts[1]):
        ds.InstanceNumber = k + 1 + (6 if numbered_on else 0)
    stacks = _made(tmp_path, *parts)
    for recipe, stack in zip(recipes, stacks, strict=True):
        assert np.array_equal(stack.data, stored_volume(recipe).transpose(2, 1, 0) - 1024.0)
    (written,) = bench.by_dcm2niix(tmp_path / "in", tmp_path / "out").values()
    assert written.data.shape == (32, 32, 6, 2)
    found = [
        bench.compare(stack, bench.Other(written.data[..., phase], written.affine))
        for phase, stack in enumerate(stacks)
    ]
    # Where InstanceNumber starts again with the second acquisition, dcm2niix mixes the slices of both.
    assert all(f.equal for f in found) == numbered_on
    assert bench.by_simpleitk(tmp_path / "in").data.shape == (32, 32, 12)


@pytest.mark.parametrize("tilt_deg", [-18.0, 18.0])
def test_a_tilted_stack_is_short_by_the_cosine_in_dcm2niix(tilt_deg: float, tmp_path: Path) -> None:
    (stack,) = _made(tmp_path, datasets(Recipe(n=8, rows=32, columns=32, tilt_deg=tilt_deg)))
    other = bench.turned(bench.by_dcm2niix(tmp_path / "in", tmp_path / "out")[""], stack)
    assert stack.affine is not None
    short = np.linalg.det(other.affine[:3, :3]) / np.linalg.det(stack.affine[:3, :3])
    assert short == pytest.approx(np.cos(np.radians(tilt_deg)), abs=1e-4)
    assert bench.misplaced_mm(other.affine, stack) == pytest.approx(7 * 5 * (1 - np.cos(np.radians(18))), abs=1e-3)
