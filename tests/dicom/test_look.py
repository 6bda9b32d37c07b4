"""What selection sees in the images, and what it chooses by it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from synthetic import Recipe, datasets, series, write

from cormack.core.volume import SliceStack
from cormack.dicom import look
from cormack.dicom.criteria import Look
from cormack.dicom.inventory import take_inventory
from cormack.dicom.look import look_at
from cormack.dicom.select import Selection, SelectionRules, select_series
from cormack.dicom.source import open_source
from cormack.dicom.table import series_table
from cormack.dicom.write import Series, Study, write_ct_series
from cormack.files.nifti import read_stack
from cormack.physics.demo import DemoOptions, demo

STUDY = Study("look")


@pytest.fixture(scope="module")
def head() -> SliceStack:
    return demo(DemoOptions(tilt_deg=-10, slices=70, thickness_mm=2.0, pixels=320)).head


@pytest.fixture(scope="module")
def angiography(head: SliceStack) -> SliceStack:
    """The head with two tubes of 300 HU: one rising behind the forehead, one running to both sides."""
    i, j, k = np.indices(head.data.shape, sparse=True)
    step_i, step_j = head.step_i, head.step_j
    x, y, z = (
        head.origins[:, axis].reshape(1, 1, -1) + i * step_i[axis] + j * step_j[axis] + 0 * k for axis in range(3)
    )
    rising = ((x - 3) ** 2 + (y - 25) ** 2 < 2**2) & (z > 15) & (z < 60)
    sideways = ((y - 5) ** 2 + (z - 40) ** 2 < 2**2) & (np.abs(x) < 40)
    data = np.where((rising | sideways) & (head.data > -100) & (head.data < 150), 300, head.data)
    return replace(head, data=data.astype(head.data.dtype))


@pytest.fixture(scope="module")
def trunk(head: SliceStack) -> SliceStack:
    """Soft tissue in fat with a spine and lungs, in the same places."""
    n, m, slices = head.data.shape
    x, y = np.meshgrid(np.linspace(-1, 1, n), np.linspace(-1, 1, m), indexing="ij")
    r = np.hypot(x, y / 0.8)
    image = np.where(r < 0.75, 45, np.where(r < 0.95, -100, -1000))
    image = np.where(((abs(x) - 0.4) / 0.25) ** 2 + (y / 0.4) ** 2 < 1, -850, image)
    image = np.where(x**2 + (y - 0.45) ** 2 < 0.12**2, 600, image)
    return replace(head, data=np.repeat(image[:, :, None], slices, axis=2).astype(np.int16))


def _write(folder: Path, stack: SliceStack, number: int) -> None:
    write_ct_series(stack, folder / str(number), series=Series(number, "Head"), study=STUDY)


def _select(folder: Path, **options: Any) -> Selection:
    with open_source(folder) as source:
        return select_series(take_inventory(source), **options)


@pytest.mark.parametrize("plain", [2, 9])
def test_the_plain_head_is_preferred_to_the_angiography(
    tmp_path: Path, head: SliceStack, angiography: SliceStack, plain: int
) -> None:
    _write(tmp_path, head, plain)
    _write(tmp_path, angiography, 5)
    selection = _select(tmp_path)
    assert selection.entry.number == plain
    lost = next(v for v in selection.verdicts if not v.chosen)
    assert lost.reason.endswith("it was made without contrast agent, by the vessels in the image")
    with open_source(tmp_path) as source:
        inventory = take_inventory(source)
        rows = {row.series: row for row in series_table(inventory, select_series(inventory))}
    assert (rows[5].contrast, rows[5].contrast_by) == (True, "image")
    assert (rows[plain].contrast, rows[plain].contrast_by) == (False, None)


def test_a_series_without_a_head_loses(tmp_path: Path, head: SliceStack, trunk: SliceStack) -> None:
    thick = replace(head, data=head.data[:, :, ::2], origins=head.origins[::2], sop_instance_uids=())
    _write(tmp_path, thick, 9)
    _write(tmp_path, trunk, 2)
    selection = _select(tmp_path)
    assert selection.entry.number == 9
    assert "of 2 volumes, its images show a head" in selection.reason
    lost = next(v for v in selection.verdicts if not v.chosen)
    assert (lost.code, lost.reason) == ("no-head", "no skull in the image; series 9 (35 images) was preferred")
    # By headers alone the thinner series wins, as it does where the rules do not ask for a head.
    assert _select(tmp_path, look=False).entry.number == 2
    assert _select(tmp_path, rules=SelectionRules(preferences=("thinner", "number"))).entry.number == 2
    assert _select(tmp_path, series=2).entry.number == 2


def test_a_lone_candidate_is_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("looked")

    monkeypatch.setattr(look, "look_at", fail)
    series(tmp_path, n=30, series_number=2)
    series(tmp_path, n=2, series_number=5)
    assert _select(tmp_path).verdicts[0].look == Look()
    series(tmp_path, n=30, series_number=7)
    with pytest.raises(AssertionError, match="looked"):
        _select(tmp_path)
    assert _select(tmp_path, look=False).entry.number == 2


def test_damaged_images_are_not_known(tmp_path: Path) -> None:
    series(tmp_path, n=30, series_number=2)
    series(tmp_path, n=30, series_number=3)
    for path in tmp_path.glob("s3_*"):
        native, rle = b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0"
        path.write_bytes(path.read_bytes().replace(native, rle))
    with open_source(tmp_path) as source:
        looks = look_at(take_inventory(source).series)
    assert looks == (Look(head=False), Look())
    assert {v.code for v in _select(tmp_path).verdicts} == {"chosen", "less-suitable"}


@pytest.mark.parametrize("spacing", [(1e-7, 1e-7), (50.0, 50.0)])
def test_absurd_pixels_are_not_looked_at(tmp_path: Path, spacing: tuple[float, float]) -> None:
    series(tmp_path, n=10, spacing=spacing)
    with open_source(tmp_path) as source:
        assert look_at(take_inventory(source).series) == (Look(),)


def test_frames_of_one_file_are_looked_at(tmp_path: Path, head: SliceStack) -> None:
    """A multi-frame file is read once for all of its frames."""
    n = head.data.shape[2]
    (slices,) = [datasets(Recipe(n=1, rows=head.data.shape[1], columns=head.data.shape[0], intercept=0.0))]
    enhanced = slices[0]
    enhanced.NumberOfFrames = n
    enhanced.PixelData = head.data.transpose(2, 1, 0).astype("<i2").tobytes()
    enhanced.PerFrameFunctionalGroupsSequence = [_frame(head.origins[k]) for k in range(n)]
    shared = Dataset()
    shared.PixelMeasuresSequence = [Dataset()]
    shared.PixelMeasuresSequence[0].PixelSpacing = [float(np.linalg.norm(head.step_j))] * 2
    enhanced.SharedFunctionalGroupsSequence = [shared]
    write(tmp_path, [enhanced])
    with open_source(tmp_path) as source:
        (entry,) = take_inventory(source).series
        assert look_at([entry]) == (Look(True, (), False),)


def _frame(origin: np.ndarray) -> Dataset:
    frame = Dataset()
    frame.PlanePositionSequence = [Dataset()]
    frame.PlanePositionSequence[0].ImagePositionPatient = [0.0, 0.0, float(origin[2])]
    return frame


def test_many_series_are_not_all_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "MOST_SERIES", 1)
    for number in (2, 3):
        series(tmp_path, n=10, series_number=number)
    with open_source(tmp_path) as source:
        looks = look_at(take_inventory(source).series)
    assert looks == (Look(head=False), Look())


@pytest.mark.parametrize(("folder", "filled"), [("cq500_cta", True), ("ge_tilted", False), ("toshiba_2mm", False)])
def test_real_heads(shared_data: Path, folder: str, filled: bool) -> None:
    with open_source(shared_data / "head_ct" / folder) as source:
        entry = select_series(take_inventory(source)).entry
        assert look_at([entry]) == (Look(True, (), filled),)


def _part(stack: SliceStack, first: int, last: int, every: int = 1) -> SliceStack:
    return replace(stack, data=stack.data[:, :, first:last:every], origins=stack.origins[first:last:every])


def _turned(stack: SliceStack) -> SliceStack:
    """The same head with its lowest slice last: rows run from posterior to anterior."""
    first = stack.origins + (stack.data.shape[1] - 1) * stack.step_j
    return replace(stack, data=stack.data[:, ::-1, ::-1], step_j=-stack.step_j, origins=first[::-1])


@pytest.mark.parametrize(
    ("first", "last", "turn", "missing", "words"),
    [
        (0, 48, False, ("vertex",), "the vertex is not in the image"),
        (0, 48, True, ("vertex",), "the vertex is not in the image"),
        (30, None, True, ("base",), "the base of the skull is not in the image"),
        (30, 48, False, ("vertex", "base"), "neither vertex nor base of the skull is in the image"),
    ],
)
def test_a_head_cut_at_its_ends_loses_to_a_whole_one(
    tmp_path: Path,
    head: SliceStack,
    first: int,
    last: int | None,
    turn: bool,
    missing: tuple[str, ...],
    words: str,
) -> None:
    """Thin slices of a part against thick ones of the whole."""
    whole, part = _part(head, 0, None, 2), _part(head, first, last)
    if turn:
        whole, part = _turned(whole), _turned(part)
    _write(tmp_path, whole, 9)
    _write(tmp_path, part, 2)
    selection = _select(tmp_path)
    assert selection.entry.number == 9
    assert {v.entry.number: v.look.missing for v in selection.verdicts} == {9: (), 2: missing}
    lost = next(v for v in selection.verdicts if not v.chosen)
    assert (lost.code, lost.reason) == ("partial-head", f"{words}; series 9 (35 images) was preferred")
    if missing == ("vertex",):
        # By headers alone the thinner series wins: it covers enough.
        assert _select(tmp_path, look=False).entry.number == 2


@pytest.mark.parametrize(
    ("folder", "low", "high"), [("cq500_cta", 0.35, 0.75), ("ge_tilted", 0.45, 0.8), ("toshiba_2mm", 0.46, 0.78)]
)
def test_real_heads_cut_at_their_ends(shared_data: Path, folder: str, low: float, high: float) -> None:
    with open_source(shared_data / "head_ct" / folder) as source:
        entry = select_series(take_inventory(source)).entry
        order = [entry.instances[index] for index in entry.geometry.order]
        cuts = {"vertex": slice(None, int(high * len(order))), "base": slice(int(low * len(order)), None)}
        parts = [replace(entry, instances=tuple(order[cut])) for cut in cuts.values()]
        assert [seen.missing for seen in look_at(parts)] == [("vertex",), ("base",)]


def test_a_real_trunk_is_no_head(tmp_path: Path, shared_data: Path, head: SliceStack) -> None:
    """A chest and abdomen of 3 mm, written as thinner slices than the head's."""
    stack, _ = read_stack(next((shared_data / "chest_ct").rglob("example_ct.nii.gz")), assume_mm=True)
    _write(tmp_path, replace(stack, data=np.clip(stack.data, -1024, 3071)), 2)
    _write(tmp_path, _part(head, 0, None, 2), 9)
    selection = _select(tmp_path)
    assert selection.entry.number == 9
    assert next(v for v in selection.verdicts if not v.chosen).code == "no-head"
