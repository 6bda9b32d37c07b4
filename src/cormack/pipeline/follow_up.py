"""Two scans of one person: aligned halfway, resampled equally, compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cormack.core.errors import ExtractionError, InputError, RegistrationError
from cormack.core.findings import Finding
from cormack.core.labels import BRAIN, LabelMap
from cormack.core.volume import Unit, Volume
from cormack.extract.brain import brain_mask
from cormack.files.outputs import check_apart, check_writable
from cormack.imaging.condition import HU_RANGE
from cormack.imaging.warp import warp
from cormack.measure.change import volume_changes
from cormack.pipeline.follow_up_outputs import FollowUp, FollowUpOptions, Masks, Pair, write_follow_up
from cormack.pipeline.images import Found, Kind, find_image, read_image
from cormack.pipeline.masks import HEAD_MASKS
from cormack.pipeline.options import LoadOptions
from cormack.pipeline.progress import Progress, Silent
from cormack.register.halfway import Halfway, common_grid, register_halfway
from cormack.register.register import RegisterOptions

#: Scans whose voxels differ in length by more than this factor are blurred differently: said.
RESOLUTION_RATIO = 1.5


def follow_up(
    first: Path,
    second: Path,
    out: Path,
    options: FollowUpOptions = FollowUpOptions(),  # noqa: B008  (frozen)
    *,
    first_labels: Path | None = None,
    second_labels: Path | None = None,
    progress: Progress | None = None,
) -> FollowUp:
    """Compare two scans of one person and write both halfway, their difference, a table of volumes and a report.

    Neither scan is favoured: exchanging them mirrors the results.

    Parameters
    ----------
    first, second : Path
        DICOM folder, file or archive, or NIfTI; CT, MR of one weighting, or one of each.
    out : Path
        A folder.
    options : FollowUpOptions
    first_labels, second_labels : Path, optional
        NIfTI label maps of structures, in the spaces of the scans; both or none.
    progress : Progress, optional

    Raises
    ------
    CormackError
        If an input or the output cannot be used, or the scans cannot be aligned.
    """
    listener = progress or Silent()
    for source in (first, second):
        check_apart(source, out)
    check_writable(out)
    if (first_labels is None) != (second_labels is None):
        raise InputError("give label maps of both scans, or of none")
    listener.step("Reading images")
    load = LoadOptions(assume_mm=options.assume_mm)
    found = find_image(first, load, listener), find_image(second, load, listener)
    scans = _scan(found[0]), _scan(found[1])
    labels = tuple(_labels(path, load) for path in (first_labels, second_labels) if path is not None)
    listener.step("Aligning halfway")
    halfway = _aligned(scans, options)
    listener.step("Resampling")
    pair = _halfway(scans, halfway, options)
    listener.step("Measuring")
    masks, lost = _masks(pair)
    compared = [*masks.values(), *_carried(labels, halfway, pair)]
    changes = tuple(change for one, other in compared for change in volume_changes(one, other, pair.covered))
    findings = (*found[0].findings, *found[1].findings, *halfway.findings, *lost, *_doubts(scans))
    made = FollowUp(halfway.turn_deg, _shift_mm(halfway, pair), changes, findings, out / "report.html")
    listener.step("Writing files")
    write_follow_up(out, pair, halfway, masks, made, options)
    return made


def _aligned(scans: tuple[Volume, Volume], options: FollowUpOptions) -> Halfway:
    finest = RegisterOptions(spacing_mm=max(RegisterOptions.spacing_mm, options.spacing_mm))
    halfway = register_halfway(*scans, metric=options.metric, options=finest)
    if halfway.failure is not None:
        raise RegistrationError(halfway.failure.message)
    return halfway


def _scan(found: Found) -> Volume:
    """Values as float32; HU within what a scanner can measure."""
    volume = found.image
    if isinstance(volume, LabelMap):
        raise InputError("a scan was expected, not a label map")
    data = volume.data.astype(np.float32)
    return volume.with_data(np.clip(data, *HU_RANGE) if volume.unit is Unit.HU else data)


def _halfway(scans: tuple[Volume, Volume], halfway: Halfway, options: FollowUpOptions) -> Pair:
    affine, shape = common_grid(scans, halfway, options.spacing_mm)
    ways = halfway.to_first, halfway.to_second
    warped = [warp(scan, way, affine, shape, order=options.order) for scan, way in zip(scans, ways, strict=True)]
    covered = np.ones(shape, dtype=bool)
    for scan, way in zip(scans, ways, strict=True):
        ones = LabelMap(np.ones(scan.shape, dtype=bool), scan.affine, BRAIN)
        covered &= warp(ones, way, affine, shape, order=0).data
    return Pair(warped[0], warped[1], covered)


def _masks(pair: Pair) -> tuple[Masks, tuple[Finding, ...]]:
    """Head and brain of both scans, found on the common grid; of two CT or two MR, and only where both are found."""
    if not pair.alike:
        return {}, ()
    find_head = HEAD_MASKS[pair.first.unit]
    try:
        heads = find_head(pair.first), find_head(pair.second)
        brains = brain_mask(pair.first, head=heads[0]), brain_mask(pair.second, head=heads[1])
    except ExtractionError as error:
        return {}, (Finding("follow-up-without-masks", f"head and brain were not compared: {error}"),)
    return {"head": heads, "brain": brains}, ()


def _carried(labels: tuple[LabelMap, ...], halfway: Halfway, pair: Pair) -> list[tuple[LabelMap, LabelMap]]:
    """The structures that were given, on the common grid; one pair, or none."""
    if len(labels) < 2:
        return []
    first, second = (
        warp(drawn, way, pair.first.affine, pair.first.shape)
        for drawn, way in zip(labels, (halfway.to_first, halfway.to_second), strict=True)
    )
    return [(first, second)]


def _labels(path: Path, options: LoadOptions) -> LabelMap:
    image = read_image(path, Kind.LABELS, assume_mm=options.assume_mm).image
    if not isinstance(image, LabelMap):
        raise InputError(f"{path}: a label map was expected")
    return image


def _doubts(scans: tuple[Volume, Volume]) -> tuple[Finding, ...]:
    coarse = [max(scan.spacing_mm) for scan in scans]
    if max(coarse) <= RESOLUTION_RATIO * min(coarse):
        return ()
    return (
        Finding(
            "resolution-differs",
            f"the coarser scan has voxels of up to {max(coarse):.1f} mm, the finer one of {min(coarse):.1f} mm: "
            "differences along edges are blur, and small structures seem to change",
            {"longest_voxel_edges_mm": [round(edge, 2) for edge in coarse]},
        ),
    )


def _shift_mm(halfway: Halfway, pair: Pair) -> float:
    middle = pair.first.world((np.array(pair.first.shape) - 1) / 2)
    return float(np.linalg.norm(halfway.to_second.apply(middle) - halfway.to_first.apply(middle)))
