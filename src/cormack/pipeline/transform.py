"""Any image or table of points through a registration that was kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from cormack.core.errors import InputError
from cormack.core.findings import Finding
from cormack.core.labels import LabelMap, LabelTable
from cormack.core.provenance import generated_by
from cormack.core.volume import AnyArray, Volume
from cormack.files.label_tables import read_label_table
from cormack.files.nifti import write_labels, write_volume
from cormack.files.outputs import OutputSet, check_apart, check_writable
from cormack.files.points import SEPARATORS, check_points_name, read_points, write_points
from cormack.files.sidecar import to_json
from cormack.files.tables import check_table_name, write_table
from cormack.files.transforms import read_transform
from cormack.imaging.warp import warp
from cormack.measure.change import structure_volumes
from cormack.pipeline.convert import check_target, stem
from cormack.pipeline.images import MAX_LABELS, Found, Kind, find_grid, find_image
from cormack.pipeline.options import LoadOptions
from cormack.pipeline.progress import Progress, Silent

Interpolation = Literal["nearest", "linear", "cubic"]
#: Order of interpolation by name.
ORDERS: dict[Interpolation, int] = {"nearest": 0, "linear": 1, "cubic": 3}


@dataclass(frozen=True)
class Transformed:
    """What was written: as what, which share of the voxels the image covers, and what was noticed."""

    kind: Kind
    covered: float
    findings: tuple[Finding, ...]


def transform_image(
    source: Path,
    out: Path,
    reference: Path,
    transform: Path,
    options: LoadOptions = LoadOptions(),  # noqa: B008  (frozen)
    *,
    inverse: bool = False,
    labels: bool = False,
    names: Path | None = None,
    volumes: Path | None = None,
    interpolation: Interpolation = "linear",
    progress: Progress | None = None,
) -> Transformed:
    """Write an image on the grid of another one, through transforms that were kept, interpolated once.

    Parameters
    ----------
    source : Path
        DICOM folder, file or archive, or NIfTI, in the space that the transform leads from (with `inverse`: to).
    out : Path
        `….nii.gz` or `….nii`; a JSON sidecar is written beside it.
    reference : Path
        NIfTI or DICOM whose grid is taken, in the other space.
    transform : Path
        Output folder of a registration, or one transform file.
    options : LoadOptions
        `series` and `rules` are for `source`.
    inverse : bool
        The way back, from the fixed space to the moving one.
    labels : bool
        The numbers name structures.
    names : Path, optional
        Table of the structures' names (BIDS `_dseg.tsv`), with `labels`.
    volumes : Path, optional
        Write the volumes of all structures on the new grid to this table (`.tsv`, `.parquet`), with `labels`.
    interpolation : "nearest", "linear" or "cubic"
        Of labels, linear interpolates the share of each and takes the largest.
    progress : Progress, optional

    Raises
    ------
    CormackError
        If an input or the output cannot be used, or image and grid do not overlap.
    """
    listener = progress or Silent()
    check_target(source, out)
    if volumes is not None:
        check_table_name(volumes)
        check_apart(source, volumes)
        check_writable(volumes.parent)
    if not labels and (names is not None or volumes is not None):
        raise InputError("names and volumes are those of labels: say that the image holds labels, too (--labels)")
    table = LabelTable(()) if names is None else read_label_table(names)
    listener.step("Reading transforms")
    chain = read_transform(transform, inverse=inverse)
    listener.step("Reading images")
    found = find_image(source, options, listener, kind=Kind.LABELS if labels else Kind.VALUES)
    grid = find_grid(reference, LoadOptions(assume_mm=options.assume_mm), listener)
    listener.step("Resampling")
    warped = warp(found.image, chain, grid.affine, grid.shape, order=ORDERS[interpolation])
    listener.step("Writing files")
    sidecar = to_json(_sidecar(warped, interpolation, inverse=inverse))
    with OutputSet(out.parent) as outputs:
        if isinstance(warped, LabelMap):
            write_labels(outputs.part(out.name), warped, codes=grid.codes)
        else:
            write_volume(outputs.part(out.name), warped, codes=grid.codes)
        outputs.write_text(stem(out) + ".json", sidecar)
    if volumes is not None and isinstance(warped, LabelMap):
        with OutputSet(volumes.parent) as outputs:
            _write_volumes(outputs.part(volumes.name), replace(warped, table=table), suffix=volumes.suffix)
    outside = 0 if isinstance(warped, LabelMap) else warped.outside
    return Transformed(found.kind, float(np.mean(warped.data != outside)), (*found.findings, *_doubts(found)))


def transform_points(source: Path, out: Path, transform: Path, *, inverse: bool = False) -> int:
    """Carry a table of points (columns x, y, z; RAS+ mm) the way an image is carried; returns how many.

    Parameters
    ----------
    source, out : Path
        `.csv` or `.tsv`; columns other than x, y and z are kept.
    transform : Path
        Output folder of a registration, or one transform file.
    inverse : bool
        From the fixed space to the moving one.

    Raises
    ------
    CormackError
        If an input or the output cannot be used.
    """
    check_points_name(out)
    check_apart(source, out)
    check_writable(out.parent)
    table = read_points(source)
    # An image is pulled, points are pushed: they go through the map that leads the other way.
    chain = read_transform(transform, inverse=not inverse)
    moved = table.moved(chain.apply(table.points_mm))
    with OutputSet(out.parent) as outputs:
        write_points(outputs.part(out.name), moved, SEPARATORS[out.suffix.lower()])
    return len(moved.rows)


def _write_volumes(path: Path, labels: LabelMap, *, suffix: str) -> None:
    rows = [
        {"index": str(s.index), "name": s.name, "voxels": str(s.voxels), "volume_ml": f"{s.volume_ml:.4f}"}
        for s in structure_volumes(labels)
    ]
    write_table(path, ("index", "name", "voxels", "volume_ml"), rows, suffix=suffix)


def _sidecar(image: Volume | LabelMap, interpolation: str, *, inverse: bool) -> dict[str, object]:
    if isinstance(image, LabelMap):
        how = "nearest" if interpolation == "nearest" else "largest linearly interpolated share"
        values: dict[str, object] = {"Interpolation": f"{how}, once", "OutsideValue": 0}
    else:
        values = {
            "Interpolation": f"{interpolation}, once",
            "Units": str(image.unit),
            "OutsideValue": image.outside,
        }
    return {
        **values,
        "Transform": "inverse" if inverse else "forward",
        "GeneratedBy": generated_by(),
    }


def _doubts(found: Found) -> tuple[Finding, ...]:
    """A warning if values that were interpolated look like labels."""
    data = found.image.data
    if isinstance(found.image, LabelMap) or found.image.outside != 0 or not _whole(data):
        return ()
    count = len(np.unique(data))
    if count > MAX_LABELS:
        return ()
    return (
        Finding(
            "labels-suspected",
            f"the image holds only {count} different whole numbers and was interpolated as values; if they name "
            "structures, say --labels",
            {"different_values": count},
        ),
    )


def _whole(data: AnyArray) -> bool:
    return data.dtype.kind in "bui" or bool(np.isfinite(data).all() and np.array_equal(data, np.rint(data)))
